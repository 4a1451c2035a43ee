"""Classification metrics and their confidence intervals, from arrays.

Throughout, `targets` is `(N,) int` in [0, K) and `probabilities` `(N, K) float`, rows summing to one.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]
Booleans = npt.NDArray[np.bool_]
_DRAWS_AT_ONCE = 1 << 20
"""Of groups, in a bootstrap, whose memory then does not grow with their number."""

_INDEPENDENT = "photos taken as independent"
MIN_GROUPS = 20
"""With fewer groups than this an interval that resamples groups means little."""


def accuracy(targets: Integers, predicted: Integers) -> float:
    """Fraction of predictions that are right."""
    return float(np.mean(targets == predicted))


def confusion_matrix(targets: Integers, predicted: Integers, classes: int) -> npt.NDArray[np.int64]:
    """Counts `(K, K)`: rows are the true classes, columns the predicted ones."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (targets, predicted), 1)
    return matrix


def precision_recall_f1(confusion: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats, Integers]:
    """Per class: precision, recall, F1 and support, each `(K,)`; 0 where a ratio has no denominator."""
    hits, support, called = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    precision = np.divide(hits, called, out=np.zeros(len(hits)), where=called > 0)
    recall = np.divide(hits, support, out=np.zeros(len(hits)), where=support > 0)
    f1 = np.divide(2 * hits, support + called, out=np.zeros(len(hits)), where=support + called > 0)
    return precision, recall, f1, support


def balanced_accuracy(confusion: npt.NDArray[np.int64]) -> float:
    """Mean recall over the classes that occur."""
    _, recall, _, support = precision_recall_f1(confusion)
    return float(recall[support > 0].mean())


def macro_f1(confusion: npt.NDArray[np.int64]) -> float:
    """Mean F1 over the classes that occur or are predicted."""
    _, _, f1, support = precision_recall_f1(confusion)
    return float(f1[(support > 0) | (confusion.sum(0) > 0)].mean())


def weighted_f1(confusion: npt.NDArray[np.int64]) -> float:
    """Mean F1 over classes, each weighted by its number of photos."""
    _, _, f1, support = precision_recall_f1(confusion)
    return float(f1 @ support / support.sum())


def auroc(targets: Integers, probabilities: Floats) -> list[float | None]:
    """For each class, how often a photo of it has more of its probability than a photo of the rest; ties count half.

    That is the area under the ROC curve, one class against the rest, by the rank sum (Hanley and McNeil 1982); `None`
    for a class that no photo or every photo shows.
    """
    return [_auroc(targets == c, probabilities[:, c]) for c in range(probabilities.shape[1])]


def _auroc(positive: Booleans, scores: Floats) -> float | None:
    hits, rest = int(positive.sum()), int((~positive).sum())
    if not hits or not rest:
        return None
    _, place, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * rest))


def macro_auroc(areas: Sequence[float | None]) -> float | None:
    """Mean of `auroc` over the classes that have one; `None` where none has."""
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None


def top_k_accuracy(targets: Integers, probabilities: Floats, k: int) -> float:
    """Fraction of rows whose target is among the `k` most probable classes."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == targets[:, None]).any(1)))


def log_loss(targets: Integers, probabilities: Floats) -> float:
    """Mean negative log-likelihood in nats; probabilities are floored at 1e-12."""
    return float(-np.mean(np.log(np.maximum(probabilities[np.arange(len(targets)), targets], 1e-12))))


def brier_score(targets: Integers, probabilities: Floats) -> float:
    """Mean squared distance to the one-hot target, summed over classes: from 0 to 2 (Brier 1950)."""
    one_hot = np.eye(probabilities.shape[1])[targets]
    return float(np.mean(((probabilities - one_hot) ** 2).sum(1)))


class Bin(NamedTuple):
    """Photos of like confidence: how many, their mean confidence, and how many of them are right."""

    n: int
    confidence: float
    right: int


def reliability_bins(targets: Integers, probabilities: Floats, bins: int = 10) -> list[Bin]:
    """Photos by rising confidence in up to `bins` parts of equal mass (Nguyen and O'Connor 2015).

    Photos of one confidence stay together, so that no part hangs on the order of the table.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == targets
    order = np.argsort(confidence, kind="stable")
    lasts = [part[-1] for part in np.array_split(order, bins) if len(part)]
    ends = np.unique(np.searchsorted(confidence[order], confidence[lasts], side="right"))
    parts = np.split(order, ends[:-1])
    return [Bin(len(part), float(confidence[part].mean()), int(right[part].sum())) for part in parts]


def expected_calibration_error(targets: Integers, probabilities: Floats, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over `reliability_bins`."""
    parts = reliability_bins(targets, probabilities, bins)
    return sum(part.n * abs(part.confidence - part.right / part.n) for part in parts) / len(targets)


class RiskCoverage(NamedTuple):
    """Predicting only on the most confident photos: coverage, risk (fraction of those that is wrong), and the area.

    `coverage`, `risk` and `threshold` are `(M,)`, one for each distinct confidence, from the highest down. `area`
    (AURC) is the mean risk over all coverages.
    """

    coverage: Floats
    risk: Floats
    threshold: Floats
    area: float


def risk_coverage(targets: Integers, probabilities: Floats) -> RiskCoverage:
    """The risk-coverage curve and its area (Geifman and El-Yaniv 2017).

    Photos of one confidence stand in no order: the area takes the mean over all of their orders, so that it does not
    hang on that of the table.
    """
    confidence = -probabilities.max(1)
    wrong = probabilities.argmax(1) != targets
    levels, place, ties = np.unique(confidence, return_inverse=True, return_counts=True)
    errors = np.bincount(place, weights=wrong)
    answered = np.arange(1, len(targets) + 1)
    area = np.mean(np.cumsum(np.repeat(errors / ties, ties)) / answered)
    kept = np.cumsum(ties)
    return RiskCoverage(kept / len(targets), np.cumsum(errors) / kept, -levels, float(area))


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95% score interval of a proportion (Wilson 1927), which takes the n trials as independent."""
    z = 1.959964
    centre = (successes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(successes * (n - successes) / n + z * z / 4)
    low = float(max(0.0, centre - half)) if successes else 0.0
    return low, float(min(1.0, centre + half)) if successes < n else 1.0


def grouped_interval(values: npt.NDArray[np.generic], groups: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """95% percentile interval of a mean over 2,000 resamplings of whole groups (Field and Welsh 2007).

    `values` is `(N,)`: whether each photo is right, or by how much one model is ahead on it.
    """
    low, high = np.quantile(resampled_means(values, groups, 2000, seed), [0.025, 0.975])
    return float(low), float(high)


def resampled_means(values: npt.NDArray[np.generic], groups: Sequence[str], count: int, seed: int = 0) -> Floats:
    """The mean of `values` `(N,)` in each of `count` resamplings of whole groups, `(count,) float64`."""
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    sizes, sums = np.bincount(index), np.bincount(index, weights=values.astype(float))
    generator, at_once = np.random.default_rng(seed), max(1, _DRAWS_AT_ONCE // len(sizes))
    means = []
    for start in range(0, count, at_once):
        draws = generator.integers(len(sizes), size=(min(at_once, count - start), len(sizes)))
        means.append(sums[draws].sum(1) / sizes[draws].sum(1))
    return np.concatenate(means)


def accuracy_interval(right: Booleans, groups: Sequence[str | None]) -> tuple[tuple[float, float], str]:
    """The 95% interval of accuracy and its method: by group where every photo has one and there are enough of them."""
    obstacle = _obstacle(groups)
    if obstacle is None:
        found = len(set(groups))
        if right.all() or not right.any():  # of which every resampling is the same
            return wilson_interval(found * int(right[0]), found), f"Wilson over {found} groups, all alike"
        return grouped_interval(right, _named(groups)), f"bootstrap over {found} groups"
    return wilson_interval(int(right.sum()), len(right)), f"Wilson, {_INDEPENDENT}{obstacle}"


def takes_photos_as_independent(method: str) -> bool:
    """Whether an interval of this method (`accuracy_interval`) is likely too narrow where photos come in groups."""
    return _INDEPENDENT in method


def leave_one_group_out(right: Booleans, groups: Sequence[str]) -> tuple[float, float] | None:
    """The least and the greatest accuracy with one group left out; `None` where there is but one."""
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    sizes, hits = np.bincount(index), np.bincount(index, weights=right)
    if len(sizes) < 2:
        return None
    rest = (right.sum() - hits) / (len(right) - sizes)
    return float(rest.min()), float(rest.max())


def difference_interval(
    one: Booleans, other: Booleans, groups: Sequence[str | None]
) -> tuple[tuple[float, float], str]:
    """The 95% interval of how far the accuracy of `one` is ahead of that of `other` on the same photos, and its method.

    Groups are resampled as in `accuracy_interval`, with both models' answers to a photo kept together.
    """
    obstacle = _obstacle(groups)
    ahead = one.astype(int) - other.astype(int)
    if obstacle is None and (ahead == ahead[0]).all():  # of which every resampling is the same
        obstacle = ": one is right on all, the other on none" if ahead[0] else ": the models are right on the same ones"
    if obstacle is None:
        return grouped_interval(ahead, _named(groups)), f"paired bootstrap over {len(set(groups))} groups"
    return newcombe_interval(one, other), f"Newcombe, paired, {_INDEPENDENT}{obstacle}"


def newcombe_interval(one: Booleans, other: Booleans) -> tuple[float, float]:
    """95% interval of a difference of paired proportions, photos taken as independent (Newcombe 1998, method 10)."""
    n, first, second = len(one), int(one.sum()), int(other.sum())
    both = int((one & other).sum())
    spread = first * (n - first) * second * (n - second)
    # The four cells' ad - bc, corrected for continuity where it is positive.
    tie = both * (n - first - second + both) - (first - both) * (second - both)
    phi = (max(tie - n / 2, 0) if tie > 0 else tie) / math.sqrt(spread) if spread else 0.0
    p, q = first / n, second / n
    (p_low, p_high), (q_low, q_high) = wilson_interval(first, n), wilson_interval(second, n)
    low = p - q - _paired_distance(p - p_low, q_high - q, phi)
    high = p - q + _paired_distance(p_high - p, q - q_low, phi)
    return low, high


def _paired_distance(a: float, b: float, phi: float) -> float:
    return float(np.sqrt(max(0.0, a * a - 2 * phi * a * b + b * b)))


def mcnemar(only_one: int, only_other: int) -> float:
    """Exact two-sided p that two models are right equally often, from the photos on which just one is (McNemar 1947).

    A binomial test, in whole numbers; it takes the photos as independent, which those of one sender are not.
    """
    n, term, tail = only_one + only_other, 1, 0
    for k in range(min(only_one, only_other) + 1):
        tail += term
        term = term * (n - k) // (k + 1)
    return min(1.0, 2 * tail / (1 << n))


def _named(groups: Sequence[str | None]) -> list[str]:
    return [group for group in groups if group]


def _obstacle(groups: Sequence[str | None]) -> str | None:
    """Why groups can't be resampled, as words behind a method; `None` where they can."""
    named = _named(groups)
    if not named:
        return ""
    if blank := len(groups) - len(named):
        return f": {blank} of {len(groups)} photos have no group"
    found = len(set(named))
    few = f": {found} group{'s are' if found > 1 else ' is'} too few to resample"
    return few if found < MIN_GROUPS else None
