"""Check that two inference engines agree on the same photos: the gate of every export and conversion."""

from typing import Any

import numpy as np
import numpy.typing as npt

from clothing_classifier.errors import ExportError

GATE_PHOTOS, MIN_GATE_PHOTOS = 256, 32
MORE_VALIDATION = (
    "give validation more, by 'clothing split --validation 0.25 --overwrite', which writes the column 'split', or, "
    "where the data set has no split, by '--set data.validation_fraction=0.25', and train again"
)
PARITY = 1e-4
"""Largest difference in probability between engines that compute in float."""
INT8_AGREEMENT = 0.98
"""Fraction of photos on which engines must agree in int8, where each rounds sums in its own way."""


def check_parity(
    expected: npt.NDArray[np.float32], found: npt.NDArray[np.float32], what: str, int8: bool = False
) -> dict[str, Any]:
    """Compare probabilities `(N, K) float32`; raise `ExportError`, naming `what`, where they disagree.

    In float, no probability may differ by more than `PARITY`, and no label where the best two are further apart than
    that; in int8, `INT8_AGREEMENT` of the labels must be equal.
    """
    difference = float(np.abs(expected - found).max())
    best = np.sort(expected, axis=1)
    clear = best[:, -1] - best[:, -2] > PARITY
    disagreeing = int((clear & (expected.argmax(1) != found.argmax(1))).sum())
    agrees = 1 - disagreeing / len(expected) >= INT8_AGREEMENT if int8 else difference <= PARITY and not disagreeing
    if not agrees or np.isnan(difference):
        raise ExportError(f"{what}: {difference:.1e} in probability, {disagreeing} labels of {len(expected)}")
    return {"n": len(expected), "max_probability_difference": difference, "disagreeing_labels": disagreeing}
