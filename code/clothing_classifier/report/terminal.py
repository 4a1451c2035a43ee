"""Sections and tables on a terminal, or as plain text in a pipe; charts and photos are left out."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text as RichText

from clothing_classifier.report.document import Bullets, Cell, Code, Heading, Part, Section, Table, Text
from clothing_classifier.utils import one_line

_BAR = 20
_BLOCKS = " ▏▎▍▌▋▊▉█"
_PIPE_WIDTH = 160
_MIN_COLUMN = 12
_MIN_WIDTH_FOR_BARS = 72
_STYLES = {"good": "green", "bad": "red", "warning": "yellow", "muted": "dim", "strong": "bold", None: ""}


def show(*parts: Part | Section) -> None:
    """Print to standard output, as wide as the terminal, or wide enough for any row in a pipe."""
    console = Console()
    width = console.width if console.is_terminal else _PIPE_WIDTH
    # Paths and labels are data: a bracket in one is no markup.
    Console(width=width, markup=False, highlight=False).print(Group(*_blocks(parts, width >= _MIN_WIDTH_FOR_BARS)))


def bar(fraction: float, width: int = _BAR) -> str:
    """`fraction` in [0, 1] as a bar of block characters, an eighth of a character exact."""
    eighths = round(fraction * width * 8)
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8]).strip().ljust(width)


def _blocks(parts: tuple[Part | Section, ...], bars: bool) -> Iterator[RenderableType]:
    for i, part in enumerate(parts):
        if i:
            yield RichText()
        if isinstance(part, Section):
            yield RichText(one_line(part.title), "bold underline")
            shown = tuple(inner for inner in part.parts if isinstance(inner, Text | Bullets | Code | Table | Heading))
            yield from _blocks(shown, bars)
        elif isinstance(part, Heading):
            yield RichText(one_line(part.text), "bold")
        elif isinstance(part, Text | Code):
            yield RichText(one_line(part.text))
        elif isinstance(part, Bullets):
            yield from (RichText(f"- {one_line(item)}") for item in part.items)
        elif isinstance(part, Table):
            yield _table(part, bars)
            if part.note:
                yield RichText(one_line(part.note), "dim")


def _table(table: Table, bars: bool) -> RichTable:
    result = RichTable(box=None, pad_edge=False, header_style="bold", show_header=any(table.columns))
    rows = table.cells
    for i, title in enumerate(table.columns):
        if i in table.numeric:
            result.add_column(RichText(one_line(title)), justify="right", no_wrap=True)
        else:
            longest = max([len(title), *(len(row[i].text) for row in rows)])
            result.add_column(RichText(one_line(title)), overflow="fold", min_width=min(_MIN_COLUMN, longest))
    for i, cells in enumerate(rows):
        result.add_row(*(_cell(cell, bars) for cell in cells), style="bold yellow" if i in table.marked else None)
    return result


def _cell(cell: Cell, bars: bool) -> RichText:
    text = RichText(one_line(cell.text), _STYLES[cell.tone])
    return text.append(f" {bar(cell.fraction)}", "cyan") if bars and cell.fraction is not None else text
