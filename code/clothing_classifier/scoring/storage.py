"""Files here and elsewhere: a path, or a URL that fsspec knows (S3-compatible, HTTP); listed in order, with retries."""

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import IO, Any, TypeVar, cast
from urllib.parse import unquote

import fsspec

from clothing_classifier.datasets.download import DEFAULT_POLICY, is_permanent, reason, retry
from clothing_classifier.errors import MissingExtraError, UsageError
from clothing_classifier.utils import one_line

_FILE = "file://"
_WHOLE_URL = re.compile(r"([A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
"""A URL in which all is escaped that has to be (RFC 3986)."""
_NEED_A_HOST = ("ftp", "ftps")
"""What fsspec connects to while it makes a file system, and complains of in a traceback where it can't."""
_TIMEOUT = 60
T = TypeVar("T")


def is_url(where: str) -> bool:
    """Whether `where` is a URL rather than a path of this machine."""
    return "://" in where


def plain_path(where: str) -> str:
    """`where`, or the path of this machine where it is a `file:` URL (RFC 8089), whose signs may be percent-encoded."""
    if not where.lower().startswith(_FILE):
        return where
    path = where[len(_FILE) :]
    return unquote(path.removeprefix("localhost") if path.startswith("localhost/") else path)


def walk(folder: str, depth: int | None = None) -> Iterator[str]:
    """Yield the files below `folder`, sorted by path, `depth` levels deep (all where None).

    The names of one folder at a time are in memory. Symbolic links are followed, loops are not. A folder of this
    machine that can't be listed is yielded with a slash at its end, and reading that fails; a remote one raises
    `UsageError`.
    """
    if is_url(folder):
        yield from _walk_remote(folder, depth)
    else:
        yield from _walk_local(folder, depth, frozenset())


def exists_as_folder(where: str) -> bool:
    """Whether `where` is a folder: of a bucket, one with something below it; over HTTP, a URL that ends in a slash."""
    if not is_url(where):
        return os.path.isdir(where)  # noqa: PTH112
    if where.startswith(("http://", "https://")):
        return where.endswith("/")
    files, path = resolve(where)
    return bool(_reach(lambda: files.isdir(path), where))


def open_binary(where: str) -> IO[bytes]:
    """Open a file here or elsewhere, seekable; raises `OSError`, and `UsageError` where it can't be reached."""
    if not is_url(where):
        return open(where, "rb")  # noqa: PTH123
    files, path = resolve(where)
    return cast("IO[bytes]", _reach(lambda: files.open(path, "rb"), where))


def size_of(where: str) -> int:
    """Bytes of a file here or elsewhere."""
    if not is_url(where):
        return os.stat(where).st_size  # noqa: PTH116
    files, path = resolve(where)
    return int(_reach(lambda: files.size(path), where) or 0)


def resolve(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL and the path in it; raises `UsageError`."""
    # Of a URL that is whole nothing may be unescaped: with it a signature would no longer hold.
    files = _file_system(url.partition("://")[0].lower(), bool(_WHOLE_URL.fullmatch(url)))
    return files, files._strip_protocol(url)


def _reach(call: Callable[[], T], where: str) -> T:
    try:
        return retry(call)
    except FileNotFoundError as error:
        raise UsageError(f"{one_line(where)}: there is no such file or folder") from error
    except Exception as error:  # see `retry`
        raise UsageError(f"{one_line(where)}: can't be reached{tried(error)} ({reason(error)})") from error


def tried(error: Exception) -> str:
    """How often a failed file was asked for, as part of a line."""
    return "" if is_permanent(error) else f", tried {DEFAULT_POLICY.tries} times"


@cache
def _file_system(protocol: str, as_is: bool) -> Any:
    if protocol in _NEED_A_HOST:
        raise UsageError(f"{protocol}://: can't be read from here; copy the files, or name them by http")
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False, **_options(protocol, as_is))
    except ImportError as error:
        if protocol in ("s3", "s3a"):
            raise MissingExtraError("s3fs", "s3") from error
        if protocol in ("http", "https"):
            raise MissingExtraError("aiohttp", "score") from error
        raise UsageError(f"{protocol}://: {reason(error)}") from error
    except (TypeError, ValueError) as error:  # the first where it needs more than a URL says, such as a host
        raise UsageError(f"{protocol}://: {reason(error)}") from error


def _options(protocol: str, as_is: bool) -> dict[str, Any]:
    """Time limits, and no retries below ours, which would multiply; URLs sent as they are, or escaped first."""
    if protocol in ("s3", "s3a"):
        retries = {"mode": "standard", "total_max_attempts": 1}
        return {"config_kwargs": {"retries": retries, "connect_timeout": 10, "read_timeout": _TIMEOUT}}
    if protocol in ("http", "https"):
        import aiohttp

        return {"encoded": as_is, "client_kwargs": {"timeout": aiohttp.ClientTimeout(total=_TIMEOUT, sock_connect=10)}}
    return {}


def _walk_local(folder: str, depth: int | None, above: frozenset[str]) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            # As in sorted paths: by the names along the way, folders among files.
            entries = sorted((entry.name, os.path.isdir(entry.path)) for entry in found)  # noqa: PTH112
    except OSError:
        yield os.path.join(folder, "")  # noqa: PTH118
        return
    real = os.path.realpath(folder)
    for name, is_folder in entries:
        path = os.path.join(folder, name)  # noqa: PTH118
        if not is_folder:
            yield path
        elif depth != 1 and os.path.realpath(path) not in above | {real}:
            yield from _walk_local(path, depth and depth - 1, above | {real})


def _walk_remote(folder: str, depth: int | None) -> Iterator[str]:
    files, path = resolve(folder)
    here = path.rstrip("/")
    listed = _reach(lambda: files.ls(path, detail=True), folder)
    for entry in sorted(listed, key=lambda entry: entry["name"].rstrip("/")):
        name = entry["name"]
        if name.rstrip("/") == here:  # stores keep empty objects in the place of folders
            continue
        if entry["type"] != "directory":
            yield files.unstrip_protocol(name)
        elif depth != 1:
            yield from _walk_remote(files.unstrip_protocol(name), depth and depth - 1)
