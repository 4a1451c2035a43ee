"""Cached teacher predictions, so that teachers are evaluated once for each view and not at every step.

Shen and Xing 2022 (https://arxiv.org/abs/2112.01528).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from clothing_classifier.config import TrainSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.preprocessing import VERSION, ImageContract
from clothing_classifier.training.augmentation import augment
from clothing_classifier.training.cache import default_cache
from clothing_classifier.training.checkpoint import load_tensors, save_tensors
from clothing_classifier.training.data import Indices, Photos, epoch_batches, view_generator
from clothing_classifier.training.distillation import Teachers
from clothing_classifier.training.splits import decode_larger
from clothing_classifier.utils import progress_bar


@dataclass
class CachedPredictions:
    """Teachers' probabilities on the views of `settings.distillation.views` epochs, on disk in `folder`.

    Teachers see each view as a `side` px square of `photos`. `key` is all that decides what they predict.
    """

    photos: Photos
    side: int
    settings: TrainSettings
    key: dict[str, Any]
    folder: Path
    _loaded: tuple[int, Tensor] | None = None

    def predict(self, images: Tensor, indices: Indices, view: int) -> Tensor:
        """The cached probabilities on number `view` of the views of photos `indices`."""
        if self._loaded is None or self._loaded[0] != view:
            self._loaded = view, load_tensors(self._path(view))[0]["probabilities"]
        return self._loaded[1][torch.from_numpy(indices)].to(images.device)

    def fill(self, teachers: Teachers, device: torch.device) -> None:
        """Compute with `teachers` what is missing from the cache, or damaged there."""
        for view in range(min(self.settings.distillation.views, self.settings.optimization.epochs)):
            try:
                load_tensors(self._path(view))
            except ConfigError:
                save_tensors(self._path(view), {"probabilities": self._compute(view, teachers, device)}, self.key)

    def _compute(self, view: int, teachers: Teachers, device: torch.device) -> Tensor:
        seed, rows = self.settings.runtime.seed, []
        batches = epoch_batches(len(self.photos), self.settings.optimization.batch_size, seed, view)
        with progress_bar(f"teacher predictions, views {view + 1}", len(self.photos)) as advance:
            for step, (pixels, _) in enumerate(self.photos.batches(batches)):
                generator = view_generator(seed, view, step)
                images = augment(pixels.to(device), self.side, self.settings.augmentation, generator)
                rows.append(teachers(images.contiguous(memory_format=torch.channels_last)).float().cpu())
                advance(len(pixels))
        in_batches = torch.cat(rows)
        probabilities = torch.empty_like(in_batches)
        probabilities[torch.cat([torch.from_numpy(batch) for batch in batches])] = in_batches
        return probabilities

    def _path(self, view: int) -> Path:
        text = json.dumps(self.key | {"view": view}, sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.safetensors"


def cached_predictions(
    photos: Photos, labels: Sequence[str], settings: TrainSettings, record: dict[str, Any]
) -> CachedPredictions:
    """The cache of the run of `record` on `photos`, at the teachers' own size where the settings name one."""
    size = settings.distillation.size or settings.image.size
    if settings.distillation.size:
        contract = ImageContract(size, settings.image.fit)
        photos = decode_larger(photos.records, labels, contract, settings.augmentation, "decoding for the teachers")
    side = round((settings.augmentation.size or settings.image.size) * size / settings.image.size)
    key = {
        "photos": record["data_sha256"],
        "teachers": record["teachers_sha256"],
        "precision": record["precision"],
        "contract": [size, side, settings.image.fit, VERSION],
        "augmentation": settings.augmentation.model_dump(exclude={"size", "corrupt"}),
        "order": [settings.runtime.seed, settings.optimization.batch_size],
    }
    return CachedPredictions(photos, side, settings, key, default_cache() / "teacher-predictions")
