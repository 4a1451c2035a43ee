"""From entries to what a classifier reads: remote photos are fetched ahead, many at once, each with retries."""

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

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
    """Yield for each entry, in order, the path of a file here, or a `Photo` that is being fetched or in memory."""
    reader, waiting = PhotoReader(column), deque[str | Photo]()
    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        for entry in entries:
            waiting.append(_source(entry, reader, pool))
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(wait=False)  # the last photos may be on their way yet


def fetch(url: str) -> bytes:
    """The bytes of a photo elsewhere, not much more of them than a photo may have; raises `ImageError`."""
    name = one_line(url)
    try:
        files, path = storage.resolve(url)
        return storage.retry(lambda: _cat(files, path))
    except errors.UsageError as error:  # a URL of a kind that is not known
        raise errors.ImageUnreadableError(f"{name}: the file can't be fetched ({error})") from error
    except FileNotFoundError as error:
        raise errors.ImageNotFoundError(f"{name}: there is no such file") from error
    except Exception as error:  # see `storage.retry`
        tried = "" if storage.is_permanent(error) else f", tried {storage.ATTEMPTS} times"
        raise errors.ImageUnreadableError(
            f"{name}: the file can't be fetched{tried} ({storage.sentence(error)})"
        ) from error


def _cat(files: object, path: str) -> bytes:
    try:
        return bytes(files.cat_file(path, start=0, end=_LIMIT + 1))  # type: ignore[attr-defined]
    except Exception as error:
        # There is no first byte of an empty file, and servers call a range of it unsatisfiable.
        if getattr(error, "status", None) == 416 or "not satisfiable" in str(error):
            return b""
        raise


def _source(entry: Entry, reader: PhotoReader, pool: ThreadPoolExecutor) -> str | Photo:
    if entry.fault is not None:
        return Photo(entry.name, _raiser(entry.fault))
    if entry.table is not None and entry.group is not None and entry.row is not None:
        data = reader.read(entry.table, entry.group, entry.row)
        return Photo(entry.name, lambda: data)
    if entry.source is not None and storage.is_url(entry.source):
        return Photo(entry.name, pool.submit(fetch, entry.source).result)
    return entry.name


def _raiser(fault: str) -> Callable[[], bytes]:
    def fail() -> bytes:
        raise errors.ImageUnreadableError(fault)

    return fail
