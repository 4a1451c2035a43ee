"""From a candidate to a run folder: first weights by surgery on the parent's, then a short training."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from clothing_classifier import training
from clothing_classifier.compression.narrowing import narrow
from clothing_classifier.compression.parent import write_run
from clothing_classifier.compression.pruning import Budget, cost, least_macs, prune
from clothing_classifier.compression.strategy import Candidate
from clothing_classifier.config import TrainSettings, parse_settings
from clothing_classifier.datasets import Record
from clothing_classifier.errors import ConfigError
from clothing_classifier.evaluation.provenance import RECORD
from clothing_classifier.models import ImageClassifier
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.training.cache import PixelCache, default_cache
from clothing_classifier.training.checkpoint import load_model, save_weights
from clothing_classifier.training.data import in_order, prepare_photos
from clothing_classifier.training.run_folder import WEIGHTS
from clothing_classifier.training.splits import load_splits
from clothing_classifier.training.validation import images_from_pixels
from clothing_classifier.utils import keep_large_blocks

_SURVEYED_PHOTOS = 256
_START = "start.safetensors"


@dataclass(frozen=True)
class Making:
    """What every candidate of a search is made from: the parent's run and record, the data, epochs and teachers."""

    parent: Path
    record: dict[str, Any]
    data: Path
    epochs: int
    teachers: tuple[Path, ...]

    @property
    def settings(self) -> TrainSettings:
        """The parent's."""
        return parse_settings(self.record["settings"])


def make(candidate: Candidate, making: Making, start: Path, run: Path) -> None:
    """Leave a finished run folder of `candidate` in `run`; its surgery begins with the weights of the run `start`.

    Resumable. Without epochs the weights stay as surgery leaves them.
    """
    if (run / _START).exists():
        model, labels = load_model(run / _START)
    else:
        model, labels = cut(candidate, making, start)
        save_weights(run / _START, model, labels)
    settings = candidate_settings(candidate, making, model)
    if not making.epochs:
        if not (run / RECORD).exists():
            write_run(run, making.record | {"settings": settings.model_dump(mode="json")}, run / _START)
        return
    teachers = (making.teachers or (making.parent / WEIGHTS,)) if candidate.distil else ()
    training.train(making.data, settings, run, run / _START, True, teachers)


def check_share(candidate: Candidate, parent: ImageClassifier, size: int) -> None:
    """Raise `ConfigError` where pruning can't get to the candidate's share of the MACs, however much it prunes."""
    model = parent if candidate.width is None else narrow(parent, candidate.width)
    size = candidate.size or size
    least = least_macs(model, size) / cost(model, size)[0]
    if candidate.share is not None and candidate.share < least:
        raise ConfigError(
            f"prune:{candidate.share:g}: pruning leaves {least:.1%} of the MACs at the least; ask for a larger share, "
            "or for a smaller input, too"
        )


def cut(candidate: Candidate, making: Making, start: Path) -> tuple[ImageClassifier, tuple[str, ...]]:
    """The network of `candidate` before any training: narrower, then pruned at the size that it will see."""
    parent, labels = load_model(making.parent / WEIGHTS)
    size = candidate.size or making.settings.image.size
    if candidate.width is not None:
        parent = narrow(parent, candidate.width)
    model = parent if start == making.parent else load_model(start / WEIGHTS)[0]
    if candidate.share is not None:
        budget = Budget(macs=round(candidate.share * cost(parent, size)[0]))
        _, records, _ = load_splits(making.data, making.settings.data)
        images, seed = training_images(records, labels, making.settings, size), making.settings.runtime.seed
        model = prune(model, size, budget, images, seed=seed)
    return model, labels


def training_images(
    records: Sequence[Record], labels: Sequence[str], settings: TrainSettings, size: int
) -> Callable[[], Iterable[Tensor]]:
    """Some training photos at `size` px in batches `(N, 3, size, size)`, as often as they are asked for."""
    keep_large_blocks()
    some = np.random.default_rng(settings.runtime.seed).permutation(len(records))[:_SURVEYED_PHOTOS]
    cache = PixelCache(default_cache(), ImageContract(size, settings.image.fit))
    photos = prepare_photos([records[i] for i in some], labels, cache, "decoding for pruning")
    return lambda: (images_from_pixels(pixels) for pixels, _ in photos.batches(in_order(len(photos), 32)))


def candidate_settings(candidate: Candidate, making: Making, model: ImageClassifier) -> TrainSettings:
    """The parent's settings, with the candidate's network and size: few epochs, and every stage learning."""
    parent = making.settings
    values = parent.model_dump(mode="json")
    if candidate.size:
        side = parent.augmentation.size
        values["augmentation"]["size"] = side and max(8, round(side * candidate.size / parent.image.size))
        values["image"]["size"] = candidate.size
    values["model"]["settings"] = {
        key: model.architecture["settings"][key]
        for key in (*parent.model.settings, "width", "hidden", "head")
        if key in model.architecture["settings"]
    }
    values["optimization"] |= {
        "epochs": max(1, making.epochs),
        "frozen_stages": 0,
        "wise_ft_alpha": 1.0,
        "warmup_epochs": 0.5,
    }
    if candidate.distil and making.epochs:
        size = parent.image.size if candidate.size else 0
        values["distillation"] |= {"size": size, "views": making.epochs}
    else:
        del values["distillation"]
    return parse_settings(values)


def prune_weights(weights: Path, data: Path, settings: TrainSettings, budget: Budget, out: Path) -> None:
    """Prune the network in `weights` to `budget` at the size of `settings`, judged on training photos, and write it."""
    model, labels = load_model(weights)
    _, records, _ = load_splits(data, settings.data)
    size = settings.image.size
    pruned = prune(model, size, budget, training_images(records, labels, settings, size), seed=settings.runtime.seed)
    save_weights(out, pruned, labels)
