"""Receptive field and cost of a network's stages, as every bundle carries them."""

from typing import Any

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
