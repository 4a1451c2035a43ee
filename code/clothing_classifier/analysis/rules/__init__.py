"""Rules that give the receptive field of an ATen operator's outputs from those of its inputs. Nothing is guessed."""

import torch

from clothing_classifier.analysis.field import Field
from clothing_classifier.analysis.rules import elements, mixing, resizing, views, windows
from clothing_classifier.analysis.rules.call import Call, NoRule, Rule
from clothing_classifier.analysis.rules.elements import POINTWISE, pointwise, unknown

__all__ = ["Call", "Rule", "seen_by", "unknown"]


def _rule_for(operator: torch._ops.OpOverload) -> Rule | None:
    """The rule of an operator, or None where there is none."""
    name = operator._schema.name.removeprefix("aten::")
    if name in RULES:
        return RULES[name]
    if torch.Tag.pointwise in operator.tags or name.rstrip("_") in POINTWISE:
        return pointwise
    return RULES.get(name.rstrip("_"))


def seen_by(call: Call) -> tuple[Field | list[Field], bool]:
    """What the outputs of `call` see, and whether a rule says so; else the whole image stands for it."""
    rule = _rule_for(call.operator)
    try:
        return (rule(call), True) if rule else (unknown(call), False)
    except (LookupError, TypeError, ValueError, NoRule):  # arguments of a kind that the rule does not know
        return unknown(call), False


def _table(rules: dict[Rule, str]) -> dict[str, Rule]:
    return {name: rule for rule, names in rules.items() for name in names.split()}


RULES = _table({
    elements.copied: "copy_ copy",
    elements.filled: "fill_ zero_",
    elements.gated: "glu",
    windows.convolution: "convolution _convolution",
    windows.pooling: "max_pool2d_with_indices max_pool3d_with_indices max_pool2d max_pool1d max_pool3d "
                     "avg_pool1d avg_pool2d avg_pool3d",
    windows.adaptive_pooling: "_adaptive_avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d _adaptive_avg_pool3d "
                              "adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d",
    windows.unfolded_image: "im2col",
    windows.unfolded: "unfold",
    windows.padded: "constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d "
                    "replication_pad2d replication_pad3d",
    resizing.upsampling(resizing.nearest): "upsample_nearest1d upsample_nearest2d upsample_nearest3d",
    resizing.upsampling(resizing.nearest_exact): "_upsample_nearest_exact1d _upsample_nearest_exact2d "
                                                 "_upsample_nearest_exact3d",
    resizing.upsampling(resizing.linear): "upsample_linear1d upsample_bilinear2d upsample_trilinear3d",
    resizing.upsampling(resizing.cubic): "upsample_bicubic2d",
    resizing.upsampling(resizing.linear, antialias=1): "_upsample_bilinear2d_aa",
    resizing.upsampling(resizing.cubic, antialias=2): "_upsample_bicubic2d_aa",
    views.reshape: "view _unsafe_view reshape _reshape_alias unsqueeze squeeze flatten view_copy _reshape_copy",
    views.strided: "as_strided",
    views.permute: "permute",
    views.transpose: "transpose t",
    views.expand: "expand",
    views.repeat: "repeat",
    views.slice_: "slice",
    views.select: "select",
    views.unbind: "unbind",
    views.split: "split split_with_sizes unsafe_split unsafe_split_with_sizes",
    views.cat: "cat",
    views.stack: "stack",
    views.flip: "flip",
    views.roll: "roll",
    views.pixel_shuffle: "pixel_shuffle",
    views.pixel_unshuffle: "pixel_unshuffle",
    views.channel_shuffle: "channel_shuffle native_channel_shuffle",
    views.indexed: "index index_select",
    mixing.reduction: "mean sum amax amin max min prod var std norm linalg_vector_norm logsumexp any all argmax argmin "
                      "var_mean std_mean median nansum",
    mixing.along: "_softmax _log_softmax _safe_softmax cumsum cumprod sort",
    mixing.statistics_of("normalized_shape"): "native_layer_norm _fused_rms_norm",
    mixing.statistics_of(): "native_group_norm",
    mixing.batch_norm: "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training batch_norm "
                       "cudnn_batch_norm _batch_norm_no_update _batch_norm_with_update",
    mixing.product("self", "mat2"): "mm bmm",
    mixing.product("mat1", "mat2"): "addmm",
    mixing.product("batch1", "batch2"): "baddbmm",
    mixing.product("self", "vec"): "mv",
    mixing.linear_layer: "linear",
    mixing.attention: "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_flash_attention "
                      "_scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention "
                      "_scaled_dot_product_fused_attention_overrideable scaled_dot_product_attention",
})  # fmt: skip
"""By the operator's name without overload."""
