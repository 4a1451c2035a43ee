"""What the audit found, laid out for a person to judge.

    python benchmarks/judge_findings.py pairs --data datasets/clothing --out judged/pairs
    python benchmarks/judge_findings.py labels --data datasets/clothing --out judged/labels
    python benchmarks/judge_findings.py count judged/pairs judged/labels

`pairs` takes all copies that results/audit.json names in the real photos and, up to a hundred, a random rest of those
that an audit names among planted ones (tools/plant_faults.py): do they show one picture? `labels` takes the labels that
it doubts strongly, its warnings: is the label right, wrong, or could one say either? Each writes contact sheets, where
what the audit says stands above the pictures, and `findings.csv`, whose column `verdict` is filled by looking. `count`
writes results/audit-judged.json; precision is that of a random draw where there is one, else of all.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from audit import PLANT, read, run_audit  # type: ignore[import-not-found]
from PIL import Image, ImageDraw, ImageOps

from clothing_classifier.evaluation.metrics import wilson_interval
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

PAIRS, SEED = 100, 3
"""The seed is not one of those that benchmarks/audit.py takes."""
VERDICTS = {"pairs": ("same", "other"), "labels": ("wrong", "either", "right")}
FIELDS = ("number", "source", "image", "other", "detail", "verdict")
SIDE, ACROSS, ROW = 176, 10, 28
Found = tuple[str, dict[str, str], Path]
"""`real` or `planted`, the row of findings.csv, and the data set."""


def main() -> None:
    """Lay out, or count what was judged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    for what in VERDICTS:
        step = steps.add_parser(what)
        step.add_argument(
            "--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it"
        )
        step.add_argument("--out", type=Path, required=True, help="folder for the sheets and findings.csv")
    steps.add_parser("count").add_argument("folders", type=Path, nargs=2, help="pairs, then labels, judged")
    options = parser.parse_args()
    if options.step == "count":
        count(*options.folders)
    elif options.step == "pairs":
        with tempfile.TemporaryDirectory() as scratch:
            lay_out(pairs(options.data, Path(scratch)), options.out)
    else:
        doubted = [row for row in _audited()["suspects"] if row["severity"] == "warning"]
        lay_out([("real", row, options.data) for row in doubted], options.out)


def pairs(data: Path, scratch: Path) -> list[Found]:
    """All pairs in the real photos, then some of those of planted copies."""
    real = {frozenset((row["image"], row["other"])): ("real", row, data) for row in _audited()["pairs"]}
    planted = scratch / "data"
    command = [sys.executable, str(PLANT), "--data", str(data), "--split", "validation", "--out", str(planted)]
    subprocess.run([*command, "--count", "50", "--seed", str(SEED)], check=True)
    run_audit(["--data", str(planted)], scratch / "audit")
    listed = [row for row in read(scratch / "audit" / "findings.csv") if "duplicate" in row["kind"]]
    rest = random.Random(SEED).sample(listed, PAIRS - len(real))
    return [*real.values(), *(("planted", row, planted) for row in rest)]


def lay_out(found: list[Found], out: Path) -> None:
    """Write `sheet-N.png` and `findings.csv` to `out`."""
    out.mkdir(parents=True)
    per_sheet = ACROSS // 2 * 5
    for number, start in enumerate(range(0, len(found), per_sheet), 1):
        sheet(found[start : start + per_sheet], start).save(out / f"sheet-{number}.png")
    with (out / "findings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for number, (source, row, _) in enumerate(found, 1):
            writer.writerow(row | {"number": number, "source": source, "verdict": ""})


def sheet(found: list[Found], start: int) -> Image.Image:
    """Findings in rows of five, each with its number and what it says; pairs side by side."""
    canvas = Image.new("RGB", (ACROSS * SIDE, -(-len(found) // (ACROSS // 2)) * (SIDE + ROW)), "white")
    draw = ImageDraw.Draw(canvas)
    for place, (_, row, folder) in enumerate(found):
        left, top = place % (ACROSS // 2) * 2 * SIDE, place // (ACROSS // 2) * (SIDE + ROW)
        draw.text((left + 2, top + 4), f"{start + place + 1}: {row['detail']}", fill="black")
        for side, name in enumerate(filter(None, (row["image"], row["other"]))):
            with Image.open(folder / "images" / name) as opened:
                picture = ImageOps.contain(ImageOps.exif_transpose(opened).convert("RGB"), (SIDE - 4, SIDE))
            canvas.paste(picture, (left + side * SIDE, top + ROW - 4))
    return canvas


def count(*folders: Path) -> None:
    """Write the record of what a person judged; exits where a finding was not."""
    record: dict[str, Any] = provenance()
    for (what, verdicts), folder in zip(VERDICTS.items(), folders, strict=True):
        rows = read(folder / "findings.csv")
        if strange := [row["number"] for row in rows if row["verdict"] not in verdicts]:
            sys.exit(f"{folder}: the verdict of {', '.join(strange)} is none of {', '.join(verdicts)}")
        given = Counter(row["verdict"] for row in rows)
        drawn = [row for row in rows if row["source"] == "planted"] or rows
        good = sum(row["verdict"] == verdicts[0] for row in drawn)
        record[what] = {
            "n": len(rows), "real": sum(row["source"] == "real" for row in rows),
            "verdicts": {verdict: given[verdict] for verdict in verdicts},
            "drawn": len(drawn), "precision": good / len(drawn),
            "precision_interval": list(wilson_interval(good, len(drawn))),
            "findings": rows,
        }  # fmt: skip
    write_json(Path("results/audit-judged.json"), record)


def _audited() -> dict[str, Any]:
    real: dict[str, Any] = json.loads(Path("results/audit.json").read_text(encoding="utf-8"))["real"]
    return real


if __name__ == "__main__":
    main()
