"""Interpolation: which units an output between units reads."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor

import numpy as np

from clothing_classifier.analysis import moves
from clothing_classifier.analysis.field import Field
from clothing_classifier.analysis.rules.call import Call, Rule
from clothing_classifier.analysis.spread import IndexMap


def upsampling(taps: Callable[[Fraction], Sequence[int]], antialias: int = 0) -> Rule:
    """Interpolation whose output at source coordinate `x` (in units, centres at whole numbers) reads `taps(x)`.

    With antialiasing, all units within `antialias` output pixels are read when shrinking.
    """

    def rule(call: Call) -> Field:
        field, count = call.field(), len(call.shape) - 2
        corners = call.arguments.get("align_corners", False)
        for i in range(count):
            n, m = field.shape[2 + i], call.shape[2 + i]
            ratio = _ratio(call, i, n, m, corners)
            period, step = ratio.denominator, ratio.numerator
            by_index = corners or taps is nearest  # whose output depends on its index, not on centres
            places = [j * ratio if by_index else (j + Fraction(1, 2)) * ratio - Fraction(1, 2) for j in range(period)]
            read = [_wide(x, ratio, antialias) if antialias else list(taps(x)) for x in places]
            longest = max(map(len, read))
            index = np.array([row + row[-1:] * (longest - len(row)) for row in read])
            field = moves.mapped(field, 2 + i, IndexMap(index, step), m)
        return field

    return rule


def nearest(x: Fraction) -> Sequence[int]:
    """The one at the place, rounded down."""
    return [floor(x)]


def nearest_exact(x: Fraction) -> Sequence[int]:
    """The unit whose centre is next."""
    return [floor(x + Fraction(1, 2))]


def linear(x: Fraction) -> Sequence[int]:
    """The units on both sides, or the one that is hit."""
    return [floor(x)] if x == floor(x) else [floor(x), floor(x) + 1]


def cubic(x: Fraction) -> Sequence[int]:
    """Two units to either side, or the one that is hit."""
    return [floor(x)] if x == floor(x) else [floor(x) + k for k in (-1, 0, 1, 2)]


def _wide(x: Fraction, ratio: Fraction, reach: int) -> list[int]:
    support, centre = reach * max(ratio, Fraction(1)), x + Fraction(1, 2)
    first, stop = floor(centre - support + Fraction(1, 2)), floor(centre + support + Fraction(1, 2))
    # The filter is zero at its ends.
    read = [i for i in range(first, stop) if abs(i + Fraction(1, 2) - centre) < support]
    return read or [first]


def _ratio(call: Call, i: int, n: int, m: int, corners: bool) -> Fraction:
    if corners:
        return Fraction(n - 1, m - 1) if m > 1 else Fraction(0)
    names = ("scales_d", "scales_h", "scales_w")[-(len(call.shape) - 2) :]
    scale = call.arguments.get(names[i] if len(names) > 1 else "scales")
    return 1 / Fraction(scale).limit_denominator(1 << 12) if scale else Fraction(n, m)
