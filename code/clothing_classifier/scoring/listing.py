"""The list of inputs in a file of its own: written once as a stream, read part by part, never in memory as a whole."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clothing_classifier.scoring import storage
from clothing_classifier.scoring.inputs import Input

MOST_TASKS = 10_000
_TASK_ROWS = 128
_SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "source": pa.binary(),  # a file's name need not be UTF-8
        "table": pa.binary(),
        "group": pa.int32(),
        "row": pa.int64(),
        "fault": pa.string(),
    }
)


@dataclass(frozen=True)
class Listing:
    """A written list: part `k` is row group `k` of its file and holds `part_rows` inputs, the last what is left."""

    file: Path
    part_rows: int
    rows: int
    sha256: str
    holds_photos: bool

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return -(-self.rows // self.part_rows)

    def size(self, part: int) -> int:
        """Entries of a part."""
        return min(self.part_rows, self.rows - part * self.part_rows)

    def read(self, part: int, start: int = 0, count: int | None = None) -> list[Input]:
        """The inputs of a part, or `count` of them from `start`."""
        with pq.ParquetFile(self.file) as parquet:
            table = parquet.read_row_group(part).slice(start, count)
        return [_input(row) for row in table.to_pylist()]


def task_rows(rows: int, part_rows: int) -> int:
    """Inputs of a task on a cluster, of a list of `rows`: a long list's are longer, since its driver knows them all."""
    return min(max(_TASK_ROWS, rows // MOST_TASKS), part_rows)


def write_listing(file: Path, inputs: Iterable[Input], part_rows: int) -> Listing:
    """Write `inputs` to `file` as they come; the hash covers every name in order, and the size of every table."""
    digest, rows, tables = hashlib.sha256(), 0, _Tables()
    with pq.ParquetWriter(file, _SCHEMA, compression="zstd") as writer:
        for part in _parts(inputs, part_rows):
            columns = dict(zip(_SCHEMA.names, zip(*part, strict=True), strict=True))
            for name in ("source", "table"):
                columns[name] = tuple(None if cell is None else os.fsencode(cell) for cell in columns[name])
            writer.write_table(pa.table(columns, _SCHEMA), row_group_size=part_rows)
            digest.update(repr([tuple(item) for item in part]).encode())
            digest.update(tables.new_in(part))
            rows += len(part)
    return Listing(file, part_rows, rows, digest.hexdigest(), tables.some)


class _Tables:
    """What is known of the tables that hold photos: the names of their rows do not change with what those hold."""

    def __init__(self) -> None:
        self.last: str | None = None

    @property
    def some(self) -> bool:
        return self.last is not None

    def new_in(self, part: Iterable[Input]) -> bytes:
        """The sizes of the tables that begin in `part`."""
        sizes = []
        for item in part:
            if item.table is not None and item.table != self.last:
                self.last = item.table
                sizes.append(storage.size_of(item.table))
        return repr(sizes).encode()


def _parts(inputs: Iterable[Input], size: int) -> Iterator[tuple[Input, ...]]:
    remaining = iter(inputs)
    while part := tuple(islice(remaining, size)):
        yield part


def _input(row: dict[str, Any]) -> Input:
    for name in ("source", "table"):
        row[name] = None if row[name] is None else os.fsdecode(row[name])
    return Input(**row)
