"""Running a foreign network on real pixels: whatever it raises is told in one line."""

from typing import Any

from torch import Tensor, nn

from clothing_classifier.errors import AnalysisError
from clothing_classifier.utils import one_line


def run(model: nn.Module, images: Tensor) -> Any:
    """What `model` gives for `images` `(N, C, H, W)`; raises `AnalysisError`."""
    try:
        return model(images)
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = one_line(lines[0] if lines else type(error).__name__)
        raise AnalysisError(f"the model fails on {'x'.join(map(str, images.shape))} real pixels: {reason}") from error
