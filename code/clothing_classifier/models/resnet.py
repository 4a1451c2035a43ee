"""A small residual network for images of 28 to 64 px (He et al. 2016, section 4.2, https://arxiv.org/abs/1512.03385)."""

from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.models.base import ConvNorm, ImageClassifier, initialise_convolutions


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes (option B)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs, 3, stride, nn.ReLU())
        self.second = _conv(outputs, outputs, 3, 1)
        self.shortcut = _conv(inputs, outputs, 1, stride) if stride > 1 or inputs != outputs else nn.Identity()
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` to `(N, outputs, ceil(H / stride), ceil(W / stride))`."""
        result: Tensor = self.activation(self.second(self.first(x)) + self.shortcut(x))
        return result


def _conv(inputs: int, outputs: int, kernel: int, stride: int, activation: nn.Module | None = None) -> ConvNorm:
    return ConvNorm(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), activation)


def resnet_small(num_classes: int, dropout: float = 0.0, depth: int = 20, width: int = 16) -> ImageClassifier:
    """Build the network: `depth` = 6n + 2 layers in three stages of `width`, 2 and 4 times `width` channels."""
    if depth < 8 or (depth - 2) % 6:
        raise ConfigError(f"model depth {depth}: resnet_small needs 6n + 2 layers (8, 14, 20, 26, 32, ...)")
    extractor = nn.Sequential()
    extractor.add_module("stem", _conv(3, width, 3, 1, nn.ReLU()))
    channels = width
    for stage in range(3):
        outputs = width * 2**stage
        blocks = nn.Sequential()
        for i in range((depth - 2) // 6):
            blocks.append(BasicBlock(channels, outputs, 2 if stage and i == 0 else 1))
            channels = outputs
        extractor.add_module(f"stage{stage + 1}", blocks)
    initialise_convolutions(extractor)
    architecture = {"name": "resnet_small", "settings": {"depth": depth, "width": width}}
    stages = ("stem", "stage1", "stage2", "stage3")
    return ImageClassifier(extractor, channels, num_classes, architecture, dropout, stages)
