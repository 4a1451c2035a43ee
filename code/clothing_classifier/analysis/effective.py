"""Effective receptive field: how strongly each pixel influences a unit, by its gradient (Luo et al. 2016).

https://arxiv.org/abs/1701.04128
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from clothing_classifier.analysis.running import run
from clothing_classifier.errors import AnalysisError
from clothing_classifier.utils import progress_bar

THRESHOLD = 1 - 0.9545
"""Fraction of the peak above which a pixel counts: what lies within two standard deviations of a Gaussian."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EffectiveField:
    """Gradients of a stage's centre unit as one map `(H, W)`, root mean square over images and colours.

    `extent` is the number of rows and columns, first to last, above 4.55% of the peak; `area` the number of pixels
    above it; `deviation` the standard deviation of the Gaussian fitted along rows and columns, in pixels; `share` the
    square root of the area over the side of the theoretical field (geometric mean of its two sides). All are zero
    where no image moves the unit, as when every ReLU before it is shut.
    """

    name: str
    gradient: Floats
    extent: tuple[int, int]
    area: int
    deviation: tuple[float, float]
    share: float

    def describe(self) -> dict[str, Any]:
        """Without the map, as plain data."""
        return {
            "name": self.name, "extent": list(self.extent), "area": self.area, "deviation": list(self.deviation),
            "share_of_theoretical_side": self.share,
        }  # fmt: skip


def effective_fields(
    model: nn.Module, images: Tensor, sides: dict[str, Sequence[int]], batch_size: int = 8
) -> list[EffectiveField]:
    """Measure the modules named in `sides`, which gives each one's theoretical field, on `images` `(N, C, H, W)`.

    The unit is the middle one of the module's output `(N, D, h, w)`, summed over its channels. Raises `AnalysisError`
    for a module whose output has no positions.
    """
    model.eval().requires_grad_(False)
    squares = {name: np.zeros(images.shape[2:]) for name in sides}
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda module, inputs, output: outputs.__setitem__(name, _first_tensor(output))

    handles = [model.get_submodule(name).register_forward_hook(keep(name)) for name in sides]
    try:
        parts = torch.split(images, batch_size)
        with progress_bar("effective fields", len(parts) * len(sides)) as advance:
            for part in parts:
                image = part.clone().requires_grad_()
                run(model, image)
                for name in sides:
                    output = outputs[name]
                    if output.ndim != 4:
                        raise AnalysisError(f"module {name}: its output {tuple(output.shape)} has no rows and columns")
                    if not output.requires_grad:
                        raise AnalysisError(f"module {name}: no gradient of its output reaches the image")
                    unit = output[:, :, output.shape[2] // 2, output.shape[3] // 2].sum()
                    (gradient,) = torch.autograd.grad(unit, image, retain_graph=True)
                    squares[name] += gradient.double().square().sum((0, 1)).numpy()
                    advance()
    finally:
        for handle in handles:
            handle.remove()
    count = images.shape[0] * images.shape[1]
    return [measure(name, np.sqrt(squares[name] / count), side) for name, side in sides.items()]


def _first_tensor(output: Any) -> Tensor:
    return next(leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor))


def measure(name: str, gradient: Floats, side: Sequence[int]) -> EffectiveField:
    """Extent, area and fitted Gaussian of a map of gradient magnitudes `(H, W)`."""
    if not gradient.any():
        return EffectiveField(name, gradient, (0, 0), 0, (0.0, 0.0), 0.0)
    above = gradient > THRESHOLD * gradient.max()
    area = int(above.sum())
    extents = [int(np.ptp(np.flatnonzero(above.any(axis)))) + 1 for axis in (1, 0)]
    deviations = [_deviation(gradient.sum(axis)) for axis in (1, 0)]
    return EffectiveField(name, gradient, (extents[0], extents[1]), area, (deviations[0], deviations[1]),
                          float(np.sqrt(area) / np.sqrt(side[0] * side[1])))  # fmt: skip


def _deviation(profile: Floats) -> float:
    """The standard deviation of the Gaussian that has the profile's mean and variance."""
    place = np.arange(len(profile))
    mean = (profile * place).sum() / profile.sum()
    return float(np.sqrt((profile * (place - mean) ** 2).sum() / profile.sum()))
