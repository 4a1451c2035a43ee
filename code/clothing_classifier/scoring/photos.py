"""From inputs to what a classifier reads: remote photos are fetched ahead, many at once, each with retries."""

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

from clothing_classifier import errors
from clothing_classifier.datasets.download import read_url, reason, retry
from clothing_classifier.preprocessing import DEFAULT_LIMITS
from clothing_classifier.scoring import storage
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.scoring.tables import PhotoReader
from clothing_classifier.utils import one_line

CONNECTIONS = 16
"""Photos fetched at once."""
_AHEAD = 4 * CONNECTIONS
_MAX_BYTES = DEFAULT_LIMITS.bytes
_POLL_SECONDS = 0.2


class LazyPhoto(io.BytesIO):
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


def load(inputs: Iterable[Input], column: str | None) -> Iterator[str | LazyPhoto]:
    """Yield for each input, in order, the path of a file here, or a `LazyPhoto` that is being fetched or in memory.

    Once closed before its end, it fetches no more, and photos that are on their way count as unreadable.
    """
    reader, waiting, stopped = PhotoReader(column), deque[str | LazyPhoto](), Event()
    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        for item in inputs:
            waiting.append(_source(item, reader, pool, stopped))
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting
    except BaseException:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(wait=False)  # the last photos may be on their way yet


def fetch(url: str, stopped: Event | None = None) -> bytes:
    """The bytes of a photo elsewhere, not much more of them than a photo may have; raises `ImageError`.

    Once `stopped` is set, it is not asked for again.
    """
    name = one_line(url)
    try:
        if url.lower().startswith(("http://", "https://")):
            return retry(lambda: read_url(url, _MAX_BYTES), stopped=stopped)
        files, path = storage.resolve(url)
        return retry(lambda: _read_object(files, path), stopped=stopped)
    except errors.UsageError as error:  # a URL of a kind that is not known
        raise errors.ImageUnreadableError(f"{name}: the file can't be fetched ({error})") from error
    except Exception as error:  # see `retry`
        if isinstance(error, FileNotFoundError) or getattr(error, "status", None) in (404, 410):
            raise errors.ImageNotFoundError(f"{name}: there is no such file") from error
        fault = f"the file can't be fetched{storage.tried(error)} ({reason(error)})"
        raise errors.ImageUnreadableError(f"{name}: {fault}") from error


def _read_object(files: Any, path: str) -> bytes:
    try:
        return bytes(files.cat_file(path, start=0, end=_MAX_BYTES + 1))
    except Exception as error:
        # There is no first byte of an empty object, and stores call a range of it unsatisfiable.
        if "not satisfiable" in str(error):
            return b""
        raise


def _source(item: Input, reader: PhotoReader, pool: ThreadPoolExecutor, stopped: Event) -> str | LazyPhoto:
    if item.fault is not None:
        return LazyPhoto(item.name, _raiser(item.fault))
    if item.table is not None and item.group is not None and item.row is not None:
        data = reader.read(item.table, item.group, item.row)
        if data is None:
            return LazyPhoto(item.name, _raiser(f"{one_line(item.name)}: the row holds no photo"))
        return LazyPhoto(item.name, lambda: data)
    if item.source is not None and storage.is_url(item.source):
        fetched = pool.submit(fetch, item.source, stopped)
        return LazyPhoto(item.name, lambda: _result(fetched, item.name, stopped))
    return item.name


def _result(fetched: Future[bytes], name: str, stopped: Event) -> bytes:
    while True:
        try:
            return fetched.result(_POLL_SECONDS)
        except TimeoutError:
            if stopped.is_set():
                raise errors.ImageUnreadableError(f"{one_line(name)}: no longer waited for") from None


def _raiser(fault: str) -> Callable[[], bytes]:
    def fail() -> bytes:
        raise errors.ImageUnreadableError(fault)

    return fail
