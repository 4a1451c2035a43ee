"""What is shown, before it is text for a terminal, Markdown or HTML: sections of text, tables, charts and photos."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tone: TypeAlias = Literal["good", "bad", "warning", "muted", "strong"]


@dataclass(frozen=True)
class Heading:
    """The title of a part of a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Text:
    """One paragraph. Names and labels in it are plain text: each renderer escapes them."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    kind: ClassVar[str] = "bullets"
    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Lines for a shell."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Cell:
    """A table cell's text; its `tone` is a colour, `fraction` in [0, 1] a bar, where the renderer has them."""

    text: str
    tone: Tone | None = None
    fraction: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows of cells below `columns`, and a `note` below them.

    The columns of the positions in `numeric` are aligned to the right, the rows of the positions in `marked` are bold,
    and a table with `folded`, its summary, is closed on a page until a reader opens it.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    numeric: Sequence[int] = ()
    marked: frozenset[int] = frozenset()
    folded: str | None = None
    note: str = ""

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows, each cell a `Cell`."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Picture:
    """A chart, drawn only where it is shown: `NAME.png` beside Markdown, SVG inside HTML; `alt` describes it."""

    kind: ClassVar[str] = "picture"
    name: str
    draw: "Callable[[], Figure]"
    alt: str


@dataclass(frozen=True)
class Photos:
    """Photos side by side as `data:` URIs, None for one that can't be read, with a title and lines below them."""

    pictures: Sequence[str | None]
    title: str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Gallery:
    """Photos, on a page only."""

    kind: ClassVar[str] = "gallery"
    items: Sequence[Photos]


Part: TypeAlias = Heading | Text | Bullets | Code | Table | Picture | Gallery


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Document:
    """A title, a line below it, and sections."""

    title: str
    lead: str
    sections: Sequence[Section]

    @property
    def pictures(self) -> list[Picture]:
        """Every chart, in order."""
        return [part for section in self.sections for part in section.parts if isinstance(part, Picture)]
