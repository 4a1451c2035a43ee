"""What every network of the package is: normalisation, features, global average pooling, one linear layer."""

from typing import Any

import torch
from torch import Tensor, nn


class ImageClassifier(nn.Module):
    """Maps images `(N, 3, H, W) float32 in [0, 1]` to logits `(N, K)`.

    Only average pooling and a linear layer follow the last feature map, so the class activation map (Zhou et al. 2016)
    is exact: its spatial mean plus the head's bias are the logits. `stages` names the parts of `extractor`, in order,
    at whose ends a reader would stop to look; `architecture` (name and settings) is all that `create_model` needs to
    build the same network again.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        extractor: nn.Module,
        width: int,
        num_classes: int,
        architecture: dict[str, Any],
        dropout: float = 0.0,
        stages: tuple[str, ...] = (),
        mean: tuple[float, float, float] = (0.5, 0.5, 0.5),
        std: tuple[float, float, float] = (0.5, 0.5, 0.5),
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.stages = stages
        # Constants of the architecture, not weights: they stay out of checkpoints.
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.extractor = extractor
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, num_classes)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def feature_map(self, images: Tensor) -> Tensor:
        """Return the last feature map, `(N, D, h, w)`."""
        result: Tensor = self.extractor((images - self.mean) / self.std)
        return result

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, `(N, K)`."""
        features = self.feature_map(images).mean(dim=(2, 3))
        result: Tensor = self.classifier(self.dropout(features))
        return result


def initialise_convolutions(extractor: nn.Module) -> None:
    """Random weights for layers before ReLU (He et al. 2015, https://arxiv.org/abs/1502.01852), in place."""
    for module in extractor.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm, and an activation where one is given.

    A convolution that has a bias stands for itself and a batch norm that was folded into it.
    """

    def __init__(self, conv: nn.Conv2d, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = conv
        if conv.bias is None:
            self.norm = nn.BatchNorm2d(conv.out_channels)
        if activation is not None:
            self.activation = activation
