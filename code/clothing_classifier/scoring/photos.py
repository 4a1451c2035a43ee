"""From entries to what a classifier reads: remote photos are fetched ahead, many at once, each with retries."""

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

from clothing_classifier import errors
from clothing_classifier.preprocessing import DEFAULT_LIMITS
from clothing_classifier.scoring import storage
from clothing_classifier.scoring.entry import Entry
from clothing_classifier.scoring.tables import PhotoReader
from clothing_classifier.utils import one_line

CONNECTIONS = 16
"""Photos fetched at once."""
_AHEAD = 4 * CONNECTIONS
_LIMIT = DEFAULT_LIMITS.bytes
_PIECE = 1 << 20
_PATIENCE = 0.2


class Photo(io.BytesIO):
    """A file object that gets its bytes when read, in the thread that decodes it; `read` may raise `ImageError`."""

    def __init__(self, name: str, get: Callable[[], bytes]) -> None:
        super().__init__()
        self.name, self._get = name, get
        self._is_here = False

    def read(self, size: int | None = -1) -> bytes:
        """As any file's."""
        if not self._is_here:
            super().__init__(self._get())
            self._is_here = True
        return super().read(size)


def load(entries: Iterable[Entry], column: str | None) -> Iterator[str | Photo]:
    """Yield for each entry, in order, the path of a file here, or a `Photo` that is being fetched or in memory.

    Once closed before its end, it fetches no more, and photos that are on their way count as unreadable.
    """
    reader, waiting, stopped = PhotoReader(column), deque[str | Photo](), Event()
    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        for entry in entries:
            waiting.append(_source(entry, reader, pool, stopped))
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting
    except BaseException:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(wait=False)  # the last photos may be on their way yet


def fetch(url: str, stopped: Event = storage.NEVER) -> bytes:
    """The bytes of a photo elsewhere, not much more of them than a photo may have; raises `ImageError`.

    Once `stopped` is set, it is not asked for again.
    """
    name = one_line(url)
    try:
        files, path = storage.resolve(url)
        return storage.retry(lambda: _cat(files, path), stopped)
    except errors.UsageError as error:  # a URL of a kind that is not known
        raise errors.ImageUnreadableError(f"{name}: the file can't be fetched ({error})") from error
    except FileNotFoundError as error:
        raise errors.ImageNotFoundError(f"{name}: there is no such file") from error
    except Exception as error:  # see `storage.retry`
        tried = "" if storage.is_permanent(error) else f", tried {storage.ATTEMPTS} times"
        raise errors.ImageUnreadableError(
            f"{name}: the file can't be fetched{tried} ({storage.sentence(error)})"
        ) from error


def _cat(files: Any, path: str) -> bytes:
    try:
        if path.startswith(("http://", "https://")):
            return _stream(files, path)
        return bytes(files.cat_file(path, start=0, end=_LIMIT + 1))
    except Exception as error:
        # There is no first byte of an empty file, and servers call a range of it unsatisfiable.
        if getattr(error, "status", None) == 416 or "not satisfiable" in str(error):
            return b""
        raise


def _stream(files: Any, url: str) -> bytes:
    """As much of a photo as it may have: a server need not heed that only a range is asked for."""
    data = bytearray()
    with files.open(url, "rb", block_size=0, size=_LIMIT) as body:  # a size spares asking the server for it
        while len(data) <= _LIMIT and (piece := body.read(_PIECE)):
            data += piece
    return bytes(data)


def _source(entry: Entry, reader: PhotoReader, pool: ThreadPoolExecutor, stopped: Event) -> str | Photo:
    if entry.fault is not None:
        return Photo(entry.name, _raiser(entry.fault))
    if entry.table is not None and entry.group is not None and entry.row is not None:
        data = reader.read(entry.table, entry.group, entry.row)
        if data is None:
            return Photo(entry.name, _raiser(f"{one_line(entry.name)}: the row holds no photo"))
        return Photo(entry.name, lambda: data)
    if entry.source is not None and storage.is_url(entry.source):
        fetched = pool.submit(fetch, entry.source, stopped)
        return Photo(entry.name, lambda: _result(fetched, entry.name, stopped))
    return entry.name


def _result(fetched: Future[bytes], name: str, stopped: Event) -> bytes:
    while True:
        try:
            return fetched.result(_PATIENCE)
        except TimeoutError:
            if stopped.is_set():
                raise errors.ImageUnreadableError(f"{one_line(name)}: no longer waited for") from None


def _raiser(fault: str) -> Callable[[], bytes]:
    def fail() -> bytes:
        raise errors.ImageUnreadableError(fault)

    return fail
