"""Which measure of a channel's worth should pruning follow?

    python benchmarks/pruning_importance.py --data datasets/clothing

Prunes wardrobe at 128 px to half of its MACs there, in the rounds and chunks of `clothing compress`, three ways: by
the Fisher information that the package uses, by the size of a channel's weights (Li et al. 2017,
https://arxiv.org/abs/1608.08710), and at random. How many channels each layer keeps is what Fisher information says
in each, since the other two can't tell what a layer is worth; which ones they are differs. What a channel gave on
average stays in each. Every network is validated as pruning leaves it and after few epochs of learning wardrobe's
answers. Resumable; finished runs are kept. Writes results/pruning-importance.json: accuracy with mean and spread over
seeds, and how far Fisher information is ahead, paired by photo, with a 95% interval by bootstrap over senders.
"""

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clothing_classifier import training
from clothing_classifier.compression.channels import find_groups, keep_channels
from clothing_classifier.compression.importance import Survey, survey
from clothing_classifier.compression.making import training_images
from clothing_classifier.compression.pruning import choose, cost
from clothing_classifier.config import TrainSettings, load_settings
from clothing_classifier.datasets import Record
from clothing_classifier.datasets.splits import group_names
from clothing_classifier.evaluation.metrics import Floats, grouped_interval
from clothing_classifier.evaluation.provenance import provenance, read_record
from clothing_classifier.inference import bundle
from clothing_classifier.models import ImageClassifier
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.training.cache import PixelCache, default_cache
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.data import Photos, prepare_photos
from clothing_classifier.training.loop import logits_of, save_weights
from clothing_classifier.training.parts import load_parts
from clothing_classifier.training.run_folder import WEIGHTS
from clothing_classifier.utils import write_json

SIZE, SHARES, ROUNDS, EPOCHS = 128, (0.5,), 4, 3
SETTINGS = (
    f"image.size={SIZE}", "augmentation.size=112", "optimization.frozen_stages=0", f"optimization.epochs={EPOCHS}",
    "optimization.warmup_epochs=0.5", "distillation.size=256", f"distillation.views={EPOCHS}", "runtime.threads=1",
)  # fmt: skip

Worth = Callable[[ImageClassifier, Survey, torch.Generator], dict[str, Tensor]]


def fisher(_: ImageClassifier, found: Survey, __: torch.Generator) -> dict[str, Tensor]:
    """Rise of the loss when a channel is replaced by its mean."""
    return found.importance


def magnitude(model: ImageClassifier, _: Survey, __: torch.Generator) -> dict[str, Tensor]:
    """Squared norm of the weights that write a channel."""
    worth = {}
    for group in find_groups(model):
        weights = [model.get_parameter(f"{name}.conv.weight").detach() for name in group.producers]
        worth[group.name] = torch.stack([weight.flatten(1).square().sum(1) for weight in weights]).sum(0)
    return worth


def random(model: ImageClassifier, _: Survey, generator: torch.Generator) -> dict[str, Tensor]:
    """Nothing but chance."""
    return {group.name: torch.rand(group.channels, generator=generator) for group in find_groups(model)}


WAYS: dict[str, Worth] = {"Fisher information": fisher, "size of the weights": magnitude, "at random": random}


def main() -> None:
    """Run what is missing, then write all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--runs", type=Path, default=Path("runs/pruning-importance"))
    options = parser.parse_args()
    record, teacher = provenance(), bundle.weights_of(bundle.DEFAULT)
    settings = load_settings("wardrobe", SETTINGS)
    _, train, validation = load_parts(options.data, settings.data)
    parent, labels = load_model(teacher)
    photos = prepare_photos(validation, labels, PixelCache(default_cache(), ImageContract(SIZE)), "decoding validation")
    rows, hits = [], {}
    for share in SHARES:
        for way, worth in WAYS.items():
            for seed in options.seeds:
                out = options.runs / f"{way.replace(' ', '-')}-{share}-{seed}"
                start = out / "start.safetensors"
                if not start.exists():
                    out.mkdir(parents=True, exist_ok=True)
                    model = pruned(parent, share, worth, train, labels, settings, seed)
                    save_weights(start, model, labels)
                fine_tune(start, out / "run", options.data, seed, teacher)
                before, after = (right(path, photos) for path in (start, out / "run" / WEIGHTS))
                hits[share, way, seed] = before, after
                rows.append({
                    "way": way, "share": share, "seed": seed, "macs": cost(load_model(start)[0], SIZE)[0],
                    "untrained": float(before.mean()), "trained": float(after.mean()),
                })  # fmt: skip
                print(rows[-1], flush=True)
    write_json(Path("results/pruning-importance.json"), record | {
        "seed": options.seeds, "size": SIZE, "epochs": EPOCHS, "n": {"train": len(train), "validation": len(photos)},
        "data_sha256": read_record(out / "run")["data_sha256"], "unpruned": float(right(teacher, photos).mean()),
        "runs": rows, "summary": summarise(rows, hits, group_names(photos.records)),
    })  # fmt: skip


def pruned(
    model: ImageClassifier,
    share: float,
    worth: Worth,
    train: tuple[Record, ...],
    labels: tuple[str, ...],
    settings: TrainSettings,
    seed: int,
) -> ImageClassifier:
    """The network at `share` of its MACs, cut as `clothing compress` cuts, but by `worth`."""
    batches = training_images(train, labels, settings, SIZE)
    generator = torch.Generator().manual_seed(seed)
    macs, params = cost(model, SIZE)
    for step in range(1, ROUNDS + 1):
        found = survey(model, batches, seed)
        wanted = [round(macs * (1 - (1 - share) * step / ROUNDS)), params]
        widths = {name: len(some) for name, some in choose(model, SIZE, found.importance, wanted).items()}
        ranked = worth(model, found, generator)
        kept = {name: ranked[name].topk(width).indices.sort().values for name, width in widths.items()}
        model = keep_channels(model, kept, found.means)
    return model


def fine_tune(start: Path, out: Path, data: Path, seed: int, teacher: Path) -> None:
    """A short training on the teacher's answers; a finished one is kept."""
    network = load_model(start)[0].architecture["settings"]
    changes = [f"model.settings.{key}={network[key]}" for key in ("hidden", "head")]
    settings = load_settings("wardrobe", (*SETTINGS, *changes, f"runtime.seed={seed}"))
    training.train(data, settings, out, start, True, (teacher,), print)


def right(weights: Path, photos: Photos) -> Floats:
    """Which photos the network in `weights` names rightly, `(N,)` of 0 and 1."""
    answers = logits_of(load_model(weights)[0], photos).argmax(1)
    found: Floats = (answers == photos.targets).astype(float)
    return found


def summarise(
    rows: list[dict[str, Any]], hits: dict[tuple[float, str, int], tuple[Floats, Floats]], senders: list[str]
) -> list[dict[str, Any]]:
    """For each way and share: accuracy without and with training, and how far the package's own way is ahead."""
    summary = []
    for share in SHARES:
        for way in WAYS:
            own = [row for row in rows if (row["way"], row["share"]) == (way, share)]
            entry: dict[str, Any] = {"way": way, "share": share, "runs": len(own)}
            for column, key in enumerate(("untrained", "trained")):
                values = [row[key] for row in own]
                apart = np.mean([hits[share, next(iter(WAYS)), row["seed"]][column]
                                 - hits[share, way, row["seed"]][column] for row in own], 0)  # fmt: skip
                entry[key] = {
                    "mean": statistics.mean(values), "spread": statistics.stdev(values) if len(values) > 1 else 0.0,
                    "ahead": float(apart.mean()), "ahead_interval": list(grouped_interval(apart, senders)),
                }  # fmt: skip
            summary.append(entry)
    return summary


if __name__ == "__main__":
    main()
