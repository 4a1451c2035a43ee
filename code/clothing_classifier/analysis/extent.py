"""Size, stride and start of the receptive field that is reported for a unit."""

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import numpy as np

from clothing_classifier.analysis.field import Extent, Field, nowhere
from clothing_classifier.analysis.moves import reduced
from clothing_classifier.analysis.spread import NOWHERE, Ints


def extent_of(field: Field) -> Extent | None:
    """The field of a unit, a position with all its channels: the largest, where units differ."""
    if field.nowhere:
        return field.before
    positions = [field.dim_of(field.outermost(axis)) for axis in (0, 1)]
    united = field
    for dim in range(len(field.factors)):
        if dim not in positions:
            united = reduced(united, dim)
    return Extent(
        (_widest(united, 0), _widest(united, 1)),
        (_stride(united, 0, positions[0]), _stride(united, 1, positions[1])),
        (_first(united, 0), _first(united, 1)),
    )


def lost(field: Field) -> Field:
    """What an operator that sees the whole image leaves: no local path, and the memory of the field before it."""
    return nowhere(field.shape, sees_all=True, before=extent_of(field))


def larger(extents: Sequence[Extent | None]) -> Extent | None:
    """The larger of several fields, by rows, then columns."""
    return max((extent for extent in extents if extent), key=lambda extent: extent.size, default=None)


def _widest(field: Field, axis: int) -> int:
    spread = field.axes[axis]
    here = tuple(slice(0, max(size, 1)) for size in field.sizes)
    lo, hi = spread.lo[here], spread.hi[here]
    return int((hi - lo)[lo <= hi].max()) + 1 if (lo <= hi).any() else 0


def _stride(field: Field, axis: int, dim: int | None) -> Fraction:
    """Pixels from one unit to the next along an axis."""
    factor, spread, other = field.outermost(axis), field.axes[axis], field.axes[1 - axis]
    before = field.before.stride[axis] if field.before else Fraction(0)
    if dim is None or factor is None:  # positions in raster order move along columns, and come back at each row
        moving = [f for f, length in enumerate(spread.lo.shape) if length > 1 and other.shift[f]]
        steps = [int(np.diff(spread.at(f, np.arange(2))[0], axis=f).flat[0]) for f in moving]
        return Fraction(abs(steps[0])) if steps and abs(steps[0]) < NOWHERE // 2 else before
    period = spread.lo.shape[factor]
    if field.before and period == field.sizes[factor] > 1:
        return before  # no two units are alike
    if not other.shift[factor] and _differs(other.lo, factor):  # raster order: to the next row in one jump
        return Fraction(abs(spread.shift[factor]))
    inner = range(factor + 1, field.span(dim).stop)
    finer = prod(field.sizes[f] for f in inner if not other.shift[f])  # steps of this axis within a step of the factor
    return abs(spread.slope(factor)) / finer


def _differs(lo: Ints, factor: int) -> bool:
    """Whether first pixels differ along a factor, of those elements that see any."""
    sees = lo < NOWHERE // 2
    least, largest = np.where(sees, lo, NOWHERE).min(factor), np.where(sees, lo, -NOWHERE).max(factor)
    return bool((least < largest).any())


def _first(field: Field, axis: int) -> int | None:
    spread, factor = field.axes[axis], field.outermost(axis)
    if field.before and spread.lo.flat[0] > spread.hi.flat[0]:
        return field.before.start[axis]
    if factor is None:
        return int(spread.lo.flat[0])
    # Between the taps of a transposed convolution the first unit may see nothing; then by the next one that does.
    line = np.moveaxis(spread.lo, factor, -1).reshape(-1, spread.lo.shape[factor])[0]
    seeing = np.flatnonzero(abs(line) < NOWHERE // 2)
    return int(line[seeing[0]] - spread.slope(factor) * int(seeing[0])) if len(seeing) else None
