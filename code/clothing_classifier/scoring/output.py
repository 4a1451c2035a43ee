"""The output's folder: parts that are whole or absent, and a manifest that says what they are parts of.

There is no log and no lock to clean up: a part that is there is done, whichever run made it, and whichever was killed.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clothing_classifier.errors import UsageError
from clothing_classifier.inference.bundle import Bundle, copy_bundle
from clothing_classifier.scoring.listing import Listing
from clothing_classifier.scoring.rows import SCHEMA, Counts, count
from clothing_classifier.utils import atomic_path, write_json

STATE = "_state"
"""Folder of the list and the manifest; readers of Parquet folders pass over names that begin so."""
MANIFEST, INPUTS = "manifest.json", "inputs.parquet"
_RUN, _COUNTS = b"clothing.run", b"clothing.counts"


class Output:
    """Parts of one run in a folder: the same model, inputs and options."""

    def __init__(self, folder: Path, listing: Listing, content: dict[str, Any]) -> None:
        self.folder, self.listing = folder, listing
        self.run = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def finished(self) -> dict[int, Counts]:
        """The parts that are done, with what is in them; whatever other part there is gets removed."""
        done = {}
        for file in sorted(self.folder.glob("part-*.parquet")):
            part = int(number) if (number := file.stem.removeprefix("part-")).isdecimal() else -1
            counts = self._read_counts(file)
            if counts and file == self.path(part) and part < self.listing.parts:
                done[part] = counts
            else:
                file.unlink()
        return done

    def write(self, part: int, table: pa.Table) -> Counts:
        """Write a part, `rows.WITH_PLACE` sorted by position, and see it on the disk before it gets its name."""
        counts = count(table)
        about = {_RUN: self.run.encode(), _COUNTS: json.dumps(counts.to_dict()).encode()}
        rows = table.select(SCHEMA.names).replace_schema_metadata(about)
        with atomic_path(self.path(part)) as beside:
            pq.write_table(rows, beside, compression="zstd")
            _flush(beside)
        return counts

    def errors(self, part: int) -> list[str]:
        """Why rows of a written part have no answer."""
        found: list[str] = pq.read_table(self.path(part), columns=["error"])["error"].drop_null().to_pylist()
        return found

    def path(self, part: int) -> Path:
        """The file of a part."""
        return self.folder / f"part-{part:06d}.parquet"

    def _read_counts(self, file: Path) -> Counts | None:
        try:
            about = pq.read_schema(file).metadata or {}
        except (OSError, pa.ArrowException):  # cut short by a machine that went down
            return None
        if about.get(_RUN) != self.run.encode():
            return None
        return Counts.from_dict(json.loads(about[_COUNTS]))


def claim(folder: Path, content: dict[str, Any], overwrite: bool) -> None:
    """Start a run in `folder`, or go on with the one that has the same `content`; else raise `UsageError`.

    With `overwrite` the parts that are there are given up, whichever run's they are.
    """
    file = folder / STATE / MANIFEST
    known = _read_manifest(file)
    others = [path for path in folder.glob("*.parquet") if known is None or not path.name.startswith("part-")]
    if others:
        raise UsageError(f"{folder}: holds Parquet files of other origin, such as {min(others).name}; "
                         "choose another --output, or remove them")  # fmt: skip
    if known is not None and known != content and not overwrite:
        changed = " and ".join(name for name in content if known.get(name) != content[name]) or "version"
        raise UsageError(
            f"{folder}: begun with other {changed}; choose another --output, or start it anew with --overwrite"
        )
    if known != content:
        write_json(file, content)
    if overwrite:
        for part in folder.glob("part-*.parquet"):
            part.unlink()


def share_bundle(bundle: Bundle, folder: Path) -> Path:
    """Copy a bundle into the output's folder, where other machines find it; return the copy's path."""
    copy = (folder / STATE / "bundle").resolve()
    copy_bundle(bundle, copy)
    return copy


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Let no second run write to `folder` at the same time; the system forgets that once the process is gone.

    Raises `UsageError`. What a killed run left half-written is removed.
    """
    (folder / STATE).mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / STATE, os.O_RDONLY)
    try:
        _lock(handle, folder)
        for leftover in (*folder.glob(".*.part"), *(folder / STATE).rglob(".*.part")):
            leftover.unlink()
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not a Unix
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"{folder}: another 'clothing score' is writing there; wait for it or stop it") from error
    except OSError:  # file systems across a network may know no locks
        return


def _flush(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def _read_manifest(file: Path) -> dict[str, Any] | None:
    with suppress(FileNotFoundError):
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise UsageError(f"{file}: damaged; remove the folder, or choose another --output") from error
    return None
