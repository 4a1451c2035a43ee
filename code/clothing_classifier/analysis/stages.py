"""A network's stages: their receptive field and cost, as every bundle carries them, and the layers that end them."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from clothing_classifier.analysis.summary import describe_extent
from clothing_classifier.analysis.tracing import trace
from clothing_classifier.models import ImageClassifier


def describe_stages(model: ImageClassifier, size: int) -> list[dict[str, Any]]:
    """For each stage: `name`, `receptive_field`, `stride` and `start` (each `[rows, columns]`, px) and `macs`.

    `start` is the first input row and column that unit (0, 0) sees, negative inside the padding. `macs` are those of a
    photo of `size` x `size` px, from the end of the stage before. Networks without named stages give an empty list.
    """
    reached = trace(model, (3, size, size)).modules
    stages, before = [], 0
    for name in model.stages:
        end = reached[f"extractor.{name}"]
        stages.append({"name": name, **describe_extent(end.extent), "macs": end.macs - before})
        before = end.macs
    return stages


def find_stages(model: nn.Module, layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that end a stage: as the network names them, else the last local one at each effective stride."""
    rows = [row for row in layers if len(row["output"]) == 3 and not row["global"] and min(row["output"][1:]) > 1]
    rows = [row for row in rows if _is_module(model, row)]
    if isinstance(model, ImageClassifier) and model.stages:
        ends = [f"extractor.{name}" for name in model.stages]
        inside = {end: [row for row in rows if within(row["name"], end)] for end in ends}
        return [{**of_stage[-1], "name": end} for end, of_stage in inside.items() if of_stage]
    return list({tuple(row["stride"]): row for row in rows}.values())


def _is_module(model: nn.Module, row: Mapping[str, Any]) -> bool:
    """Whether it is no operator, which may be called as a module is."""
    return any(name == row["name"] and type(module).__name__ == row["type"] for name, module in model.named_modules())


def within(name: str, module: str) -> bool:
    """Whether a row belongs to a module."""
    return name == module or name.startswith((f"{module}.", f"{module}/"))
