"""Arrays in, numbers out: how good a set of predictions is, and how sure that is.

Throughout, `targets` is `(N,) int` in [0, K) and `probabilities` `(N, K) float`, rows summing to one.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]

MIN_GROUPS = 20
"""With fewer groups than this an interval that resamples groups means little."""


def accuracy(targets: Integers, predicted: Integers) -> float:
    """Share of predictions that are right."""
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


def top_k_accuracy(targets: Integers, probabilities: Floats, k: int) -> float:
    """Share of rows whose target is among the `k` most probable classes."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == targets[:, None]).any(1)))


def log_loss(targets: Integers, probabilities: Floats) -> float:
    """Mean negative log-likelihood in nats; probabilities are floored at 1e-12."""
    return float(-np.mean(np.log(np.maximum(probabilities[np.arange(len(targets)), targets], 1e-12))))


def brier_score(targets: Integers, probabilities: Floats) -> float:
    """Mean squared distance to the one-hot target, summed over classes: from 0 to 2 (Brier 1950)."""
    one_hot = np.eye(probabilities.shape[1])[targets]
    return float(np.mean(((probabilities - one_hot) ** 2).sum(1)))


def expected_calibration_error(targets: Integers, probabilities: Floats, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over `bins` of equal mass (Nguyen and O'Connor 2015)."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == targets
    parts = [part for part in np.array_split(np.argsort(confidence, kind="stable"), bins) if len(part)]
    gaps = [len(part) * abs(confidence[part].mean() - right[part].mean()) for part in parts]
    return float(sum(gaps) / len(targets))


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95% score interval of a proportion (Wilson 1927), which takes the n trials as independent."""
    z = 1.959964
    centre = (successes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(successes * (n - successes) / n + z * z / 4)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def grouped_interval(right: npt.NDArray[np.bool_], groups: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """95% percentile interval of accuracy over 2,000 resamplings of whole groups (Field and Welsh 2007)."""
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    sizes, hits = np.bincount(index), np.bincount(index, weights=right)
    draws = np.random.default_rng(seed).integers(len(sizes), size=(2000, len(sizes)))
    low, high = np.quantile(hits[draws].sum(1) / sizes[draws].sum(1), [0.025, 0.975])
    return float(low), float(high)


def accuracy_interval(right: npt.NDArray[np.bool_], groups: Sequence[str | None]) -> tuple[tuple[float, float], str]:
    """The 95% interval of accuracy and its method: by group where every photo has one and there are enough of them."""
    named = [group for group in groups if group]
    if len(named) == len(right) and len(set(named)) >= MIN_GROUPS:
        return grouped_interval(right, named), f"bootstrap over {len(set(named))} groups"
    return wilson_interval(int(right.sum()), len(right)), "Wilson, photos taken as independent"
