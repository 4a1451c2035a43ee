"""Smaller and faster networks: pruning, smaller inputs, narrower nets, int8, distillation, each behind a gate."""

from pathlib import Path

import numpy as np

from clothing_classifier.compression.pruning import Budget, prune
from clothing_classifier.config import TrainSettings
from clothing_classifier.memory import keep_large_blocks
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.training.cache import PixelCache, default_cache
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.data import in_order, prepare_photos
from clothing_classifier.training.loop import save_weights, to_images
from clothing_classifier.training.parts import load_parts

_SURVEYED_PHOTOS = 256


def prune_weights(weights: Path, data: Path, settings: TrainSettings, budget: Budget, out: Path) -> None:
    """Prune the network in `weights` to `budget` at the size of `settings`, judged on training photos, and write it."""
    keep_large_blocks()
    model, labels = load_model(weights)
    contract = ImageContract(settings.image.size, settings.image.fit)
    _, train, _ = load_parts(data, settings.data)
    some = np.random.default_rng(settings.runtime.seed).permutation(len(train))[:_SURVEYED_PHOTOS]
    cache = PixelCache(default_cache(), contract)
    photos = prepare_photos([train[i] for i in some], labels, cache, "decoding for pruning")

    def batches():  # type: ignore[no-untyped-def] # an iterator of tensors
        return (to_images(pixels) for pixels, _ in photos.batches(in_order(len(photos), 32)))

    pruned = prune(model, contract.size, budget, batches, seed=settings.runtime.seed)
    save_weights(out, pruned, labels)
