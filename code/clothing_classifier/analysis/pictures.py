"""Every picture of one analysis, from photos to files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clothing_classifier.analysis import figures
from clothing_classifier.analysis.effective import effective_fields
from clothing_classifier.analysis.timing import measure_machine
from clothing_classifier.errors import AnalysisError
from clothing_classifier.models import ImageClassifier
from clothing_classifier.preprocessing import ImageContract, prepare

_NOISE_IMAGES = 8


def draw_all(model: nn.Module, report: Mapping[str, Any], folder: Path, photos: Sequence[Path]) -> list[dict[str, Any]]:
    """Write fields, growth and costs, and the roofline where layers were timed, as PNG and SVG into `folder`.

    A network without stages of local layers gets no picture of fields. The effective fields are measured on `photos`,
    each prepared as a padded square, or on noise where there are none; returns them as data.
    """
    images = read_images(photos, report["input"])
    stages = find_stages(model, report["layers"])
    sides = {stage["name"]: stage["receptive_field"] for stage in stages}
    measured = effective_fields(model, images, sides)
    shown = (images[0, :3].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    shown = shown if shown.shape[2] == 3 else np.repeat(shown[..., :1], 3, axis=2)
    if stages:
        figures.draw_fields(shown, stages, measured, folder / "fields")
    figures.draw_growth(report, measured, folder / "growth")
    figures.draw_costs(report, folder / "costs")
    if "seconds" in report["totals"]:
        figures.draw_roofline(report, measure_machine(), folder / "roofline")
    return [field.describe() for field in measured]


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


def find_stages(model: nn.Module, layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that end a stage: as the network names them, else the last local one at each effective stride."""
    rows = [row for row in layers if len(row["output"]) == 3 and not row["global"] and min(row["output"][1:]) > 1]
    rows = [row for row in rows if _is_module(model, row)]
    if isinstance(model, ImageClassifier) and model.stages:
        ends = [f"extractor.{name}" for name in model.stages]
        inside = {end: [row for row in rows if figures.within(row["name"], end)] for end in ends}
        return [{**of_stage[-1], "name": end} for end, of_stage in inside.items() if of_stage]
    return list({tuple(row["stride"]): row for row in rows}.values())


def _is_module(model: nn.Module, row: Mapping[str, Any]) -> bool:
    """Whether it is no operator, which may be called as a module is."""
    return any(name == row["name"] and type(module).__name__ == row["type"] for name, module in model.named_modules())
