"""What does each part of the recipe bring? The recipe with one part changed, on folds by sender of one train split.

A preset at a smaller size, trained on all but one fold of its train split and measured on that fold, over folds and
seeds; neither the validation nor the test photos are looked at. One resumable command, two runs at a time; finished
runs are kept below --runs. Writes results/ablation-PRESET.json: for each variant accuracy, macro-F1 and log loss (at
the temperature fitted to these very photos, so that a variant is not blamed for its confidence), mean and spread over
its seeds, and the paired difference to the recipe with a 95% interval by bootstrap over senders. The interval is about
senders only: another seed moves a variant by about its spread, and of so many comparisons some would look clear by
chance.
"""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from measures import mean_and_spread, run_training  # type: ignore[import-not-found]

from clothing_classifier.config import load_settings
from clothing_classifier.datasets.splits import group_names
from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.calibration import fit_temperature, softmax
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.training.parts import load_parts
from clothing_classifier.training.run_folder import load_held_out
from clothing_classifier.utils import write_json

FOLDS = 4
RECIPE = (
    "image.size=160",
    "augmentation.size=144",
    "optimization.epochs=12",
    f"data.folds={FOLDS}",
    "runtime.threads=1",
)
VARIANTS = {
    "recipe": (),
    "no erasing": ("augmentation.erase=0.0",),
    "no label smoothing": ("optimization.label_smoothing=0.0",),
    "no average of weights": ("optimization.ema_decay=0.0",),
    "no dropout": ("model.dropout=0.0",),
}


def main() -> None:
    """Train what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--features", type=Path, required=True, help="ImageNet features as safetensors")
    parser.add_argument("--preset", default="benchmark-10", choices=["benchmark-10", "wardrobe"])
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--once", nargs="+", choices=list(VARIANTS), default=[], help="run these with one seed only")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"), help="finished runs are kept here")
    options = parser.parse_args()
    options.only = list(dict.fromkeys(["recipe", *options.only]))
    record = provenance()
    tasks = [(name, fold, seed) for seed in options.seeds for fold in options.folds for name in options.only
             if seed in seeds_of(name, options)]  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda task: learn(task, options), tasks))
    measured = {name: measure(name, options) for name in options.only}
    write_json(Path("results") / f"ablation-{options.preset}.json", record | {
        "seed": options.seeds, "folds": options.folds, "of_folds": FOLDS, "recipe": RECIPE,
        "n": len(measured["recipe"]["senders"]),
        "variants": {name: summarise(name, measured) | {"changes": VARIANTS[name]} for name in options.only},
    })  # fmt: skip


def seeds_of(name: str, options: argparse.Namespace) -> list[int]:
    """The seeds that a variant runs with: all, or the first alone where `--once` names it."""
    return options.seeds[:1] if name in options.once else list(options.seeds)


def folder(name: str, fold: int, seed: int, options: argparse.Namespace) -> Path:
    """Where a run is kept."""
    runs: Path = options.runs / options.preset
    return runs / f"{name.replace(' ', '-')}-{fold}-{seed}"


def learn(task: tuple[str, int, int], options: argparse.Namespace) -> None:
    """Train a variant on all but one fold with a seed; one that was done is checked to be this very one."""
    name, fold, seed = task
    out = folder(name, fold, seed, options)
    changes = (*RECIPE, *VARIANTS[name], f"data.fold={fold}", f"runtime.seed={seed}")
    run_training(options.data, options.preset, out, changes, "--init", str(options.features))


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Pool the folds of each seed: figures by seed, the sender of each photo, and by seed which photos were right."""
    settings = load_settings(options.preset, (*RECIPE, *VARIANTS[name]))
    senders: list[str] = []
    for fold in options.folds:
        changed = settings.data.model_copy(update={"fold": fold})
        senders += group_names(load_parts(options.data, changed)[2])
    figures, right = {}, {}
    for seed in seeds_of(name, options):
        runs = [folder(name, fold, seed, options) for fold in options.folds]
        labels = json.loads((runs[0] / "run.json").read_text(encoding="utf-8"))["labels"]
        logits, targets, _ = load_held_out(runs, labels)
        probabilities = softmax(logits, fit_temperature(logits, targets))
        predicted = probabilities.argmax(1)
        confusion = metrics.confusion_matrix(targets, predicted, len(labels))
        right[seed] = (predicted == targets).astype(float)
        figures[seed] = {
            "accuracy": metrics.accuracy(targets, predicted), "macro_f1": metrics.macro_f1(confusion),
            "log_loss": metrics.log_loss(targets, probabilities),
        }  # fmt: skip
    return {"figures": figures, "right": right, "senders": senders}


def summarise(name: str, measured: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Mean and spread over seeds, and how far ahead of the recipe with the same seeds, with its interval."""
    own, recipe = measured[name], measured["recipe"]
    ahead = np.mean([own["right"][seed] - recipe["right"][seed] for seed in own["right"]], axis=0)
    figures = list(own["figures"].values())
    return {
        "runs": len(figures),
        **{key: mean_and_spread([row[key] for row in figures]) for key in figures[0]},
        "ahead": float(ahead.mean()),
        "ahead_interval": metrics.grouped_interval(ahead, recipe["senders"]),
    }


if __name__ == "__main__":
    main()
