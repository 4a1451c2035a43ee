"""What each element of a tensor sees of the image: an interval of input rows and one of input columns.

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
from itertools import pairwise
from math import prod

import numpy as np

from clothing_classifier.analysis.spread import (
    NOWHERE,
    IndexMap,
    Ints,
    Spread,
    matched,
    replaced,
    spread_of,
    without,
)

Shape = Sequence[int]

__all__ = ["Extent", "Field", "IndexMap", "Ints", "Spread"]


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
        held = {factor for dim in dims for factor in self.span(dim)}
        return any(self.outermost(axis) in held for axis in (0, 1))

    def lost(self) -> "Field":
        """What an operator that sees the whole image leaves: no local path, and the memory of the field before it."""
        return nowhere(self.shape, sees_all=True, before=self.extent())

    def extent(self) -> Extent | None:
        """The field of a unit, a position with all its channels: the largest, where units differ."""
        if self.nowhere:
            return self.before
        positions = [self._dim_of(self.outermost(axis)) for axis in (0, 1)]
        united = self
        for dim in range(len(self.factors)):
            if dim not in positions:
                united = reduced(united, dim)
        return Extent(
            (_widest(united, 0), _widest(united, 1)),
            (_stride(united, 0, positions[0]), _stride(united, 1, positions[1])),
            (_first(united, 0), _first(united, 1)),
        )

    def _dim_of(self, factor: int | None) -> int | None:
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


def merged(field: Field, dim: int) -> Field:
    """The same with one factor in the dimension."""
    while len(field.factors[dim]) > 1:
        factor = field.span(dim)[0]
        outer, inner, *rest = field.factors[dim]
        groups = replaced(field.factors, dim, (outer * inner, *rest))
        field = field.with_axes(lambda spread, f=factor, o=outer, i=inner: spread.merged(f, o, i), groups)  # type: ignore[misc]
    return field


def mapped(field: Field, dim: int, reads: IndexMap, size: int) -> Field:
    """`size` outputs along `dim`, which read as `reads` says."""
    field = merged(field, dim)
    factor, before = field.span(dim)[0], field.shape[dim]
    is_position = field.moves_along(factor)

    def change(spread: Spread) -> Spread:
        result = spread.mapped(factor, reads, max(size, 1))
        if is_position and spread.lo.shape[factor] == before > size > 0 and len(reads.taps) == 1:
            return result.listed(factor, size).regular(factor)  # a cut of what had no period may have one
        return result

    return field.with_axes(change, replaced(field.factors, dim, (size,)))


def windowed(field: Field, dim: int, kernel: int, dilation: int, step: int, first: int, count: int) -> Field:
    """Windows as two dimensions in the place of one: `kernel` taps, then `count` windows."""
    field = merged(field, dim)
    factor, offsets = field.span(dim)[0], np.arange(kernel) * dilation
    groups = (*field.factors[:dim], (kernel,), (count,), *field.factors[dim + 1 :])
    return field.with_axes(lambda spread: spread.windowed(factor, offsets, step, first), groups)


def reduced(field: Field, dim: int) -> Field:
    """The union along `dim`, which keeps one element."""
    sizes = field.sizes
    for factor in field.span(dim):
        field = field.with_axes(lambda spread, f=factor: spread.united(f, sizes[f]), field.factors)  # type: ignore[misc]
    span = field.span(dim)
    for factor in reversed(span[1:]):
        field = field.with_axes(lambda spread, f=factor: spread.removed(f), field.factors)  # type: ignore[misc]
    return replace(field, factors=replaced(field.factors, dim, (1,)))


def widened(field: Field, dim: int, size: int) -> Field:
    """A dimension of one element repeated to `size`."""
    field = pinned(field, dim, 0)
    return replace(field, factors=replaced(field.factors, dim, (size,)))


def pinned(field: Field, dim: int, index: int) -> Field:
    """One element of a dimension, which stays."""
    field = merged(field, dim)
    factor = field.span(dim)[0]
    return field.with_axes(lambda spread: spread.pinned(factor, index), replaced(field.factors, dim, (1,)))


def removed(field: Field, dim: int) -> Field:
    """Without a dimension that was pinned."""
    factor = field.span(dim)[0]
    return field.with_axes(lambda spread: spread.removed(factor), without(field.factors, dim))


def inserted(field: Field, dim: int, size: int = 1) -> Field:
    """One more dimension, along which nothing changes."""
    factor = sum(len(group) for group in field.factors[:dim])
    groups = (*field.factors[:dim], (size,), *field.factors[dim:])
    return field.with_axes(lambda spread: spread.inserted(factor), groups)


def permuted(field: Field, order: Sequence[int]) -> Field:
    """The dimensions in another order."""
    factors = [factor for dim in order for factor in field.span(dim)]
    return field.with_axes(lambda spread: spread.ordered(factors), (field.factors[dim] for dim in order))


def reshaped(field: Field, shape: Shape) -> Field:
    """The same elements, in the same order, in another shape."""
    if not shape:
        for _ in field.factors:
            field = removed(pinned(field, 0, 0), 0)
        return field
    flat = _flat(field)
    groups: list[tuple[int, ...]] = []
    for dim, wanted in enumerate(shape):
        start = sum(len(done) for done in groups)
        group: list[int] = []
        while prod(group) < wanted or (wanted == 1 and not group):
            place, left = start + len(group), wanted // prod(group)
            size = flat.sizes[place] if place < len(flat.sizes) else 0
            if wanted == 1 and size != 1:
                flat = _changed(flat, lambda spread, f=place: spread.inserted(f), place, 0, (1,))  # type: ignore[misc]
                size = 1
            elif left % size and size % left:  # the cut goes through several factors at once
                joint = size * flat.sizes[place + 1]
                flat = _changed(flat, lambda spread, f=place, o=size, i=joint // size: spread.merged(f, o, i),  # type: ignore[misc]
                                place, 2, (joint,))  # fmt: skip
                continue
            elif size > left:
                flat = _cut(flat, 0, place, left)
                size = left
            group.append(size)
        while _is_one(flat, start + len(group)) and (dim + 1 == len(shape) or shape[dim + 1] != 1):
            group.append(1)  # a one that still tells a stride stays with what it follows
        groups.append(tuple(group))
    return replace(flat, factors=tuple(groups))


def union(fields: Sequence[Field], shape: Shape) -> Field:
    """What the elements of an element-wise operator see: all that its inputs see, broadcast to `shape`."""
    sees_all = any(field.sees_all for field in fields)
    before = _larger([field.before for field in fields])
    seeing = [field for field in fields if not field.nowhere]
    if not seeing:
        return nowhere(shape, sees_all, before)
    aligned = _aligned([_broadcast(field, shape) for field in seeing])
    sizes = aligned[0].sizes
    axes = []
    for axis in (0, 1):
        own = [field.axes[axis] for field in aligned]
        spreads = matched(own, sizes)
        lo, hi = spreads[0].lo, spreads[0].hi
        for other in spreads[1:]:
            lo, hi = np.minimum(lo, other.lo), np.maximum(hi, other.hi)
        result = spread_of(lo, hi, spreads[0].shift)
        for factor in range(len(sizes)):
            if len({spread.slope(factor) for spread in own}) > 1:
                result = result.flattened(factor)
        axes.append(result)
    return Field(aligned[0].factors, (axes[0], axes[1]), sees_all, before)


def joined(fields: Sequence[Field], dim: int) -> Field:
    """The tensors one behind the other along `dim`."""
    aligned = _aligned([merged(field, dim) for field in fields], apart=dim)
    factor, total = aligned[0].span(dim)[0], sum(field.shape[dim] for field in fields)
    axes = []
    for axis in (0, 1):
        spreads = matched([field.axes[axis] for field in aligned], aligned[0].sizes, apart=factor)
        listed = [spread.listed(factor, field.shape[dim]) for spread, field in zip(spreads, aligned, strict=True)]
        slope = next((spread.slope(factor) for spread in spreads if not spread.nowhere), Fraction(0))
        shift = replaced(listed[0].shift, factor, round(slope * total))
        lo, hi = (np.concatenate(_broadcast_but(ends, factor), factor) for ends in
                  ([spread.lo for spread in listed], [spread.hi for spread in listed]))  # fmt: skip
        axes.append(spread_of(lo, hi, shift).shrunk(factor))
    irregular = any(1 < total == spread.lo.shape[factor] for spread in axes)  # as tokens behind a class token
    return Field(
        replaced(aligned[0].factors, dim, (total,)),
        (axes[0], axes[1]),
        any(field.sees_all for field in fields),
        _larger([field.extent() if irregular else field.before for field in fields]),
    )


def _flat(field: Field) -> Field:
    """The field with all factors in one dimension, without factors of size 1 along which nothing moves."""
    for factor in reversed(range(len(field.sizes))):
        if field.sizes[factor] == 1 and not field.moves_along(factor) and len(field.sizes) > 1:
            field = _changed(field, lambda spread, f=factor: spread.pinned(f, 0).removed(f), factor, 1, ())  # type: ignore[misc]
    return replace(field, factors=(field.sizes,))


def _changed(field: Field, change: Callable[[Spread], Spread], place: int, count: int, sizes: tuple[int, ...]) -> Field:
    """One dimension of all factors, `count` of them from `place` replaced by `sizes` as `change` does in the axes."""
    known = field.sizes
    return field.with_axes(change, ((*known[:place], *sizes, *known[place + count :]),))


def _is_one(field: Field, place: int) -> bool:
    return place < len(field.sizes) and field.sizes[place] == 1


def _cut(field: Field, dim: int, factor: int, outer: int) -> Field:
    """A factor of a dimension as an outer one of this size and an inner one."""
    inner, at, sizes = field.sizes[factor] // outer, factor - field.span(dim)[0], field.factors[dim]
    is_position = field.moves_along(factor)
    return field.with_axes(
        lambda spread: spread.split(factor, outer, inner, is_position),
        replaced(field.factors, dim, (*sizes[:at], outer, inner, *sizes[at + 1 :])),
    )


def _broadcast(field: Field, shape: Shape) -> Field:
    for _ in range(len(shape) - len(field.factors)):
        field = inserted(field, 0)
    for dim, size in enumerate(shape):
        if field.shape[dim] == 1 and size > 1:
            field = widened(field, dim, size)
    return field


def _aligned(fields: Sequence[Field], apart: int | None = None) -> list[Field]:
    """The fields with the same factors in every dimension but `apart`: the finer ones, or one where they don't nest."""
    result = list(fields)
    for dim in range(len(result[0].factors)):
        if dim == apart or len({field.factors[dim] for field in result}) == 1:
            continue
        inner = {prod(field.factors[dim][i:]) for field in result for i in range(1, len(field.factors[dim]))}
        ends = [result[0].shape[dim], *sorted(inner - {1, result[0].shape[dim]}, reverse=True), 1]
        if any(1 in field.factors[dim] for field in result) or any(a % b for a, b in pairwise(ends)):
            result = [merged(field, dim) for field in result]
        else:
            result = [_refined(field, dim, [a // b for a, b in pairwise(ends)]) for field in result]
    return result


def _refined(field: Field, dim: int, sizes: Sequence[int]) -> Field:
    """The factors of a dimension cut into `sizes`, which nest in them."""
    first, done = field.span(dim)[0], 0
    while field.factors[dim] != tuple(sizes):
        size, outer = field.factors[dim][done], sizes[done]
        if size != outer:
            field = _cut(field, dim, first + done, outer)
        done += 1
    return field


def _broadcast_but(arrays: Sequence[Ints], axis: int) -> list[Ints]:
    """The arrays broadcast to one shape along every axis but `axis`."""
    common = np.broadcast_shapes(*(replaced(array.shape, axis, 1) for array in arrays))
    return [np.broadcast_to(array, replaced(common, axis, array.shape[axis])) for array in arrays]


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
    if other.lo.shape[factor] > 1 and not other.shift[factor]:  # raster order: to the next row in one jump
        return Fraction(abs(spread.shift[factor]))
    inner = range(factor + 1, field.span(dim).stop)
    finer = prod(field.sizes[f] for f in inner if not other.shift[f])  # steps of this axis within a step of the factor
    return abs(spread.slope(factor)) / finer


def _first(field: Field, axis: int) -> int | None:
    lo, hi = field.axes[axis].lo.flat[0], field.axes[axis].hi.flat[0]
    if lo <= hi:
        return int(lo)
    return field.before.start[axis] if field.before else None


def _larger(extents: Sequence[Extent | None]) -> Extent | None:
    return max((extent for extent in extents if extent), key=lambda extent: extent.size, default=None)
