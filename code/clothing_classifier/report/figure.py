"""What all pictures by matplotlib share: their colours, an empty figure, and the figure as PNG."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#7F7F7F"
"""Told apart by everyone (Okabe and Ito 2008, https://jfly.uni-koeln.de/color/)."""


def make_figure(width: float, height: float) -> "Figure":
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure  # without pyplot, which would choose a window system

    return Figure(figsize=(width, height), layout="constrained")


def to_png(figure: "Figure", dpi: int = 130) -> bytes:
    """A figure as PNG."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
