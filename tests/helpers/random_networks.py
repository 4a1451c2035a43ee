"""Networks drawn at random over everything that moves a receptive field, positive and linear."""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

import torch
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from torch import Tensor, nn
from torch.nn import functional as F

Step = Callable[[Tensor], Tensor]
MIN_SIDE, MAX_SIDE = 40, 400


class Positive(nn.Module):
    """A convolution with positive weights, made where its input's channels are known."""

    def __init__(self, outputs: int, options: dict[str, object], transposed: bool = False) -> None:
        super().__init__()
        self.outputs, self.options, self.transposed = outputs, options, transposed
        self.layer: nn.Module | None = None

    def extra_repr(self) -> str:
        return f"transposed={self.transposed}, {self.options}"

    def forward(self, x: Tensor) -> Tensor:
        if self.layer is None:
            options = self.options | {"groups": gcd(self.options["groups"], x.shape[1])}  # type: ignore[arg-type]
            make = nn.ConvTranspose2d if self.transposed else nn.Conv2d
            self.layer = make(x.shape[1], self.outputs, **options, bias=False, dtype=torch.float64)  # type: ignore[arg-type]
            nn.init.uniform_(self.layer.weight, 0.5, 1.0)  # type: ignore[arg-type]
        return self.layer(x)  # type: ignore[no-any-return]


@dataclass
class Functional(nn.Module):
    """A step that has no weights, with a text that names it where an example fails."""

    text: str
    step: Step

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def extra_repr(self) -> str:
        return self.text

    def forward(self, x: Tensor) -> Tensor:
        return self.step(x)


class Branches(nn.Module):
    """Paths side by side, cropped to the smallest, then added or joined by channel."""

    def __init__(self, paths: list[nn.Module], joins: bool) -> None:
        super().__init__()
        self.paths, self.joins = nn.ModuleList(paths), joins

    def forward(self, x: Tensor) -> Tensor:
        outputs = [path(x) for path in self.paths]
        height, width = (min(y.shape[side] for y in outputs) for side in (2, 3))
        outputs = [y[:, :, :height, :width] for y in outputs]
        if self.joins:
            return torch.cat(outputs, 1)
        channels = min(y.shape[1] for y in outputs)
        total = outputs[0][:, :channels]
        for y in outputs[1:]:
            total = total + y[:, :channels]
        return total


def shuffled(x: Tensor, groups: int) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


def pair(draw: DrawFn, low: int, high: int) -> tuple[int, int]:
    return draw(st.integers(low, high)), draw(st.integers(low, high))


def convolution(draw: DrawFn) -> nn.Module:
    groups = draw(st.sampled_from([1, 1, 2, 4]))
    mode = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    return Positive(4, {
        "kernel_size": pair(draw, 1, 4), "stride": pair(draw, 1, 2), "padding": pair(draw, 0, 2),
        "dilation": pair(draw, 1, 3), "groups": groups, "padding_mode": mode,
    })  # fmt: skip


def transposed(draw: DrawFn) -> nn.Module:
    stride = pair(draw, 1, 3)
    return Positive(4, {
        "kernel_size": pair(draw, 1, 4), "stride": stride, "padding": pair(draw, 0, 1), "dilation": pair(draw, 1, 2),
        "groups": draw(st.sampled_from([1, 2])), "output_padding": tuple(draw(st.integers(0, s - 1)) for s in stride),
    }, transposed=True)  # fmt: skip


def pooling(draw: DrawFn) -> nn.Module:
    kernel = pair(draw, 1, 4)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    return nn.AvgPool2d(kernel, pair(draw, 1, 2), padding, ceil_mode=draw(st.booleans()))


def resizing(draw: DrawFn) -> nn.Module:
    # Not with aligned corners: rounding decides whether they read one unit or two where they meet its centre.
    mode = draw(st.sampled_from(["nearest", "nearest-exact", "bilinear"]))
    factors = tuple(draw(st.sampled_from([0.5, 1.5, 2.0, 3.0])) for _ in range(2))
    return Functional(f"interpolate {mode} {factors}", lambda x: F.interpolate(x, scale_factor=factors, mode=mode))


def padding(draw: DrawFn) -> nn.Module:
    widths = [draw(st.integers(-2, 3)) for _ in range(4)]
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    if mode != "constant":
        widths = [abs(w) for w in widths]
    return Functional(f"pad {widths} {mode}", lambda x: F.pad(x, widths, mode))


def cropping(draw: DrawFn) -> nn.Module:
    top, left, step_down, step_across = *pair(draw, 0, 3), *pair(draw, 1, 2)
    return Functional(
        f"crop {top} {left} {step_down} {step_across}", lambda x: x[:, :, top::step_down, left:-1:step_across]
    )


def moving(draw: DrawFn) -> nn.Module:
    steps: dict[str, Step] = {
        "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2) if x.shape[1] % 4 == 0 else x,
        "pixel_unshuffle": lambda x: F.pixel_unshuffle(x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2], 2),
        "channel shuffle": lambda x: shuffled(x, 2) if x.shape[1] % 2 == 0 else x,
        "first half of the channels": lambda x: x.chunk(2, 1)[0],
        "last channel": lambda x: x[:, -1:],
        "focus": lambda x: torch.cat(
            [y[:, :, : x.shape[2] // 2, : x.shape[3] // 2]
             for y in (x[:, :, ::2, ::2], x[:, :, 1::2, ::2], x[:, :, ::2, 1::2], x[:, :, 1::2, 1::2])], 1),
        "channels last and a product": lambda x: (
            x.permute(0, 2, 3, 1) @ torch.ones(x.shape[1], 3, dtype=x.dtype)).permute(0, 3, 1, 2),
        "flat and back": lambda x: x.flatten(2).transpose(1, 2).mul(2).transpose(1, 2).reshape(x.shape),
        "mean of the channels": lambda x: x.mean(1, keepdim=True),
        "zeros as channels": lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)),
        "unfold": lambda x: F.unfold(x, 3, padding=1).view(1, x.shape[1] * 9, *x.shape[2:]),
        "blocks of 2": lambda x: x[:, :, : x.shape[2] // 2 * 2].unflatten(2, (-1, 2)).sum(3),
        "written in place": written,
        "transposed image": lambda x: x.transpose(2, 3).contiguous(),
    }  # fmt: skip
    name = draw(st.sampled_from(sorted(steps)))
    return Functional(name, steps[name])


def written(x: Tensor) -> Tensor:
    y = x.clone()
    y[:, : x.shape[1] // 2, :-2] += x[:, x.shape[1] // 2 : x.shape[1] // 2 * 2, 2:]
    return y


KINDS = (convolution, convolution, transposed, pooling, resizing, padding, cropping, moving, moving)


@st.composite
def networks(draw: DrawFn, depth: int = 5) -> nn.Sequential:
    """A chain of up to `depth` steps, some of them branches."""
    steps: list[nn.Module] = []
    for _ in range(draw(st.integers(1, depth))):
        if depth > 2 and draw(st.integers(0, 3)) == 0:
            paths = [draw(networks(2)), draw(networks(1))]
            if draw(st.booleans()):
                paths[1] = nn.Sequential()
            steps.append(Branches(list(paths), draw(st.booleans())))
        else:
            steps.append(draw(st.sampled_from(KINDS))(draw))
    return nn.Sequential(*steps)
