"""List the inputs of a scoring run: a folder, a glob, a table or one photo, always in the same order."""

import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from fsspec.utils import glob_translate

from clothing_classifier.datasets import is_image_named, left_by_mac
from clothing_classifier.errors import UsageError
from clothing_classifier.scoring import storage, tables
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.utils import one_line

_WILD = re.compile(r"[*?\[]")
_HTTP = ("http://", "https://")
PARQUET, CSV = (".parquet", ".pq"), (".csv",)
_OTHER_LISTS = (".txt", ".tsv", ".json", ".jsonl", ".ndjson", ".xlsx", ".gz", ".zip")


def list_inputs(where: str, column: str | None = None, without: Path | None = None) -> Iterator[Input]:
    """Yield every input of `where`, a path or a URL, one at a time; raises `UsageError` where there is none.

    A folder means its image-named files, recursively, sorted by path, or, where it holds none, its Parquet files. A
    glob may have `**` and means files, or Parquet files where it ends so. Of a CSV or Parquet file each row is an
    input, and `column` names or holds the photo. Tables below the folder `without` are passed over, being output.
    """
    where = storage.plain_path(where)
    found = iter(_list(where, column, f"{os.path.realpath(without)}/" if without else None))
    first = next(found, None)
    if first is None:
        raise UsageError(f"{one_line(where)}: no photos there, and no rows of a table")
    return chain([first], found)


def _list(where: str, column: str | None, without: str | None) -> Iterator[Input]:
    if _is_glob(where):
        yield from _each(_glob(where), column, without)
    elif storage.exists_as_folder(where):
        yield from _folder(where, column, without)
    elif _suffix(where) in _OTHER_LISTS:
        raise UsageError(f"{one_line(where)}: neither a photo nor a table of some; a table is a .csv or .parquet file")
    elif storage.is_url(where) or os.path.lexists(where):
        yield from _each(iter([where]), column)
    else:
        raise UsageError(f"{one_line(where)}: there is no such file or folder")


def _is_glob(where: str) -> bool:
    # Over HTTP a question mark begins a query, and there are no lists to match.
    return bool(_WILD.search(where)) and not where.startswith(_HTTP) and not os.path.exists(where)  # noqa: PTH110


def _folder(where: str, column: str | None, without: str | None) -> Iterator[Input]:
    def found() -> Iterator[str]:
        return (path for path in storage.walk(where) if not _is_left_by_mac(path[len(where) :]))

    is_meant = _is_photo if any(map(_is_photo, found())) else _is_parquet
    yield from _each((path for path in found() if is_meant(path) or _is_folder(path)), column, without)


def _each(paths: Iterator[str], column: str | None, without: str | None = None) -> Iterator[Input]:
    for path in paths:
        if _is_parquet(path):
            if without and os.path.realpath(path).startswith(without):
                continue
            yield from tables.parquet_inputs(path, column)
        elif _suffix(path) in CSV:
            yield from tables.csv_inputs(path, column)
        else:
            yield _photo(path)


def _glob(pattern: str) -> Iterator[str]:
    """Match while walking: the standard library's `glob` has no order, and sorting needs all names in memory."""
    start = pattern[: _WILD.search(pattern).start()].rpartition("/")[0]  # type: ignore[union-attr]
    base = start or ("/" if pattern.startswith("/") else ".")
    rest = pattern[len(start) :].lstrip("/")
    matches = re.compile(glob_translate(rest)).fullmatch
    depth = None if "**" in rest else rest.count("/") + 1
    for path in storage.walk(base, depth):
        below = path[len(base) :].lstrip("/")
        if (matches(below) and not _is_left_by_mac(below)) or _is_folder(below):
            yield below if base == "." else path


def _is_folder(path: str) -> bool:
    """Whether `storage.walk` found a folder there that it can't list."""
    return path.endswith("/")


def _photo(path: str) -> Input:
    return Input(tables.text_of(path), path)


def _is_photo(path: str) -> bool:
    return is_image_named(_name(path))


def _is_left_by_mac(below: str) -> bool:
    return any(map(left_by_mac, below.split("/")))


def _is_parquet(path: str) -> bool:
    return _suffix(path) in PARQUET


def _suffix(path: str) -> str:
    return os.path.splitext(_name(path))[1].lower()  # noqa: PTH122


def _name(path: str) -> str:
    end = path.split("?")[0] if path.startswith(_HTTP) else path  # elsewhere it is part of a name
    return end.rpartition("/")[2]
