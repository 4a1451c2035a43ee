"""Public data sets fetched file by file from their host, a mirror or a folder: resumable, and every byte checked.

A manifest in the package names each file with its size and SHA-256. A file is streamed to `NAME.part` beside its
destination, checked, and only then renamed, so the same command again asks for no more than what is missing.
The table of a data set, dataset.csv, is written last, once every file is in place.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedRandom
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Event
from urllib.parse import quote

from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from clothing_classifier.datasets.download import (
    CHUNK,
    DEFAULT_POLICY,
    RetryPolicy,
    TransferError,
    is_permanent,
    open_url,
    reason,
    retry,
)
from clothing_classifier.datasets.manifest import Manifest, RemoteFile
from clothing_classifier.errors import DownloadError, UsageError
from clothing_classifier.utils import progress_bar, write_bytes

GIVE_UP_AFTER = 16
"""Files in a row that ran out of tries; the rest is not tried."""


@dataclass(frozen=True)
class FetchReport:
    """What a run did: how many files were fetched, and how many kept because they were there and right."""

    name: str
    folder: Path
    fetched: int
    kept: int


def fetch(
    manifest: Manifest,
    out: Path,
    source: str | None = None,
    *,
    connections: int = 8,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> FetchReport:
    """Bring every file of the manifest, and then its table, into the folder `out`; files already right are kept.

    `source` is a folder, or an http(s) URL, that the files lie under by their manifest paths (SOURCE/images/NAME);
    None means the data set's own host. Ctrl-C leaves nothing half-written but *.part files.

    Raises DownloadError, naming files, unless all are in place, and UsageError for a source or a number of
    connections that can't be used.
    """
    if connections < 1:
        raise UsageError(f"connections must be at least 1, not {connections}")
    source = _checked(source or manifest.source)
    table, content = out / "dataset.csv", manifest.table.encode()
    try:
        # Labels corrected by hand, or another data set in the same folder, must not vanish under a download.
        if content and table.exists() and table.read_bytes() != content:
            raise DownloadError(
                f"{table} exists and is not {manifest.name}'s table: move it away or choose another folder"
            )
        for folder in {(out / file.path).parent for file in manifest.files}:
            folder.mkdir(parents=True, exist_ok=True)
        kept = _fetch_files(manifest, _Fetcher(source, out, policy), connections)
        if content and not table.exists():
            write_bytes(table, content)
    except OSError as error:
        raise DownloadError(f"{error.filename or out}: can't be written: {error.strerror or error}") from error
    return FetchReport(manifest.name, out, len(manifest.files) - kept, kept)


def _checked(source: str) -> str:
    if "://" not in source:
        if not Path(source).is_dir():
            raise DownloadError(f"{source}: there is no such folder to fetch from")
        return source
    if not source.lower().startswith(("http://", "https://")):
        raise UsageError(f"{source}: only a folder, or an http:// or https:// address, can be fetched from")
    try:
        parse_url(source)
    except HTTPError as error:
        raise UsageError(f"{source}: {reason(error)}") from error
    return source.rstrip("/")


def _fetch_files(manifest: Manifest, fetcher: "_Fetcher", connections: int) -> int:
    """Fetch all and return how many were there; raises DownloadError for files that failed."""
    kept, done, in_a_row, failures = 0, 0, 0, dict[str, str]()
    # Its threads are daemons: one that waits for a silent server must not hold up Ctrl-C or the end of the process.
    pool = ThreadPool(connections)
    try:
        with progress_bar(f"fetching {manifest.name}", len(manifest.files)) as advance:
            for path, was_there, error in pool.imap_unordered(fetcher.bring, manifest.files):
                advance()
                done, kept = done + 1, kept + was_there
                if error is not None:
                    failures[path] = reason(error)
                if not was_there:
                    in_a_row = 0 if error is None or is_permanent(error) else in_a_row + 1
                if in_a_row == GIVE_UP_AFTER:
                    break
    finally:
        fetcher.stopped.set()
        pool.terminate()
    if failures:
        total = len(manifest.files)
        untried = f"; {total - done} were not tried, as {in_a_row} in a row had failed" if done < total else ""
        raise DownloadError(
            f"{len(failures)} of {total} files of {manifest.name} could not be fetched, such as "
            f"{min(failures)} ({failures[min(failures)]}){untried}; "
            "run the same command again to fetch only what is missing",
            tuple(f"{path}: {failures[path]}" for path in sorted(failures)),
        )
    return kept


class _Fetcher:
    """What the threads of one run share."""

    def __init__(self, source: str, out: Path, policy: RetryPolicy) -> None:
        self._source, self._out, self._policy = source, out, policy
        self.stopped = Event()

    def bring(self, file: RemoteFile) -> tuple[str, bool, Exception | None]:
        """Bring a file; return its path, whether it was there, and what went wrong."""
        path, error = self._out / file.path, None
        if _is_right(path, file):
            return file.path, True, None
        part = path.with_name(path.name + ".part")
        with part.open("a+b") as stream:
            try:
                retry(partial(self._complete, file, stream), self._policy, self.stopped)
            except (TransferError, HTTPError) as caught:
                error = caught
        if error is None:
            part.replace(path)
        elif not part.stat().st_size:
            part.unlink()
        return file.path, False, error

    def _complete(self, file: RemoteFile, part: BufferedRandom) -> None:
        """Append what is missing, and check the whole; bytes that are wrong are thrown away."""
        start = length = part.seek(0, os.SEEK_END)
        if start < file.size:
            with self._open(file, start) as (length, read):
                if length < start:
                    part.truncate(0)
                while length <= file.size and (chunk := read(min(CHUNK, file.size + 1 - length))):
                    if self.stopped.is_set():
                        raise TransferError("stopped")
                    length += part.write(chunk)
        if length < file.size:
            raise TransferError(f"ended after {length} of {file.size} bytes", is_permanent="://" not in self._source)
        part.seek(0)
        if length > file.size or hashlib.file_digest(part, "sha256").hexdigest() != file.sha256:
            part.truncate(0)
            fault = f"is longer than {file.size} bytes" if length > file.size else "has another SHA-256 than expected"
            # What an earlier try left may be to blame; a file that came in one piece would only come so again.
            raise TransferError(fault, is_permanent=not start)

    @contextmanager
    def _open(self, file: RemoteFile, start: int) -> Iterator[tuple[int, Callable[[int], bytes]]]:
        """Yield where the bytes begin, at `start` or at 0, and what reads them as they come."""
        if "://" in self._source:
            with open_url(f"{self._source}/{quote(file.path)}", start, self._policy.timeout) as response:
                yield start if response.status == 206 else 0, partial(response.read1, decode_content=False)
            return
        path = Path(self._source) / file.path
        try:
            stream = path.open("rb")
        except OSError as error:
            raise TransferError(f"{path}: {error.strerror}", is_permanent=True) from error
        with stream:
            stream.seek(start)
            yield start, stream.read


def _is_right(path: Path, file: RemoteFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
