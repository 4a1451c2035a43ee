"""Pictures of every format that is accepted, as the tests of the image contract need them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image, ImageDraw

from clothing_classifier import errors
from clothing_classifier.preprocessing import Fit, ImageContract, Pixels, prepare

FITS: tuple[Fit, ...] = get_args(Fit)
CONTRACT = ImageContract(32)
ORIENTATION = 0x0112
# How the camera stored the upright picture, by the orientation that undoes it.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encode(image: Image.Image, form: str, frames: Sequence[Image.Image] = (), **options: Any) -> bytes:
    file = io.BytesIO()
    if frames:
        options |= {"save_all": True, "append_images": [frame.copy() for frame in frames]}
    image.copy().save(file, form, **options)  # copies, since some savers leave their settings on an image
    return file.getvalue()


def encode_heic(image: Image.Image, **options: Any) -> bytes:
    pytest.importorskip("pillow_heif", reason="needs the extra 'heic'").register_heif_opener()
    return encode(image, "HEIF", **options)


def garment(width: int = 70, height: int = 45) -> Image.Image:
    """A picture without any symmetry: each of the eight orientations looks different, in large plain areas."""
    image = Image.new("RGB", (width, height), (240, 235, 220))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2, height // 3), fill=(200, 30, 40))
    draw.rectangle((0, 0, width // 5, height - 1), fill=(20, 60, 160))
    draw.ellipse((width // 2, height // 2, width - 1, height - 1), fill=(30, 140, 60))
    return image


def ramp(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 3 % 256, y * 5 % 256, x * y % 256], -1).astype(np.uint8))


def photo(width: int, height: int) -> Image.Image:
    """Smooth shades with edges and some grain, as a photo has."""
    grain = np.random.default_rng(1).normal(0, 4, (height, width, 3))
    image = garment(width, height)
    return Image.fromarray(np.clip(np.asarray(image) * 0.8 + 20 + grain, 0, 255).astype(np.uint8))


def png(width: int, height: int, depth: int, colour: int, rows: bytes = b"", *chunks: tuple[bytes, bytes]) -> bytes:
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (header, *chunks, *body)
    )


def with_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    return exif


def encoded_samples() -> dict[str, bytes]:
    image, other = garment(), garment().rotate(90)
    deep = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    exif = with_exif(6)
    return {
        "jpeg": encode(image, "JPEG", exif=exif),
        "jpeg-progressive": encode(image, "JPEG", progressive=True),
        "jpeg-cmyk": encode(image.convert("CMYK"), "JPEG"),
        "jpeg-grey": encode(image.convert("L"), "JPEG"),
        "mpo": encode(image, "MPO", [other]),
        "png": encode(image, "PNG", exif=exif),
        "png-palette": encode(image.convert("P"), "PNG"),
        "png-16-bit": encode(deep, "PNG"),
        "png-animated": encode(image, "PNG", [other]),
        "webp": encode(image, "WEBP", exif=exif),
        "webp-lossless": encode(image, "WEBP", lossless=True),
        "webp-animated": encode(image, "WEBP", [other]),
        "gif": encode(image, "GIF"),
        "gif-animated": encode(image, "GIF", [other]),
        "bmp": encode(image, "BMP"),
        "tiff": encode(image, "TIFF", exif=exif),
        "tiff-lzw": encode(image, "TIFF", compression="tiff_lzw", exif=exif),
        "tiff-jpeg": encode(image, "TIFF", compression="jpeg"),
        "tiff-deflate": encode(image, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-fax": encode(image.convert("1"), "TIFF", compression="group4"),
        "tiff-16-bit": encode(deep, "TIFF"),
        "tiff-pages": encode(image, "TIFF", [other]),
    }


SAMPLES = encoded_samples()
STILL = sorted(name for name in SAMPLES if name.split("-")[-1] not in ("animated", "pages") and name != "mpo")


def mean_difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def answer(data: bytes, contract: ImageContract = CONTRACT) -> Pixels | errors.ImageError:
    try:
        return prepare(data, contract)
    except errors.ImageError as error:
        return error


def assert_one_line(error: errors.ImageError) -> None:
    assert str(error).isprintable()
    assert len(str(error)) > 10
