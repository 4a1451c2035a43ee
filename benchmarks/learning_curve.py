"""What do more photos bring, and what are the starting weights worth?

    python benchmarks/learning_curve.py --data datasets/clothing --features FEATURES.safetensors

The preset `wardrobe` at 128 px, learnt from 10%, 30% and all of the train photos and measured on the validation
senders; the public test is not touched. A part is made of whole senders, drawn by the seed until it holds its share of
the photos (to a tenth of that) and every class. Each run takes about as many steps: six epochs of all photos, or as
many more of a part. Once more all photos are learnt from random weights: batch norm, nothing frozen, five times the
epochs. One resumable command, two runs at a time of a thread each; finished runs are kept below --runs.

Writes results/learning-curve.json and docs/figures/learning-curve.png. The law error = a n^-b is fitted to the mean
error at each share, and carried on to ten times all photos; its interval is a bootstrap over the validation senders and
the seeds. Three sizes can't tell whether the error has a floor that no number of photos gets below; the law has none,
and so promises the most that the curve allows.
"""

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from measures import mean_and_spread, run_training  # type: ignore[import-not-found]

from clothing_classifier.config import load_settings
from clothing_classifier.datasets import Record
from clothing_classifier.datasets.splits import group_names
from clothing_classifier.evaluation.metrics import Floats, grouped_interval
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.report.figure import BLUE, ORANGE, make_figure, to_png
from clothing_classifier.training.parts import load_parts
from clothing_classifier.training.run_folder import load_held_out
from clothing_classifier.utils import write_bytes, write_json

# The parts' tables hold no row of the labels that the preset leaves out, and naming those would be an error.
RECIPE = ("image.size=128", "augmentation.size=112", "runtime.threads=1", "data.exclude_labels=[]")
FROM_RANDOM = ("model.settings={batch_norm=true}", "optimization.frozen_stages=0")
RANDOM = "random start"
EPOCHS, LONGER = 6, 5
MORE = 10
_TOLERANCE = 0.1
_DRAWS = 2000


def main() -> None:
    """Train what is missing, then fit the law, write the record and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--features", type=Path, required=True, help="ImageNet features as safetensors")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.3, 1.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the parts; of all photos the first")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"over all photos (default {EPOCHS})")
    parser.add_argument("--runs", type=Path, default=Path("runs/learning-curve"), help="finished runs are kept here")
    parser.add_argument("--results", type=Path, default=Path("results/learning-curve.json"))
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/learning-curve.png"))
    options = parser.parse_args()
    record = provenance()
    _, train, validation = load_parts(options.data, load_settings("wardrobe").data)
    tasks = [(str(share), seed) for share in options.shares for seed in options.seeds[: 1 if share == 1 else None]]
    tasks = [(RANDOM, options.seeds[0]), *tasks]
    sizes = {task: write_table(task, train, validation, options) for task in tasks}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda task: learn(task, options), tasks))
    right = {task: answers(task, options) for task in tasks}
    senders = group_names(validation)
    report = record | {
        "seed": options.seeds, "recipe": RECIPE, "from_random": FROM_RANDOM, "epochs_of_all": options.epochs,
        "epochs_from_random": LONGER * options.epochs, "n": len(validation), "senders": len(set(senders)),
        "interval_method": "bootstrap over senders",
        "points": [summarise(str(share), right, sizes, senders) for share in options.shares],
        RANDOM: summarise(RANDOM, right, sizes, senders) | behind(right, senders),
        "law": law({share: right_at(str(share), right) for share in options.shares},
                   {share: mean_size(str(share), sizes) for share in options.shares}, senders),
    }  # fmt: skip
    write_json(options.results, report)
    draw(report, options.figure)


Task = tuple[str, int]
"""A share of the train photos, as text, or `RANDOM`; and a seed."""


def part(train: Sequence[Record], share: float, seed: int) -> list[Record]:
    """Photos of whole senders, at random, that make up `share` of all, and among them every class."""
    names, wanted = np.array(group_names(train)), share * len(train)
    senders, index = np.unique(names, return_inverse=True)
    counts, classes = np.bincount(index), {record.label for record in train}
    random = np.random.default_rng([seed, round(1000 * share)])
    for _ in range(1000):
        chosen, size = set(), 0
        for i in random.permutation(len(senders)):
            if size < wanted and size + counts[i] <= wanted * (1 + _TOLERANCE):
                chosen.add(senders[i])
                size += counts[i]
        drawn = [record for record, name in zip(train, names, strict=True) if name in chosen]
        if size >= wanted * (1 - _TOLERANCE) and {record.label for record in drawn} == classes:
            return drawn
    sys.exit(f"no part of {share:g} of the photos has whole senders and every class")


def write_table(task: Task, train: Sequence[Record], validation: Sequence[Record], options: argparse.Namespace) -> int:
    """Write a run's own data set, a table beside a link to the images; return how many photos it learns from."""
    name, seed = task
    learnt = list(train) if name in (RANDOM, "1.0") else part(train, float(name), seed)
    data = folder(task, options).with_suffix(".data")
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / "images").symlink_to((options.data / "images").resolve())
    with (data / "dataset.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "sender_id", "split"])
        for split, records in (("train", learnt), ("validation", validation)):
            writer.writerows([record.image, record.label, record.group, split] for record in records)
    return len(learnt)


def folder(task: Task, options: argparse.Namespace) -> Path:
    """Where a run is kept."""
    name, seed = task
    runs: Path = options.runs / f"{'random' if name == RANDOM else f'{100 * float(name):g}-percent'}-{seed}"
    return runs


def learn(task: Task, options: argparse.Namespace) -> None:
    """Train, or go on; a run that was done is checked to be this very one."""
    name, seed = task
    out = folder(task, options)
    longer = LONGER if name == RANDOM else 1 / float(name)
    changes = [*RECIPE, *(FROM_RANDOM if name == RANDOM else ()), f"runtime.seed={seed}",
               f"optimization.epochs={round(options.epochs * longer)}",
               f"optimization.warmup_epochs={float(round(longer))}"]  # fmt: skip
    start = [] if name == RANDOM else ["--init", str(options.features)]
    run_training(out.with_suffix(".data"), "wardrobe", out, changes, *start)


def answers(task: Task, options: argparse.Namespace) -> Floats:
    """Which validation photos a run got right, `(N,)`."""
    run = folder(task, options)
    labels = json.loads((run / "run.json").read_text(encoding="utf-8"))["labels"]
    logits, targets, _ = load_held_out([run], labels)
    result: Floats = (logits.argmax(1) == targets).astype(float)
    return result


def right_at(name: str, right: dict[Task, Floats]) -> Floats:
    """`(seeds, N)`."""
    return np.stack([row for (share, _), row in right.items() if share == name])


def mean_size(name: str, sizes: dict[Task, int]) -> float:
    """How many photos the runs of a share learnt from, on average."""
    return float(np.mean([size for (share, _), size in sizes.items() if share == name]))


def summarise(name: str, right: dict[Task, Floats], sizes: dict[Task, int], senders: list[str]) -> dict[str, Any]:
    """Accuracy over the seeds, and its interval over senders."""
    rows = right_at(name, right)
    return {
        "share": name, "photos": [size for (share, _), size in sizes.items() if share == name],
        "mean_photos": mean_size(name, sizes), "runs": len(rows),
        "accuracy": mean_and_spread([float(row.mean()) for row in rows]),
        "interval": grouped_interval(rows.mean(0), senders),
    }  # fmt: skip


def behind(right: dict[Task, Floats], senders: list[str]) -> dict[str, Any]:
    """How far a random start stays behind the trained one, on the same photos."""
    gap = right_at("1.0", right).mean(0) - right_at(RANDOM, right).mean(0)
    return {"behind": float(gap.mean()), "behind_interval": grouped_interval(gap, senders)}


def law(right: dict[float, Floats], sizes: dict[float, float], senders: list[str]) -> dict[str, Any]:
    """a and b of error = a n^-b, and what ten times all photos should bring, with intervals."""
    photos = np.array([sizes[share] for share in right])
    errors = np.array([1 - rows.mean() for rows in right.values()])
    a, b = fit(photos, errors)
    random, draws = np.random.default_rng(0), []
    _, index = np.unique(senders, return_inverse=True)
    rows_of = [np.flatnonzero(index == i) for i in range(index.max() + 1)]
    for _ in range(_DRAWS):
        inside = np.concatenate([rows_of[i] for i in random.integers(len(rows_of), size=len(rows_of))])
        drawn = [rows[random.integers(len(rows), size=len(rows))][:, inside] for rows in right.values()]
        drawn_a, drawn_b = fit(photos, np.array([1 - rows.mean() for rows in drawn]))
        here, there = (drawn_a * size**-drawn_b for size in (photos.max(), MORE * photos.max()))
        draws.append((drawn_b, 1 - there, here - there))
    there, here = (a * size**-b for size in (MORE * photos.max(), photos.max()))
    ends = np.quantile(np.array(draws), [0.025, 0.975], axis=0).T.tolist()
    return {
        "a": a, "b": b, "b_interval": ends[0],
        "ten_times": {"photos": round(MORE * photos.max()), "accuracy": 1 - there, "interval": ends[1],
                      "gain": here - there, "gain_interval": ends[2]},
    }  # fmt: skip


def fit(photos: Floats, errors: Floats) -> tuple[float, float]:
    """a and b by least squares between the logarithms."""
    slope, offset = np.polyfit(np.log(photos), np.log(np.maximum(errors, 1e-6)), 1)
    return float(np.exp(offset)), float(-slope)


def draw(report: dict[str, Any], path: Path) -> None:
    """Error against photos, both on logarithmic axes, with the law carried on."""
    from matplotlib.ticker import PercentFormatter

    figure = make_figure(6.5, 4.5)
    axes, found, more = figure.subplots(), report["law"], report["law"]["ten_times"]
    for rows, colour, label in ((report["points"], BLUE, "trained start"), ([report[RANDOM]], ORANGE, RANDOM)):
        error = np.array([1 - row["accuracy"]["mean"] for row in rows])
        ends = np.array([[1 - end for end in row["interval"]] for row in rows])
        bars = np.abs(np.stack([error - ends[:, 1], ends[:, 0] - error]))
        axes.errorbar([row["mean_photos"] for row in rows], error, bars, fmt="o", color=colour, capsize=3, label=label)
    reach = np.geomspace(min(row["mean_photos"] for row in report["points"]), more["photos"], 50)
    axes.plot(reach, found["a"] * reach ** -found["b"], "--", color=BLUE, label="error = a n^-b")
    middle, worst, best = (1 - value for value in (more["accuracy"], *more["interval"]))
    axes.errorbar([more["photos"]], [middle], [[middle - best], [worst - middle]], fmt="s", mfc="white",
                  color=BLUE, capsize=3, label="ten times the photos, by the law")  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    for ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        ticks(PercentFormatter(1, 0))
    axes.set_xlabel("photos learnt from")
    axes.set_ylabel("error on validation, 95%")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    write_bytes(path, to_png(figure, dpi=110))


if __name__ == "__main__":
    main()
