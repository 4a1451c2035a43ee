"""Markdown (CommonMark with tables, as GitHub renders it)."""

import re
from collections.abc import Iterable

from clothing_classifier.report.document import (
    Bullets,
    Code,
    Document,
    Gallery,
    Heading,
    Part,
    Picture,
    Table,
    Text,
)
from clothing_classifier.utils import one_line

FIGURES = "figures"
"""The folder of the charts, beside the document."""


def render(document: Document) -> str:
    """The whole document; it shows the charts of the folder `FIGURES`."""
    blocks = [f"# {escape(document.title)}", escape(document.lead)]
    for section in document.sections:
        blocks += [f"## {escape(section.title)}", *map(_part, section.parts)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _part(part: Part) -> str:
    match part:
        case Heading(text):
            return f"### {escape(text)}"
        case Text(text):
            return escape(text)
        case Bullets(items):
            return "\n".join(f"- {escape(item)}" for item in items)
        case Code(text):
            return f"```\n{text}\n```"
        case Picture(name, _, alt):
            return f"![{escape(alt)}]({FIGURES}/{name}.png)"
        case Table():
            return table(part)
        case Gallery():
            return ""


def table(part: Table) -> str:
    """A table, its marked rows bold, folded where it says so, and its note below."""
    marks = ["---:" if i in part.numeric else "---" for i in range(len(part.columns))]
    lines = [_row(map(escape, part.columns)), f"|{'|'.join(marks)}|"]
    for i, cells in enumerate(part.cells):
        shown = (escape(cell.text) for cell in cells)
        lines.append(_row((f"**{cell}**" if cell else "") if i in part.marked else cell for cell in shown))
    text = "\n".join(lines) + (f"\n\n{escape(part.note)}" if part.note else "")
    if part.folded is None:
        return text
    return f"<details>\n<summary>{escape(part.folded)}</summary>\n\n{text}\n\n</details>"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """`text` as Markdown that reads as just this text, on one line."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = re.sub(r"([\\`*\[\]|~])", r"\\\1", plain)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", plain)
