"""Combine the receptive fields of several tensors: element-wise union, and concatenation along a dimension."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod

import numpy as np

from clothing_classifier.analysis.extent import extent_of, larger
from clothing_classifier.analysis.field import Field, Shape, nowhere
from clothing_classifier.analysis.moves import cut, inserted, merged, widened
from clothing_classifier.analysis.spread import Ints, matched, replaced, spread_of


def union(fields: Sequence[Field], shape: Shape) -> Field:
    """What the elements of an element-wise operator see: all that its inputs see, broadcast to `shape`."""
    sees_all = any(field.sees_all for field in fields)
    before = larger([field.before for field in fields])
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
                result = result.flattened(factor, sizes[factor])
        axes.append(result)
    return Field(aligned[0].factors, (axes[0], axes[1]), sees_all, before)


def joined(fields: Sequence[Field], dim: int) -> Field:
    """The fields of the tensors concatenated along `dim`."""
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
        result = spread_of(lo, hi, shift).shrunk(factor)
        if not any(result.shift):  # rows or tokens put together again, along which alone the axis runs
            result = result.regular(factor)
        axes.append(result)
    # As tokens behind a class token are: from such positions no stride can be told.
    irregular = any(field.moves_along(factor) for field in aligned) and any(
        1 < total == spread.lo.shape[factor] for spread in axes
    )
    return Field(
        replaced(aligned[0].factors, dim, (total,)),
        (axes[0], axes[1]),
        any(field.sees_all for field in fields),
        larger([extent_of(field) if irregular else field.before for field in fields]),
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
            field = cut(field, dim, first + done, outer)
        done += 1
    return field


def _broadcast_but(arrays: Sequence[Ints], axis: int) -> list[Ints]:
    """The arrays broadcast to one shape along every axis but `axis`."""
    common = np.broadcast_shapes(*(replaced(array.shape, axis, 1) for array in arrays))
    return [np.broadcast_to(array, replaced(common, axis, array.shape[axis])) for array in arrays]
