"""What does an audit find of planted faults and in the real photos, and is it right?

Faults are planted in the photos of the validation senders, whose labels the model's features never saw, several times
over; then all photos are audited as they are. A planted wrong label is found where it is among the first tenth of them.
A person judges the audit's warnings: give findings.csv of --keep a column `verdict` (`wrong`, `either` or `right`) by
looking at audit.html beside it, and pass it as --judged.
"""

import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.common import CLOTHING, RESULTS, ROOT, Data, read_rows, recording, run_process
from clothing_classifier.evaluation.metrics import wilson_interval

PLANT = ROOT / "tools" / "plant_faults.py"
FLIPPED, FLIPPED_FRACTION, FIRST = "flipped-label", 0.05, 0.1
EXPECTED = {
    "truncated": "unreadable", "zeroed": "unreadable", "scattered-bytes": "unreadable", "web-page": "unreadable",
    "empty": "unreadable", "wrong-extension": "wrong-extension", "blank": "blank", "tiny": "tiny",
    "extreme-aspect": "extreme-aspect", "exact-copy": "exact-duplicate", "re-encoded": "near-duplicate",
    "resized": "near-duplicate", "mirrored": "near-duplicate", "brightness": "near-duplicate",
    "cropped": "near-duplicate",
}  # fmt: skip
COLUMNS = ["--group-column", "sender_id", "--exclude-labels", "Not sure,Other,Skip"]
CONFUSED = 6
VERDICTS = ("wrong", "either", "right")
Rows = list[dict[str, str]]


def audit(
    data: Data,
    fashion_mnist: Annotated[Path | None, typer.Option(help="Fashion-MNIST's four files, to audit them too.")] = None,
    judged: Annotated[Path | None, typer.Option(help="findings.csv with the verdicts of a person.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Leave the audit of the real photos here, to be judged.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Faults are planted once a seed; default: 0, 1 and 2.")] = None,
    count: Annotated[int, typer.Option(help="Faults of each kind and seed.")] = 50,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "audit.json",
) -> None:
    """What `clothing audit` finds of planted faults and in real photos, and how many of its warnings are right.

    Verdicts and the audit of Fashion-MNIST stay as they were where they are not given.
    """
    seeds = seed or [0, 1, 2]
    before = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    with recording(out) as record, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        planted = [plant_and_audit(data, count, 0, one, folder / f"{one}") for one in seeds]
        flipped = [plant_and_audit(data, 0, FLIPPED_FRACTION, one, folder / f"labels-{one}") for one in seeds]
        real, findings = run_audit(data, COLUMNS, (keep or folder / "real").resolve())
        found = {kind: pool([run["found"][kind] for run in planted]) for kind in EXPECTED}
        found[FLIPPED] = pool([run["found"][FLIPPED] for run in flipped])
        record.update({
            "seed": seeds, "planted_of_each": count, "n": planted[0]["n"], "found": found,
            "pairs": {key: sum(run[key] for run in planted) for key in ("listed", "of_two_originals")},
            "real": real, "benchmark_corrections": corrections(data, findings),
        })  # fmt: skip
        record.update({key: before[key] for key in ("judged", "fashion-mnist") if key in before})
        if judged:
            record["judged"] = {"labels": count_verdicts(read_rows(judged))}
        if fashion_mnist:
            found_there, _ = run_audit(fashion_mnist, [], folder / "fashion")
            record["fashion-mnist"] = {"n": found_there["photos"], "counts": found_there["counts"]}


def plant_and_audit(source: Path, count: int, flipped: float, seed: int, folder: Path) -> dict[str, Any]:
    """Found and planted faults of each kind, pairs called copies, and those of them that are of two originals."""
    data = folder / "data"
    run_process([sys.executable, PLANT, "--data", source.resolve(), "--split", "validation", "--out", data,
                 "--count", str(count), "--flip", str(flipped), "--seed", str(seed)])  # fmt: skip
    _, findings = run_audit(data, [], folder / "audit")
    named: dict[str, set[frozenset[str]]] = defaultdict(set)
    for row in findings:
        named[row["kind"]].add(frozenset(filter(None, (row["image"], row["other"]))))
    n = len(read_rows(data / "dataset.csv"))
    suspects = [row["image"] for row in findings if row["kind"] == "suspect-label"][: round(FIRST * n)]
    planted = read_rows(data / "planted.csv")
    found: dict[str, list[int]] = {kind: [0, 0] for kind in (*EXPECTED, FLIPPED)}
    for row in planted:
        kind, image = row["kind"], row["image"]
        wanted = {image, row["original"]} if "duplicate" in EXPECTED.get(kind, "") else {image}
        found[kind][0] += image in suspects if kind == FLIPPED else frozenset(wanted) in named[EXPECTED[kind]]
        found[kind][1] += 1
    origins = {row["image"]: row["original"] for row in planted if row["kind"] != FLIPPED}
    pairs = [{origins.get(row[key], row[key]) for key in ("image", "other")} for row in findings if is_copy(row)]
    return {"n": n, "found": found, "listed": len(pairs), "of_two_originals": sum(len(pair) > 1 for pair in pairs)}


def run_audit(data: Path, columns: Sequence[str], out: Path) -> tuple[dict[str, Any], Rows]:
    """What the photos hold, with what it took to find out, and all findings; status 1 says that some are serious."""
    where: list[str | Path] = ["--data", data.resolve(), "--out", out]
    done = run_process([CLOTHING, "audit", *where, "--format", "json", *columns], accepted=(0, 1))
    findings = read_rows(out / "findings.csv")
    about = {
        "photos": done.json["summary"]["photos"], "seconds": done.seconds, "peak_megabytes": done.peak_mb,
        "counts": done.json["counts"], "suspect_warnings": sum(is_warning(row) for row in findings),
        "suspect_labels": most_confused(findings),
        "copies": [{key: row[key] for key in ("image", "other", "detail")} for row in findings if is_copy(row)],
    }  # fmt: skip
    return about, findings


def most_confused(findings: Rows) -> list[dict[str, Any]]:
    """The pairs of labels that suspects are of most often."""
    pairs = [re.findall("'(.*?)'", row["detail"]) for row in findings if row["kind"] == "suspect-label"]
    common = Counter((label, looks_like) for label, looks_like, *_ in pairs).most_common(CONFUSED)
    return [{"label": label, "looks_like": looks_like, "photos": n} for (label, looks_like), n in common]


def is_copy(row: dict[str, str]) -> bool:
    """Whether a finding calls two photos copies."""
    return "duplicate" in row["kind"]


def is_warning(row: dict[str, str]) -> bool:
    """Whether a finding doubts a label strongly."""
    return row["kind"] == "suspect-label" and row["severity"] == "warning"


def pool(counts: Sequence[Sequence[int]]) -> dict[str, int]:
    """Found and planted over all seeds."""
    found, planted = (sum(column) for column in zip(*counts, strict=True))
    return {"found": found, "planted": planted}


def corrections(data: Path, findings: Rows) -> dict[str, int]:
    """How many of the labels that the public benchmark corrects the audit doubts, which knows nothing of that."""
    doubted = {row["image"]: is_warning(row) for row in findings if row["kind"] == "suspect-label"}
    compared = [row for row in read_rows(data / "dataset.csv") if row.get("benchmark_label")]
    corrected = [row["image"] for row in compared if row["benchmark_label"] != row["label"].casefold()]
    return {
        "compared": len(compared), "corrected": len(corrected), "doubted": sum(image in doubted for image in corrected),
        "doubted_warnings": sum(doubted.get(image, False) for image in corrected),
    }  # fmt: skip


def count_verdicts(rows: Rows) -> dict[str, Any]:
    """Verdicts of the warnings, and the fraction of them that are plainly wrong labels, with its interval."""
    given = Counter(row["verdict"] for row in rows if is_warning(row))
    if unknown := given.keys() - set(VERDICTS):
        sys.exit(f"a verdict is {min(unknown)!r}, none of {', '.join(VERDICTS)}")
    n, wrong = given.total(), given["wrong"]
    return {
        "n": n, "verdicts": {verdict: given[verdict] for verdict in VERDICTS},
        "precision": wrong / n, "precision_interval": list(wilson_interval(wrong, n)),
    }  # fmt: skip
