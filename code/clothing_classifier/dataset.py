"""A data set on disk (a table with images, class folders, or idx files) becomes validated records, and nothing is lost.

A row that can't be used is never dropped in silence: it stands in `Dataset.bad_rows` with its file, row and reason.
"""

import csv
import gzip
import hashlib
import io
import math
import os
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from clothing_classifier.errors import DatasetError
from clothing_classifier.utils import one_line

SPLITS = ("train", "validation", "test")
TABLE = "dataset.csv"
IMAGES = "images"
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif"}
)
"""A file is image-named where its name ends so; what it holds is for `preprocessing` to say."""
FASHION_MNIST_LABELS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_IDX_PARTS = {"train": "train", "t10k": "test"}

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
    """A row that can't be used, or a stray image (row 0) among class folders; `str()` names file, row and reason."""

    file: Path
    row: int
    image: str
    reason: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        return one_line(f"{self.file}{row}: {self.reason}")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table mean what. A blank cell in a column named here by the user sets its row aside.

    `ignore_split` takes the split column, whatever it holds, for a further column: it is about to be replaced.
    """

    label: str | None = None
    group: str | None = None
    split: str | None = None
    ignore_split: bool = False


@dataclass(frozen=True)
class Dataset:
    """The usable records of a folder, in the table's order, beside the bad rows and the count of rows set aside.

    `notes` says which of the classes asked for were matched without regard to case.
    """

    root: Path
    records: tuple[Record, ...]
    bad_rows: tuple[BadRow, ...] = ()
    set_aside: int = 0
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels, sorted."""
        return tuple(sorted({record.label for record in self.records}))

    def part(self, split: str) -> tuple[Record, ...]:
        """Return the records of one split; raise `DatasetError` where there are none."""
        chosen = tuple(record for record in self.records if record.split == split)
        if not chosen:
            parts = Counter(record.split or "no split" for record in self.records)
            listing = ", ".join(f"{name}: {count}" for name, count in sorted(parts.items()))
            raise DatasetError(
                f"{self.root}: no rows in the split '{split}' ({listing}); "
                "make one with 'clothing split', or take every row with --split all"
            )
        return chosen


def load_dataset(
    root: Path,
    columns: Columns | None = None,
    labels: Collection[str] = (),
    exclude_labels: Collection[str] = (),
) -> Dataset:
    """Load `root` in whichever of the three forms it has.

    A folder with `dataset.csv` and `images/`; class folders (`label/*.jpg` or `split/label/*.jpg`); the four idx files
    of Fashion-MNIST. `labels` keeps only these classes, `exclude_labels` leaves these out. Raises `DatasetError`.
    """
    columns = columns or Columns()
    if not root.is_dir():
        raise DatasetError(f"{root}: there is no such folder; a data set is a folder with {TABLE} and {IMAGES}/")
    if (root / TABLE).is_file():
        dataset = _load_table(root, columns)
    elif any(root.glob("*-images-idx3-ubyte*")):
        dataset = _load_idx(root)
    else:
        dataset = _load_class_folders(root)
    if not dataset.records:
        first = f"; first: {dataset.bad_rows[0]}" if dataset.bad_rows else ""
        raise DatasetError(f"{root}: no usable row ({len(dataset.bad_rows)} bad, {dataset.set_aside} blank){first}")
    return _restrict(dataset, labels, exclude_labels)


def match_labels(wanted: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Map each of `wanted` to its spelling in `known`: exactly, else without case where that is unambiguous.

    A label without a match is left out of the result.
    """
    folded: dict[str, list[str]] = {}
    for label in known:
        folded.setdefault(label.casefold(), []).append(label)
    matches = {}
    for label in wanted:
        candidates = [label] if label in known else folded.get(label.casefold(), [])
        if len(candidates) == 1:
            matches[label] = candidates[0]
    return matches


def content_sha256(source: RecordSource) -> str:
    """SHA-256 of a photo's file, or of shape and pixels where it has none; raises `OSError`."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(repr(source.shape).encode() + source.tobytes()).hexdigest()


def fingerprint(records: Iterable[Record], contents: Iterable[str]) -> str:
    """SHA-256 of a set of records: names, labels, groups, splits and `contents` (one content hash a record)."""
    lines = sorted(
        repr((record.image, record.label, record.group, record.split, content))
        for record, content in zip(records, contents, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


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
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise DatasetError(f"{path}: the column '{repeated[0]}' stands twice in the header")
    return header, rows


def _restrict(dataset: Dataset, labels: Collection[str], exclude_labels: Collection[str]) -> Dataset:
    if not labels and not exclude_labels:
        return dataset
    spelling = match_labels((*labels, *exclude_labels), dataset.labels)
    for name in (*labels, *exclude_labels):
        if name not in spelling:
            raise DatasetError(f"{dataset.root}: no row has the label '{name}' (labels: {', '.join(dataset.labels)})")
    kept = {spelling[name] for name in labels or ()} or set(dataset.labels)
    kept -= {spelling[name] for name in exclude_labels}
    if not kept:
        raise DatasetError(f"{dataset.root}: every label is left out (labels: {', '.join(dataset.labels)})")
    notes = tuple(f"'{name}' is taken as the label '{label}'" for name, label in spelling.items() if name != label)
    records = tuple(record for record in dataset.records if record.label in kept)
    return replace(dataset, records=records, notes=notes)


def _load_table(root: Path, columns: Columns) -> Dataset:
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
    return Dataset(root, tuple(records), tuple(bad), len(rows) - len(records) - len(bad))


def _resolve_columns(table: Path, header: list[str], columns: Columns) -> dict[str, str]:
    names = {"image": "image", "label": columns.label or "label"}
    for role, chosen in (("group", columns.group), ("split", columns.split)):
        if (chosen or role in header) and not (role == "split" and columns.ignore_split):
            names[role] = chosen or role
    for role, name in names.items():
        if name not in header:
            listing = ", ".join(header) or "none"
            raise DatasetError(f"{table}: no column '{name}' for the {role} (columns: {listing})")
    return names


class _RowReader:
    """Turns cells into a record, a bad row, or `None` for a row that is set aside."""

    def __init__(self, root: Path, header: list[str], names: dict[str, str], mapped: list[str]) -> None:
        self.table, self.images = root / TABLE, root / IMAGES
        self.header, self.names = header, names
        self.index = {role: header.index(name) for role, name in names.items()}
        self.mapped = [header.index(name) for name in mapped]
        self.extra = [(i, name) for i, name in enumerate(header) if name not in names.values()]
        self.first_row: dict[tuple[str, str], int] = {}
        self.listings: dict[str, set[str]] = {}

    def read(self, line: int, cells: list[str]) -> Record | BadRow | None:
        if len(cells) != len(self.header):
            image = cells[self.index["image"]] if self.index["image"] < len(cells) else ""
            return BadRow(self.table, line, image, f"{len(cells)} cells where the header has {len(self.header)}")
        if any(not cells[i].strip() for i in self.mapped):
            return None
        image, label, split = (self._cell(cells, role) for role in ("image", "label", "split"))
        reason = self._image_fault(image, line) or self._value_fault(label, split)
        if reason:
            return BadRow(self.table, line, image, reason)
        extra = {name: cells[i] for i, name in self.extra}
        source = self.images / image
        return Record(image, source, label, self._cell(cells, "group") or None, split or None, line, extra)

    def _cell(self, cells: list[str], role: str) -> str:
        return cells[self.index[role]].strip() if role in self.index else ""

    def _value_fault(self, label: str, split: str) -> str | None:
        if not label:
            return f"the column '{self.names['label']}' is empty"
        if split and split not in SPLITS:
            return f"unknown split '{split}'; use {', '.join(SPLITS)}"
        return None

    def _image_fault(self, image: str, line: int) -> str | None:
        if not image:
            return "the column 'image' is empty"
        folder, slash, name = image.rpartition("/")
        if leaves_folder(folder + slash) or ((name == ".." or "\\" in name) and leaves_folder(name)):
            return f"the path '{image}' leaves the folder {IMAGES}/"
        first = self.first_row.setdefault((_normal(folder), name), line)
        if first != line:
            return f"'{image}' stands in row {first} already"
        if name not in self._listing(folder):
            return f"there is no file {self.images / image}"
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


def _load_class_folders(root: Path) -> Dataset:
    folders = _subfolders(root)
    if folders and all(folder.name in SPLITS for folder in folders):
        parents = [root, *folders]
        pairs: list[tuple[str | None, Path]] = [
            (split.name, label) for split in folders for label in _subfolders(split)
        ]
    else:
        parents, pairs = [root], [(None, label) for label in folders]
    records = tuple(
        Record(path.relative_to(root).as_posix(), path, label.name, split=split)
        for split, label in pairs
        for path in image_files(label)
    )
    if not records:
        raise DatasetError(f"{root}: no {TABLE}, no class folders with images and no idx files; nothing to load")
    strays = tuple(
        BadRow(path, 0, path.relative_to(root).as_posix(), "the image is in no class folder")
        for folder in parents
        for path in _images_directly_in(folder)
    )
    return Dataset(root, records, strays)


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise DatasetError(f"{folder}: the folder can't be read ({error.strerror})") from error


def _images_directly_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.is_dir())


def image_files(folder: Path) -> Iterator[Path]:
    """Yield the image-named files below `folder`, recursively, sorted by path; symbolic links are followed, loops not.

    A folder that can't be listed is yielded itself, so that reading it fails by name instead of being passed over.
    """
    yield from sorted(_walk(folder, frozenset()))


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    try:
        real, entries = folder.resolve(), list(folder.iterdir())
    except OSError:
        yield folder
        return
    for path in entries:
        if path.is_dir():
            if path.resolve() not in above | {real}:
                yield from _walk(path, above | {real})
        elif path.suffix.lower() in SUFFIXES:
            yield path


def _load_idx(root: Path) -> Dataset:
    records: list[Record] = []
    for prefix, split in _IDX_PARTS.items():
        images_path, labels_path = (
            _idx_file(root, f"{prefix}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")
        )
        images, labels = _read_idx(images_path), _read_idx(labels_path)
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise DatasetError(f"{images_path}: {images.shape} images do not fit {labels.shape} labels")
        if labels.size and labels.max() >= len(FASHION_MNIST_LABELS):
            raise DatasetError(f"{labels_path}: label {labels.max()} is none of Fashion-MNIST's ten classes")
        names = (FASHION_MNIST_LABELS[label] for label in labels)
        records += (
            Record(f"{prefix}/{i}", image, name, split=split)
            for i, (image, name) in enumerate(zip(images, names, strict=True))
        )
    return Dataset(root, tuple(records))


def _idx_file(root: Path, name: str) -> Path:
    for path in (root / name, root / f"{name}.gz"):
        if path.is_file():
            return path
    raise DatasetError(f"{root}: {name} (or {name}.gz) is missing; get it with 'clothing fetch fashion-mnist'")


def _read_idx(path: Path) -> Pixels:
    """Read an idx file of bytes (format: yann.lecun.com/exdb/mnist)."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: the file can't be read ({error})") from error
    rank = data[3] if len(data) >= 4 else 0
    start = 4 + 4 * rank
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    if data[:3] != b"\0\0\x08" or rank not in (1, 3) or not 0 < math.prod(shape) == len(data) - start:
        raise DatasetError(f"{path}: not a whole idx file of bytes; fetch it again with 'clothing fetch fashion-mnist'")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
