"""Temperature scaling, expected calibration error, and the confidence threshold that keeps a precision."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from clothing_classifier.errors import UsageError
from clothing_classifier.evaluation.metrics import MIN_GROUPS, Floats, Integers, expected_calibration_error

MIN_SUPPORT = 30
"""A precision measured on fewer photos than this promises nothing."""
_POINTS = 200
_FOLDS, _DRAWS = 5, 1000


@dataclass(frozen=True)
class PrecisionPoint:
    """On validation, predictions at or above `threshold` were right with `precision` and made up `coverage` of all."""

    threshold: float
    precision: float
    coverage: float


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error (10 bins of equal mass) of photos whose temperature was fitted to other photos.

    An error of 0 can't be measured: chance alone keeps a bin's accuracy off its confidence. `perfect_mean` and
    `perfect_range` (95%) say what a model whose probabilities are true would show on as many photos of just these
    probabilities. `interval` holds 95% of the bootstrap's draws; it leans high, since each draw adds chance of its own.
    `method` says what was held out together and resampled.
    """

    ece: float
    interval: tuple[float, float]
    perfect_mean: float
    perfect_range: tuple[float, float]
    n: int
    folds: int
    method: str


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities `(N, K)` of `logits` `(N, K)` divided by `temperature`."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    result: Floats = powers / powers.sum(1, keepdims=True)
    return result


def fit_temperature(logits: Floats, targets: Integers) -> float:
    """The temperature in [0.05, 20] of the least log loss (Guo et al. 2017), by golden-section search on its logarithm.

    Log loss has one minimum over the logarithm's range, since it is convex in 1 / T. Where every answer is right it
    falls with T, to a certainty that so few photos can't bear: then the temperature is the one at which the mean
    confidence is (N + 1) / (N + 2), Laplace's rule of succession.
    """
    ratio = (np.sqrt(5) - 1) / 2
    low, high = np.log(0.05), np.log(20.0)
    bearable = (len(targets) + 1) / (len(targets) + 2)
    all_right = bool((logits.argmax(1) == targets).all())

    def cost(place: float) -> float:
        if all_right:
            return abs(float(softmax(logits, np.exp(place)).max(1).mean()) - bearable)
        return _loss(logits, targets, place)

    while high - low > 1e-5:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def measure_calibration(
    logits: Floats, targets: Integers, groups: Sequence[str | None], seed: int = 0
) -> CalibrationError:
    """The error of calibration by cross-fitting: no photo is judged by a temperature that it helped to fit.

    The temperature of each fifth is fitted to the other four. Groups stay whole where every photo of `groups` `(N,)`
    has one and there are two or more; with fewer than 20 the interval resamples photos.
    """
    whole = all(groups) and len(set(groups)) > 1
    _, unit = np.unique(np.array(groups if whole else np.arange(len(targets))), return_inverse=True)
    units = int(unit.max()) + 1
    name = f"{units} groups" if whole else "photos"
    folds = min(_FOLDS, units)
    fold = _deal(np.bincount(unit), folds, seed)[unit]
    probabilities = np.empty(logits.shape)
    for part in range(folds):
        inside = fold == part
        temperature = fit_temperature(logits[~inside], targets[~inside])
        probabilities[inside] = softmax(logits[inside], temperature)
    ece = expected_calibration_error(targets, probabilities)
    by_group = whole and units >= MIN_GROUPS
    drawn = _resampled(targets, probabilities, unit if by_group else np.arange(len(targets)), seed)
    chance = _by_chance(probabilities, seed)
    method = f"{folds} folds of {name}; bootstrap over {name if by_group else 'photos'}"
    return CalibrationError(ece, _middle(drawn), float(chance.mean()), _middle(chance), len(targets), folds, method)


def precision_curve(probabilities: Floats, targets: Integers) -> list[PrecisionPoint]:
    """Precision and coverage at up to 200 thresholds, from the lowest; each stands on at least 30 photos, or all."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == targets
    order = np.argsort(-confidence, kind="stable")
    kept = np.arange(1, len(order) + 1)
    precision = np.cumsum(right[order]) / kept
    # A threshold lets in every photo of its confidence, so only the last of equal ones is a point.
    last = np.append(np.diff(confidence[order]) < 0, True)
    usable = np.flatnonzero(last & (kept >= min(MIN_SUPPORT, len(order))))
    chosen = usable[np.unique(np.linspace(0, len(usable) - 1, min(_POINTS, len(usable))).astype(int))]
    return [
        PrecisionPoint(float(confidence[order[i]]), float(precision[i]), float(kept[i] / len(order)))
        for i in chosen[::-1]
    ]


def point_that_kept(curve: Iterable[PrecisionPoint], precision: float) -> PrecisionPoint | None:
    """The point of largest coverage that kept `precision` on validation; None where none did."""
    return max(
        (point for point in curve if point.precision >= precision), key=lambda point: point.coverage, default=None
    )


def operating_point(curve: Sequence[PrecisionPoint], precision: float) -> PrecisionPoint:
    """`point_that_kept`; raises `UsageError` where none did."""
    if (point := point_that_kept(curve, precision)) is None:
        best = max((point.precision for point in curve), default=0.0)
        raise UsageError(f"a precision of {precision:g} is out of reach: on validation the model gets to {best:.3f}")
    return point


def _loss(logits: Floats, targets: Integers, log_temperature: float) -> float:
    # Exact, where `metrics.log_loss` has a floor: that would make a second minimum of logits far out and wrong.
    scaled = logits / np.exp(log_temperature)
    shifted = scaled - scaled.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(targets)), targets]))


def _deal(sizes: Integers, folds: int, seed: int) -> Integers:
    """A fold for each unit of `sizes` photos: the largest first, each to the fold that has the fewest photos."""
    order = np.random.default_rng(seed).permutation(len(sizes))
    fold, loads = np.empty(len(sizes), int), np.zeros(folds, int)
    for i in order[np.argsort(-sizes[order], kind="stable")]:
        fold[i] = loads.argmin()
        loads[fold[i]] += sizes[i]
    return fold


def _resampled(targets: Integers, probabilities: Floats, unit: Integers, seed: int) -> Floats:
    """Calibration errors of photos whose units `(N,)` are drawn with replacement."""
    rows = np.split(np.argsort(unit, kind="stable"), np.cumsum(np.bincount(unit))[:-1])
    random = np.random.default_rng(seed)
    draws = (np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))]) for _ in range(_DRAWS))
    return np.array([expected_calibration_error(targets[draw], probabilities[draw]) for draw in draws])


def _by_chance(probabilities: Floats, seed: int) -> Floats:
    """Calibration errors of targets drawn by the very `probabilities`."""
    random, upto = np.random.default_rng(seed), probabilities.cumsum(1)
    upto[:, -1] = 1
    draws = ((upto > random.random((len(upto), 1))).argmax(1) for _ in range(_DRAWS))
    return np.array([expected_calibration_error(draw, probabilities) for draw in draws])


def _middle(draws: Floats) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
