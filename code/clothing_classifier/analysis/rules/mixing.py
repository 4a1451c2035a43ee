"""Operators that mix many elements: reductions, normalisation, matrix products, attention.

Over channels they are local. Over positions of the whole image they see all of it.
"""

from collections.abc import Sequence
from dataclasses import replace

from clothing_classifier.analysis import combining, moves
from clothing_classifier.analysis.extent import lost
from clothing_classifier.analysis.field import Field
from clothing_classifier.analysis.rules.call import Call, Rule
from clothing_classifier.analysis.rules.elements import pointwise


def reduction(call: Call) -> Field:
    """One figure for all of some dimensions: over positions it sees the whole image, over channels it does not."""
    if "other" in call.arguments:  # the binary forms of max and min
        return pointwise(call)
    field, dims = call.field(), call.dims()
    field = lost(field) if field.covers(dims) else field
    for dim in dims:
        field = moves.reduced(field, dim)
    return moves.reshaped(field, call.shape)


def along(call: Call) -> Field:
    """Softmax and its like: each element sees all of its dimension, itself by a local path."""
    return _spread_over(call.field(), call.dims())


def statistics_of(*names: str) -> Rule:
    """Normalisation with statistics of the image: those of the last dimensions, or of all but the batch."""

    def rule(call: Call) -> Field:
        field = call.field("input")
        count = len(call[names[0]]) if names else len(call.shape) - 1
        return _spread_over(field, range(len(call.shape) - count, len(call.shape)))

    return rule


def batch_norm(call: Call) -> Field:
    """Local with running statistics; with those of the batch it sees the whole image."""
    field = call.field("input")
    trained = call.arguments.get("training", call.arguments.get("train", False))
    return _spread_over(field, range(2, len(call.shape))) if trained else field


def product(one: str, two: str) -> Rule:
    """Matrix product of the last two dimensions, batched or not (`mm`, `bmm`, `addmm`, `mv`, ...)."""

    def rule(call: Call) -> Field:
        a, b = call.field(one), call.field(two)
        if b.factors and len(b.factors) == 1:
            b = moves.inserted(b, 1)
        rows, columns = len(a.factors) - 2, len(b.factors) - 1
        pairs = not a.nowhere and not b.nowhere and (a.covers([rows]) or b.covers([columns]))
        a = lost(a) if pairs or a.covers([rows + 1]) else a
        b = lost(b) if pairs or b.covers([columns - 1]) else b
        a, b = moves.reduced(a, rows + 1), moves.reduced(b, columns - 1)
        shape = (*call.shape, 1) if len(call.shape) < len(a.factors) else call.shape
        added = call.field_of(call["self"]) if one != "self" else None
        result = combining.union([a, b] if added is None else [a, b, added], shape)
        return moves.reshaped(result, call.shape)

    return rule


def linear_layer(call: Call) -> Field:
    """The last dimension contracted with a constant matrix."""
    field, last = call.field("input"), len(call.shape) - 1
    field = lost(field) if field.covers([last]) else field
    return moves.widened(moves.reduced(field, last), last, call.shape[last])


def attention(call: Call) -> Field:
    """Scaled dot-product attention, `(..., L, E)`: over the positions of a window, or of the whole image."""
    query, key, value = (call.field(name) for name in ("query", "key", "value"))
    place = len(call.shape) - 2
    if any(field.covers([place]) for field in (query, key, value)):
        query, key, value = lost(query), lost(key), lost(value)
    parts = [moves.reduced(query, place + 1)]
    parts += [moves.reduced(moves.reduced(field, place + 1), place) for field in (key, value)]
    return combining.union(parts, call.shape)


def _spread_over(field: Field, dims: Sequence[int] | range) -> Field:
    """Every element sees all along `dims`; over positions of the whole image that is no local path."""
    if field.covers(dims):
        return replace(field, sees_all=True)
    for dim in dims:
        size = field.shape[dim]
        field = moves.widened(moves.reduced(field, dim), dim, size)
    return field
