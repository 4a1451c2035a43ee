"""From whatever holds a photo to an opened image: the format by content, the limits before anything is decoded."""

import os
import re
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO, IOBase
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from clothing_classifier import errors
from clothing_classifier.preprocessing.contract import DEFAULT_LIMITS, Bytes, Limits, Source
from clothing_classifier.preprocessing.upright import to_eight_bit
from clothing_classifier.utils import one_line, reason_of

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_HEAD = 512
"""Bytes from which a file's format is known, or the web page in its place."""

_SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF....WEBP", re.DOTALL)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_SCANS = 100
"""Passes over a JPEG's pixels: an encoder makes some ten, each costs time, and a small file could hold 100,000."""
_MARKER = re.compile(rb"\xff+([\xc0-\xcf\xd9-\xfe])")
"""A marker with a length behind it, or the end of a JPEG; decoders pass over others byte by byte."""
_FIRST_READ = 1 << 16
"""Bytes asked for at first: a read sets aside as many as it is asked for, and most photos are far below the limit."""


PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, DEFAULT_LIMITS.bytes)
"""What editors keep of their history, compressed, is not damage; Pillow's bound on all of a file's text stays."""


def open_image(source: Source, limits: Limits, name: str) -> Image.Image:
    """Identify `source` and check it against `limits`; a file is not decoded yet. Raises `ImageError`s."""
    if isinstance(source, np.ndarray):
        return _from_array(source, limits, name)
    if isinstance(source, Image.Image):
        _check_size(source.size, limits, name)
        return source
    return _open_bytes(_read(source, limits, name), limits, name)


def name_of(source: Source) -> str:
    """What errors call `source`: its path where it has one."""
    if isinstance(source, str | os.PathLike):
        return one_line(os.fsdecode(source)) or "the empty path"
    name = getattr(source, "name", None) or getattr(source, "filename", None)
    return one_line(name) if isinstance(name, str) else "the image"


def _read(source: str | os.PathLike[str] | Bytes | IO[bytes], limits: Limits, name: str) -> bytes:
    data = bytes(source) if isinstance(source, Bytes) else _read_file(source, limits, name)
    if not data:
        if isinstance(source, IOBase) and source.seekable() and source.tell():
            raise errors.ImageEmptyError(f"{name}: the file was read to its end before (0 bytes left)")
        raise errors.ImageEmptyError(f"{name}: the file is empty (0 bytes)")
    _check_bytes(data, limits, name)
    return data


def _check_bytes(data: bytes | bytearray, limits: Limits, name: str) -> None:
    if len(data) > limits.bytes:
        raise errors.ImageTooManyBytesError(
            f"{name}: the file is larger than {limits.bytes / 1e6:g} MB; save it smaller"
        )


def _read_file(source: str | os.PathLike[str] | IO[bytes], limits: Limits, name: str) -> bytes:
    try:
        with _opened(source) as file:
            parts, size = [], 0
            # A pipe gives what is there, which may be less than the rest: only nothing is the end.
            while part := file.read(min(max(size, _FIRST_READ), limits.bytes + 1 - size)):
                if not isinstance(part, bytes):
                    raise TypeError(f"{name}: a photo's file is opened as a binary one, not for text")
                parts.append(part)
                size += len(part)
            return b"".join(parts)
    except FileNotFoundError as error:
        raise errors.ImageNotFoundError(f"{name}: there is no such file") from error
    except IsADirectoryError as error:
        raise errors.ImageNotFoundError(f"{name}: this is a folder, not a file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path, or a closed file
        reason = getattr(error, "strerror", None) or str(error)
        raise errors.ImageUnreadableError(f"{name}: the file can't be read ({reason})") from error


def _opened(source: str | os.PathLike[str] | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    if source == "":  # which `Path` takes for the folder that we are in
        raise FileNotFoundError
    if isinstance(source, str | os.PathLike):
        return Path(os.fsdecode(source)).open("rb")
    if not hasattr(source, "read"):
        raise TypeError(
            f"a photo is a path, bytes, a binary file, an array or a PIL image, not {type(source).__name__}"
        )
    return nullcontext(source)


def _open_bytes(data: bytes, limits: Limits, name: str) -> Image.Image:
    _register_heic_if_needed(data, name)
    try:
        image = Image.open(BytesIO(data), formats=(*FORMATS, "HEIF") if _is_heic(data) else FORMATS)
    except UnidentifiedImageError as error:
        raise _unidentified(data, name) from error
    except Image.DecompressionBombError as error:
        raise errors.ImageTooManyPixelsError(
            f"{name}: more than {limits.pixels / 1e6:g} million pixels; save it smaller"
        ) from error
    except Exception as error:  # Pillow's header parsers raise a dozen unrelated types on damaged data
        raise errors.ImageCorruptError(f"{name}: the image is damaged ({reason_of(error)})") from error
    _check_size(image.size, limits, name)
    if image.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > _SCANS and _scans(data) > _SCANS:
        raise errors.ImageCorruptError(f"{name}: the JPEG is made of more than {_SCANS} scans; save it anew")
    return image


def _scans(data: bytes) -> int:
    """Scans before a JPEG's end of image (ITU-T T.81, B.1.1); phones put a film behind it, which may hold any bytes."""
    scans, position = 0, 2
    while (found := _MARKER.search(data, position)) and found[1] != b"\xd9":
        scans += found[1] == b"\xda"
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return scans


def _check_size(size: tuple[int, int], limits: Limits, name: str) -> None:
    width, height = size
    if min(size) < 1:
        raise errors.ImageEmptyError(f"{name}: the image has no pixels ({width} x {height})")
    if max(size) > limits.side:
        raise errors.ImageTooLongError(f"{name}: {width} x {height} px; no side may be over {limits.side} px")
    if width * height > limits.pixels:
        raise errors.ImageTooManyPixelsError(
            f"{name}: {width} x {height} px; the limit is {limits.pixels / 1e6:g} million pixels; save it smaller"
        )


def _unidentified(data: bytes, name: str) -> errors.ImageError:
    head = data[:_HEAD].lower()
    if b"<!doctype html" in head or b"<html" in head:
        return errors.ImageFormatError(f"{name}: this is an HTML page, not an image; download the image itself")
    if _is_heic(data) or _SIGNATURE.match(data):
        return errors.ImageCorruptError(f"{name}: the image is damaged: its header can't be read")
    accepted = ", ".join("WebP" if known == "WEBP" else known for known in FORMATS)
    return errors.ImageFormatError(f"{name}: not an image in an accepted format ({accepted}, HEIC)")


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS


def _register_heic_if_needed(data: bytes, name: str) -> None:
    if not _is_heic(data) or "HEIF" in Image.OPEN:
        return
    try:
        import pillow_heif
    except ImportError as error:
        raise errors.ImageFormatError(
            f"{name}: HEIC photos need an extra: pip install '.[heic]' in the project's folder"
        ) from error
    pillow_heif.register_heif_opener()


def _from_array(array: npt.NDArray[Any], limits: Limits, name: str) -> Image.Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise errors.ImageFormatError(f"{name}: an array must be (H, W) or (H, W, 1, 3 or 4), not {array.shape}")
    if array.dtype not in (np.uint8, np.uint16):
        raise errors.ImageFormatError(f"{name}: an array must be uint8 or uint16, not {array.dtype}")
    _check_size((array.shape[1], array.shape[0]), limits, name)
    eight_bit = to_eight_bit(array) if array.dtype == np.uint16 else array
    return Image.fromarray(eight_bit[..., 0] if eight_bit.shape[2:] == (1,) else eight_bit)
