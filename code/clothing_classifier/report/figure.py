"""What all charts share: their colours, an empty figure, and the figure as PNG or SVG."""

import re
from html import escape
from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from clothing_classifier.utils import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#7F7F7F"
"""Told apart by everyone (Okabe and Ito 2008, https://jfly.uni-koeln.de/color/)."""
INK = "#111111"
"""Of text on a coloured ground, which stays dark where the page is dark."""
_NOT_FOR_A_PAGE = r' xmlns(:xlink)?="[^"]*"|<metadata>.*?</metadata>|<style type="text/css">.*?</style>'


def make_figure(width: float, height: float) -> "Figure":
    """An empty figure of `width` x `height` inches."""
    from matplotlib.figure import Figure  # without pyplot, which would choose a window system

    return Figure(figsize=(width, height), layout="constrained")


def to_png(figure: "Figure", dpi: int = 130) -> bytes:
    """A figure as PNG."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def to_svg(figure: "Figure", alt: str) -> str:
    """A figure as an `<svg>` element of a page: without a ground, and what is black in the page's text colour."""
    import matplotlib

    buffer = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "chart"}):
        figure.savefig(buffer, format="svg", transparent=True)
    svg = re.sub(_NOT_FOR_A_PAGE, "", buffer.getvalue().partition("<svg")[2], flags=re.DOTALL)
    svg = svg.replace("stroke: #000000", "stroke: currentColor")
    return f'<svg class="chart" role="img" aria-label="{escape(one_line(alt))}"{svg}'
