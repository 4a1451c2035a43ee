"""In-place writes: update the receptive fields of a tensor, of the tensor it is a view of, and of all other views."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from torch import Tensor

from clothing_classifier.analysis import combining, moves
from clothing_classifier.analysis.compute import operator_name
from clothing_classifier.analysis.extent import extent_of
from clothing_classifier.analysis.field import Field, nowhere
from clothing_classifier.analysis.rules import Call, seen_by
from clothing_classifier.analysis.rules.views import transposed
from clothing_classifier.analysis.spread import IndexMap


def write_through(tensor: Tensor, seen: Field, known: dict[int, Field], views: dict[int, Call]) -> bool:
    """Set what `tensor` sees to `seen`, in the tensors below it and in all their views.

    `known` holds the field of each tensor by its id, `views` the call that made each view, in order. Returns whether
    it was worked out where the write went; else the tensor below counts as seeing the whole image.
    """
    before, known[id(tensor)] = known.get(id(tensor)), seen
    if before is not None and _same(before, seen):
        return True
    current, is_exact = tensor, True
    while id(current) in views:
        call = views[id(current)]
        (base,) = (value for value in call.arguments.values() if isinstance(value, Tensor))
        whole = known.get(id(base)) or nowhere(tuple(base.shape))
        undo = _WRITES.get(operator_name(call.operator), _written_somewhere)
        undo = _written_somewhere if undo is _slice_written and call["step"] != 1 else undo
        is_exact = is_exact and undo is not _written_somewhere
        known[id(base)] = undo(call, whole, known[id(current)])
        current = base
    storage = tensor.untyped_storage()._cdata
    for view, call in views.items():
        if call.output.untyped_storage()._cdata == storage:
            again, _ = seen_by(call)
            known[view] = again if isinstance(again, Field) else known[view]
    return is_exact


def _same(one: Field, other: Field) -> bool:
    return (
        (one.factors, one.sees_all, one.before) == (other.factors, other.sees_all, other.before)
        and all(a.shift == b.shift and np.array_equal(a.lo, b.lo) and np.array_equal(a.hi, b.hi)
                for a, b in zip(one.axes, other.axes, strict=True))
    )  # fmt: skip


def _slice_written(call: Call, whole: Field, part: Field) -> Field:
    (dim,), size = call.dims(), whole.shape[call.dims()[0]]
    start, length = call["start"] or 0, part.shape[call.dims()[0]]
    start = start + size if start < 0 else start
    return _between(whole, dim, start, part, length)


def _select_written(call: Call, whole: Field, part: Field) -> Field:
    (dim,) = call.dims()
    return _between(whole, dim, call["index"] % whole.shape[dim], moves.inserted(part, dim), 1)


def _between(whole: Field, dim: int, start: int, part: Field, length: int) -> Field:
    stop = start + length
    head, tail = (
        [moves.mapped(whole, dim, IndexMap(np.array([[first]]), 1), size)] if size else []
        for first, size in ((0, start), (stop, whole.shape[dim] - stop))
    )
    return combining.joined([*head, part, *tail], dim)


def _reshape_written(call: Call, whole: Field, part: Field) -> Field:
    return moves.reshaped(part, whole.shape)


def _transpose_written(call: Call, whole: Field, part: Field) -> Field:
    return transposed(call, part)


def _permute_written(call: Call, whole: Field, part: Field) -> Field:
    order = call.dims("dims")
    return moves.permuted(part, [order.index(dim) for dim in range(len(order))])


def _written_somewhere(call: Call, whole: Field, part: Field) -> Field:
    """Where it was written is not worked out: the whole image, with the larger of both fields."""
    before = [extent for extent in (extent_of(whole), extent_of(part)) if extent]
    return replace(nowhere(whole.shape, True), before=max(before, key=lambda e: e.size, default=None))


_WRITES: dict[str, Callable[[Call, Field, Field], Field]] = {
    "slice": _slice_written,
    "select": _select_written,
    "transpose": _transpose_written,
    "t": _transpose_written,
    "permute": _permute_written,
    **dict.fromkeys(("view", "unsqueeze", "squeeze", "detach", "alias"), _reshape_written),
}
