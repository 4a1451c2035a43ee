"""Downloads over HTTP, and one policy of trying again: `clothing fetch` and `clothing score` get their bytes by it."""

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from threading import Event
from typing import TypeVar
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import MaxRetryError, ResponseError

from clothing_classifier.utils import one_line, reason_of

CHUNK = 1 << 16
"""Bytes read at once."""
_MAX_SECONDS = 120.0
_RETRYABLE_STATUS = (408, 425, 429)
_PERMANENT = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ValueError, ImportError)
_CONNECTION = re.compile(r"^\w+Connection(Pool)?\([^)]*\): ")
"""How urllib3 begins a reason: with the object that met it."""

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """`tries` of a file, each ended by `timeout` seconds of silence.

    Before the second try `first_wait` seconds pass, twice that before the third and so on, or what Retry-After says
    where that is longer; never more than `longest_wait`.
    """

    tries: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    timeout: float = 30.0


DEFAULT_POLICY = RetryPolicy()


class TransferError(Exception):
    """Bytes that did not arrive, or not as they should; `status` is that of the HTTP response where there was one."""

    def __init__(self, reason: str, is_permanent: bool = False, status: int | None = None, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.is_permanent, self.status, self.wait = is_permanent, status, wait


def retry(call: Callable[[], T], policy: RetryPolicy = DEFAULT_POLICY, stopped: Event | None = None) -> T:
    """Return what `call` returns, called again after failures that may pass: a busy server, a broken connection.

    Once `stopped` is set, it is not called again.
    """
    for attempt in count(1):
        try:
            return call()
        except Exception as error:  # urllib3, aiohttp and the libraries of stores have no common root
            if attempt == policy.tries or is_permanent(error):
                raise
            # Spread, so that many readers that failed at once do not come back at once.
            pause = policy.first_wait * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
            if (stopped or Event()).wait(min(max(pause, getattr(error, "wait", 0.0)), policy.longest_wait)):
                raise
    raise AssertionError


def is_permanent(error: Exception) -> bool:
    """Whether another try can't help: the file is not there or not ours, or the request is refused as such."""
    if isinstance(error, TransferError):
        return error.is_permanent
    if isinstance(error, MaxRetryError):
        return isinstance(error.reason, ResponseError)  # too many redirects
    status = getattr(error, "status", None)
    return isinstance(error, _PERMANENT) or (isinstance(status, int) and _is_refusal(status))


def reason(error: BaseException) -> str:
    """What went wrong, as part of a line."""
    error = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    status, message = getattr(error, "status", None), getattr(error, "message", None)
    if isinstance(status, int) and message is not None:  # aiohttp's
        return f"HTTP {status} {one_line(str(message))}".strip()
    return _CONNECTION.sub("", reason_of(error))


@contextmanager
def open_url(url: str, start: int = 0, timeout: float = DEFAULT_POLICY.timeout) -> Iterator[urllib3.BaseHTTPResponse]:
    """The response to a GET: from byte `start` on where the server grants that (status 206), else from the beginning.

    Raises `TransferError` for other responses and urllib3's `HTTPError`. Proxies are those of the environment.
    """
    # Any other encoding would make the body's length, and a range of it, mean something else.
    headers = {"User-Agent": "clothing-classifier", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    response = _pool(_proxy(url)).request("GET", url, headers=headers, timeout=timeout, preload_content=False)
    try:
        if response.status == 416 and start:
            with open_url(url, 0, timeout) as whole:
                yield whole
        elif response.status == 200 or (response.status == 206 and start):
            yield response
        else:
            text = f"HTTP {response.status} {one_line(response.reason or '')}".strip()
            wait = urllib3.Retry().get_retry_after(response) or 0.0
            raise TransferError(text, _is_refusal(response.status), response.status, wait)
    finally:
        response.close()


def read_url(url: str, most: int) -> bytes:
    """The bytes at `url`, or the first of them, more than `most`, where there are more; raises as `open_url` does."""
    data, last = bytearray(), time.monotonic() + _MAX_SECONDS
    with open_url(url) as response:
        while len(data) <= most and (chunk := response.read1(CHUNK, decode_content=False)):
            data += chunk
            if time.monotonic() > last:
                raise TransferError(f"not whole after {_MAX_SECONDS:g} s")
    return bytes(data)


def _is_refusal(status: int) -> bool:
    return status < 500 and status not in _RETRYABLE_STATUS


def _proxy(url: str) -> str | None:
    parsed = urllib3.util.parse_url(url)
    return None if proxy_bypass(parsed.netloc or "") else getproxies().get(parsed.scheme or "")


@cache
def _pool(proxy: str | None) -> urllib3.PoolManager:
    # Redirects alone are urllib3's to follow: its retries don't see a body that breaks off.
    retries = urllib3.Retry(5, connect=0, read=0, status=0, other=0, redirect=5, respect_retry_after_header=False)
    if proxy is None:
        return urllib3.PoolManager(maxsize=64, retries=retries)
    login = urllib3.make_headers(proxy_basic_auth=urllib3.util.parse_url(proxy).auth)
    return urllib3.ProxyManager(proxy, proxy_headers=login, maxsize=64, retries=retries)
