"""The law error = a n^-b of a learning curve, and what ten times the photos should bring by it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clothing_classifier.evaluation.metrics import Floats

MORE = 10
_DRAWS = 2000


def fit_law(right: Mapping[str, Floats], photos: Mapping[str, float], groups: Sequence[str]) -> dict[str, Any]:
    """Fit the law to the mean error of each variant, `right` being `(seeds, N)` and `photos` how many it learnt from.

    Intervals (95%) are of a bootstrap over groups and seeds. Three sizes can't tell whether the error has a floor; the
    law has none, and so promises the most that the curve allows.
    """
    sizes = np.array([photos[name] for name in right])
    here, there = sizes.max(), MORE * sizes.max()
    a, b = _fit(sizes, np.array([1 - rows.mean() for rows in right.values()]))
    random = np.random.default_rng(0)
    _, index = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(index == group) for group in range(index.max() + 1)]
    draws = []
    for _ in range(_DRAWS):
        inside = np.concatenate([members[i] for i in random.integers(len(members), size=len(members))])
        some = [rows[random.integers(len(rows), size=len(rows))][:, inside] for rows in right.values()]
        drawn_a, drawn_b = _fit(sizes, np.array([1 - rows.mean() for rows in some]))
        errors = drawn_a * here**-drawn_b, drawn_a * there**-drawn_b
        draws.append((drawn_b, 1 - errors[1], errors[0] - errors[1]))
    exponent, accuracy, gain = np.quantile(np.array(draws), [0.025, 0.975], axis=0).T.tolist()
    return {
        "a": a, "b": b, "b_interval": exponent,
        "ten_times": {
            "photos": round(there), "accuracy": 1 - a * there**-b, "interval": accuracy,
            "gain": a * here**-b - a * there**-b, "gain_interval": gain,
        },
    }  # fmt: skip


def _fit(photos: Floats, errors: Floats) -> tuple[float, float]:
    slope, offset = np.polyfit(np.log(photos), np.log(np.maximum(errors, 1e-6)), 1)
    return float(np.exp(offset)), float(-slope)
