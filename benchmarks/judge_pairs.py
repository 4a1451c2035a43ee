"""Pairs that the audit calls copies, laid out for a person to judge: is it one picture?

    python benchmarks/judge_pairs.py show --data datasets/clothing --out pairs
    python benchmarks/judge_pairs.py count pairs

The first plants copies among the photos of the validation senders (tools/plant_faults.py), audits them, takes all pairs
that results/audit.json names in the real photos and a random rest, up to --count, and writes contact sheets with
`pairs.csv`, whose column `same` is left empty. A person looks, and writes `yes` or `no`. The second counts:
results/audit-pairs.json.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from audit import PLANT, read, run_audit  # type: ignore[import-not-found]
from PIL import Image, ImageDraw, ImageOps

from clothing_classifier.metrics import wilson_interval
from clothing_classifier.provenance import provenance
from clothing_classifier.utils import write_json

PAIRS, FIELDS = "pairs.csv", ("number", "source", "kind", "image", "other", "same")
SIDE, ACROSS, DOWN, MARGIN = 176, 5, 5, 14


def main() -> None:
    """Show pairs, or count what was judged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    showing = steps.add_parser("show", help="write the sheets")
    showing.add_argument(
        "--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it"
    )
    showing.add_argument("--out", type=Path, required=True, help="folder for sheets and pairs.csv")
    showing.add_argument("--count", type=int, default=100)
    showing.add_argument("--seed", type=int, default=3, help="not one of those that benchmarks/audit.py takes")
    counting = steps.add_parser("count", help="write the record")
    counting.add_argument("folder", type=Path, help="where the sheets are")
    options = parser.parse_args()
    if options.step == "show":
        show(options.data, options.out, options.count, options.seed)
    else:
        count(options.folder)


def show(data: Path, out: Path, wanted: int, seed: int) -> None:
    """Write `sheet-N.png` and `pairs.csv` to `out`."""
    found = json.loads(Path("results/audit.json").read_text(encoding="utf-8"))["real"]["pairs"]
    real = {frozenset((row["image"], row["other"])): ("real", row, data) for row in found}
    with tempfile.TemporaryDirectory() as scratch:
        planted = Path(scratch) / "data"
        command = [sys.executable, str(PLANT), "--data", str(data), "--split", "validation", "--out", str(planted)]
        subprocess.run([*command, "--count", "50", "--seed", str(seed)], check=True)
        run_audit(["--data", str(planted)], Path(scratch) / "audit")
        listed = [row for row in read(Path(scratch) / "audit" / "findings.csv") if "duplicate" in row["kind"]]
        chosen = [*real.values(), *(("planted", row, planted) for row in listed)]
        rest = random.Random(seed).sample(chosen[len(real) :], wanted - len(real))
        chosen = [*real.values(), *rest]
        out.mkdir(parents=True)
        for number, start in enumerate(range(0, len(chosen), ACROSS * DOWN), 1):
            part = [(folder, row) for _, row, folder in chosen[start : start + ACROSS * DOWN]]
            sheet(part, start).save(out / f"sheet-{number}.png")
    with (out / PAIRS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        for number, (source, row, _) in enumerate(chosen, 1):
            named = {key: row[key] for key in ("kind", "image", "other")}
            writer.writerow({"number": number, "source": source, **named, "same": ""})


def sheet(pairs: list[tuple[Path, dict[str, str]]], start: int) -> Image.Image:
    """Pairs side by side, each with its number."""
    width, height = 2 * SIDE + MARGIN, SIDE + MARGIN
    canvas = Image.new("RGB", (ACROSS * width, DOWN * height), "white")
    draw = ImageDraw.Draw(canvas)
    for place, (folder, row) in enumerate(pairs):
        left, top = place % ACROSS * width, place // ACROSS * height
        draw.text((left + 2, top), f"{start + place + 1}", fill="black")
        for side, name in enumerate((row["image"], row["other"])):
            with Image.open(folder / "images" / name) as opened:
                picture = ImageOps.contain(ImageOps.exif_transpose(opened).convert("RGB"), (SIDE - 4, SIDE))
            canvas.paste(picture, (left + side * SIDE, top + MARGIN - 2))
    return canvas


def count(folder: Path) -> None:
    """Write the record of what a person judged; exits where a pair was not."""
    rows = read(folder / PAIRS)
    if unjudged := [row["number"] for row in rows if row["same"] not in ("yes", "no")]:
        sys.exit(f"{folder / PAIRS}: write yes or no in the column same of pair {', '.join(unjudged)}")
    same = sum(row["same"] == "yes" for row in rows)
    write_json(Path("results/audit-pairs.json"), provenance() | {
        "n": len(rows), "real": sum(row["source"] == "real" for row in rows),
        "same": same, "precision": same / len(rows),
        "precision_interval": list(wilson_interval(same, len(rows))),
        "kinds": {kind: sum(row["kind"] == kind for row in rows) for kind in sorted({row["kind"] for row in rows})},
        "pairs": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()
