"""Records: labelled photos of a data set, beside what could not be used of it."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from clothing_classifier.errors import DatasetError
from clothing_classifier.utils import one_line

SPLITS = ("train", "validation", "test")
PARTS = {name: name for name in SPLITS} | {"val": "validation", "valid": "validation", "training": "train"}
"""What people call the parts of a split, in any case."""
_KNOWN_BY = 4

Pixels: TypeAlias = npt.NDArray[np.uint8]
RecordSource: TypeAlias = Path | Pixels


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled photo.

    `image` is the name as written in the table, `source` what `preprocessing.prepare` reads, `row` the line of the
    table where it starts (0 where there is none) and `extra` the further columns by name.
    """

    image: str
    source: RecordSource
    label: str
    group: str | None = None
    split: str | None = None
    row: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be used, or a stray image (row 0) among class folders; `str()` names file, row and reason.

    `disputes` is the earlier row, which was used, that gives the same image another label.
    """

    file: Path
    row: int
    image: str
    reason: str
    disputes: int | None = None

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        return one_line(f"{self.file}{row}: {self.reason}")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table mean what. A row with a blank cell in a column named by the user is ignored.

    `ignore_split` takes the split column, whatever it holds, for a further column: it is about to be replaced.
    """

    label: str | None = None
    group: str | None = None
    split: str | None = None
    ignore_split: bool = False


@dataclass(frozen=True)
class Dataset:
    """The usable records of a folder, in the table's order, beside the bad rows and the count of rows ignored.

    `notes` says where case alone told names apart: of classes asked for, and of labels in the table.
    """

    root: Path
    records: tuple[Record, ...]
    bad_rows: tuple[BadRow, ...] = ()
    set_aside: int = 0
    notes: tuple[str, ...] = ()
    is_table: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels, sorted."""
        return tuple(sorted({record.label for record in self.records}))

    def part(self, split: str, otherwise: str = "") -> tuple[Record, ...]:
        """Return the records of one split; raise `DatasetError` where there are none, saying what to do `otherwise`."""
        chosen = tuple(record for record in self.records if record.split == split)
        if not chosen:
            parts = Counter(record.split or "no split" for record in self.records)
            listing = ", ".join(f"{name}: {count}" for name, count in sorted(parts.items()))
            how = "make one with 'clothing split'" if self.is_table else f"without a table it is what lies in {split}/"
            raise DatasetError(f"{self.root}: no photos in the split '{split}' ({listing}); {how}{otherwise}")
        return chosen

    def part_or_all(self, split: str) -> tuple[Record, ...]:
        """Return the records of one split, or every one of 'all'; raise `DatasetError` where there are none."""
        return self.records if split == "all" else self.part(split, ", or take every row with --split all")


def content_sha256(source: RecordSource) -> str:
    """SHA-256 of a photo's file, or of shape and pixels where it has none; raises `OSError`."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(repr(source.shape).encode() + source.tobytes()).hexdigest()


def content_if_readable(source: RecordSource) -> str | None:
    """`content_sha256`; None for a file that can't be read, of which whoever decodes it knows better what to say."""
    try:
        return content_sha256(source)
    except OSError:
        return None


def fingerprint(records: Iterable[Record], contents: Iterable[str]) -> str:
    """SHA-256 of a set of records: names, labels, groups, splits and `contents` (one content hash a record)."""
    lines = sorted(
        repr((record.image, record.label, record.group, record.split, content))
        for record, content in zip(records, contents, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def abbreviate(contents: Iterable[str]) -> str:
    """The first four bytes of each content hash, in base64, by which a bundle recognises its training photos."""
    return base64.b64encode(b"".join(sorted(bytes.fromhex(content)[:_KNOWN_BY] for content in contents))).decode()


def count_known(abbreviated: str, contents: Iterable[str]) -> int:
    """How many of `contents` are among those that were abbreviated; of 5,000, one in a million others matches too."""
    marks = base64.b64decode(abbreviated)
    known = {marks[start : start + _KNOWN_BY] for start in range(0, len(marks), _KNOWN_BY)}
    return sum(bytes.fromhex(content)[:_KNOWN_BY] in known for content in contents)
