"""Operators that move elements and compute nothing: reshaping, slicing, joining, shuffling, indexing."""

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from clothing_classifier.analysis import combining, moves
from clothing_classifier.analysis.field import Field, nowhere
from clothing_classifier.analysis.rules.call import Call, NoRule
from clothing_classifier.analysis.spread import IndexMap


def reshape(call: Call) -> Field:
    """The same elements in the same order."""
    return moves.reshaped(call.field(), call.shape)


def strided(call: Call) -> Field:
    """`as_strided`, where it only names the layout that the tensor has."""
    tensor = call["self"]
    moving = [dim for dim, size in enumerate(call.shape) if size > 1]
    if call.shape != tuple(tensor.shape) or any(call["stride"][dim] != tensor.stride(dim) for dim in moving):
        raise NoRule
    return call.field()


def permute(call: Call) -> Field:
    """Dimensions in another order."""
    return moves.permuted(call.field(), call.dims("dims"))


def transpose(call: Call) -> Field:
    """Two dimensions swapped (`transpose.int` and `t`)."""
    return transposed(call, call.field())


def transposed(call: Call, field: Field) -> Field:
    """`field` with the dimensions swapped that the call names, which is also what undoes it."""
    order = list(range(len(call.shape)))
    one, two = (call.dims("dim0")[0], call.dims("dim1")[0]) if "dim0" in call.arguments else (0, len(order) - 1)
    order[one], order[two] = order[two], order[one]
    return moves.permuted(field, order)


def expand(call: Call) -> Field:
    """Dimensions of size 1 repeated."""
    return combining.union([call.field()], call.shape)


def repeat(call: Call) -> Field:
    """The tensor side by side with itself."""
    field = call.field()
    for _ in range(len(call.shape) - len(field.factors)):
        field = moves.inserted(field, 0)
    for dim in reversed(range(len(call.shape))):
        field = moves.inserted(field, dim, call["repeats"][dim])
    return moves.reshaped(field, call.shape)


def slice_(call: Call) -> Field:
    """Every `step`-th element from `start`."""
    (dim,), size = call.dims(), call["self"].shape[call.dims()[0]]
    start, step = call["start"] or 0, call["step"]
    start = min(max(start + size if start < 0 else start, 0), size)
    return moves.mapped(call.field(), dim, IndexMap(np.array([[start]]), step), call.shape[dim])


def select(call: Call) -> Field:
    """One element of a dimension, which goes."""
    (dim,) = call.dims()
    return moves.removed(moves.pinned(call.field(), dim, call["index"] % call["self"].shape[dim]), dim)


def unbind(call: Call) -> list[Field]:
    """Each element of a dimension by itself."""
    (dim,) = call.dims()
    return [moves.removed(moves.pinned(call.field(), dim, i), dim) for i in range(call["self"].shape[dim])]


def split(call: Call) -> list[Field]:
    """Pieces of a dimension, of one size or of several."""
    (dim,), size = call.dims(), call["self"].shape[call.dims()[0]]
    given = call["split_size"] if "split_size" in call.arguments else call["split_sizes"]
    sizes = [min(given, size - i) for i in range(0, size, given)] if isinstance(given, int) else given
    starts = np.cumsum([0, *sizes])
    return [moves.mapped(call.field(), dim, IndexMap(np.array([[start]]), 1), n)
            for start, n in zip(starts, sizes, strict=False)]  # fmt: skip


def cat(call: Call) -> Field:
    """Tensors one behind the other."""
    dim = (call.arguments.get("dim") or 0) % len(call.shape)
    parts = [tensor for tensor in call["tensors"] if tensor.numel() or tensor.ndim == len(call.shape)]
    return combining.joined([call.field_of(t) or nowhere(tuple(t.shape)) for t in parts], dim)


def stack(call: Call) -> Field:
    """Tensors one behind the other along a new dimension."""
    dim = (call.arguments.get("dim") or 0) % len(call.shape)
    parts = [call.field_of(t) or nowhere(tuple(t.shape)) for t in call["tensors"]]
    return combining.joined([moves.inserted(part, dim) for part in parts], dim)


def flip(call: Call) -> Field:
    """The order of a dimension turned round."""
    field = call.field()
    for dim in call.dims("dims"):
        size = call.shape[dim]
        field = moves.mapped(field, dim, IndexMap(np.array([[size - 1]]), -1), size)
    return field


def roll(call: Call) -> Field:
    """A shift; what comes in on the other side counts as padding does."""
    field = call.field()
    if not call.arguments.get("dims"):
        raise NoRule
    for shift, dim in zip(call["shifts"], call.dims("dims"), strict=True):
        if field.covers([dim]):
            field = moves.mapped(field, dim, IndexMap(np.array([[-shift]]), 1), call.shape[dim])
        else:
            index = (np.arange(call.shape[dim]) - shift) % call.shape[dim]
            field = moves.mapped(field, dim, IndexMap(index[:, None], call.shape[dim]), call.shape[dim])
    return field


def pixel_shuffle(call: Call) -> Field:
    """Channels to positions: `(C r r, H, W)` to `(C, H r, W r)`."""
    *lead, channels, _, _ = call["self"].shape
    r, n = call["upscale_factor"], len(lead)
    field = moves.divided(call.field(), n, (channels // (r * r), r, r))
    field = moves.permuted(field, [*range(n), n, n + 3, n + 1, n + 4, n + 2])
    return moves.gathered(moves.gathered(field, n + 3), n + 1)


def pixel_unshuffle(call: Call) -> Field:
    """Positions to channels: `(C, H r, W r)` to `(C r r, H, W)`."""
    *lead, _, height, width = call["self"].shape
    r, n = call["downscale_factor"], len(lead)
    field = moves.divided(moves.divided(call.field(), n + 2, (width // r, r)), n + 1, (height // r, r))
    field = moves.permuted(field, [*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return moves.gathered(moves.gathered(field, n), n)


def channel_shuffle(call: Call) -> Field:
    """Groups of channels interleaved."""
    groups, (_, channels, *rest) = call["groups"], call["self"].shape
    field = moves.divided(call.field(), 1, (groups, channels // groups))
    return moves.gathered(moves.permuted(field, [0, 2, 1, *range(3, 3 + len(rest))]), 1)


def indexed(call: Call) -> Field:
    """Elements picked by a constant list of indices."""
    indices = call.arguments.get("indices", [call.arguments.get("index")])
    given = [(dim, index) for dim, index in enumerate(indices) if index is not None]
    dim, index = given[0]
    if "dim" in call.arguments:
        (dim,) = call.dims()
    if len(given) != 1 or type(index) is not Tensor or index.ndim != 1 or index.is_floating_point():
        raise NoRule  # made on the way, so that its values are not known
    with _disable_current_modes():  # the index is real: its values are read, not traced
        picked = (index.nonzero().flatten() if index.dtype is torch.bool else index).numpy()
    size = call["self"].shape[dim]
    taps = (picked % size)[:, None].astype(np.int64)
    return moves.mapped(call.field(), dim, IndexMap(taps, size), len(taps))
