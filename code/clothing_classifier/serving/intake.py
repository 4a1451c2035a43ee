"""Photos out of request bodies: in memory, within limits that hold while the body arrives, and no name trusted."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from email.message import Message
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from clothing_classifier.errors import ImageError, without_frames
from clothing_classifier.preprocessing import HEAD, check_arrived
from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.problems import Problem, busy, image_problem
from clothing_classifier.utils import one_line

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks  # which is not there at run time

OF_THE_QUERY = ("top", "min_precision", "class_map", "model")
"""What is asked of photos, which would do nothing among them."""
_LONGEST_NAME = 255
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Upload(BytesIO):
    """A photo as it came, or why it was refused on its way; `name` is safe to show."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.error: ImageError | None = None
        self._recognised = False

    def add(self, data: bytes, limits: ServiceLimits) -> None:
        """Append `data`; what was refused takes no more memory."""
        if self.error:
            return
        self.write(data)
        size = self.tell()
        if size > limits.image.bytes or (size >= HEAD and not self._recognised):
            try:
                check_arrived(self.getvalue(), self.name, limits.image)
            except ImageError as error:
                self.error = without_frames(error)
                self.truncate(0)
            self._recognised = True

    def rewound(self) -> "Upload":
        """This upload, to be read from its start."""
        self.seek(0)
        return self


class Budget:
    """Bytes of bodies that may be held in memory, over all requests."""

    def __init__(self, size: int) -> None:
        self._left = size

    @contextmanager
    def lease(self) -> "Iterator[Lease]":
        """Yield a lease whose bytes come back at the end of the block."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            self._left += lease.taken

    def take(self, count: int) -> None:
        """Take `count` bytes or raise a 503 problem."""
        if count > self._left:
            raise busy("too many uploads arrive at a time")
        self._left -= count


class Lease:
    """What one request holds of a `Budget`."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self.taken = budget, 0

    def take(self, count: int) -> None:
        """Take `count` more bytes or raise a 503 problem."""
        self._budget.take(count)
        self.taken += count


async def read_uploads(request: Request, limits: ServiceLimits, lease: Lease) -> list[Upload]:
    """The photos of a request, one at least; a raw body is one named `body`. Raises `Problem`."""
    if (encoding := request.headers.get("content-encoding", "identity").lower()) != "identity":
        raise Problem(
            "bad-request", f"a body in the encoding {one_line(encoding)} is not read: send photos as they are"
        )
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    is_form = kind == b"multipart/form-data"
    receiver: _Receiver = _Form(options.get(b"boundary", b""), limits) if is_form else _Body(limits)
    _check_length(request, limits.upload_bytes if is_form else limits.image.bytes)
    size = 0
    async for data in _arriving(request, limits):
        size += len(data)
        if size > limits.upload_bytes:
            raise _too_large(limits.upload_bytes)
        lease.take(len(data))
        receiver.add(data)
    return receiver.finish()


def safe_name(name: bytes) -> str:
    """A client's file name without folders, on one line, in one direction, and of limited length."""
    text = unicodedata.normalize("NFC", name.decode("utf-8", "replace"))
    text = re.split(r"[/\\]", text)[-1].strip()
    text = _DIRECTION.sub("", one_line(text))
    return text[:_LONGEST_NAME] or "unnamed"


class _Receiver(Protocol):
    def add(self, data: bytes) -> None: ...

    def finish(self) -> list[Upload]: ...


class _Body:
    """A raw image body."""

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits, self._upload = limits, Upload("body")

    def add(self, data: bytes) -> None:
        self._upload.add(data, self._limits)
        if self._upload.error:
            raise image_problem(self._upload.error)

    def finish(self) -> list[Upload]:
        if not self._upload.tell():
            detail = "the body is empty: send an image's bytes, or files as multipart/form-data"
            raise Problem("bad-image", detail)
        return [self._upload]


class _Form:
    """A multipart body, taken apart as it arrives."""

    def __init__(self, boundary: bytes, limits: ServiceLimits) -> None:
        if not boundary:
            raise _broken("the header Content-Type names no boundary")
        # Parts know nothing of the parser that calls them: in a ring, photos would outlive their requests.
        self._parts = _Parts(limits)
        try:
            self._parser = MultipartParser(boundary, self._parts.callbacks())
        except FormParserError as error:
            raise _broken(str(error)) from error

    def add(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _broken(str(error)) from error

    def finish(self) -> list[Upload]:
        if not self._parts.ended:
            raise _broken("it ends before its closing boundary")
        if not self._parts.uploads:
            raise Problem("bad-request", "the form holds no file: attach photos, as curl -F photo=@a.jpg does")
        return self._parts.uploads


class _Parts:
    """What the parts of a form hold; fields are passed over, and the empty file of an input that was left blank."""

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits = limits
        self.uploads: list[Upload] = []
        self.ended = False
        self._count = 0
        self._current: Upload | None = None
        self._field, self._value, self._disposition = bytearray(), bytearray(), b""

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls, by its names."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_content,
            "on_part_data": self._add_content,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        self._count += 1
        if self._count > self._limits.parts:
            raise Problem("too-large", f"more than {self._limits.parts} parts: send the photos in several requests")
        self._current, self._disposition = None, b""

    def _end_header(self) -> None:
        if bytes(self._field).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _begin_content(self) -> None:
        name = _file_name(self._disposition)
        if name is None:
            self._check_field()
            return
        if len(self.uploads) == self._limits.files:
            raise Problem("too-large", f"more than {self._limits.files} photos: send them in several requests")
        self._current = Upload(safe_name(name))
        self.uploads.append(self._current)

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        if self._current is not None:
            self._current.add(data[start:end], self._limits)

    def _end_part(self) -> None:
        if self._current is not None and not self._current.tell() and _file_name(self._disposition) == b"":
            self.uploads.remove(self._current)

    def _end(self) -> None:
        self.ended = True

    def _check_field(self) -> None:
        name = parse_options_header(self._disposition)[1].get(b"name", b"").decode("utf-8", "replace")
        if name in OF_THE_QUERY:
            raise Problem("bad-request", f"the field '{name}' is ignored in a form: put it into the query, ?{name}=...")


def _file_name(disposition: bytes) -> bytes | None:
    """The name of a part's file; None where the part is a plain field."""
    if name := parse_options_header(disposition)[1].get(b"filename"):
        return name
    header = Message()  # knows filename* too, which RFC 7578 forbids and some clients send alone
    header["content-disposition"] = disposition.decode("latin-1")
    try:
        encoded = header.get_filename()
    except ValueError as error:  # of a character set that Python knows and can't decode by
        raise _broken("the name of a file is in no known encoding") from error
    return None if encoded is None else encoded.encode("utf-8", "replace")


async def _arriving(request: Request, limits: ServiceLimits) -> AsyncIterator[bytes]:
    """The pieces of a body; raises a 408 problem when they stop coming, and `ClientDisconnect`."""
    last = asyncio.get_running_loop().time() + limits.body_seconds
    more = True
    while more:
        try:
            stalled = asyncio.get_running_loop().time() + limits.stall_seconds
            async with asyncio.timeout_at(min(last, stalled)):
                message = await request.receive()
        except TimeoutError as error:
            allowed = f"{limits.body_seconds:g} s in all, {limits.stall_seconds:g} s without a byte"
            raise Problem("slow-request", f"the body did not arrive in time ({allowed}): send it faster") from error
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if data := message.get("body", b""):
            yield data


def _check_length(request: Request, limit: int) -> None:
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"the upload is larger than {limit / 1e6:g} MB: save the photos smaller, or send fewer")


def _broken(reason: str) -> Problem:
    return Problem("bad-request", f"the multipart body can't be read: {one_line(reason)}")
