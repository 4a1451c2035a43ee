"""OOD score: the angle to the training features, and nothing else."""

import numpy as np
import pytest

from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.evaluation.ood import find_directions, ood_score


def familiar(n: int = 800, width: int = 80, rank: int = 5, seed: int = 0) -> tuple[Floats, Floats]:
    """Features that lie in a space of few dimensions, and the orthonormal basis of all: the first `rank` span it."""
    random = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(random.normal(size=(width, width)))
    return (random.normal(size=(n, rank)) @ basis[:, :rank].T).astype(np.float32), basis.astype(np.float32)


def test_what_lies_in_the_training_photos_space_is_familiar_and_what_is_off_it_is_not() -> None:
    features, basis = familiar()
    directions = find_directions(features)
    assert ood_score(features, directions).max() < 0.01
    assert ood_score(basis[:, 5:].T, directions[:, :5]).min() > 0.99


def test_the_score_is_the_sine_of_an_angle_whatever_the_length() -> None:
    directions = np.eye(4, 1, dtype=np.float16)
    features = np.array([[3, 4, 0, 0], [300, 400, 0, 0], [0, 0, 0, 2], [5, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(ood_score(features, directions), [0.8, 0.8, 1, 0], atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_features_that_are_all_zero_are_as_far_as_can_be() -> None:
    assert ood_score(np.zeros((2, 4), np.float32), np.eye(4, 2, dtype=np.float16)).tolist() == [1, 1]


@pytest.mark.parametrize(("n", "width", "count"), [(800, 600, 64), (100, 600, 25), (800, 40, 10), (2, 40, 1)])
def test_directions_are_orthonormal_and_no_more_than_the_photos_allow(n: int, width: int, count: int) -> None:
    directions = find_directions(np.random.default_rng(0).normal(size=(n, width)).astype(np.float32))
    assert directions.shape == (width, count)
    assert directions.dtype == np.float16
    np.testing.assert_allclose(directions.T.astype(float) @ directions, np.eye(count), atol=0.01)
