"""Orientation correction: a photo on its side is classified as an upright one, and an upright one is left alone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clothing_classifier import Classifier
from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.export.orientation import fit_orientation
from clothing_classifier.inference import PredictOptions
from clothing_classifier.inference.orientation import estimate_rotation, measure_gain, rotate
from clothing_classifier.preprocessing import prepare

DATA = Path(__file__).parents[2] / "data" / "images"
IMAGES = sorted(DATA.iterdir())


def sure(turns: int, share: float = 0.97) -> Floats:
    """Probabilities of a photo that needs `turns` more."""
    return np.where(np.arange(4) == turns % 4, share, (1 - share) / 3)


def test_a_photo_that_stands_is_looked_at_once() -> None:
    assert estimate_rotation(sure(0, 0.6), lambda quarters: pytest.fail("looked again")) == 0


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_a_photo_that_lies_is_turned_and_looked_at_again(needed: int) -> None:
    looked: list[int] = []

    def look(quarters: int) -> Floats:
        looked.append(quarters)
        return sure(needed - quarters)

    assert estimate_rotation(sure(needed), look) == needed
    assert looked == [needed]


def test_views_that_contradict_each_other_are_outvoted() -> None:
    def look(quarters: int) -> Floats:
        return sure(-quarters, 0.9)  # each says: turn it back

    assert estimate_rotation(sure(2, 0.8), look) == 0


def test_every_view_is_looked_at_once_where_none_tells() -> None:
    looked: list[int] = []

    def look(quarters: int) -> Floats:
        looked.append(quarters)
        return np.full(4, 0.25)

    assert estimate_rotation(np.full(4, 0.25), look) == 0
    assert sorted(looked) == [1, 2, 3]


def test_turning_is_clockwise() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert rotate(image, 1)[..., 0].tolist() == [[3, 0], [4, 1], [5, 2]]
    np.testing.assert_array_equal(rotate(rotate(image, 1), -1), image)


def test_the_head_learns_which_way_up() -> None:
    random = np.random.default_rng(0)
    directions = random.normal(size=(4, 12))
    photos = (directions + random.normal(size=(300, 4, 12)) / 4).astype(np.float32)
    weight, bias = fit_orientation(photos[:200])
    scores = photos[200:] @ weight + bias
    assert (scores.argmax(2) == [0, 3, 2, 1]).mean() > 0.99
    logits = np.zeros((100, 4, 2), np.float32)
    logits[:, 0, 1] = 1  # the upright view alone is read right
    found = measure_gain(scores, logits, np.ones(100, np.int64))
    assert found.uncorrected == (1, 0, 0, 0)
    assert min(found.corrected) > 0.98
    assert found.pays


def test_what_costs_upright_photos_does_not_pay() -> None:
    scores = np.tile(10 * np.eye(4)[[1, 0, 3, 2]], (5, 1, 1))  # upright ones seem to lie
    logits = np.zeros((5, 4, 2), np.float32)
    logits[:, 0, 1] = 1
    assert not measure_gain(scores, logits, np.ones(5, np.int64)).pays


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_drawings_on_their_side_are_read_upright(quarters: int) -> None:
    classifier, blunt = Classifier.load(), Classifier.load(correct_orientation=False)
    photos = [Image.open(path).convert("RGB") for path in IMAGES[::12]]
    lying = [photo.rotate(90 * quarters, expand=True) for photo in photos]
    labels = [classifier.predict(photo).label for photo in photos]
    found = [classifier.predict(photo) for photo in lying]
    agreeing, before = (
        sum(prediction.label == label for prediction, label in zip(some, labels, strict=True))
        for some in (found, [blunt.predict(photo) for photo in lying])
    )
    assert agreeing > before
    assert sum(prediction.rotation == 90 * quarters for prediction in found) > len(photos) / 2
    assert all(blunt.predict(photo).rotation == 0 for photo in lying)


def test_a_batch_turns_each_photo_by_itself() -> None:
    classifier = Classifier.load()
    upright = prepare(IMAGES[0], classifier.bundle.contract)
    answers = classifier.predict_pixels(np.stack([rotate(upright, k) for k in range(4)]), [PredictOptions()] * 4)
    alone = [classifier.predict_pixels(rotate(upright, k)[None], [PredictOptions()])[0] for k in range(4)]
    assert [answer.rotation for answer in answers] == [answer.rotation for answer in alone]
    assert [answer.label for answer in answers] == [answer.label for answer in alone]
