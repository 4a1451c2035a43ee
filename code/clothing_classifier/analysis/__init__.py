"""What a network sees and what it costs: `analyze` does it all; `trace` reads a network, `summarise` tells it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clothing_classifier.analysis.layers import Trace
from clothing_classifier.analysis.resolve import default_input, has_random_weights, resolve
from clothing_classifier.analysis.summary import summarise
from clothing_classifier.analysis.tracing import trace

__all__ = ["Trace", "analyze", "resolve", "summarise", "trace"]


def analyze(
    name: str,
    shape: tuple[int, int, int] | None = None,
    timed: bool = False,
    figures: Path | None = None,
    photos: Sequence[Path] = (),
) -> dict[str, Any]:
    """Analyse the network that `name` stands for (see `resolve`) on an image of `shape` `(C, H, W)`.

    Without `shape` it is that of a bundle, else 3 x 224 x 224. `timed` measures each layer; `figures` is a folder for
    pictures, which add the stages' effective fields on `photos` to the report. Raises `UsageError`s.
    """
    model = resolve(name)
    traced = trace(model, shape or default_input(name) or (3, 224, 224))
    seconds = None
    if timed or figures:
        model.float()  # what is measured is measured in single precision
    if timed:
        from clothing_classifier.analysis.timing import time_layers

        seconds = time_layers(model, traced)
    report = summarise(name, traced, seconds)
    if figures:
        from clothing_classifier.analysis.pictures import draw_all

        report["effective"] = draw_all(model, report, figures, photos)
        report["effective_of_random_weights"] = has_random_weights(name)
    return report
