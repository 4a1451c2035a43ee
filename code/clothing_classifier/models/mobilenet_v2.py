"""MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381), any width, any input size."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier.errors import ConfigError
from clothing_classifier.models.base import ConvNorm, ImageClassifier, initialise_convolutions

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, output channels, blocks and first stride of each stage: table 2 of the paper."""


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME": where one side must get more, it is the lower and the right.

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
        stride, dilation, sides = self.stride[0], self.dilation[0], (input.shape[3], input.shape[2])
        kernel = dilation * (self.kernel_size[0] - 1) + 1
        totals = [max(kernel - stride if side % stride == 0 else kernel - side % stride, 0) for side in sides]
        pads = [pad for total in totals for pad in (total // 2, total - total // 2)]
        if pads[0] == pads[1] == pads[2] == pads[3]:
            return F.conv2d(input, self.weight, self.bias, self.stride, pads[0], dilation, self.groups)
        return F.conv2d(F.pad(input, pads), self.weight, self.bias, self.stride, 0, dilation, self.groups)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel, project by 1x1; added to its input where the shapes agree."""

    def __init__(
        self, inputs: int, hidden: int, outputs: int, stride: int, bias: bool, kernel: int = 3, dilation: int = 1,
        expands: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        self.expand = _pointwise(inputs, hidden, bias, nn.ReLU6()) if expands else nn.Identity()
        filters = SameConv2d(hidden, hidden, kernel, stride, dilation=dilation, groups=hidden, bias=bias)
        self.depthwise = ConvNorm(filters, nn.ReLU6())
        self.project = _pointwise(hidden, outputs, bias)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def _pointwise(inputs: int, outputs: int, bias: bool, activation: nn.Module | None = None) -> ConvNorm:
    return ConvNorm(nn.Conv2d(inputs, outputs, 1, bias=bias), activation)


def _divisible(channels: float) -> int:
    """Round to a multiple of 8, never down by more than 10% (the reference implementation's rule)."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def mobilenet_v2(
    num_classes: int,
    dropout: float = 0.0,
    width: float = 1.0,
    batch_norm: bool = True,
    depth: float = 1.0,
    kernel: int = 3,
    dilation: int = 1,
    local_blocks: int = 0,
    hidden: Sequence[int] = (),
    head: int = 0,
) -> ImageClassifier:
    """Build the network at a `width` multiplier of all channels; the last layer keeps 1280 at widths below 1.

    A pruned network names what it kept: `hidden`, the channels that each block filters (the first block's are the
    stem's), and `head`, those of the last layer.

    Without `batch_norm` each convolution has a bias instead, as where a trained norm was folded into it: for
    fine-tuning, where it shortens a step; random weights do not train so. `depth` multiplies the blocks of each stage.
    Three settings move the receptive field: `kernel` of all depthwise filters, `dilation` of those behind the last
    stride, at the same cost, and `local_blocks`, how many of the last blocks filter with 1x1, which see no further than
    the blocks before them.
    """
    counts = [max(1, round(count * depth)) for _, _, count, _ in STAGES]
    if kernel % 2 == 0 or local_blocks > sum(counts):
        raise ConfigError(f"model mobilenet_v2: an odd kernel and at most {sum(counts)} local_blocks are possible")
    if hidden and len(hidden) != sum(counts):
        raise ConfigError(f"model mobilenet_v2, setting 'hidden': {len(hidden)} widths for {sum(counts)} blocks")
    bias = not batch_norm
    channels = hidden[0] if hidden else _divisible(32 * width)
    layers: dict[str, nn.Module] = {"stem": ConvNorm(SameConv2d(3, channels, 3, 2, bias=bias), nn.ReLU6())}
    blocks: list[nn.Module] = []
    last_stride = max(i for i, stage in enumerate(STAGES) if stage[3] > 1)
    for number, (expansion, base, _, first_stride) in enumerate(STAGES):
        outputs = _divisible(base * width)
        for i in range(counts[number]):
            stride = first_stride if i == 0 else 1
            is_local = len(blocks) >= sum(counts) - local_blocks
            dilated = dilation if number > last_stride or (number == last_stride and i > 0) else 1
            wide = hidden[len(blocks)] if hidden else channels * expansion
            blocks.append(InvertedResidual(channels, wide, outputs, stride, bias,
                                           1 if is_local else kernel, dilated, expansion > 1))  # fmt: skip
            channels = outputs
    layers["blocks"] = nn.Sequential(*blocks)
    last = head or _divisible(1280 * max(1.0, width))
    layers["head"] = _pointwise(channels, last, bias, nn.ReLU6())
    extractor = nn.Sequential(OrderedDict(layers))
    initialise_convolutions(extractor)
    settings = {"width": width, "batch_norm": batch_norm, "depth": depth, "kernel": kernel, "dilation": dilation,
                "local_blocks": local_blocks,
                **({"hidden": list(hidden)} if hidden else {}), **({"head": head} if head else {})}  # fmt: skip
    architecture: dict[str, Any] = {"name": "mobilenet_v2", "settings": settings}
    ends = [end - 1 for end in accumulate(counts)]
    stages = ("stem", *(f"blocks.{i}" for i in ends), "head")
    return ImageClassifier(extractor, last, num_classes, architecture, dropout, stages)
