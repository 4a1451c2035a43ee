"""MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381), any width, any input size."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier.models.base import ConvNorm, ImageClassifier

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, output channels, blocks and first stride of each stage: table 2 of the paper."""


class SameConv2d(nn.Conv2d):
    """3x3 convolution padded as TensorFlow's "SAME": where one side must get more, it is the lower and the right.

    The published ImageNet weights were trained so; symmetric padding would shift every strided layer by a pixel.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Pad to `ceil(side / stride)` outputs and convolve, `(N, C, H, W)`."""
        if self.groups > 1 and self.stride[0] > 1 and input.requires_grad and torch.is_autocast_enabled("cpu"):
            # In bf16, oneDNN takes ten times as long as in fp32 for this layer's gradient to its input.
            with torch.autocast("cpu", enabled=False):
                return self._convolve(input.float()).to(input.dtype)
        return self._convolve(input)

    def _convolve(self, input: Tensor) -> Tensor:
        (kernel, stride), sides = (self.kernel_size[0], self.stride[0]), (input.shape[3], input.shape[2])
        totals = [max(kernel - stride if side % stride == 0 else kernel - side % stride, 0) for side in sides]
        pads = [pad for total in totals for pad in (total // 2, total - total // 2)]
        if pads[0] == pads[1] == pads[2] == pads[3]:
            return F.conv2d(input, self.weight, self.bias, self.stride, pads[0], 1, self.groups)
        return F.conv2d(F.pad(input, pads), self.weight, self.bias, self.stride, 0, 1, self.groups)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by 3x3, project by 1x1; added to its input where the shapes agree."""

    def __init__(self, inputs: int, hidden: int, outputs: int, stride: int, bias: bool) -> None:
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        self.expand = _pointwise(inputs, hidden, bias, nn.ReLU6()) if hidden != inputs else nn.Identity()
        filters = SameConv2d(hidden, hidden, 3, stride, groups=hidden, bias=bias)
        self.depthwise = ConvNorm(filters, nn.ReLU6())
        self.project = _pointwise(hidden, outputs, bias)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def _pointwise(inputs: int, outputs: int, bias: bool, activation: nn.Module | None = None) -> ConvNorm:
    return ConvNorm(nn.Conv2d(inputs, outputs, 1, bias=bias), activation)


def _divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, never down by more than 10% (the reference implementation's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def mobilenet_v2(
    num_classes: int, dropout: float = 0.0, width: float = 1.0, batch_norm: bool = True
) -> ImageClassifier:
    """Build the network at a `width` multiplier of all channels; the last layer keeps 1280 at widths below 1.

    Without `batch_norm` each convolution has a bias instead, as where a trained norm was folded into it: for
    fine-tuning, where it shortens a step; random weights do not train so.
    """
    bias = not batch_norm
    channels = _divisible(32 * width)
    layers: dict[str, nn.Module] = {"stem": ConvNorm(SameConv2d(3, channels, 3, 2, bias=bias), nn.ReLU6())}
    blocks: list[nn.Module] = []
    for expansion, base, count, first_stride in STAGES:
        outputs = _divisible(base * width)
        for i in range(count):
            blocks.append(
                InvertedResidual(channels, channels * expansion, outputs, first_stride if i == 0 else 1, bias)
            )
            channels = outputs
    layers["blocks"] = nn.Sequential(*blocks)
    last = _divisible(1280 * max(1.0, width))
    layers["head"] = _pointwise(channels, last, bias, nn.ReLU6())
    for layer in layers.values():
        layer.apply(_initialise)
    architecture: dict[str, Any] = {"name": "mobilenet_v2", "settings": {"width": width, "batch_norm": batch_norm}}
    ends = [sum(count for _, _, count, _ in STAGES[: i + 1]) - 1 for i in range(len(STAGES))]
    stages = ("stem", *(f"blocks.{i}" for i in ends), "head")
    return ImageClassifier(_named_sequence(layers), last, num_classes, architecture, dropout, stages)


def _named_sequence(layers: dict[str, nn.Module]) -> nn.Sequential:
    sequence = nn.Sequential()
    for name, layer in layers.items():
        sequence.add_module(name, layer)
    return sequence


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
