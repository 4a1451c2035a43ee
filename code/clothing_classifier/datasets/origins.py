"""Where the bytes of a file come from: a folder or a web address, resumed where it can be, never longer than stated."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TypeAlias
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError

from clothing_classifier.errors import DownloadError, UsageError

CHUNK = 1 << 16
"""Bytes read at once."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file: its path below the data set's folder ("images/a.jpg"), size in bytes and SHA-256 in hexadecimal.

    Raises DownloadError for a path that would leave the folder.
    """

    path: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        pure = PureWindowsPath(self.path)  # reads both separators, and drive letters, on every system
        if pure.anchor or ".." in pure.parts or not pure.parts:
            raise DownloadError(f"the manifest names a file outside the data set's folder: {self.path!r}")


class AgainError(Exception):
    """This try failed; another may not, after `wait` seconds where the server asked for that."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class FinalError(Exception):
    """This file can't be had from this source."""


def _bounded(read: Callable[[int], bytes], left: int) -> Generator[bytes]:
    left += 1  # a body that is too long shows by one byte, however long it is
    while left and (chunk := read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk


class Folder:
    """Files below a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, file: RemoteFile, start: int) -> tuple[int, Generator[bytes]]:
        """The same contract as the web's, where what is not there at once will never be."""
        return start, self._chunks(self._root / file.path, file.size, start)

    def _chunks(self, path: Path, size: int, start: int) -> Generator[bytes]:
        try:
            with path.open("rb") as stream:
                if (actual := os.fstat(stream.fileno()).st_size) != size:
                    raise FinalError(f"{path} has {actual} bytes, not {size}")
                stream.seek(start)
                yield from _bounded(stream.read, size - start)
        except OSError as error:
            raise FinalError(f"{path}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing is held between files."""


class Web:
    """Files below an http or https address, through one pool of connections."""

    def __init__(self, base: str, connections: int, timeout: float) -> None:
        self._base = base
        url = urllib3.util.parse_url(base)
        proxy = None if proxy_bypass(url.netloc or "") else getproxies().get(url.scheme or "")
        # Redirects alone are urllib3's to follow: its retries don't see a body that breaks off.
        retries = urllib3.Retry(5, connect=0, read=0, status=0, other=0, redirect=5, respect_retry_after_header=False)
        self._pool = urllib3.PoolManager(maxsize=connections, timeout=timeout, retries=retries)
        if proxy:
            login = urllib3.make_headers(proxy_basic_auth=urllib3.util.parse_url(proxy).auth)
            self._pool = urllib3.ProxyManager(
                proxy, proxy_headers=login, maxsize=connections, timeout=timeout, retries=retries
            )

    def open(self, file: RemoteFile, start: int) -> tuple[int, Generator[bytes]]:
        """Where the bytes begin, at `start` or at 0, and the bytes: as many as are left, and one, at most."""
        try:
            response = self._get(file, start)
            if start and response.status in (206, 416) and not _continues(response, start, file):
                response.close()
                start, response = 0, self._get(file, 0)
            if response.status != 200 and not (start and response.status == 206):
                response.close()
                raise _refusal(response)
        except (HTTPError, OSError) as error:
            raise AgainError(_reason(error)) from error
        start = start if response.status == 206 else 0
        return start, self._chunks(response, file.size - start)

    def _get(self, file: RemoteFile, start: int) -> urllib3.BaseHTTPResponse:
        # Any other encoding would make the body's length, and a range of it, mean something else.
        headers = {"User-Agent": "clothing-classifier", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        url = f"{self._base}/{quote(file.path)}"
        return self._pool.request("GET", url, headers=headers, preload_content=False)

    def _chunks(self, response: urllib3.BaseHTTPResponse, left: int) -> Generator[bytes]:
        try:
            # read1 hands on what has come, so a connection that drops costs nothing already received.
            yield from _bounded(lambda count: response.read1(count, decode_content=False), left)
        except (HTTPError, OSError) as error:
            raise AgainError(_reason(error)) from error
        finally:
            response.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()


Origin: TypeAlias = Folder | Web

_CONNECTION = re.compile(r"^\w+Connection(Pool)?\([^)]*\): ")
"""How urllib3 begins a reason: with the object that met it."""


def open_origin(source: str, connections: int, timeout: float) -> Origin:
    """The origin that `source` (a folder, or an address) names; raises `DownloadError` or `UsageError`."""
    if "://" not in source:
        if not Path(source).is_dir():
            raise DownloadError(f"{source}: there is no such folder to fetch from")
        return Folder(Path(source))
    if not source.lower().startswith(("http://", "https://")):
        raise UsageError(f"{source}: only a folder, or an http:// or https:// address, can be fetched from")
    try:
        return Web(source.rstrip("/"), connections, timeout)
    except HTTPError as error:
        raise UsageError(f"{source}: {_reason(error)}") from error


def _continues(response: urllib3.BaseHTTPResponse, start: int, file: RemoteFile) -> bool:
    found = response.headers.get("Content-Range", "").lower()
    return response.status == 206 and found in {f"bytes {start}-{file.size - 1}/{all_}" for all_ in (file.size, "*")}


def _refusal(response: urllib3.BaseHTTPResponse) -> AgainError | FinalError:
    reason = f"HTTP {response.status} {response.reason or ''}".strip()
    if response.status in (408, 425, 429) or response.status >= 500:
        return AgainError(reason, urllib3.Retry().get_retry_after(response) or 0.0)
    return FinalError(reason)


def _reason(error: Exception) -> str:
    """What went wrong on the wire, in one line."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    return _CONNECTION.sub("", " ".join(str(cause).split())) or type(cause).__name__
