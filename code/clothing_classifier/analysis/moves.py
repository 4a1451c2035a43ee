"""Receptive fields under reshaping, permuting, indexing, windowing and reducing a tensor."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from operator import methodcaller

import numpy as np

from clothing_classifier.analysis.field import Field, Shape
from clothing_classifier.analysis.spread import IndexMap, Spread, replaced, without


def merged(field: Field, dim: int) -> Field:
    """The same with one factor in the dimension."""
    while len(field.factors[dim]) > 1:
        factor = field.span(dim)[0]
        outer, inner, *rest = field.factors[dim]
        groups = replaced(field.factors, dim, (outer * inner, *rest))
        field = field.with_axes(methodcaller("merged", factor, outer, inner), groups)
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
    return field.with_axes(methodcaller("windowed", factor, offsets, step, first), groups)


def reduced(field: Field, dim: int) -> Field:
    """The union along `dim`, which keeps one element."""
    sizes = field.sizes
    for factor in field.span(dim):
        field = field.with_axes(methodcaller("united", factor, sizes[factor]), field.factors)
    span = field.span(dim)
    for factor in reversed(span[1:]):
        field = field.with_axes(methodcaller("removed", factor), field.factors)
    return replace(field, factors=replaced(field.factors, dim, (1,)))


def widened(field: Field, dim: int, size: int) -> Field:
    """A dimension of one element repeated to `size`."""
    field = pinned(field, dim, 0)
    return replace(field, factors=replaced(field.factors, dim, (size,)))


def pinned(field: Field, dim: int, index: int) -> Field:
    """One element of a dimension, which stays."""
    field = merged(field, dim)
    factor = field.span(dim)[0]
    return field.with_axes(methodcaller("pinned", factor, index), replaced(field.factors, dim, (1,)))


def removed(field: Field, dim: int) -> Field:
    """Without a dimension that was pinned."""
    factor = field.span(dim)[0]
    return field.with_axes(methodcaller("removed", factor), without(field.factors, dim))


def inserted(field: Field, dim: int, size: int = 1) -> Field:
    """One more dimension, along which nothing changes."""
    factor = sum(len(group) for group in field.factors[:dim])
    groups = (*field.factors[:dim], (size,), *field.factors[dim:])
    return field.with_axes(methodcaller("inserted", factor), groups)


def permuted(field: Field, order: Sequence[int]) -> Field:
    """The dimensions in another order."""
    factors = [factor for dim in order for factor in field.span(dim)]
    return field.with_axes(methodcaller("ordered", factors), (field.factors[dim] for dim in order))


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
                flat = _changed(flat, methodcaller("inserted", place), place, 0, (1,))
                size = 1
            elif left % size and size % left:  # the cut goes through several factors at once
                joint = size * flat.sizes[place + 1]
                flat = _changed(flat, methodcaller("merged", place, size, joint // size), place, 2, (joint,))
                continue
            elif size > left:
                flat = cut(flat, 0, place, left)
                size = left
            group.append(size)
        while _is_one(flat, start + len(group)) and (dim + 1 == len(shape) or shape[dim + 1] != 1):
            group.append(1)  # a one that still tells a stride stays with what it follows
        groups.append(tuple(group))
    return replace(flat, factors=tuple(groups))


def divided(field: Field, dim: int, sizes: Sequence[int]) -> Field:
    """A dimension as several of these sizes, the outermost first.

    As `reshaped`, which can't know a new dimension of size 1 from one beside it that still tells a stride.
    """
    field = merged(field, dim)
    for place, outer in enumerate(sizes[:-1], dim):
        field = cut(field, place, field.span(place)[0], outer)
        outside, inside = ((size,) for size in field.factors[place])
        field = replace(field, factors=(*field.factors[:place], outside, inside, *field.factors[place + 1 :]))
    return field


def gathered(field: Field, dim: int) -> Field:
    """This dimension and the next as one."""
    both = field.factors[dim] + field.factors[dim + 1]
    return replace(field, factors=(*field.factors[:dim], both, *field.factors[dim + 2 :]))


def _flat(field: Field) -> Field:
    """The field with all factors in one dimension, without factors of size 1 along which nothing moves."""
    for factor in reversed(range(len(field.sizes))):
        if field.sizes[factor] == 1 and not field.moves_along(factor) and len(field.sizes) > 1:
            field = _changed(field, methodcaller("removed", factor), factor, 1, ())
    return replace(field, factors=(field.sizes,))


def _changed(field: Field, change: Callable[[Spread], Spread], place: int, count: int, sizes: tuple[int, ...]) -> Field:
    """One dimension of all factors, `count` of them from `place` replaced by `sizes` as `change` does in the axes."""
    known = field.sizes
    return field.with_axes(change, ((*known[:place], *sizes, *known[place + count :]),))


def _is_one(field: Field, place: int) -> bool:
    return place < len(field.sizes) and field.sizes[place] == 1


def cut(field: Field, dim: int, factor: int, outer: int) -> Field:
    """A factor of a dimension as an outer one of this size and an inner one."""
    inner, at, sizes = field.sizes[factor] // outer, factor - field.span(dim)[0], field.factors[dim]
    is_position = field.moves_along(factor)
    return field.with_axes(
        methodcaller("split", factor, outer, inner, is_position),
        replaced(field.factors, dim, (*sizes[:at], outer, inner, *sizes[at + 1 :])),
    )
