"""One self-contained HTML page: styles, charts and photos inside, light and dark, no script, nothing fetched."""

import base64
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from clothing_classifier.errors import ImageError
from clothing_classifier.preprocessing import Pixels, Source, scale
from clothing_classifier.report.document import Document, Picture
from clothing_classifier.report.figure import to_svg
from clothing_classifier.utils import one_line, write_text

_QUALITY = 85


def write_page(path: Path, document: Document) -> None:
    """Write `document` to `path`, whole or not at all; raises `OSError`."""
    write_text(path, render(document))


def render(document: Document) -> str:
    """The page. Every text is escaped: names of files and labels are data, whatever they hold."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(document=document, version=version("clothing-classifier"), svg=_svg)


def thumbnail(source: Source, side: int = 192) -> str | None:
    """`source` as a `data:` URI, its long side `side` px; None if it can't be read."""
    try:
        return data_uri(scale(source, side))
    except ImageError:
        return None


def data_uri(pixels: Pixels) -> str:
    """Pixels `(H, W, 3) uint8` as a JPEG inside a `data:` URI."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _svg(picture: Picture) -> Markup:
    return Markup(to_svg(picture.draw(), picture.alt))  # matplotlib escapes the texts in it


def _printable(value: Any) -> Any:
    # Names of files may hold what breaks a line or is no UTF-8; text that is HTML already stays as it is.
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value
