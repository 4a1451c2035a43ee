"""Photos out of request bodies: in memory, bounded while they arrive, with file names made safe."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, Callable
from io import BytesIO
from typing import TypeAlias

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.problems import Problem
from clothing_classifier.utils import one_line

QUERY_PARAMETERS = ("top", "min_precision", "class_map", "model")
"""Of /v1/predict; as fields of a form they would be ignored."""
_MAX_NAME = 255
_MAX_FIELDS, _MAX_FIELD_BYTES = 64, 65_536
_TEXT_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Hold: TypeAlias = Callable[[int], None]
"""Counts bytes held in memory; raises a 503 problem where all requests together hold too many."""


class Upload(BytesIO):
    """A photo as it came; `name` is safe to show."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(data)
        self.name = name


async def read_uploads(request: Request, limits: ServiceLimits, hold: Hold) -> list[Upload]:
    """The photos of a request, one at least: the files of a form, or the whole body, named `body`.

    Raises `Problem` and `ClientDisconnect`.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise Problem("bad-request", f"content encoding {one_line(encoding)} is not supported: send photos as they are")
    is_form = parse_options_header(request.headers.get("content-type", ""))[0] == b"multipart/form-data"
    most = limits.upload_bytes if is_form else min(limits.image.bytes, limits.upload_bytes)
    try:
        async with asyncio.timeout(limits.body_seconds):
            pieces = _stream(request, most, hold)
            if is_form:
                return await _read_form(request, limits, pieces)
            data = b"".join([piece async for piece in pieces])
    except TimeoutError as error:
        detail = f"the body did not arrive within {limits.body_seconds:g} s: send it faster"
        raise Problem("slow-request", detail) from error
    if not data:
        raise Problem("bad-image", "the body is empty: send an image's bytes, or files as multipart/form-data")
    return [Upload("body", data)]


def safe_name(name: str) -> str:
    """A client's file name without folders, on one line, in one direction, and of limited length."""
    text = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1].strip()
    return _TEXT_DIRECTION.sub("", one_line(text))[:_MAX_NAME] or "unnamed"


class _FormParser(MultiPartParser):
    """Starlette's parser; keeps files in memory, and notices a body that breaks off."""

    spool_max_size = 0  # never to disk
    is_complete = False

    def on_end(self) -> None:
        self.is_complete = True


async def _read_form(request: Request, limits: ServiceLimits, pieces: AsyncGenerator[bytes, None]) -> list[Upload]:
    parser = _FormParser(
        request.headers, pieces, max_files=limits.files, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        kind = "too-large" if error.message.startswith("Too many") else "bad-request"
        raise Problem(kind, f"the form can't be read: {error.message}") from error
    except UnicodeError as error:
        raise Problem("bad-request", "the form can't be read: a name does not decode by its charset") from error
    if not parser.is_complete:
        raise Problem("bad-request", "the form can't be read: it ends before its closing boundary")
    files = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if value.filename or value.size:  # else an input that was left blank
                files.append(Upload(safe_name(value.filename or ""), value.file.read()))
            await value.close()
        elif name in QUERY_PARAMETERS:
            raise Problem("bad-request", f"the field '{name}' is ignored in a form: put it into the query, ?{name}=...")
    if not files:
        raise Problem("bad-request", "the form holds no file: attach photos, as curl -F photo=@a.jpg does")
    return files


async def _stream(request: Request, most: int, hold: Hold) -> AsyncGenerator[bytes, None]:
    """The pieces of a body of at most `most` bytes; raises a 413 problem, unread where the length is stated."""
    too_large = Problem(
        "too-large", f"the upload is larger than {most / 1e6:g} MB: save the photos smaller, or send fewer"
    )
    left = most
    if int(request.headers.get("content-length", "0")) > most:
        raise too_large
    async for piece in request.stream():
        left -= len(piece)
        if left < 0:
            raise too_large
        hold(len(piece))
        yield piece
