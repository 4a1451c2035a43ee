"""Calibration: a planted temperature is found again, and a promised precision is one that was measured."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clothing_classifier.errors import UsageError
from clothing_classifier.evaluation import calibration
from clothing_classifier.evaluation.calibration import (
    MIN_SUPPORT,
    PrecisionPoint,
    fit_temperature,
    measure_calibration,
    operating_point,
    precision_curve,
    softmax,
)
from clothing_classifier.evaluation.metrics import Floats, Integers, expected_calibration_error, log_loss


def calibrated(n: int = 4000, classes: int = 8, spread: float = 2, seed: int = 0) -> tuple[Floats, Integers]:
    """Logits whose softmax is the chance of each class, and targets drawn by it."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, classes)) * spread
    targets = (softmax(logits).cumsum(1) > random.random((n, 1))).argmax(1)
    return logits, targets


def sure_of_right(confidence: list[float], right: list[bool]) -> tuple[Floats, Integers]:
    """Two classes: the first is predicted with `confidence`, and true where `right`."""
    shares = np.array(confidence)
    return np.stack([shares, 1 - shares], 1), np.where(right, 0, 1)


# --- temperature -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.06, 0.3, 1, 1.7, 5, 18])
def test_a_planted_temperature_is_found_again(temperature: float, dtype: type) -> None:
    logits, targets = calibrated()
    found = fit_temperature((logits * temperature).astype(dtype), targets)
    assert found == pytest.approx(temperature, rel=0.06)


@pytest.mark.parametrize("n", [8, 40])
def test_where_nothing_is_wrong_no_certainty_is_made_up(n: int) -> None:
    logits, _ = calibrated(n)
    temperature = fit_temperature(logits, logits.argmax(1))
    assert softmax(logits, temperature).max(1).mean() == pytest.approx((n + 1) / (n + 2), abs=1e-4)


def test_the_temperature_is_where_log_loss_is_least() -> None:
    logits, targets = calibrated(500)
    logits = logits * 2.5
    losses = {t: log_loss(targets, softmax(logits, t)) for t in np.geomspace(0.5, 10, 400)}
    assert fit_temperature(logits, targets) == pytest.approx(min(losses, key=losses.__getitem__), rel=0.01)


def test_shifting_the_logits_of_a_photo_changes_nothing() -> None:
    logits, targets = calibrated(300)
    shifted = logits + np.linspace(-1e4, 1e4, 300)[:, None]
    assert fit_temperature(shifted, targets) == pytest.approx(fit_temperature(logits, targets), rel=1e-4)


def test_a_few_photos_that_are_wrong_by_far_still_cool_the_model() -> None:
    # Were the loss floored, the far ones would cost the same at every temperature and the search would heat up.
    margins = np.where(np.arange(1000) % 20 == 0, -300.0, 5.0)
    logits = np.stack([margins, np.zeros(1000)], 1)
    assert fit_temperature(logits, np.zeros(1000, int)) > 10


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-6, 1, 1e4])
@pytest.mark.parametrize("right", [True, False])
def test_the_temperature_stays_within_its_range(scale: float, right: bool) -> None:
    logits = np.eye(4)[np.arange(40) % 4] * scale
    targets = (np.arange(40) + (not right)) % 4
    assert 0.05 <= fit_temperature(logits, targets) <= 20.0001


def test_fitting_makes_an_overconfident_model_honest() -> None:
    logits, targets = calibrated(20_000)
    logits = logits * 4
    before = expected_calibration_error(targets, softmax(logits))
    after = expected_calibration_error(targets, softmax(logits, fit_temperature(logits, targets)))
    assert after < 0.02 < 0.1 < before


@pytest.mark.filterwarnings("error")
def test_softmax_is_right_and_never_overflows() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [1e4, 0, -1e4], [-np.inf, 0, 0]])
    expected = np.exp(logits[0]) / np.exp(logits[0]).sum()
    np.testing.assert_allclose(softmax(logits), [expected, [1, 0, 0], [0, 0.5, 0.5]])
    np.testing.assert_allclose(softmax(logits[:1], 2), softmax(logits[:1] / 2))


# --- the error -------------------------------------------------------------------------------------------------------


def grouped(n: int, size: int) -> list[str | None]:
    return [str(i // size) for i in range(n)]


def test_an_honest_model_shows_what_a_perfect_one_would() -> None:
    logits, targets = calibrated(1000)
    error = measure_calibration(logits * 3, targets, grouped(1000, 20))
    assert error.perfect_range[0] < error.ece < error.perfect_range[1]
    assert error.perfect_range[0] < error.perfect_mean < error.perfect_range[1]
    assert error.interval[0] < error.interval[1]
    assert (error.n, error.folds, error.method) == (1000, 5, "5 folds of 50 groups; bootstrap over 50 groups")


def test_a_model_that_one_temperature_does_not_mend_is_shown_up() -> None:
    """Half of the photos are answered far too surely, the others far too shyly."""
    logits, targets = calibrated(1000)
    error = measure_calibration(logits * np.where(np.arange(1000) % 2, 6, 0.2)[:, None], targets, grouped(1000, 20))
    assert error.ece > 2 * error.perfect_range[1]
    assert error.interval[0] > error.perfect_range[1]


def test_no_photo_is_judged_by_a_temperature_of_its_own_group(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, targets = calibrated(120)
    targets[:] = np.arange(120)
    seen: list[set[int]] = []
    monkeypatch.setattr(calibration, "fit_temperature", lambda _, t: seen.append({i // 10 for i in t}) or 1.0)
    monkeypatch.setattr(calibration, "expected_calibration_error", lambda *_: 0.0)
    measure_calibration(logits, targets, grouped(120, 10))
    left_out = [set(range(12)) - groups for groups in seen]
    assert sorted(len(groups) for groups in left_out) == [2, 2, 2, 3, 3]
    assert set().union(*left_out) == set(range(12))


def test_a_scale_of_the_logits_changes_no_figure_of_the_error() -> None:
    logits, targets = calibrated(1000)
    one, other = (measure_calibration(logits * scale, targets, grouped(1000, 20)) for scale in (1, 4))
    for field in ("ece", "interval", "perfect_mean", "perfect_range"):
        assert getattr(one, field) == pytest.approx(getattr(other, field), rel=0.02), field


def test_folds_hold_as_many_photos_however_the_groups_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [*[1] * 150, 20, 30, 50]
    groups: list[str | None] = [str(i) for i, size in enumerate(sizes) for _ in range(size)]
    fitted: list[int] = []
    monkeypatch.setattr(calibration, "fit_temperature", lambda _, targets: fitted.append(len(targets)) or 1.0)
    monkeypatch.setattr(calibration, "expected_calibration_error", lambda *_: 0.0)
    for seed in range(5):
        measure_calibration(*calibrated(250), groups, seed)
    assert fitted == [200] * 25


def test_the_interval_of_photos_that_stand_and_fall_by_group_is_wide() -> None:
    targets = np.repeat(np.random.default_rng(0).random(50) < 0.3, 20).astype(int)
    logits = np.tile([0.8, 0.0], (1000, 1)) + np.random.default_rng(1).normal(size=(1000, 2)) / 100
    (low, high), (least, most) = (
        measure_calibration(logits, targets, groups).interval for groups in (grouped(1000, 20), [None] * 1000)
    )
    assert high - low > 2 * (most - least)


def test_intervals_hold_95_percent_of_a_thousand_draws_of_the_same_error(monkeypatch: pytest.MonkeyPatch) -> None:
    number = count()
    monkeypatch.setattr(calibration, "expected_calibration_error", lambda targets, probabilities: float(next(number)))
    error = measure_calibration(*calibrated(60), grouped(60, 3))
    assert error.ece == 0
    assert error.interval == pytest.approx(tuple(np.quantile(np.arange(1, 1001), [0.025, 0.975])))
    assert error.perfect_range == pytest.approx(tuple(np.quantile(np.arange(1001, 2001), [0.025, 0.975])))
    assert error.perfect_mean == 1500.5


@pytest.mark.parametrize(
    ("groups", "method"),
    [
        ([None] * 200, "5 folds of photos; bootstrap over photos"),
        (["a"] * 200, "5 folds of photos; bootstrap over photos"),
        ([*grouped(199, 4), None], "5 folds of photos; bootstrap over photos"),
        (grouped(200, 100), "2 folds of 2 groups; bootstrap over photos"),
        (grouped(200, 11), "5 folds of 19 groups; bootstrap over photos"),
        (grouped(200, 10), "5 folds of 20 groups; bootstrap over 20 groups"),
    ],
)
def test_the_method_says_what_was_resampled(groups: list[str | None], method: str) -> None:
    assert measure_calibration(*calibrated(200), groups).method == method


def test_the_same_seed_measures_the_same() -> None:
    arguments = *calibrated(300), grouped(300, 7)
    assert measure_calibration(*arguments) == measure_calibration(*arguments)
    assert measure_calibration(*arguments).interval != measure_calibration(*arguments, seed=1).interval


# --- the curve -------------------------------------------------------------------------------------------------------


def measured(probabilities: Floats, targets: Integers, threshold: float) -> tuple[float, float]:
    kept = probabilities.max(1) >= threshold
    return float((probabilities.argmax(1) == targets)[kept].mean()), float(kept.mean())


@settings(max_examples=60)
@given(
    n=st.integers(1, 900),
    seed=st.integers(0, 1000),
    digits=st.integers(1, 8),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_every_point_is_what_its_threshold_gives(n: int, seed: int, digits: int, dtype: type) -> None:
    logits, targets = calibrated(n, seed=seed)
    probabilities = softmax(logits).round(digits).astype(dtype)
    curve = precision_curve(probabilities, targets)
    assert 1 <= len(curve) <= 200
    for point in curve:
        assert measured(probabilities, targets, point.threshold) == pytest.approx((point.precision, point.coverage))
        assert point.coverage * n >= min(MIN_SUPPORT, n) - 1e-6
    thresholds, coverages = [point.threshold for point in curve], [point.coverage for point in curve]
    assert thresholds == sorted(set(thresholds))
    assert coverages == sorted(set(coverages), reverse=True)
    assert curve[0].coverage == 1


def test_equal_confidences_stand_or_fall_together() -> None:
    probabilities, targets = sure_of_right([0.9] * 40 + [0.7] * 60, [True] * 40 + [True] * 30 + [False] * 30)
    assert precision_curve(probabilities, targets) == [PrecisionPoint(0.7, 0.7, 1.0), PrecisionPoint(0.9, 1.0, 0.4)]


def test_no_point_stands_on_fewer_photos_than_the_least() -> None:
    probabilities, targets = sure_of_right([0.99] * 29 + [0.9] + [0.6] * 70, [True] * 100)
    assert [point.threshold for point in precision_curve(probabilities, targets)] == [0.6, 0.9]


def test_a_small_validation_set_gives_the_one_point_that_keeps_all() -> None:
    probabilities, targets = sure_of_right([0.9, 0.8, 0.7], [True, False, True])
    assert precision_curve(probabilities, targets) == [PrecisionPoint(0.7, pytest.approx(2 / 3), 1.0)]


def test_no_photo_gives_no_point() -> None:
    assert precision_curve(np.empty((0, 3)), np.empty(0, int)) == []


# --- the threshold ---------------------------------------------------------------------------------------------------

CURVE = [
    PrecisionPoint(0.2, 0.80, 1.0),
    PrecisionPoint(0.5, 0.92, 0.7),
    PrecisionPoint(0.6, 0.88, 0.6),
    PrecisionPoint(0.9, 0.97, 0.3),
]


@pytest.mark.parametrize(
    ("precision", "threshold"), [(0, 0.2), (0.8, 0.2), (0.81, 0.5), (0.92, 0.5), (0.93, 0.9), (0.97, 0.9)]
)
def test_the_threshold_keeps_the_precision_at_the_largest_coverage(precision: float, threshold: float) -> None:
    assert operating_point(CURVE, precision).threshold == threshold
    assert operating_point(CURVE[::-1], precision).threshold == threshold


@pytest.mark.parametrize("precision", [0.98, 1, 2, float("nan")])
def test_an_unreachable_precision_is_refused_with_the_best_there_is(precision: float) -> None:
    with pytest.raises(UsageError, match=r"out of reach: on validation the model gets to 0\.970"):
        operating_point(CURVE, precision)


def test_an_empty_curve_reaches_nothing() -> None:
    with pytest.raises(UsageError, match="out of reach"):
        operating_point([], 0.5)
