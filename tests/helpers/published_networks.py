"""Networks with published figures, as torchvision builds them, at any width: a thin one proves a wide one's fields."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from clothing_classifier.analysis import summarise, trace


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def biased(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU()]


def alexnet(width: float = 1.0) -> nn.Module:
    a, b, c, d, e = (max(1, int(n * width)) for n in (64, 192, 384, 256, 4096))
    return nn.Sequential(
        *biased(3, a, 11, 4, 2), nn.MaxPool2d(3, 2), *biased(a, b, 5, 1, 2), nn.MaxPool2d(3, 2),
        *biased(b, c, 3, 1, 1), *biased(c, d, 3, 1, 1), *biased(d, d, 3, 1, 1), nn.MaxPool2d(3, 2),
        nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(d * 36, e), nn.ReLU(), nn.Linear(e, e), nn.ReLU(),
        nn.Linear(e, 1000),
    )  # fmt: skip


def vgg(depths: Sequence[int], width: float = 1.0) -> nn.Module:
    layers: list[nn.Module] = []
    channels, head = 3, max(1, int(4096 * width))
    for depth, outputs in zip(depths, (64, 128, 256, 512, 512), strict=True):
        for _ in range(depth):
            layers += biased(channels, int(outputs * width), 3, 1, 1)
            channels = int(outputs * width)
        layers.append(nn.MaxPool2d(2, 2))
    sizes = [(channels * 49, head), (head, head)]
    dense = [module for size in sizes for module in (nn.Linear(*size), nn.ReLU())]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(7), nn.Flatten(), *dense, nn.Linear(head, 1000))


class Residual(nn.Module):
    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut, self.activation = body, shortcut, nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.body(x) + self.shortcut(x))  # type: ignore[no-any-return]


def resnet(depths: Sequence[int], bottleneck: bool, width: float = 1.0) -> nn.Module:
    channels = int(64 * width)
    layers: list[nn.Module] = [conv(3, channels, 7, 2, 3), nn.MaxPool2d(3, 2, 1)]
    for stage, depth in enumerate(depths):
        inner = int(64 * width) * 2**stage
        outputs = inner * (4 if bottleneck else 1)
        for i in range(depth):
            stride = 2 if stage and i == 0 else 1
            parts = (
                [conv(channels, inner, 1), conv(inner, inner, 3, stride, 1), conv(inner, outputs, 1)[:2]]
                if bottleneck
                else [conv(channels, inner, 3, stride, 1), conv(inner, outputs, 3, 1, 1)[:2]]
            )
            same = stride == 1 and channels == outputs
            shortcut = nn.Identity() if same else conv(channels, outputs, 1, stride)[:2]
            layers.append(Residual(nn.Sequential(*parts), shortcut))
            channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


def mobilenet_v1(width: float = 1.0) -> nn.Module:
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    outputs = [int(n * width) for n in (64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)]
    channels = int(32 * width)
    layers: list[nn.Module] = [conv(3, channels, 3, 2, 1)]
    for stride, wide in zip(strides, outputs, strict=True):
        layers += [conv(channels, channels, 3, stride, 1, channels), conv(channels, wide, 1)]
        channels = wide
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


class Fire(nn.Module):
    def __init__(self, inputs: int, squeezed: int, outputs: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(*biased(inputs, squeezed, 1))
        self.small = nn.Sequential(*biased(squeezed, outputs, 1))
        self.large = nn.Sequential(*biased(squeezed, outputs, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat([self.small(x), self.large(x)], 1)


def squeezenet(width: float = 1.0) -> nn.Module:
    def n(channels: int) -> int:
        return max(1, int(channels * width))

    layers: list[nn.Module] = [*biased(3, n(64), 3, 2), nn.MaxPool2d(3, 2, ceil_mode=True)]
    channels = n(64)
    plan = [(16, 64), (16, 64), None, (32, 128), (32, 128), None, (48, 192), (48, 192), (64, 256), (64, 256)]
    for step in plan:
        if step is None:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        else:
            layers.append(Fire(channels, n(step[0]), n(step[1])))
            channels = 2 * n(step[1])
    return nn.Sequential(*layers, nn.Dropout(), *biased(channels, 1000, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


PUBLISHED: dict[str, Callable[[float], nn.Module]] = {
    "alexnet (torchvision)": alexnet,
    "vgg11 (torchvision)": lambda width: vgg((1, 1, 2, 2, 2), width),
    "vgg16 (torchvision)": lambda width: vgg((2, 2, 3, 3, 3), width),
    "resnet18 (torchvision)": lambda width: resnet((2, 2, 2, 2), False, width),
    "resnet34 (torchvision)": lambda width: resnet((3, 4, 6, 3), False, width),
    "resnet50 (torchvision)": lambda width: resnet((3, 4, 6, 3), True, width),
    "mobilenet_v1_1.0 (timm)": mobilenet_v1,
    "squeezenet1_1 (torchvision)": squeezenet,
}
"""By the names of the published figures."""


def check_figures(name: str, model: nn.Module, size: int, shared: Path) -> None:
    """Compare the totals of an analysis with the published figures of `name`, as far as they go."""
    with (shared / "anchors" / "published_analysis.csv").open() as file:
        (published,) = (row for row in csv.DictReader(file) if row["network"] == name)
    totals: dict[str, Any] = summarise(name, trace(model, (3, size, size)))["totals"]
    for key in ("params", "macs"):
        assert not published[key] or totals[key] == int(published[key])
    assert totals["receptive_field"] == [int(published["receptive_field"])] * 2
    assert totals["stride"] == [int(published["effective_stride"])] * 2
    assert totals["start"] == [-int(published["effective_padding"])] * 2
