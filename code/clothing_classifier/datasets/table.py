"""A table beside a folder of images; a row that can't be used is never dropped in silence."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath

from clothing_classifier.datasets.records import PARTS, SPLITS, BadRow, Columns, Dataset, Record
from clothing_classifier.errors import DatasetError
from clothing_classifier.utils import atomic_path, csv_line, one_line, plain_text

TABLE = "dataset.csv"
IMAGES = "images"
_LONGEST_CELL = 1 << 24
"""Characters; by itself the standard library takes 131,072, and shops export whole descriptions and thumbnails."""
_OTHER_SIGNS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_MARK = "\ufeff"
"""What Excel writes before UTF-8, and wants to find there."""

csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))


def load_table(root: Path, columns: Columns) -> Dataset:
    """Load the rows of `dataset.csv` whose images lie in `images/`; raises `DatasetError`."""
    table = root / TABLE
    header, rows = read_table(table)
    names = _resolve_columns(table, header, columns)
    mapped = [name for role, name in names.items() if getattr(columns, role, None)]
    reader = _RowReader(root, header, names, mapped)
    records: list[Record] = []
    bad: list[BadRow] = []
    for line, cells in rows:
        outcome = reader.read(line, cells)
        if isinstance(outcome, Record):
            records.append(outcome)
        elif outcome is not None:
            bad.append(outcome)
    return Dataset(root, tuple(records), tuple(bad), len(rows) - len(records) - len(bad), is_table=True)


def _resolve_columns(table: Path, header: list[str], columns: Columns) -> dict[str, str]:
    names = {"image": "image", "label": columns.label or "label"}
    for role, chosen in (("group", columns.group), ("split", columns.split)):
        if (chosen or role in header) and not (role == "split" and columns.ignore_split):
            names[role] = chosen or role
    for role, name in names.items():
        if name not in header:
            alike = next((there for there in header if there.lower() == name.lower()), None)
            how = f"rename '{alike}' to 'image'" if role == "image" else f"name it with --{role}-column '{alike}'"
            hint = f"; {how}" if alike else ""
            raise DatasetError(f"{table}: no column '{name}' for the {role} ({columns_there(header)}){hint}")
    return names


def columns_there(header: Sequence[str]) -> str:
    """What a table's columns are, for the message that one is missing; or that other signs than commas part them."""
    if len(header) == 1 and (signs := [name for sign, name in _OTHER_SIGNS.items() if sign in header[0]]):
        return f"its cells are separated by {signs[0]}: save it with commas"
    return f"columns: {', '.join(map(one_line, header)) or 'none'}"


class _RowReader:
    """Turns cells into a record, a bad row, or `None` for a row that is ignored."""

    def __init__(self, root: Path, header: list[str], names: dict[str, str], mapped: list[str]) -> None:
        self.table, self.images = root / TABLE, root / IMAGES
        self.header, self.names = header, names
        self.index = {role: header.index(name) for role, name in names.items()}
        self.mapped = [header.index(name) for name in mapped]
        self.extra = [(i, name) for i, name in enumerate(header) if name and name not in names.values()]
        self.first: dict[tuple[str, str], Record] = {}
        self.listings: dict[str, set[str]] = {}

    def read(self, line: int, cells: list[str]) -> Record | BadRow | None:
        if len(cells) != len(self.header):
            image = cells[self.index["image"]] if self.index["image"] < len(cells) else ""
            return BadRow(self.table, line, image, f"{len(cells)} cells where the header has {len(self.header)}")
        if any(not plain_text(cells[i]) for i in self.mapped):
            return None
        image, label, split = (self._cell(cells, role) for role in ("image", "label", "split"))
        split = PARTS.get(split.lower(), split)
        reason = self._image_fault(image) or self._value_fault(label, split)
        if reason:
            return BadRow(self.table, line, image, reason)
        extra = {name: cells[i] for i, name in self.extra}
        source = self.images / image
        record = Record(image, source, label, self._cell(cells, "group") or None, split or None, line, extra)
        folder, _, name = image.rpartition("/")
        first = self.first.setdefault((_normal(folder), name), record)
        return record if first is record else self._repeated(record, first)

    def _repeated(self, record: Record, first: Record) -> BadRow:
        reason, disputes = f"'{record.image}' stands in row {first.row} already", None
        if record.label.casefold() != first.label.casefold():
            reason, disputes = f"{reason}, labelled '{first.label}'", first.row
        if record.split != first.split:
            reason = f"{reason}, in {first.split or 'no part'}"
        return BadRow(self.table, record.row, record.image, reason, disputes)

    def _cell(self, cells: list[str], role: str) -> str:
        cell = cells[self.index[role]] if role in self.index else ""
        return cell.strip() if role == "image" else plain_text(cell)  # a file's name is what the system says it is

    def _value_fault(self, label: str, split: str) -> str | None:
        if not label:
            return f"the column '{self.names['label']}' is empty"
        if split and split not in SPLITS:
            return f"unknown split '{split}'; use {', '.join(SPLITS)}"
        return None

    def _image_fault(self, image: str) -> str | None:
        if not image:
            return "the column 'image' is empty"
        folder, slash, name = image.rpartition("/")
        if leaves_folder(folder + slash) or ((name == ".." or "\\" in name) and leaves_folder(name)):
            return f"the path '{image}' leaves the folder {IMAGES}/"
        if name not in self._listing(folder):
            inside = image.removeprefix(f"{IMAGES}/")
            hint = f"; names are of files in {IMAGES}/: write '{inside}'" if inside != image else ""
            return f"there is no file {self.images / image}{hint}"
        return None

    def _listing(self, folder: str) -> set[str]:
        # One listing of a folder instead of one look-up a row: 100,000 rows in about a second.
        if folder not in self.listings:
            try:
                with os.scandir(self.images / folder) as entries:
                    # `isfile` follows links and, unlike `DirEntry.is_file`, says no where they run in a circle.
                    self.listings[folder] = {
                        entry.name
                        for entry in entries
                        if entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path)  # noqa: PTH113
                    }
            except (OSError, ValueError):  # ValueError: a null byte in the name
                self.listings[folder] = set()
        return self.listings[folder]


@lru_cache(1024)
def leaves_folder(text: str) -> bool:
    """Whether a table's path leaves the folder of its images: it is absolute, or climbs by `..`."""
    paths = (PurePosixPath(text), PureWindowsPath(text))
    return any(path.is_absolute() or path.drive or path.root or ".." in path.parts for path in paths)


@lru_cache(1024)
def _normal(folder: str) -> str:
    return str(PurePosixPath(folder))


def read_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a CSV file: its header and its `(line, cells)`; raises `DatasetError` where it is no table.

    `line` is where the row starts: a quoted cell may span several. Quoting is strict, since a quote that is never
    closed would swallow the rows behind it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        raise DatasetError(f"{path}, row {row}: not UTF-8 text; save the table as UTF-8") from error
    except OSError as error:
        raise DatasetError(f"{path}: the table can't be read ({error.strerror})") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, start = [], 1
    try:
        header = [name.strip() for name in next(reader, [])]
        start = reader.line_num + 1
        for cells in reader:
            if cells:
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DatasetError(f"{path}, row {start}: the table can't be read ({error})") from error
    repeated = [name for name, count in Counter(header).items() if name and count > 1]
    if repeated:
        raise DatasetError(f"{path}: the column '{repeated[0]}' stands twice in the header")
    return header, rows


def write_table(path: Path, like: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write `rows`, the header first, with the line ends of the table `like`, and its mark, which Excel looks for."""
    with like.open(encoding="utf-8", newline="") as file:
        first = file.readline()
    end = "\r\n" if first.endswith("\r\n") else "\n"
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(_MARK if first.startswith(_MARK) else "")
        file.writelines(csv_line(cells).removesuffix("\n") + end for cells in rows)
