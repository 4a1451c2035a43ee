"""One self-contained HTML page: styles and pictures inside, light and dark, no script, nothing fetched.

A page is a template of `report/templates` that extends `base.html.j2` and fills its blocks `title`, `lead` and
`content` with the macros of `parts.html.j2` (`cards`, `table`, `picture`, `single` and `pair`):

    {% extends "base.html.j2" %}
    {% import "parts.html.j2" as parts %}
    {% block title %}Audit of {{ name }}{% endblock %}
    {% block content %}
    <section><h2>Near duplicates</h2>
    {{ parts.table(["kind", "count"], rows, numeric=[1]) }}
    {% for pair in pairs %}{{ parts.pair(pair.left, pair.right, pair.image, [pair.other]) }}{% endfor %}
    </section>
    {% endblock %}

    write_page(Path("audit.html"), "audit.html.j2", name="mine", rows=[["blank", 3]],
               pairs=[{"left": thumbnail(a), "right": thumbnail(b), "image": "a.jpg", "other": "b.jpg"}])

Every value is escaped: names of files and labels are data, whatever they hold.
"""

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
from clothing_classifier.utils import one_line, write_text

_QUALITY = 85


def write_page(path: Path, template: str, **values: Any) -> None:
    """Render `template`, a file of `report/templates`, to `path`, whole or not at all; raises `OSError`."""
    page = environment().get_template(template).render(version=version("clothing-classifier"), **values)
    write_text(path, page)


def environment() -> Environment:
    """Templates of this package, with every value escaped and a missing one an error."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def thumbnail(source: Source, side: int = 192) -> str | None:
    """`source` as a `data:` URI, its long side `side` px; `None`, which `picture` shows, if it can't be read."""
    try:
        return data_uri(scale(source, side))
    except ImageError:
        return None


def data_uri(pixels: Pixels) -> str:
    """Pixels `(H, W, 3) uint8` as a JPEG inside a `data:` URI."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _printable(value: Any) -> Any:
    # Names of files may hold what breaks a line or is no UTF-8; text that is HTML already stays as it is.
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value
