"""Operators whose outputs read windows of their input: convolution, pooling, unfolding, padding."""

from collections.abc import Sequence
from dataclasses import replace
from math import gcd
from typing import Any

import numpy as np

from clothing_classifier.analysis import combining, moves
from clothing_classifier.analysis.extent import lost
from clothing_classifier.analysis.field import Field, nowhere
from clothing_classifier.analysis.rules.call import Call, NoRule
from clothing_classifier.analysis.spread import IndexMap


def convolution(call: Call) -> Field:
    """Convolution and transposed convolution, grouped and dilated, of any number of dimensions."""
    weight, groups, count = call["weight"], call["groups"], call["weight"].ndim - 2
    if (made := call.field_of(weight)) is not None and not made.nowhere:
        raise NoRule
    field = _channels_mixed(call.field("input"), groups, call.shape[1])
    for i in range(count):
        kernel, stride, padding, dilation = (
            weight.shape[2 + i], *(_of(call[name], i) for name in ("stride", "padding", "dilation")),
        )  # fmt: skip
        reads = (
            transposed_reads(kernel, stride, padding, dilation)
            if call["transposed"]
            else window_reads(kernel, stride, padding, dilation)
        )
        field = moves.mapped(field, 2 + i, reads, call.shape[2 + i])
    return replace(field, sees_all=field.sees_all or made is not None)


def window_reads(kernel: int, stride: int, padding: int, dilation: int) -> IndexMap:
    """Output `j` reads `j * stride - padding + k * dilation`, for each tap `k`."""
    return IndexMap((np.arange(kernel) * dilation - padding)[None], stride)


def transposed_reads(kernel: int, stride: int, padding: int, dilation: int) -> IndexMap:
    """Output `j` reads those `i` for which some tap `k` has `j = i * stride - padding + k * dilation`."""
    reached = np.arange(stride)[:, None] + padding - np.arange(kernel)[None] * dilation
    return IndexMap(reached // stride, 1, reached % stride == 0)


def pooling(call: Call) -> Field:
    """Maximum or mean over windows; with ceil mode the windows are those that the output has.

    One window over the whole map is global pooling, however it is written.
    """
    field, kernel = call.field(), call["kernel_size"]
    count = int(call.operator._schema.name.partition("pool")[2][0])  # in a list of sides, one may stand for all
    sides = field.shape[-count:]
    whole = all(_of(kernel, i) >= side for i, side in enumerate(sides)) and max(sides) > 1
    if whole and call.shape[-count:] == (1,) * count:
        return _seen_whole(field, call.shape)
    for i in range(count):
        dim = len(call.shape) - count + i
        stride = _of(call["stride"] or kernel, i)
        reads = window_reads(_of(kernel, i), stride, _of(call["padding"], i), _of(call.arguments.get("dilation", 1), i))
        field = moves.mapped(field, dim, reads, call.shape[dim])
    return field


def adaptive_pooling(call: Call) -> Field:
    """Output `j` of `m` reads `floor(j n / m)` to `ceil((j + 1) n / m)`; one output for all sees the whole image."""
    field, count = call.field(), len(call["output_size"])
    dims = range(len(call.shape) - count, len(call.shape))
    pooled = [dim for dim in dims if call.shape[dim] == 1]
    if field.covers(pooled):
        return _seen_whole(field, call.shape)
    for dim in dims:
        n, m = field.shape[dim], call.shape[dim]
        period = m // gcd(n, m)
        spans = [(j * n // m, -(-(j + 1) * n // m)) for j in range(period)]
        longest = max(stop - start for start, stop in spans)
        taps = np.array([[min(start + k, stop - 1) for k in range(longest)] for start, stop in spans])
        field = moves.mapped(field, dim, IndexMap(taps, n // gcd(n, m)), m)
    return field


def _seen_whole(field: Field, shape: Sequence[int]) -> Field:
    return replace(lost(field), factors=tuple((size,) for size in shape))


def unfolded_image(call: Call) -> Field:
    """`im2col`: `(N, C, H, W)` to `(N, C * kernel, windows)`."""
    field, kernel = call.field(), call["kernel_size"]
    step, padding, dilation = call["stride"], call["padding"], call["dilation"]
    sides = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in
             zip(field.shape[2:], kernel, step, padding, dilation, strict=True)]  # fmt: skip
    for i in (1, 0):
        field = moves.windowed(field, 2 + i, kernel[i], dilation[i], step[i], -padding[i], sides[i])
    return moves.reshaped(moves.permuted(field, [0, 1, 2, 4, 3, 5]), call.shape)


def unfolded(call: Call) -> Field:
    """`Tensor.unfold`: the windows stay in the dimension's place, their taps come last."""
    (dim,) = call.dims("dimension")
    field = moves.windowed(call.field(), dim, call["size"], 1, call["step"], 0, call.shape[dim])
    order = [d for d in range(len(field.factors)) if d != dim]
    return moves.permuted(field, [*order, dim])


def padded(call: Call) -> Field:
    """Zeros, repeated edges and reflections all count as the image going on; zeros in channels see nothing."""
    field, widths = call.field(), call.arguments.get("pad") or call["padding"]
    for i in range(len(widths) // 2):
        before, dim = widths[2 * i], len(call.shape) - 1 - i
        if not field.covers([dim]) and call.operator._schema.name == "aten::constant_pad_nd":
            field = _zeros_around(field, dim, before, widths[2 * i + 1])
        else:
            field = moves.mapped(field, dim, IndexMap(np.array([[-before]]), 1), call.shape[dim])
    return field


def _zeros_around(field: Field, dim: int, before: int, after: int) -> Field:
    cut = moves.mapped(field, dim, IndexMap(np.array([[max(-before, 0)]]), 1),
                        field.shape[dim] + min(before, 0) + min(after, 0))  # fmt: skip
    zeros = [nowhere((*cut.shape[:dim], max(n, 0), *cut.shape[dim + 1 :])) for n in (before, after)]
    return combining.joined([part for part in (zeros[0], cut, zeros[1]) if part.shape[dim]], dim)


def _channels_mixed(field: Field, groups: int, outputs: int) -> Field:
    """Each output channel sees all input channels of its group."""
    if groups > 1:
        field = moves.divided(field, 1, (groups, field.shape[1] // groups))
        field = moves.widened(moves.reduced(field, 2), 2, outputs // groups)
        return moves.merged(moves.gathered(field, 1), 1)
    field = lost(field) if field.covers([1]) else field
    return moves.widened(moves.reduced(field, 1), 1, outputs)


def _of(values: Any, i: int) -> int:
    if isinstance(values, int):
        return values
    return int(values[i if len(values) > 1 else 0])
