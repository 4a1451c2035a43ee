"""THE image contract: anything that holds a photo becomes an upright RGB `(size, size, 3) uint8` array, one way only.

Training's validation, evaluation, export, prediction and every later user call `prepare`, so that a network always
meets the pixels that it was trained for. The format is decided by content; the limits hold before anything is decoded.
"""

import os
import re
import warnings
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import IO, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from clothing_classifier import errors
from clothing_classifier.utils import one_line

Pixels: TypeAlias = npt.NDArray[np.uint8]
Source: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | npt.NDArray[Any] | Image.Image
Fit: TypeAlias = Literal["squash", "pad", "crop"]
_Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom of a region, in pixels."""

VERSION = 1
"""Changes whenever `prepare` gives other pixels for the same photo, so that kept copies are made anew."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
HEAD = 512
"""Bytes from which a file's format is known, or the web page in its place."""

_SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF....WEBP", re.DOTALL)
_FIRST_READ = 1 << 16
"""Bytes asked for at first: a read sets aside as many as it is asked for, and most photos are far below the limit."""
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class ImageContract:
    """How a photo becomes the model's square; travels with the weights in `bundle.json`.

    `size` is the side of the square in pixels. `fit` is `squash` (ignore the aspect), `pad` (fit the long side, repeat
    the edge pixels over the rest) or `crop` (fit the short side, keep the centre). Resampling is Pillow's bilinear
    filter, which widens its support when it shrinks (antialiasing).
    """

    size: int
    fit: Fit = "pad"


@dataclass(frozen=True)
class Limits:
    """What a file may hold before it is decoded; over any of them the image is refused."""

    bytes: int = 20_000_000
    pixels: int = 50_000_000
    side: int = 20_000


DEFAULT_LIMITS = Limits()


def prepare(source: Source, contract: ImageContract, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """Return `source` as an upright RGB array, `(size, size, 3) uint8`, fitted as `contract` says.

    `source` is a path, the bytes of a file, a binary file object, an array (`(H, W)`, `(H, W, 1)`, `(H, W, 3)` or
    `(H, W, 4)`; uint8 or uint16) or a PIL image. EXIF orientation is applied, transparency is laid over white, of an
    animation the first frame counts. A PIL image stays as it is: its pixels are loaded, nothing else. Raises a subclass
    of `errors.ImageError` that names the file.
    """
    return _fit(*_upright(source, contract, limits), contract)


def scale(source: Source, side: int, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """Return `source`, as `prepare` takes it, upright and whole: `(H, W, 3) uint8`, its long side `side` px."""
    image, box = _upright(source, ImageContract(side), limits)
    size = _resized((box[2] - box[0], box[3] - box[1]), ImageContract(side))
    return np.array(image.resize(size, Image.Resampling.BILINEAR, box=box))


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Return `source`, as `prepare` takes it, as an upright RGB image of its own size."""
    return _upright(source, None, limits)[0]


def _upright(source: Source, contract: ImageContract | None, limits: Limits) -> tuple[Image.Image, _Box]:
    """The whole image, where there is a contract decoded no larger than that needs, and where the photo lies in it."""
    name = _name_of(source)
    with _PILLOW_WARNINGS:
        image = _open(source, limits, name)
        try:
            box = _reduce(image, contract) if contract and image is not source else None
            return _upright_rgb(image, box, name)
        except errors.ImageError:
            raise
        except Exception as error:  # Pillow's decoders raise a dozen unrelated types on damaged data
            reason = _sentence(error)
            raise errors.ImageCorruptError(f"{name}: the image is truncated or damaged ({reason})") from error


def check_arrived(data: bytes | bytearray, name: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse a file from the part of it that has arrived, `HEAD` bytes or more, rather than wait for the whole.

    Raises `errors.ImageTooManyBytesError` or `errors.ImageFormatError`, as `prepare` would.
    """
    _check_bytes(data, limits, name)
    head = bytes(data[:HEAD])
    Image.init()
    accepts = [Image.OPEN[known][1] for known in FORMATS]
    if not _is_heic(head) and not any(accept and accept(head[:16]) for accept in accepts):
        raise _unidentified(head, name)


class _PillowWarnings:
    """Keeps in what Pillow warns of (damaged metadata, mostly) while any thread is inside.

    Warning filters belong to the process: were each thread to set and restore them, they would end up mixed.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._filters = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.close()


_PILLOW_WARNINGS = _PillowWarnings()


def _reduce(image: Image.Image, contract: ImageContract) -> _Box | None:
    """Have a JPEG decoded at a half, a quarter or an eighth where that is enough; return where the photo then lies.

    Its sides rarely divide: the last row and column then hold less of the photo than the others do.
    """
    reduced = image.draft(None, _resized(image.size, contract)) if image.format in ("JPEG", "MPO") else None
    return reduced[1] if reduced else None


def _resized(size: tuple[float, float], contract: ImageContract) -> tuple[int, int]:
    """Width and height of the whole image once it is fitted, before padding or cropping."""
    if contract.fit == "squash":
        return contract.size, contract.size
    scale = contract.size / (max(size) if contract.fit == "pad" else min(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _fit(image: Image.Image, box: _Box, contract: ImageContract) -> Pixels:
    side, (left, top) = contract.size, box[:2]
    width, height = box[2] - left, box[3] - top
    if contract.fit == "crop":
        edge = min(width, height)
        left, top = left + (width - edge) / 2, top + (height - edge) / 2
        box = (left, top, left + edge, top + edge)
        return np.array(image.resize((side, side), Image.Resampling.BILINEAR, box=box))
    columns, rows = _resized((width, height), contract)
    pixels = np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR, box=box))
    return _pad(pixels, side)


def _pad(pixels: Pixels, side: int) -> Pixels:
    """What `np.pad` does in mode `edge`, at a third of its time."""
    rows, columns = pixels.shape[:2]
    above, before = (side - rows) // 2, (side - columns) // 2
    below, after = above + rows, before + columns
    square = np.empty((side, side, 3), np.uint8)
    square[above:below, before:after] = pixels
    square[above:below, :before] = pixels[:, :1]
    square[above:below, after:] = pixels[:, -1:]
    square[:above] = square[above]
    square[below:] = square[below - 1]
    return square


def _name_of(source: Source) -> str:
    if isinstance(source, str | os.PathLike):
        return one_line(os.fspath(source))
    name = getattr(source, "name", None) or getattr(source, "filename", None)
    return one_line(name) if isinstance(name, str) else "the image"


def _open(source: Source, limits: Limits, name: str) -> Image.Image:
    if isinstance(source, np.ndarray):
        return _from_array(source, limits, name)
    if isinstance(source, Image.Image):
        _check_size(source.size, limits, name)
        return source
    return _open_bytes(_read(source, limits, name), limits, name)


def _read(source: str | os.PathLike[str] | bytes | IO[bytes], limits: Limits, name: str) -> bytes:
    data = source if isinstance(source, bytes) else _read_file(source, limits, name)
    if not data:
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
            start = file.read(min(_FIRST_READ, limits.bytes + 1))
            return start if len(start) < _FIRST_READ else start + file.read(limits.bytes + 1 - len(start))
    except FileNotFoundError as error:
        raise errors.ImageNotFoundError(f"{name}: there is no such file") from error
    except IsADirectoryError as error:
        raise errors.ImageNotFoundError(f"{name}: this is a folder, not a file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path, or a closed file
        reason = getattr(error, "strerror", None) or str(error)
        raise errors.ImageUnreadableError(f"{name}: the file can't be read ({reason})") from error


def _opened(source: str | os.PathLike[str] | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    return Path(source).open("rb") if isinstance(source, str | os.PathLike) else nullcontext(source)


def _open_bytes(data: bytes, limits: Limits, name: str) -> Image.Image:
    _register_heic_if_needed(data, name)
    try:
        image = Image.open(BytesIO(data), formats=(*FORMATS, "HEIF") if _is_heic(data) else FORMATS)
    except UnidentifiedImageError as error:
        raise _unidentified(data, name) from error
    except Image.DecompressionBombError as error:
        raise errors.ImageTooManyPixelsError(f"{name}: more than {limits.pixels / 1e6:g} million pixels") from error
    except Exception as error:  # Pillow's header parsers raise a dozen unrelated types on damaged data
        raise errors.ImageCorruptError(f"{name}: the image is damaged ({_sentence(error)})") from error
    _check_size(image.size, limits, name)
    return image


def _check_size(size: tuple[int, int], limits: Limits, name: str) -> None:
    width, height = size
    if min(size) < 1:
        raise errors.ImageEmptyError(f"{name}: the image has no pixels ({width} x {height})")
    if max(size) > limits.side:
        raise errors.ImageTooLongError(f"{name}: {width} x {height} px; no side may be over {limits.side} px")
    if width * height > limits.pixels:
        raise errors.ImageTooManyPixelsError(
            f"{name}: {width} x {height} px; the limit is {limits.pixels / 1e6:g} million pixels"
        )


def _unidentified(data: bytes, name: str) -> errors.ImageError:
    head = data[:HEAD].lower()
    if b"<!doctype html" in head or b"<html" in head:
        return errors.ImageFormatError(f"{name}: this is an HTML page, not an image; download the image itself")
    if _is_heic(data) or _SIGNATURE.match(data):
        return errors.ImageCorruptError(f"{name}: the image is damaged: its header can't be read")
    accepted = ", ".join("WebP" if known == "WEBP" else known for known in FORMATS)
    return errors.ImageFormatError(f"{name}: not an image in an accepted format ({accepted}, HEIC)")


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in (
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"hevx",
        b"mif1",
        b"msf1",
    )


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
    eight_bit = _to_eight_bit(array) if array.dtype == np.uint16 else array
    return Image.fromarray(eight_bit[..., 0] if eight_bit.shape[2:] == (1,) else eight_bit)


def _to_eight_bit(array: npt.NDArray[Any]) -> Pixels:
    scaled: Pixels = ((np.clip(array, 0, 65_535).astype(np.uint32) + 128) // 257).astype(np.uint8)
    return scaled


def _upright_rgb(image: Image.Image, box: _Box | None, name: str) -> tuple[Image.Image, _Box]:
    image.load()
    rgb = _to_rgb(image, name)
    box = box or (0, 0, *rgb.size)
    orientation = _orientation(image)
    if orientation not in _UPRIGHT:
        return rgb, box
    return rgb.transpose(_UPRIGHT[orientation]), _turned(box, rgb.size, orientation)


def _turned(box: _Box, size: tuple[int, int], orientation: int) -> _Box:
    """Where `box` of an image of `size` lies once that is upright."""
    left, top, right, bottom = box
    width, height = size
    if orientation in (5, 6, 7, 8):
        left, top, right, bottom, width, height = top, left, bottom, right, height, width
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # as in browsers, a photo with a damaged EXIF block is shown as stored; parsers raise anything
        return 1


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "F":
        raise errors.ImageFormatError(f"{name}: floating-point pixels have no agreed range; save it with 8 or 16 bits")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return Image.fromarray(_to_eight_bit(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _sentence(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].strip(" .") or type(error).__name__
