"""Confidence that means what it says: a temperature, and the confidence below which a precision is not kept."""

from dataclasses import dataclass

import numpy as np

from clothing_classifier.errors import UsageError
from clothing_classifier.metrics import Floats, Integers

MIN_SUPPORT = 30
"""A precision measured on fewer photos than this promises nothing."""
_POINTS = 200


@dataclass(frozen=True)
class PrecisionPoint:
    """On validation, predictions at or above `threshold` were right with `precision` and made up `coverage` of all."""

    threshold: float
    precision: float
    coverage: float


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities `(N, K)` of `logits` `(N, K)` divided by `temperature`."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    result: Floats = powers / powers.sum(1, keepdims=True)
    return result


def fit_temperature(logits: Floats, targets: Integers) -> float:
    """The temperature in [0.05, 20] of the least log loss (Guo et al. 2017), by golden-section search on its logarithm.

    Log loss has one minimum over the logarithm's range, since it is convex in 1 / T.
    """
    ratio = (np.sqrt(5) - 1) / 2
    low, high = np.log(0.05), np.log(20.0)
    while high - low > 1e-5:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _loss(logits, targets, left) < _loss(logits, targets, right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def precision_curve(probabilities: Floats, targets: Integers) -> list[PrecisionPoint]:
    """Precision and coverage at up to 200 thresholds, from the lowest; each stands on at least 30 photos."""
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


def threshold_for(curve: list[PrecisionPoint], precision: float) -> PrecisionPoint:
    """The point of largest coverage that kept `precision` on validation; raises `UsageError` where none did."""
    reached = [point for point in curve if point.precision >= precision]
    if not reached:
        best = max((point.precision for point in curve), default=0.0)
        raise UsageError(f"a precision of {precision:g} is out of reach: on validation the model gets to {best:.3f}")
    return max(reached, key=lambda point: point.coverage)


def _loss(logits: Floats, targets: Integers, log_temperature: float) -> float:
    # Exact, where `metrics.log_loss` has a floor: that would make a second minimum of logits far out and wrong.
    scaled = logits / np.exp(log_temperature)
    shifted = scaled - scaled.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(targets)), targets]))
