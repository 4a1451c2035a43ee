"""Does starting from the shipped model pay, where a user has 100, 200 or 300 photos of a labelling of their own?

A stand-in for such a user: the photos of the clothing data set's validation senders, whom `wardrobe` has never seen,
under coarser labels than wardrobe's. Senders are cut into folds; from those outside a fold so many photos are drawn,
and the fold's photos are the test. Each draw is learnt with the preset `quick` from wardrobe; from ImageNet features,
with as few stages frozen as wardrobe's own recipe has; and from random weights, with batch norm, nothing frozen and
twice the epochs. Each is a process of its own, timed from start to end
with no photo decoded before. These photos chose wardrobe's recipe, which flatters it a little. One resumable command;
writes results/few-photos.json, whose margins are paired by fold. Where only wardrobe has changed, --only wardrobe keeps
the other starts' rows as that file has them, with where they came from.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measures import CLOTHING, mean_and_spread  # type: ignore[import-not-found]

from clothing_classifier.datasets import Columns, Record, load_dataset
from clothing_classifier.datasets.splits import cut_fold
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

COARSE = {
    "short-sleeved or sleeveless": ("T-Shirt", "Polo", "Undershirt", "Top"),
    "long-sleeved": ("Longsleeve", "Shirt", "Blouse"),
    "over the rest": ("Hoodie", "Outwear", "Blazer"),
    "legs": ("Pants", "Shorts"),
    "one piece or skirt": ("Dress", "Skirt", "Body"),
    "accessory": ("Hat", "Shoes"),
}
NAMES = {label: name for name, labels in COARSE.items() for label in labels}
SIZES = (100, 200, 300)
FOLDS = 3
EPOCHS_FROM_RANDOM = 24


def main() -> None:
    """Run what is missing, then write every run, and mean and spread over the folds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--features", type=Path, required=True, help="ImageNet features as safetensors")
    parser.add_argument("--runs", type=Path, default=Path("runs/few-photos"), help="finished runs are kept here")
    parser.add_argument("--out", type=Path, default=Path("results/few-photos.json"))
    parser.add_argument("--only", choices=["wardrobe"], help="run this start anew; the others' rows are kept")
    options = parser.parse_args()
    record = provenance()
    before = json.loads(options.out.read_text(encoding="utf-8")) if options.only else {"runs": []}
    kept = [row for row in before["runs"] if row["start"] != options.only]
    photos = load_dataset(options.data, Columns(group="sender_id"), tuple(NAMES)).part("validation")
    starts = {
        "wardrobe": ["--init", "wardrobe"],
        "ImageNet": ["--init", str(options.features), "--set", "optimization.frozen_stages=3"],
        "random": [
            "--set", "model.settings={batch_norm=true}", "--set", "optimization.frozen_stages=0",
            "--set", f"optimization.epochs={EPOCHS_FROM_RANDOM}",
        ],
    }  # fmt: skip
    if options.only:
        starts = {options.only: starts[options.only]}
        others = list(dict.fromkeys(row["start"] for row in kept))
        record |= {"kept": {"starts": others, **{key: before[key] for key in record if key in before}}}
    rows = []
    for size in SIZES:
        for fold in range(FOLDS):
            outside, inside = cut_fold(photos, FOLDS, fold, seed=0)
            data = write_table(options.runs / f"data-{size}-{fold}", options.data, draw(outside, size, fold), inside)
            for start, arguments in starts.items():
                run = learn(data, options.runs / f"{start}-{size}-{fold}", arguments)
                rows.append({"start": start, "photos": size, "fold": fold, **run})
                print(rows[-1], flush=True)
    rows = sorted([*rows, *kept], key=lambda row: (row["photos"], row["fold"]))
    write_json(options.out, record | {"seed": 0, "n": len(photos), "labels": COARSE, "folds": FOLDS,
                                      "runs": rows, "summary": summarise(rows)})  # fmt: skip


def draw(records: tuple[Record, ...], size: int, seed: int) -> list[Record]:
    """`size` of the records, at random."""
    chosen = np.random.default_rng([seed, size]).permutation(len(records))[:size]
    return [records[i] for i in chosen]


def write_table(folder: Path, source: Path, train: list[Record], test: tuple[Record, ...]) -> Path:
    """A data set as a user would bring one: a table with coarse labels beside a link to the images."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "images").symlink_to((source / "images").resolve())
    with (folder / "dataset.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "group", "split"])
        known = {NAMES[record.label] for record in train}
        for name, part in (("train", train), ("validation", test)):
            writer.writerows([r.image, NAMES[r.label], r.group, name] for r in part if NAMES[r.label] in known)
    return folder


def learn(data: Path, out: Path, arguments: list[str]) -> dict[str, Any]:
    """Train once, unless it was done; the last epoch counts, so that the test photos choose nothing."""
    seconds = out / "seconds.json"
    if not seconds.exists():
        shutil.rmtree(out, ignore_errors=True)
        command = [CLOTHING, "train", "--data", str(data), "--preset", "quick", "--out", str(out), *arguments]
        with tempfile.TemporaryDirectory() as cache:
            started = time.monotonic()
            subprocess.run([*command, "--set", "optimization.keep=last"], check=True, capture_output=True,
                           env={**os.environ, "XDG_CACHE_HOME": cache})  # fmt: skip
        write_json(seconds, time.monotonic() - started)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    figures = record["metrics"]["validation"]
    keys = ("accuracy", "macro_f1")
    return {**{key: figures[key] for key in keys}, "tested": record["n"]["validation"],
            "seconds": json.loads(seconds.read_text(encoding="utf-8"))}  # fmt: skip


def summarise(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and spread (standard deviation) over the folds for each start and number of photos, and of the margin."""
    summary = []
    for size in SIZES:
        own = {(row["start"], row["fold"]): row for row in rows if row["photos"] == size}
        for start in dict.fromkeys(start for start, _ in own):
            folds = [row for (name, _), row in own.items() if name == start]
            margins = [own["wardrobe", row["fold"]]["accuracy"] - row["accuracy"] for row in folds]
            summary.append({
                "start": start, "photos": size, "runs": len(folds),
                "accuracy": mean_and_spread([row["accuracy"] for row in folds]),
                "macro_f1": mean_and_spread([row["macro_f1"] for row in folds]),
                "wardrobe_ahead": mean_and_spread(margins),
                "seconds": mean_and_spread([row["seconds"] for row in folds]),
            })  # fmt: skip
    return summary


if __name__ == "__main__":
    main()
