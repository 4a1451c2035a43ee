"""Tables of photos: a CSV or Parquet file whose rows name them by path or URL, or hold their bytes."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from clothing_classifier.datasets import IMAGES, columns_there, leaves_folder
from clothing_classifier.datasets.download import reason
from clothing_classifier.errors import ClothingError, UsageError
from clothing_classifier.scoring import storage
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.utils import one_line

NAMES = ("image", "path", "uri", "url", "file_name", "bytes")
"""Columns looked for, in this order, where none is named."""
_ROWS = 64
"""Photos of a Parquet file in memory at once."""


def text_of(path: str) -> str:
    """`path` as UTF-8 can hold it: bytes of a file's name that are none are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def csv_inputs(table: str, column: str | None) -> Iterator[Input]:
    """Yield an input a row: files below `images/` beside the table where there is that folder, else beside it."""
    names = _Names(table)
    with _reading(table), storage.open_binary(table) as file:
        reader = csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        index = header.index(choose_column(table, header, column))
        for cells in reader:
            if cells:
                cell = cells[index].strip() if index < len(cells) else ""
                yield names.read(cell, reader.line_num)


def parquet_inputs(table: str, column: str | None) -> Iterator[Input]:
    """Yield an input a row: of text, the file or URL that it names; of bytes, or a struct with them, the row itself."""
    with _reading(table), storage.open_binary(table) as file:
        parquet = pq.ParquetFile(file)
        schema = parquet.schema_arrow
        chosen = choose_column(table, schema.names, column)
        kind = schema.field(chosen).type
        if _bytes_of(chosen, kind):
            yield from _rows_with_bytes(table, parquet)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            names, number = _Names(table), 0
            for batch in parquet.iter_batches(columns=[chosen]):
                for cell in batch.column(0).to_pylist():
                    number += 1
                    yield names.read(str(cell or "").strip(), number)
        else:
            raise UsageError(f"{one_line(table)}: the column '{chosen}' holds {kind}, neither text nor bytes")


def choose_column(table: str, names: Sequence[str], column: str | None) -> str:
    """The column named, or the first of `NAMES` that there is; raises `UsageError`."""
    chosen = column or next((name for name in NAMES if name in names), None)
    if chosen is None or chosen not in names:
        wanted = f"no column '{column}'" if column else f"no column of the names {', '.join(NAMES)}; name it: --column"
        raise UsageError(f"{one_line(table)}: {wanted} ({columns_there(names)})")
    return chosen


class PhotoReader:
    """Reads photos out of Parquet files, `_ROWS` at a time; going on in order is cheap, going back is not."""

    def __init__(self, column: str | None) -> None:
        self.column = column
        self._place: tuple[str, int] | None = None
        self._rows: Iterator[bytes | None] = iter(())
        self._next = 0

    def read(self, table: str, group: int, row: int) -> bytes | None:
        """The bytes in a row of a row group, None where the cell holds nothing.

        Raises `UsageError` where the table can't be read any more.
        """
        if self._place != (table, group) or row < self._next:
            self._place, self._rows, self._next = (table, group), self._open(table, group), 0
        with _reading(table):
            for data in self._rows:
                self._next += 1
                if self._next > row:
                    return data
        raise UsageError(f"{one_line(table)}: fewer rows than when it was listed")

    def _open(self, table: str, group: int) -> Iterator[bytes | None]:
        with storage.open_binary(table) as file:
            parquet = pq.ParquetFile(file)
            chosen = choose_column(table, parquet.schema_arrow.names, self.column)
            column = _bytes_of(chosen, parquet.schema_arrow.field(chosen).type)
            if column is None:
                raise UsageError(f"{one_line(table)}: changed since it was listed")
            for batch in parquet.iter_batches(_ROWS, row_groups=[group], columns=[column]):
                cells = batch.column(0)
                for cell in cells.field("bytes") if pa.types.is_struct(cells.type) else cells:
                    yield cell.as_py()


def _rows_with_bytes(table: str, parquet: pq.ParquetFile) -> Iterator[Input]:
    shown, number = text_of(table), 0
    for group in range(parquet.num_row_groups):
        for row in range(parquet.metadata.row_group(group).num_rows):
            yield Input(f"{shown}#{number}", None, table, group, row)
            number += 1


def _bytes_of(column: str, kind: pa.DataType) -> str | None:
    """The column to read for bytes: itself, or, as data sets of the Hugging Face hub have it, its field `bytes`."""
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return f"{column}.bytes"
    return column if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else None


class _Names:
    """Turns the cells of a table into inputs: URLs and absolute paths as they are, others below a folder.

    That is `images/` beside the table, as in a data set, where there is one, and no path may leave it; else the
    table's own.
    """

    def __init__(self, table: str) -> None:
        self.table, self.folder = table, table.rpartition("/")[0] or ("/" if table.startswith("/") else "")
        images = f"{self.folder.rstrip('/')}/{IMAGES}" if self.folder else IMAGES
        self.is_data_set = storage.exists_as_folder(images)
        self.folder = images if self.is_data_set else self.folder

    def read(self, cell: str, row: int) -> Input:
        if not cell:
            return self._fault("", row, "no photo is named")
        if storage.is_url(cell):
            return Input(cell, storage.plain_path(cell))
        if self.is_data_set and leaves_folder(cell):
            return self._fault(cell, row, f"the path '{cell}' leaves the folder {IMAGES}/")
        is_whole = os.path.isabs(cell) or not self.folder  # noqa: PTH117
        return Input(cell, cell if is_whole else f"{self.folder.rstrip('/')}/{cell}")

    def _fault(self, cell: str, row: int, fault: str) -> Input:
        return Input(cell, fault=one_line(f"{self.table}, row {row}: {fault}"))


@contextmanager
def _reading(table: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise UsageError(f"{one_line(table)}: not UTF-8 text; save the table as UTF-8") from error
    except (OSError, pa.ArrowException, csv.Error) as error:
        fault = getattr(error, "strerror", None) or reason(error)
        raise UsageError(f"{one_line(table)}: the table can't be read ({fault})") from error
    except ClothingError:
        raise
    except Exception as error:  # what a store's library raises has no common root
        if not storage.is_url(table):
            raise
        raise UsageError(f"{one_line(table)}: the table can't be read ({reason(error)})") from error
