"""Analyse a network by name: trace it, time its layers and measure its effective fields where asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clothing_classifier.analysis.effective import EffectiveField, effective_fields
from clothing_classifier.analysis.resolve import default_input, has_random_weights, resolve
from clothing_classifier.analysis.stages import find_stages
from clothing_classifier.analysis.summary import summarise
from clothing_classifier.analysis.timing import Machine, measure_machine, time_layers
from clothing_classifier.analysis.tracing import trace
from clothing_classifier.errors import AnalysisError
from clothing_classifier.preprocessing import ImageContract, Pixels, prepare

_NOISE_IMAGES = 8


@dataclass(frozen=True)
class Measured:
    """What pictures of an analysis show beside its report; `photo` is the first image as the network saw it."""

    photo: Pixels
    stages: list[Mapping[str, Any]]
    fields: list[EffectiveField]
    machine: Machine | None


def analyze(name: str, shape: tuple[int, int, int] | None = None, timed: bool = False) -> dict[str, Any]:
    """Analyse the network that `name` stands for (see `resolve`) on an image of `shape` `(C, H, W)`.

    Without `shape` it is that of a bundle, else 3 x 224 x 224. `timed` measures each layer. Raises `UsageError`s.
    """
    model = resolve(name)
    traced = trace(model, shape or default_input(name) or (3, 224, 224))
    # What is measured is measured in single precision.
    return summarise(name, traced, time_layers(model.float(), traced) if timed else None)


def measure(
    name: str, shape: tuple[int, int, int] | None = None, timed: bool = False, photos: Sequence[Path] = ()
) -> tuple[dict[str, Any], Measured]:
    """`analyze`, with the effective field of each stage measured on `photos`, each a padded square, or on noise.

    The report also holds `effective`, and whether the weights were random as `effective_of_random_weights`.
    """
    report = analyze(name, shape, timed)
    model = resolve(name).float()
    images = read_images(photos, report["input"])
    stages = find_stages(model, report["layers"])
    fields = effective_fields(model, images, {stage["name"]: stage["receptive_field"] for stage in stages})
    report["effective"] = [field.describe() for field in fields]
    report["effective_of_random_weights"] = has_random_weights(name)
    photo = (images[0, :3].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    photo = photo if photo.shape[2] == 3 else np.repeat(photo[..., :1], 3, axis=2)
    return report, Measured(photo, stages, fields, measure_machine() if timed else None)


def read_images(photos: Sequence[Path], shape: Sequence[int]) -> Tensor:
    """Photos, or noise, as `(N, C, H, W) float32 in [0, 1]`; grey where there is one channel.

    Raises `AnalysisError` where photos are given for an image of other than one or three channels.
    """
    channels, height, width = shape
    if photos and channels not in (1, 3):
        raise AnalysisError(f"an image of {channels} channels is no photo; leave --photo out for one of noise")
    if not photos:
        return torch.rand(_NOISE_IMAGES, channels, height, width, generator=torch.Generator().manual_seed(0))
    side = max(height, width)
    squares = np.stack([prepare(photo, ImageContract(side, "pad")) for photo in photos])
    top, left = (side - height) // 2, (side - width) // 2
    images = torch.from_numpy(squares[:, top : top + height, left : left + width]).permute(0, 3, 1, 2).float() / 255
    return images.mean(1, keepdim=True) if channels == 1 else images
