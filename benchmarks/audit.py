"""What does an audit find of planted faults, and what in the real photos?

    python benchmarks/audit.py --data datasets/clothing

Faults are planted in the photos of the validation senders, whose labels the features never saw (tools/plant_faults.py),
several times over; then all photos are audited as they are, with their time and peak memory. Writes results/audit.json.
Pairs of copies in the real photos are listed by name there, to be judged by eye.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from measures import CLOTHING, peak_megabytes  # type: ignore[import-not-found]

from clothing_classifier.datasets import load_dataset
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

PLANT = Path(__file__).parents[1] / "tools" / "plant_faults.py"
FLIPPED, FLIPPED_SHARE, FIRST = "flipped-label", 0.05, 0.1
EXPECTED = {
    "truncated": "unreadable", "zeroed": "unreadable", "scattered-bytes": "unreadable", "web-page": "unreadable",
    "empty": "unreadable", "wrong-extension": "wrong-extension", "blank": "blank", "tiny": "tiny",
    "extreme-aspect": "extreme-aspect", "exact-copy": "exact-duplicate", "re-encoded": "near-duplicate",
    "resized": "near-duplicate", "mirrored": "near-duplicate", "brightness": "near-duplicate",
    "cropped": "near-duplicate",
}  # fmt: skip
COLUMNS = ["--group-column", "sender_id", "--exclude-labels", "Not sure,Other,Skip"]


def main() -> None:
    """Plant, audit, count; then audit what is real."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--count", type=int, default=50, help="faults of each kind and seed")
    options = parser.parse_args()
    record = provenance()
    with tempfile.TemporaryDirectory() as scratch:
        planted = [
            plant_and_audit(options.count, 0, seed, options.data, Path(scratch) / f"{seed}") for seed in options.seeds
        ]
        flipped = [
            plant_and_audit(0, FLIPPED_SHARE, seed, options.data, Path(scratch) / f"labels-{seed}")
            for seed in options.seeds
        ]
        real = audit_real(options.data, COLUMNS, Path(scratch) / "real")
    write_json(Path("results/audit.json"), record | {
        "seed": options.seeds, "n": planted[0]["n"], "planted_of_each": options.count,
        "found": {kind: pooled([run["found"][kind] for run in planted]) for kind in EXPECTED},
        "pairs": {"listed": sum(run["pairs"] for run in planted), "of_two_originals": [
            row | {"seed": seed} for seed, run in zip(options.seeds, planted, strict=True) for row in run["strange"]
        ]},
        "flipped": {"of_all": FLIPPED_SHARE, "first": FIRST, **pooled([run["found"][FLIPPED] for run in flipped]),
                    "listed": [run["suspects"] for run in flipped], "n": flipped[0]["n"]},
        "real": real,
    })  # fmt: skip


def plant_and_audit(count: int, flipped: float, seed: int, source: Path, folder: Path) -> dict[str, Any]:
    """Found and planted faults of each kind; a wrong label is found where it is among the first tenth of the photos.

    `strange` are pairs called copies whose photos were not made of one original.
    """
    data = folder / "data"
    command = [sys.executable, str(PLANT), "--data", str(source), "--split", "validation", "--out", str(data)]
    subprocess.run([*command, "--count", str(count), "--flip", str(flipped), "--seed", str(seed)], check=True)
    run_audit(["--data", str(data)], folder / "audit")
    named: dict[str, set[frozenset[str]]] = defaultdict(set)
    findings = read(folder / "audit" / "findings.csv")
    for row in findings:
        named[row["kind"]].add(frozenset(filter(None, (row["image"], row["other"]))))
    n = len(load_dataset(data).records)
    suspects = [row["image"] for row in findings if row["kind"] == "suspect-label"]
    first = set(suspects[: round(FIRST * n)])
    found: dict[str, list[int]] = {kind: [0, 0] for kind in (*EXPECTED, FLIPPED)}
    planted = read(data / "planted.csv")
    origins = {row["image"]: row["original"] for row in planted if row["kind"] != FLIPPED}
    pairs = [row for row in findings if "duplicate" in row["kind"]]
    strange = [row for row in pairs if len({origins.get(row[key], row[key]) for key in ("image", "other")}) > 1]
    for row in planted:
        kind, image, original = row["kind"], row["image"], row["original"]
        wanted = {image, original} if "duplicate" in EXPECTED.get(kind, "") else {image}
        found[kind][0] += image in first if kind == FLIPPED else frozenset(wanted) in named[EXPECTED[kind]]
        found[kind][1] += 1
    return {"n": n, "found": found, "suspects": len(suspects), "pairs": len(pairs), "strange": strange}


def pooled(counts: list[list[int]]) -> dict[str, float]:
    """Found, planted, and their ratio over all seeds."""
    hits, total = (sum(column) for column in zip(*counts, strict=True))
    return {"found": hits, "planted": total, "share": hits / total}


def audit_real(data: Path, columns: list[str], out: Path) -> dict[str, Any]:
    """What the photos hold as they are, and what it took to find out."""
    started = time.monotonic()
    summary = run_audit(["--data", str(data), *columns], out)
    seconds = time.monotonic() - started
    findings = read(out / "findings.csv")
    peak = peak_megabytes(resource.getrusage(resource.RUSAGE_CHILDREN))
    return {
        "photos": summary["summary"]["photos"], "seconds": seconds, "peak_megabytes": peak, "counts": summary["counts"],
        "pairs": [row for row in findings if "duplicate" in row["kind"] or row["kind"] == "label-conflict"],
        "suspects": [row for row in findings if row["kind"] == "suspect-label"],
    }  # fmt: skip


def run_audit(arguments: list[str], out: Path) -> dict[str, Any]:
    """Run the command; status 1 says only that something serious was found."""
    command = [CLOTHING, "audit", *arguments, "--out", str(out), "--format", "json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        sys.exit(result.stderr)
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
