"""Receptive field of each element of a tensor: an interval of input rows and one of input columns.

Derived, not sampled: intervals are exact and reach into the padding as if the image went on, as in Araujo, Norris and
Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, whose recurrence for chains of
layers this extends to branches that differ by channel, to up-sampling (where intervals repeat with a period), and to
tensors that are sliced, joined and reshaped.

A dimension of a tensor is a product of *factors* (a flattened map has two, rows and columns), so that reshaping back
and forth loses nothing. Along each factor the intervals repeat, shifted: those of index `i + period` are those of `i`
moved by `shift` pixels. Convolutions of an ordinary network keep every period at 1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np

from clothing_classifier.analysis.spread import NOWHERE, Spread

Shape = Sequence[int]


@dataclass(frozen=True)
class Extent:
    """A field as reported, for rows and columns: size and stride in input pixels, and the first pixel of unit (0, 0).

    `start` is negative inside the padding, and None where the first unit sees nothing.
    """

    size: tuple[int, int]
    stride: tuple[Fraction, Fraction]
    start: tuple[int | None, int | None]


@dataclass(frozen=True)
class Field:
    """What the elements of a tensor see: `factors` of each dimension, and a `Spread` over all factors for each axis.

    `sees_all` is set once a path has passed an operator that sees the whole image; the spreads then hold what goes by
    local paths, and where none is left, `before` is the field that went into that operator.
    """

    factors: tuple[tuple[int, ...], ...]
    axes: tuple[Spread, Spread]
    sees_all: bool = False
    before: Extent | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return tuple(prod(group) for group in self.factors)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the factors."""
        return tuple(size for group in self.factors for size in group)

    @property
    def nowhere(self) -> bool:
        """Whether nothing is seen by local paths."""
        return self.axes[0].nowhere

    def span(self, dim: int) -> range:
        """The factors of a dimension."""
        first = sum(len(group) for group in self.factors[:dim])
        return range(first, first + len(self.factors[dim]))

    def with_axes(self, change: Callable[[Spread], Spread], factors: Iterable[tuple[int, ...]]) -> "Field":
        """The same change in both axes, which gives the tensor these factors."""
        return replace(self, axes=(change(self.axes[0]), change(self.axes[1])), factors=tuple(factors))

    def moves_along(self, factor: int) -> bool:
        """Whether a factor runs over positions of the image, not over channels."""
        return any(spread.shift[factor] for spread in self.axes)

    def outermost(self, axis: int) -> int | None:
        """The factor that runs over the whole of an axis, in the largest steps; None where there is none."""
        spread = self.axes[axis]
        moving = [f for f, moved in enumerate(spread.shift) if moved]
        moving = [f for f in moving if self.sizes[f] > 1] or moving
        return max(moving, key=lambda f: abs(spread.slope(f)), default=None)

    def covers(self, dims: Iterable[int]) -> bool:
        """Whether these dimensions hold positions over the whole of an axis, so that reducing them sees all of it."""
        # A single position beside channels, as behind a flattened 1 x 1 map, makes channels no positions.
        held = {factor for dim in dims for factor in self.span(dim) if self.sizes[factor] > 1 or self.shape[dim] == 1}
        return any(self.outermost(axis) in held for axis in (0, 1))

    def dim_of(self, factor: int | None) -> int | None:
        """The dimension that a factor belongs to."""
        return None if factor is None else next(d for d in range(len(self.factors)) if factor in self.span(d))


def image_field(shape: Shape) -> Field:
    """The field of the image itself, `(N, C, H, W)`: each pixel sees itself."""
    at_zero = np.zeros((1,) * len(shape), np.int64)
    rows, columns = ((0,) * len(shape[:-2]) + moved for moved in ((1, 0), (0, 1)))
    return Field(tuple((size,) for size in shape), (Spread(at_zero, at_zero, rows), Spread(at_zero, at_zero, columns)))


def nowhere(shape: Shape, sees_all: bool = False, before: Extent | None = None) -> Field:
    """A field of elements that see nothing by local paths: constants, zeros, and what global operators give."""
    ends = np.full((1,) * len(shape), NOWHERE)
    nothing = Spread(ends, -ends, (0,) * len(shape))
    return Field(tuple((size,) for size in shape), (nothing, nothing), sees_all, before)
