"""Metrics against scikit-learn and against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.metrics import Floats, Integers

reference = pytest.importorskip("sklearn.metrics", reason="needs the extra 'train'")


def outcome(n: int = 400, classes: int = 6, seed: int = 0, never: int | None = None) -> tuple[Integers, Floats]:
    """Random targets, and probabilities that lean to them; the class `never` does not occur."""
    random = np.random.default_rng(seed)
    targets = random.choice([c for c in range(classes) if c != never], n)
    logits = random.normal(size=(n, classes)) + 1.5 * np.eye(classes)[targets]
    powers = np.exp(logits)
    return targets, powers / powers.sum(1, keepdims=True)


cases = pytest.mark.parametrize(
    ("n", "classes", "seed", "never"), [(400, 6, 0, None), (50, 3, 1, None), (30, 20, 2, 4), (200, 2, 3, None)]
)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@cases
def test_counts_and_averages_agree_with_scikit_learn(n: int, classes: int, seed: int, never: int | None) -> None:
    targets, probabilities = outcome(n, classes, seed, never)
    predicted = probabilities.argmax(1)
    confusion = metrics.confusion_matrix(targets, predicted, classes)
    np.testing.assert_array_equal(confusion, reference.confusion_matrix(targets, predicted, labels=range(classes)))
    expected = reference.precision_recall_fscore_support(targets, predicted, labels=range(classes), zero_division=0)
    for ours, theirs in zip(metrics.precision_recall_f1(confusion), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)
    assert metrics.accuracy(targets, predicted) == pytest.approx(reference.accuracy_score(targets, predicted))
    balanced = reference.balanced_accuracy_score(targets, predicted)
    assert metrics.balanced_accuracy(confusion) == pytest.approx(balanced)
    for average, f1 in (("macro", metrics.macro_f1), ("weighted", metrics.weighted_f1)):
        expected = reference.f1_score(targets, predicted, average=average, zero_division=0)
        assert f1(confusion) == pytest.approx(expected)


@cases
def test_the_scores_of_probabilities_agree_with_scikit_learn(
    n: int, classes: int, seed: int, never: int | None
) -> None:
    targets, probabilities = outcome(n, classes, seed, never)
    expected = reference.log_loss(targets, probabilities, labels=range(classes))
    assert metrics.log_loss(targets, probabilities) == pytest.approx(expected)
    expected = classes * reference.mean_squared_error(np.eye(classes)[targets], probabilities)
    assert metrics.brier_score(targets, probabilities) == pytest.approx(expected)
    for k in {1, min(3, classes - 1)} if classes > 2 else ():
        expected = reference.top_k_accuracy_score(targets, probabilities, k=k, labels=range(classes))
        assert metrics.top_k_accuracy(targets, probabilities, k) == pytest.approx(expected)


def test_a_confusion_counted_by_hand() -> None:
    targets, predicted = np.array([0, 0, 0, 1, 1, 3]), np.array([0, 0, 1, 1, 2, 0])
    confusion = metrics.confusion_matrix(targets, predicted, 4)
    assert confusion.tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    precision, recall, f1, support = metrics.precision_recall_f1(confusion)
    np.testing.assert_allclose(precision, [2 / 3, 1 / 2, 0, 0])
    np.testing.assert_allclose(recall, [2 / 3, 1 / 2, 0, 0])
    np.testing.assert_allclose(f1, [2 / 3, 1 / 2, 0, 0])
    assert support.tolist() == [3, 2, 0, 1]
    assert metrics.balanced_accuracy(confusion) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert metrics.macro_f1(confusion) == pytest.approx((2 / 3 + 1 / 2 + 0 + 0) / 4)


def test_a_class_that_neither_occurs_nor_is_predicted_counts_nowhere() -> None:
    confusion = np.diag([3, 0, 2])
    assert metrics.balanced_accuracy(confusion) == 1
    assert metrics.macro_f1(confusion) == 1


def test_scores_counted_by_hand() -> None:
    targets, probabilities = np.array([0, 1]), np.array([[0.8, 0.2, 0.0], [0.5, 0.25, 0.25]])
    assert metrics.log_loss(targets, probabilities) == pytest.approx(-(np.log(0.8) + np.log(0.25)) / 2)
    first, second = 0.2**2 + 0.2**2, 0.5**2 + 0.75**2 + 0.25**2
    assert metrics.brier_score(targets, probabilities) == pytest.approx((first + second) / 2)
    assert metrics.expected_calibration_error(targets, probabilities, bins=1) == pytest.approx(abs(0.65 - 0.5))
    assert metrics.expected_calibration_error(targets, probabilities, bins=2) == pytest.approx((0.2 + 0.5) / 2)


def test_the_extremes_of_the_scores() -> None:
    sure = np.eye(3)
    right, wrong = np.arange(3), np.array([1, 2, 0])
    assert (metrics.log_loss(right, sure), metrics.brier_score(right, sure)) == (0, 0)
    assert metrics.brier_score(wrong, sure) == 2
    assert metrics.log_loss(wrong, sure) == pytest.approx(-np.log(1e-12))
    assert metrics.expected_calibration_error(right, sure) == 0
    assert metrics.expected_calibration_error(wrong, sure) == 1


def test_a_tie_goes_to_the_first_class_as_argmax_does() -> None:
    probabilities = np.full((4, 4), 0.25)
    targets = np.arange(4)
    assert [metrics.top_k_accuracy(targets, probabilities, k) for k in (1, 2, 3, 4, 9)] == [0.25, 0.5, 0.75, 1, 1]
    many = np.full((200, 200), 1 / 200)  # as many as a sort that is not stable mixes up
    assert [metrics.top_k_accuracy(np.arange(200), many, k) for k in (1, 3, 50)] == [1 / 200, 3 / 200, 50 / 200]
    assert metrics.top_k_accuracy(np.zeros(200, int), many, 1) == 1


@settings(max_examples=60)
@given(n=st.integers(1, 60), classes=st.integers(2, 8), seed=st.integers(0, 1000))
def test_every_metric_stays_in_its_range(n: int, classes: int, seed: int) -> None:
    targets, probabilities = outcome(n, classes, seed)
    predicted = probabilities.argmax(1)
    confusion = metrics.confusion_matrix(targets, predicted, classes)
    assert confusion.sum() == n
    assert np.trace(confusion) == round(metrics.accuracy(targets, predicted) * n)
    for share in (
        metrics.balanced_accuracy(confusion),
        metrics.macro_f1(confusion),
        metrics.expected_calibration_error(targets, probabilities),
    ):
        assert 0 <= share <= 1
    top = [metrics.top_k_accuracy(targets, probabilities, k) for k in range(1, classes + 1)]
    assert top == sorted(top)
    assert top[0] == metrics.accuracy(targets, predicted)
    assert top[-1] == 1
    assert 0 <= metrics.brier_score(targets, probabilities) <= 2


# --- ranking and confidence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decimals", [1, 2, 16])
@cases
def test_auroc_agrees_with_scikit_learn_ties_included(
    n: int, classes: int, seed: int, never: int | None, decimals: int
) -> None:
    targets, probabilities = outcome(n, classes, seed, never)
    probabilities = probabilities.round(decimals)
    areas = metrics.auroc(targets, probabilities)
    for c, area in enumerate(areas):
        if c in targets:
            assert area == pytest.approx(reference.roc_auc_score(targets == c, probabilities[:, c]))
        else:
            assert area is None
    if never is None and classes > 2 and decimals == 16:
        expected = reference.roc_auc_score(targets, probabilities, multi_class="ovr", average="macro")
        assert metrics.macro_auroc(areas) == pytest.approx(expected)


def test_auroc_is_undefined_where_there_is_nothing_to_tell_apart() -> None:
    targets, probabilities = np.zeros(4, int), np.full((4, 3), 1 / 3)
    assert metrics.auroc(targets, probabilities) == [None, None, None]
    assert metrics.macro_auroc([None, None]) is None
    assert metrics.macro_auroc([None, 0.5, 1.0]) == 0.75


@settings(max_examples=60)
@given(n=st.integers(2, 40), seed=st.integers(0, 1000), levels=st.integers(1, 6))
def test_auroc_counts_pairs_with_ties_as_halves(n: int, seed: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    targets, scores = random.integers(0, 2, n), random.integers(0, levels, n) / levels
    hits, rest = scores[targets == 1], scores[targets == 0]
    (area,) = metrics.auroc(targets - 1, scores[:, None])  # its only class is 0, the ones of `targets`
    if not len(hits) or not len(rest):
        assert area is None
    else:
        pairs = hits[:, None] - rest[None]
        assert area == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_reliability_bins_hold_every_photo_once_and_give_the_calibration_error() -> None:
    targets, probabilities = outcome(203)
    bins = metrics.reliability_bins(targets, probabilities)
    assert [part.n for part in bins] == [21, 21, 21, *[20] * 7]
    assert sum(part.right for part in bins) == (probabilities.argmax(1) == targets).sum()
    assert [part.confidence for part in bins] == sorted(part.confidence for part in bins)
    gap = sum(part.n * abs(part.confidence - part.right / part.n) for part in bins) / 203
    assert metrics.expected_calibration_error(targets, probabilities) == pytest.approx(gap)
    assert len(metrics.reliability_bins(targets[:3], probabilities[:3])) == 3


def test_reliability_bins_hang_on_no_order_where_confidences_tie() -> None:
    targets = np.repeat([0, 1], [60, 40])
    assert metrics.expected_calibration_error(targets, np.full((100, 2), (0.6, 0.4))) == pytest.approx(0)
    sure = np.repeat([[0.9, 0.1], [0.6, 0.4]], [50, 50], axis=0)
    assert [(part.n, part.right) for part in metrics.reliability_bins(targets, sure)] == [(50, 10), (50, 50)]


def test_risk_over_coverage_counted_by_hand() -> None:
    targets = np.array([0, 0, 0, 0])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.4, 0.6]])
    curve = metrics.risk_coverage(targets, probabilities)
    np.testing.assert_allclose(curve.threshold, [0.9, 0.8, 0.6])
    np.testing.assert_allclose(curve.coverage, [1 / 4, 3 / 4, 1])
    np.testing.assert_allclose(curve.risk, [0, 1 / 3, 2 / 4])
    # The two of confidence 0.8 share their error: half of it at the second photo.
    assert curve.area == pytest.approx((0 + 0.5 / 2 + 1 / 3 + 2 / 4) / 4)


@settings(max_examples=60)
@given(n=st.integers(1, 60), classes=st.integers(2, 5), seed=st.integers(0, 1000), decimals=st.integers(1, 6))
def test_risk_over_coverage_hangs_on_no_order_and_ends_at_the_error(
    n: int, classes: int, seed: int, decimals: int
) -> None:
    targets, probabilities = outcome(n, classes, seed)
    probabilities = probabilities.round(decimals)
    curve = metrics.risk_coverage(targets, probabilities)
    order = np.random.default_rng(seed).permutation(n)
    other = metrics.risk_coverage(targets[order], probabilities[order])
    assert curve.area == pytest.approx(other.area)
    np.testing.assert_allclose(curve.risk, other.risk)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(1 - metrics.accuracy(targets, probabilities.argmax(1)))
    assert (np.diff(curve.coverage) > 0).all()
    assert (np.diff(curve.threshold) < 0).all()
    assert 0 <= curve.area <= 1
