"""Run a foreign network on real pixels; any error that it raises becomes an `AnalysisError` of one line."""

from typing import Any

from torch import Tensor, nn

from clothing_classifier.errors import AnalysisError
from clothing_classifier.utils import reason_of


def run(model: nn.Module, images: Tensor) -> Any:
    """What `model` gives for `images` `(N, C, H, W)`; raises `AnalysisError`."""
    try:
        return model(images)
    except Exception as error:
        size = "x".join(map(str, images.shape))
        raise AnalysisError(f"the model fails on {size} real pixels: {reason_of(error)}") from error
