"""Multiply-accumulates and other arithmetic of one ATen operator.

A MAC is a product that is added up: those of convolutions, linear layers and matrix products, attention's among them;
taps in the padding count. FLOPs are twice the MACs, and one for each output element of every other arithmetic
operator. Moving data is no arithmetic. Biases, being part of their operator, are none either.
"""

from math import prod

import torch

from clothing_classifier.analysis.rules import Call

_PRODUCTS = {"mm": "self", "bmm": "self", "addmm": "mat1", "baddbmm": "batch1", "mv": "self", "dot": "self",
             "addmv": "mat", "linear": "input", "vdot": "self"}  # fmt: skip
"""Operators that contract the last dimension of the argument named."""

_ARITHMETIC = (
    "pool", "norm", "softmax", "linear1d", "bilinear2d", "trilinear3d", "bicubic2d", "prelu", "hardsw", "hardsi",
    "elu", "glu", "log_sigmoid", "floor_divide", "grid_sampler", "col2im", "fake_quantize",
)  # fmt: skip
"""Parts of the names of operators that compute, where ATen has no tag for them."""
_REDUCTIONS = frozenset({"mean", "sum", "amax", "amin", "max", "min", "prod", "var", "std", "logsumexp", "argmax",
                         "argmin", "var_mean", "std_mean", "cumsum", "cumprod", "nansum", "median"})  # fmt: skip
_MOVES = frozenset({"clone", "contiguous", "detach", "alias", "to", "lift_fresh", "lift", "copy", "fill",
                    "zeros_like", "ones_like", "empty_like", "full_like", "where", "masked_fill", "view_as_real",
                    "zero", "native_dropout", "dropout"})  # fmt: skip


def macs(call: Call) -> int:
    """Multiply-accumulates of one call, batch included."""
    name = operator_name(call.operator)
    if name == "convolution":
        weight, moved = call["weight"], call["input"] if call["transposed"] else call.output
        return int(moved.numel() * prod(weight.shape[1:]))
    if name in _PRODUCTS:
        return int(call.output.numel() * call[_PRODUCTS[name]].shape[-1])
    if name == "addbmm":  # the products of a batch, added up
        return int(call["batch1"].numel() * call.output.shape[-1])
    if "scaled_dot_product" in name:
        query, key, value = (call[part] for part in ("query", "key", "value"))
        return int(query.numel() // query.shape[-1] * key.shape[-2] * (key.shape[-1] + value.shape[-1]))
    return 0


def flops(call: Call) -> int:
    """Floating-point operations of one call, batch included."""
    if counted := macs(call):
        return 2 * counted
    return int(call.output.numel()) if is_arithmetic(call.operator) else 0


def kind(call: Call) -> str:
    """What sort of product a call is: `depthwise`, `pointwise`, `convolution`, `linear` or `product`; else empty.

    A product of two tensors that both depend on the image, as in attention, is no linear layer.
    """
    name = operator_name(call.operator)
    if name == "convolution":
        if call["groups"] > 1 and call["groups"] == call["input"].shape[1]:
            return "depthwise"
        return "pointwise" if prod(call["weight"].shape[2:]) == 1 else "convolution"
    if name in _PRODUCTS:
        return "linear" if len(call.seeing) < 2 else "product"
    return "product" if "scaled_dot_product" in name else ""


def is_arithmetic(operator: torch._ops.OpOverload) -> bool:
    """Whether an operator computes rather than moves data."""
    name = operator_name(operator)
    if name in _MOVES:
        return False
    if torch.Tag.pointwise in operator.tags or name in _REDUCTIONS:
        return True
    return any(part in name for part in _ARITHMETIC)


def operator_name(operator: torch._ops.OpOverload) -> str:
    """The name as people know it: `aten::add_.Tensor` and `aten::add.Tensor` are both `add`."""
    name = operator._schema.name.partition("::")[2].strip("_")
    if name.startswith("scaled_dot_product"):
        return "scaled_dot_product_attention"
    return _KNOWN_AS.get(name, name)


_KNOWN_AS = {"unsafe_view": "view", "reshape_alias": "view", "to_copy": "to", "safe_softmax": "softmax"}
