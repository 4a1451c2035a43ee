"""Train the shipped `fashion-mnist` from random weights to bundle: one resumable command whose finished runs are kept.

    python benchmarks/train_fashion.py --data datasets/fashion-mnist

One run of the preset becomes the bundle. The same preset at `--short-epochs`, once a seed, says how much of a figure is
chance. A wider network, of as many epochs as 150 minutes of one core allow, becomes the bundle `fashion-mnist-wide`,
which does not ship. One run at a time, one thread. Writes results/fashion-mnist-training.json: every run, with mean and
spread over the seeds. Accuracy is that of the 5,000 photos held out of train; no test photo is read.
"""

import argparse
import csv
import json
import shutil
import subprocess
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from measures import CLOTHING, mean_and_spread, train_command  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

NAME, WIDE = "fashion-mnist", "fashion-mnist-wide"
WIDE_SETTINGS = ("model.settings.depth=14", "model.settings.width=32", "optimization.epochs=88")
TARGETS = (0.90, 0.93, 0.94, 0.95)


def main() -> None:
    """Train what is missing, export, and write the record."""
    options = _options()
    record = provenance()
    shipped = learn("shipped", [], options)
    export("shipped", NAME, options)
    wide = learn("wide", WIDE_SETTINGS, options)
    export("wide", WIDE, options)
    short = [
        learn(f"short-{seed}", [f"runtime.seed={seed}", f"optimization.epochs={options.short_epochs}"], options)
        for seed in options.seeds
    ]
    figures = [run["metrics"]["validation"] for run in short]
    write_json(Path("results") / f"{NAME}-training.json", record | {
        "seed": options.seeds, "n": shipped["n"], "data_sha256": shipped["data_sha256"],
        "shipped": shipped, "wide": wide, "short": short,
        "summary": {key: mean_and_spread([run[key] for run in figures]) for key in ("accuracy", "macro_f1") if short},
    })  # fmt: skip


def export(run: str, name: str, options: argparse.Namespace) -> None:
    """Make the bundle of a run, with mirror images."""
    bundle: Path = options.bundles / name
    shutil.rmtree(bundle, ignore_errors=True)
    command = [CLOTHING, "export", str(options.runs / run), "--data", options.data, "--out", str(bundle)]
    subprocess.run([*command, "--mirror"], check=True)


def learn(name: str, changes: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """Train one run, or go on with it, and return its record with the seconds that its epochs and targets took."""
    out = options.runs / name
    command = train_command(options.data, NAME, out, ("runtime.threads=1", *changes))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    record: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    with (out / "history.csv").open(encoding="utf-8", newline="") as file:
        history = list(csv.DictReader(file))
    ends = list(accumulate(record["n"]["train"] / float(row["images_per_second"]) for row in history))
    reached = {}
    for target in TARGETS:
        first = next((i for i, row in enumerate(history) if float(row["accuracy"]) >= target), None)
        if first is not None:
            reached[f"{target:.0%}"] = {"epoch": first + 1, "seconds": ends[first]}
    return record | {"training_seconds": ends[-1], "reached": reached}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the four files, as 'clothing fetch' leaves them")
    parser.add_argument("--runs", type=Path, default=Path("runs/fashion-mnist"), help="finished runs are kept here")
    parser.add_argument("--bundles", type=Path, default=Path("runs/bundles"), help="where the bundle is written")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--short-epochs", type=int, default=12)
    return parser.parse_args()


if __name__ == "__main__":
    main()
