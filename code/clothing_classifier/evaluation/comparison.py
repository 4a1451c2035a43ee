"""Paired comparison of two models on the same photos: difference of accuracy, its interval, McNemar's test."""

from collections import Counter
from typing import Any

import numpy as np

from clothing_classifier.datasets import match_labels
from clothing_classifier.errors import DatasetError
from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.predictions import Predictions


def compare(one: Predictions, other: Predictions) -> dict[str, Any]:
    """Compare the accuracy of two models' predictions on the same records, as plain data.

    Photos that either can't read are left out, and so are candidates that one of the models lacks: each chooses among
    the classes that both have. Raises `DatasetError` where a photo's label is none of those, or no photo is left.
    """
    matches = match_labels(one.labels, other.labels)
    wanted = Counter(matches.values())
    common = {  # two labels must not share a column of the other model's
        label: known for label, known in matches.items() if label == known or wanted[known] == 1
    }
    one, other = one.restricted(list(common)), other.restricted(list(common.values()))
    _, left, right = np.intersect1d(one.positions, other.positions, return_indices=True)
    if not len(left):
        raise DatasetError("no photo can be read by both models; there is nothing to compare")
    hits, rival = one.correct[left], other.correct[right]
    interval, method = metrics.difference_interval(hits, rival, [one.groups[i] for i in left])
    ahead, behind = int((hits & ~rival).sum()), int((rival & ~hits).sum())
    return {
        "n": len(left),
        "candidates": list(common),
        "accuracy": float(hits.mean()),
        "against_accuracy": float(rival.mean()),
        "difference": (ahead - behind) / len(left),
        "difference_interval": list(interval),
        "interval_method": method,
        "only_this_right": ahead,
        "only_against_right": behind,
        "both_right": int((hits & rival).sum()),
        "both_wrong": int((~hits & ~rival).sum()),
        "mcnemar": {"p": metrics.mcnemar(ahead, behind), "method": "exact, two-sided; photos taken as independent"},
    }
