"""Stored answers are those that teachers give of the very views that the student sees, and are asked for once."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from clothing_classifier.config import AugmentationSettings, load_settings, parse_settings
from clothing_classifier.errors import ConfigError
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.training.augmentation import augment
from clothing_classifier.training.data import Photos, epoch_order, view_generator
from clothing_classifier.training.parts import decode_larger, load_parts
from clothing_classifier.training.stored_answers import store_answers

DATA = Path(__file__).parents[2] / "data"
SETTINGS = ("image.size=32", "augmentation.size=28", "distillation.size=64", "distillation.views=2",
            "optimization.batch_size=16")  # fmt: skip


class Brightness(nn.Module):
    """Answers with the mean of each colour, and counts how often it is asked."""

    asked = 0

    def forward(self, images: Tensor) -> Tensor:
        assert images.shape[2] == 56
        self.asked += 1
        return images.mean(dim=(2, 3))


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Photos:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _, train, _ = load_parts(DATA, load_settings().data)
    labels = sorted({record.label for record in train})
    return decode_larger(train[:40], labels, ImageContract(32), AugmentationSettings(), "decoding")


def test_answers_are_of_the_views_that_the_student_sees_larger(photos: Photos) -> None:
    settings, teacher = load_settings(None, SETTINGS), Brightness()
    labels = sorted({record.label for record in photos.records})
    record = {"data_sha256": "d", "teachers_sha256": ["t"]}
    stored = store_answers(photos, labels, settings, record, "no")
    answers = stored.of(1, teacher, torch.device("cpu"))
    batches = epoch_order(len(photos), 16, settings.runtime.seed, 1)
    for step, (pixels, _) in enumerate(photos.batches(batches)):
        small = augment(pixels, 28, settings.augmentation, view_generator(settings.runtime.seed, 1, step))
        assert (answers[torch.from_numpy(batches[step])] - small.mean(dim=(2, 3))).abs().max() < 0.03
    asked = teacher.asked
    again = store_answers(photos, labels, settings, record, "no").of(1, teacher, torch.device("cpu"))
    assert torch.equal(again, answers) and teacher.asked == asked
    (kept,) = stored.folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    assert torch.equal(stored.of(1, teacher, torch.device("cpu")), answers) and teacher.asked == 2 * asked
    other = store_answers(photos, labels, settings, record | {"teachers_sha256": ["u"]}, "no")
    other.of(1, teacher, torch.device("cpu"))
    assert teacher.asked == 3 * asked


def test_a_shift_in_pixels_is_refused_where_teachers_see_another_size() -> None:
    still = {"scale": (1, 1), "aspect": 1, "rotation": 0, "shift": 2}
    with pytest.raises(ConfigError, match=r"augmentation\.shift is in pixels of the student's size"):
        parse_settings({"augmentation": still, "distillation": {"size": 64, "views": 2}})


def test_a_size_of_the_teachers_own_needs_views() -> None:
    with pytest.raises(ConfigError, match=r"needs distillation\.views"):
        parse_settings({"distillation": {"size": 64}})
