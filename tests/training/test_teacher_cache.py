"""Cached predictions are those that teachers give of the very views that the student sees, and are asked for once."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.runs import LABELS
from torch import Tensor, nn

from clothing_classifier.config import load_settings, parse_settings
from clothing_classifier.errors import ConfigError
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.training.augmentation import augment
from clothing_classifier.training.data import Photos, epoch_batches, view_generator
from clothing_classifier.training.splits import decode_larger, load_splits
from clothing_classifier.training.teacher_cache import CachedPredictions, cached_predictions

SETTINGS = load_settings(None, ("image.size=32", "augmentation.size=28", "distillation.size=64",
                                "distillation.views=2", "optimization.batch_size=16"))  # fmt: skip
CPU = torch.device("cpu")


class Brightness(nn.Module):
    """Predicts the mean of each colour, and counts how often it is asked."""

    asked = 0

    def forward(self, images: Tensor) -> Tensor:
        assert images.shape[2] == 56
        self.asked += 1
        return images.mean(dim=(2, 3))


@pytest.fixture
def photos(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Photos:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _, train, _ = load_splits(data, SETTINGS.data)
    return decode_larger(train, LABELS, ImageContract(32), SETTINGS.augmentation, "decoding")


def cached(photos: Photos, teacher: Any, sha256: str = "t") -> CachedPredictions:
    record = {"data_sha256": "d", "teachers_sha256": [sha256], "precision": "no"}
    cache = cached_predictions(photos, LABELS, SETTINGS, record)
    cache.fill(teacher, CPU)
    return cache


def test_predictions_are_of_the_views_that_the_student_sees_larger(photos: Photos) -> None:
    cache, seed = cached(photos, Brightness()), SETTINGS.runtime.seed
    batches = epoch_batches(len(photos), 16, seed, 1)
    for step, (pixels, _) in enumerate(photos.batches(batches)):
        small = augment(pixels, 28, SETTINGS.augmentation, view_generator(seed, 1, step))
        assert (cache.predict(small, batches[step], 1) - small.mean(dim=(2, 3))).abs().max() < 0.03


def test_teachers_are_asked_once_and_again_where_the_cache_is_damaged(photos: Photos) -> None:
    teacher = Brightness()
    first = cached(photos, teacher).predict(torch.empty(0), epoch_batches(len(photos), 99, 0, 0)[0], 1)
    asked = teacher.asked
    kept = list(cached(photos, teacher).folder.iterdir())
    assert (teacher.asked, len(kept)) == (asked, 2)
    kept[0].write_bytes(kept[0].read_bytes()[:50])
    again = cached(photos, teacher).predict(torch.empty(0), epoch_batches(len(photos), 99, 0, 0)[0], 1)
    assert torch.equal(first, again)
    assert teacher.asked == asked * 3 / 2
    cached(photos, teacher, "another teacher")
    assert teacher.asked == asked * 5 / 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"distillation": {"size": 64}}, r"needs distillation\.views"),
        (
            {
                "augmentation": {"scale": (1, 1), "aspect": 1, "rotation": 0, "shift": 2},
                "distillation": {"size": 64, "views": 2},
            },
            r"augmentation\.shift is in pixels of the student's size",
        ),
    ],
)
def test_sizes_that_can_not_go_together_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_settings(values)
