"""Build and fine-tune the network of one compression strategy, starting from the parent's weights."""

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
from clothing_classifier.compression.strategy import Strategy
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

_PRUNING_PHOTOS = 256
_START = "start.safetensors"


@dataclass(frozen=True)
class SearchContext:
    """What all candidates of a search have in common: the parent's run and record, data set, epochs and teachers."""

    parent: Path
    record: dict[str, Any]
    data: Path
    epochs: int
    teachers: tuple[Path, ...]

    @property
    def settings(self) -> TrainSettings:
        """The parent's training settings."""
        return parse_settings(self.record["settings"])


def train_candidate(candidate: Strategy, context: SearchContext, start: Path, run: Path) -> None:
    """Build and fine-tune `candidate` into the run folder `run`, pruning from the weights of the run `start`.

    Resumable. With 0 epochs there is no fine-tuning.
    """
    if (run / _START).exists():
        model, labels = load_model(run / _START)
    else:
        model, labels = initial_network(candidate, context, start)
        save_weights(run / _START, model, labels)
    settings = candidate_settings(candidate, context, model)
    if not context.epochs:
        if not (run / RECORD).exists():
            write_run(run, context.record | {"settings": settings.model_dump(mode="json")}, run / _START)
        return
    teachers = (context.teachers or (context.parent / WEIGHTS,)) if candidate.distil else ()
    training.train(context.data, settings, run, run / _START, True, teachers)


def check_prunable(candidate: Strategy, parent: ImageClassifier, size: int) -> None:
    """Raise `ConfigError` if pruning as much as possible leaves more than the candidate's fraction of the MACs."""
    model = parent if candidate.width is None else narrow(parent, candidate.width)
    size = candidate.size or size
    least = least_macs(model, size) / cost(model, size)[0]
    if candidate.share is not None and candidate.share < least:
        raise ConfigError(
            f"prune:{candidate.share:g}: pruning can't go below {least:.1%} of the MACs; give a larger fraction, "
            "or add smaller-input"
        )


def initial_network(
    candidate: Strategy, context: SearchContext, start: Path
) -> tuple[ImageClassifier, tuple[str, ...]]:
    """The narrowed and pruned network of `candidate`, before fine-tuning, and its labels."""
    parent, labels = load_model(context.parent / WEIGHTS)
    size = candidate.size or context.settings.image.size
    if candidate.width is not None:
        parent = narrow(parent, candidate.width)
    model = parent if start == context.parent else load_model(start / WEIGHTS)[0]
    if candidate.share is not None:
        budget = Budget(macs=round(candidate.share * cost(parent, size)[0]))
        _, records, _ = load_splits(context.data, context.settings.data)
        images, seed = training_images(records, labels, context.settings, size), context.settings.runtime.seed
        model = prune(model, size, budget, images, seed=seed)
    return model, labels


def training_images(
    records: Sequence[Record], labels: Sequence[str], settings: TrainSettings, size: int
) -> Callable[[], Iterable[Tensor]]:
    """A function that yields a sample of the training photos in batches `(N, 3, size, size)`."""
    keep_large_blocks()
    some = np.random.default_rng(settings.runtime.seed).permutation(len(records))[:_PRUNING_PHOTOS]
    cache = PixelCache(default_cache(), ImageContract(size, settings.image.fit))
    photos = prepare_photos([records[i] for i in some], labels, cache, "decoding for pruning")
    return lambda: (images_from_pixels(pixels) for pixels, _ in photos.batches(in_order(len(photos), 32)))


def candidate_settings(candidate: Strategy, context: SearchContext, model: ImageClassifier) -> TrainSettings:
    """The parent's settings with the candidate's network and size, few epochs and no frozen stages."""
    parent = context.settings
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
        "epochs": max(1, context.epochs),
        "frozen_stages": 0,
        "wise_ft_alpha": 1.0,
        "warmup_epochs": 0.5,
    }
    if candidate.distil and context.epochs:
        size = parent.image.size if candidate.size else 0
        values["distillation"] |= {"size": size, "views": context.epochs}
    else:
        del values["distillation"]
    return parse_settings(values)


def prune_weights(weights: Path, data: Path, settings: TrainSettings, budget: Budget, out: Path) -> None:
    """Prune the network in `weights` to `budget` at the input size of `settings`, and write its weights to `out`."""
    model, labels = load_model(weights)
    _, records, _ = load_splits(data, settings.data)
    size = settings.image.size
    pruned = prune(model, size, budget, training_images(records, labels, settings, size), seed=settings.runtime.seed)
    save_weights(out, pruned, labels)
