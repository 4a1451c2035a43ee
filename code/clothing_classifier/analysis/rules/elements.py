"""Rules of element-wise operators and copies, and the fallback for operators without a rule."""

from dataclasses import replace

import numpy as np

from clothing_classifier.analysis import combining, moves
from clothing_classifier.analysis.extent import extent_of
from clothing_classifier.analysis.field import Field, nowhere
from clothing_classifier.analysis.rules.call import Call
from clothing_classifier.analysis.spread import IndexMap


def pointwise(call: Call) -> Field:
    """Each output element sees what the input elements at its place see."""
    return combining.union(call.seeing, call.shape)


def copied(call: Call) -> Field:
    """What is written over: the source counts, not what was there."""
    return combining.union([call.field("src")], call.shape)


def filled(call: Call) -> Field:
    """One constant for all elements."""
    return nowhere(call.shape)


def gated(call: Call) -> Field:
    """`glu`: one half of a dimension times a function of the other."""
    (dim,) = call.dims()
    halves = [moves.mapped(call.field(), dim, IndexMap(np.array([[start]]), 1), call.shape[dim])
              for start in (0, call.shape[dim])]  # fmt: skip
    return combining.union(halves, call.shape)


def unknown(call: Call) -> Field:
    """What stands in for a rule that is missing: the whole image, with the field before it."""
    known = combining.union([nowhere((), True, extent_of(field)) for field in call.seeing], ())
    return replace(nowhere(call.shape, True), before=known.before)


POINTWISE = frozenset({
    "hardswish", "hardsigmoid", "hardtanh", "elu", "gelu", "silu", "mish", "leaky_relu", "relu6", "prelu",
    "_prelu_kernel", "rrelu_with_noise", "softplus", "log_sigmoid_forward", "hardshrink", "softshrink", "threshold",
    "native_dropout", "clone", "contiguous", "detach", "alias", "_to_copy", "to", "lift_fresh", "lift", "dropout",
    "masked_fill", "where", "clamp", "clamp_min", "clamp_max", "view_as_real", "nan_to_num", "float_power", "celu",
    "selu", "floor_divide", "tril", "triu", "bernoulli", "addcmul", "addcdiv", "lerp",
    "fake_quantize_per_tensor_affine",
})  # fmt: skip
"""Element-wise operators that do not carry ATen's tag for it."""
