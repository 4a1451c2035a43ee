"""Does the receptive field matter? MobileNetV2 with its field limited, trained alike, accuracy by class.

In the last so many blocks the 3x3 depthwise kernels become 1x1 ones that keep the kernel's sum, so that the field stays
at 43, 75, 171 or 299 px instead of 491. Beside them a control, which loses as many trained weights (the off-centre ones
of the same blocks are dealt out anew within each kernel) at the full field, and a variant whose field is enlarged by
dilation at equal MACs. The preset `wardrobe` at 128 px and few epochs, every stage learning, batch norm kept (without
it a network that lost its kernels stays at the largest class), several seeds, measured on the validation senders; the
public test is not touched. One resumable command, two runs at a time; writes results/field-size.json and
docs/figures/field-size.png.
"""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measures import mean_and_spread, run_training  # type: ignore[import-not-found]
from safetensors.torch import load_file, save_file

from clothing_classifier.analysis import analyze
from clothing_classifier.config import load_settings
from clothing_classifier.datasets.splits import group_names
from clothing_classifier.evaluation.metrics import grouped_interval
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.report.figure import BLUE, make_figure, to_png
from clothing_classifier.training.parts import load_parts
from clothing_classifier.training.run_folder import load_held_out
from clothing_classifier.utils import write_bytes, write_json

BLOCKS = 17
RECIPE = (
    "image.size=128",
    "augmentation.size=96",
    "optimization.epochs=6",
    "optimization.frozen_stages=0",
    "optimization.learning_rate=1e-3",
    "runtime.threads=1",
)
VARIANTS = {
    "43 px": {"local_blocks": 12},
    "75 px": {"local_blocks": 10},
    "171 px": {"local_blocks": 7},
    "299 px": {"local_blocks": 3},
    "491 px, as published": {},
    "491 px, kernels of 12 blocks dealt anew": {},
    "683 px, dilated": {"dilation": 2},
}
DEALT = "491 px, kernels of 12 blocks dealt anew"
PUBLISHED = "491 px, as published"


def main() -> None:
    """Train what is missing, then write the table and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--features", type=Path, required=True, help="ImageNet features as safetensors")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs/field-size"), help="finished runs are kept here")
    options = parser.parse_args()
    record = provenance()
    options.runs.mkdir(parents=True, exist_ok=True)
    starts = {name: write_start(name, options) for name in VARIANTS}
    tasks = [(name, seed) for seed in options.seeds for name in VARIANTS]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda task: learn(task[0], task[1], starts[task[0]], options), tasks))
    measured = {name: measure(name, options) for name in VARIANTS}
    variants = {name: summarise(name, measured) for name in VARIANTS}
    write_json(Path("results/field-size.json"), record | {
        "seed": options.seeds, "recipe": RECIPE, "n": len(measured[PUBLISHED]["senders"]),
        "labels": measured[PUBLISHED]["labels"], "variants": variants,
    })  # fmt: skip
    draw(variants, measured[PUBLISHED]["labels"], Path("docs/figures/field-size.png"))


def slug(name: str) -> str:
    """A folder's name."""
    return name.replace(" ", "-").replace(",", "")


def write_start(name: str, options: argparse.Namespace) -> Path:
    """First weights for a variant: published ones, with the kernels that it can't hold summed, or dealt out anew."""
    tensors = load_file(options.features)
    generator = torch.Generator().manual_seed(0)
    count = VARIANTS["43 px"]["local_blocks"] if name == DEALT else VARIANTS[name].get("local_blocks", 0)
    for block in range(BLOCKS - count, BLOCKS):
        key = f"blocks.{block}.depthwise.weight"
        if name == DEALT:
            tensors[key] = dealt(tensors[key], generator)
        else:
            tensors[key] = tensors[key].sum((2, 3), keepdim=True)
    path: Path = options.runs / f"{slug(name)}.safetensors"
    save_file(tensors, path)
    return path


def dealt(kernels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each 3x3 kernel with its eight outer weights in another order."""
    flat = kernels.flatten(1).clone()
    outer = torch.tensor([0, 1, 2, 3, 5, 6, 7, 8])
    for kernel in flat:
        kernel[outer] = kernel[outer[torch.randperm(8, generator=generator)]]
    return flat.view_as(kernels)


def learn(name: str, seed: int, start: Path, options: argparse.Namespace) -> None:
    """Train a variant with a seed, or go on with it."""
    out = options.runs / f"{slug(name)}-{seed}"
    settings = ", ".join(f"{key}={value}" for key, value in ({"batch_norm": "true"} | VARIANTS[name]).items())
    changes = (*RECIPE, f"model.settings={{{settings}}}", f"runtime.seed={seed}")
    run_training(options.data, "wardrobe", out, changes, "--init", str(start))


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Which photos were right, as a share of the seeds, with their senders and classes; accuracy by seed."""
    senders = group_names(load_parts(options.data, load_settings("wardrobe").data)[2])
    runs = [options.runs / f"{slug(name)}-{seed}" for seed in options.seeds]
    labels = json.loads((runs[0] / "run.json").read_text(encoding="utf-8"))["labels"]
    answers = [load_held_out([run], labels) for run in runs]
    right = [(logits.argmax(1) == targets).astype(float) for logits, targets, _ in answers]
    return {"senders": senders, "labels": labels, "targets": answers[0].targets, "right": right}


def summarise(name: str, measured: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Field and cost, accuracy and recall by class with intervals over senders, and the difference to the published."""
    own, published = measured[name], measured[PUBLISHED]
    settings = ",".join(f"{key}={value}" for key, value in VARIANTS[name].items())
    totals = analyze(f"mobilenet_v2:{settings}", (3, 128, 128))["totals"]
    right, whole = np.mean(own["right"], axis=0), np.mean(published["right"], axis=0)
    by_class = {}
    for index, label in enumerate(own["labels"]):
        inside = own["targets"] == index
        if inside.any():
            senders = [sender for sender, there in zip(own["senders"], inside, strict=True) if there]
            by_class[label] = {
                "support": int(inside.sum()), "recall": float(right[inside].mean()),
                "interval": grouped_interval(right[inside], senders),
            }  # fmt: skip
    return {
        "settings": VARIANTS[name], "receptive_field": totals["receptive_field"], "macs": totals["macs"],
        "runs": len(own["right"]), "accuracy": mean_and_spread([float(run.mean()) for run in own["right"]]),
        "interval": grouped_interval(right, own["senders"]), "ahead_of_published": float((right - whole).mean()),
        "ahead_interval": grouped_interval(right - whole, own["senders"]), "per_class": by_class,
    }  # fmt: skip


def draw(variants: dict[str, Any], labels: list[str], path: Path) -> None:
    """Recall of each class, and accuracy of all, against the field."""
    kept = [variant for name, variant in variants.items() if name != DEALT]
    fields = [variant["receptive_field"][0] for variant in kept]
    panels = [label for label in labels if all(label in variant["per_class"] for variant in kept)]
    figure = make_figure(12, 7.5)
    for axes, label in zip(figure.subplots(3, 6, sharex=True, sharey=True).ravel(), ["all", *panels], strict=False):
        rows = [variant if label == "all" else variant["per_class"][label] for variant in kept]
        centre = np.array([row["accuracy"]["mean"] if label == "all" else row["recall"] for row in rows])
        ends = np.array([row["interval"] for row in rows]).T
        axes.fill_between(fields, *ends, color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(fields, centre, "o-", color=BLUE, markersize=3)
        support = "" if label == "all" else f", {rows[0]['support']}"
        axes.set_title(f"{label}{support}", fontsize=9)
        axes.set_xscale("log")
        axes.set_xticks(fields, [str(field) for field in fields], fontsize=6, rotation=45)
        axes.set_xticks([], minor=True)
        axes.grid(alpha=0.3)
    figure.supxlabel("receptive field, px of an image of 128 px", fontsize=9)
    figure.supylabel("recall on validation, 95% over senders", fontsize=9)
    write_bytes(path, to_png(figure, dpi=110))


if __name__ == "__main__":
    main()
