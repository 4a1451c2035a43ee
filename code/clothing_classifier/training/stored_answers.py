"""What teachers answer, kept on disk: a student of small photos then trains at its own speed, not at its teachers'."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from clothing_classifier.config import TrainSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.preprocessing import VERSION, ImageContract
from clothing_classifier.training.augmentation import augment
from clothing_classifier.training.cache import default_cache
from clothing_classifier.training.checkpoint import load_tensors, save_tensors
from clothing_classifier.training.data import Photos, epoch_order, view_generator
from clothing_classifier.training.parts import decode_larger
from clothing_classifier.utils import progress_bar


@dataclass(frozen=True)
class StoredAnswers:
    """Predictions on the views of some epochs, as `side` px squares of `photos`, by what decides them."""

    photos: Photos
    side: int
    settings: TrainSettings
    decided_by: dict[str, Any]
    folder: Path

    def of(self, epoch: int, teachers: nn.Module, device: torch.device) -> Tensor:
        """The teachers' mean probabilities on the views of `epoch`, `(N, K) float32`: read, or computed and kept."""
        text = json.dumps(self.decided_by | {"epoch": epoch}, sort_keys=True)
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.safetensors"
        try:
            return load_tensors(path)[0]["answers"]
        except ConfigError:  # not asked yet, or what was kept is damaged
            answers = self._ask(epoch, teachers, device)
        save_tensors(path, {"answers": answers}, self.decided_by)
        return answers

    def _ask(self, epoch: int, teachers: nn.Module, device: torch.device) -> Tensor:
        seed = self.settings.runtime.seed
        batches = epoch_order(len(self.photos), self.settings.optimization.batch_size, seed, epoch)
        answers: list[Tensor] = []
        with progress_bar(f"teachers' answers, views {epoch + 1}", len(self.photos)) as advance:
            for step, (pixels, _) in enumerate(self.photos.batches(batches)):
                views = view_generator(seed, epoch, step)
                images = augment(pixels.to(device), self.side, self.settings.augmentation, views)
                answers.append(teachers(images.contiguous(memory_format=torch.channels_last)).float().cpu())
                advance(len(pixels))
        together = torch.cat(answers)
        result = torch.empty_like(together)
        result[torch.cat([torch.from_numpy(batch) for batch in batches])] = together
        return result


def store_answers(
    photos: Photos, labels: Sequence[str], settings: TrainSettings, record: dict[str, Any], precision: str
) -> StoredAnswers:
    """Predictions on views of `photos` for the run of `record`, at the teachers' own size where the settings name one.

    `precision` is the one that teachers compute in.
    """
    student = settings.augmentation.size or settings.image.size
    size = settings.distillation.size or settings.image.size
    side = round(student * size / settings.image.size)
    if settings.distillation.size:
        contract = ImageContract(size, settings.image.fit)
        photos = decode_larger(photos.records, labels, contract, settings.augmentation, "decoding for the teachers")
    decided_by = {
        "photos": record["data_sha256"],
        "teachers": record["teachers_sha256"],
        "temperature": settings.distillation.temperature,
        "precision": precision,
        "contract": [size, side, settings.image.fit, VERSION],
        "augmentation": settings.augmentation.model_dump(exclude={"size", "degrade"}),
        "order": [settings.runtime.seed, settings.optimization.batch_size],
    }
    return StoredAnswers(photos, side, settings, decided_by, default_cache() / "answers")
