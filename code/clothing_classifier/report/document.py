"""What a written report is made of, before it is Markdown or HTML: sections of text, lists, tables and pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True)
class Text:
    """One paragraph. What names and labels hold is text, too: each renderer escapes it."""

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
class Table:
    """Rows of cells below `columns`.

    The columns of the positions in `numeric` stand to the right, the rows of the positions in `marked` stand out, and
    a table with `folded`, its summary, is closed until a reader opens it.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[int] = ()
    marked: frozenset[int] = frozenset()
    folded: str | None = None


@dataclass(frozen=True)
class Picture:
    """A PNG that lies as `NAME.png` beside Markdown and inside HTML; `alt` says what it shows."""

    kind: ClassVar[str] = "picture"
    name: str
    png: bytes
    alt: str

    @property
    def width(self) -> int:
        """Pixels of a page that the picture takes: it has more of its own, for fine screens."""
        return round(int.from_bytes(self.png[16:20]) / 1.45)

    @property
    def uri(self) -> str:
        """The picture as a `data:` URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


Part: TypeAlias = Text | Bullets | Code | Table | Picture


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
        """Every picture, in order."""
        return [part for section in self.sections for part in section.parts if isinstance(part, Picture)]
