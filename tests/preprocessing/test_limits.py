"""What is too large is refused before it is decoded, or read."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import CONTRACT, assert_one_line, encode, garment, png
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from clothing_classifier import errors
from clothing_classifier.preprocessing import Limits, prepare


def gif_header(width: int, height: int) -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, 0, 0, 0)
        + b","
        + struct.pack("<4HBB", 0, 0, width, height, 0, 2)
    )


def bmp_header(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def webp_header(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    chunk = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", bits) + bytes(5)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def tiff_header(width: int, height: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", [7_072, 10_000, 15_000, 20_000, 65_535])
@pytest.mark.parametrize("header", [lambda w, h: png(w, h, 8, 2), gif_header, bmp_header, webp_header, tiff_header])
def test_a_bomb_is_refused_by_its_header(header: Callable[[int, int], bytes], side: int) -> None:
    if header is webp_header and side > 16_384:
        pytest.skip("a side of a WebP image has 14 bits")
    # None of these has pixels: were they decoded first, they would be called damaged.
    with pytest.raises((errors.ImageTooManyPixelsError, errors.ImageTooLongError)) as caught:
        prepare(header(side, side), CONTRACT)
    assert_one_line(caught.value)


@pytest.mark.parametrize("warn", ["ignore", "always", "error"])
@pytest.mark.parametrize("side", [10_000, 20_000])
def test_the_error_of_a_bomb_does_not_hang_on_the_warning_filters(side: int, warn: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(warn)
        with pytest.raises(errors.ImageTooManyPixelsError):
            prepare(png(side, side, 8, 2), CONTRACT)
    assert caught == []


def test_the_limit_on_pixels() -> None:
    limits = Limits(pixels=70 * 45)
    assert prepare(garment(70, 45), CONTRACT, limits).shape == (32, 32, 3)
    for source in (garment(70, 46), np.asarray(garment(70, 46)), encode(garment(70, 46), "PNG")):
        with pytest.raises(errors.ImageTooManyPixelsError, match="70 x 46 px"):
            prepare(source, CONTRACT, limits)


def test_the_limit_on_a_side() -> None:
    with pytest.raises(errors.ImageTooLongError, match="20001 x 1 px"):
        prepare(encode(Image.new("L", (20_001, 1)), "PNG"), CONTRACT)
    with pytest.raises(errors.ImageTooLongError, match="1 x 20001 px"):
        prepare(np.zeros((20_001, 1), np.uint8), CONTRACT)


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
def test_the_limit_on_bytes(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    data = encode(garment(), "PNG")
    limits = Limits(bytes=len(data) + 100)
    for extra, fits in ((100, True), (101, False)):
        path.write_bytes(data + bytes(extra))
        source = {"path": path, "bytes": path.read_bytes(), "file": io.BytesIO(path.read_bytes())}[kind]
        if fits:
            np.testing.assert_array_equal(prepare(source, CONTRACT, limits), prepare(data, CONTRACT))
        else:
            with pytest.raises(errors.ImageTooManyBytesError, match="larger than"):
                prepare(source, CONTRACT, limits)


def test_a_file_over_20_mb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(errors.ImageTooManyBytesError, match="20 MB"):
        prepare(path, CONTRACT)


@pytest.mark.parametrize("kind", ["path", "file"])
@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000])
def test_a_file_of_any_length_is_read_whole(size: int, kind: str, tmp_path: Path) -> None:
    data = encode(garment(), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data + bytes(size - len(data)))
    source = path if kind == "path" else io.BytesIO(path.read_bytes())
    limits = Limits(bytes=size)
    np.testing.assert_array_equal(prepare(source, CONTRACT, limits), prepare(data, CONTRACT))
    with pytest.raises(errors.ImageTooManyBytesError):
        prepare(path, CONTRACT, Limits(bytes=size - 1))


def test_a_file_that_arrives_in_parts_is_read_whole() -> None:
    data = encode(garment(900, 700), "PNG")

    class Pipe(io.RawIOBase):
        rest = data

        def read(self, size: int = -1) -> bytes:
            part, self.rest = self.rest[: min(size, 500)], self.rest[min(size, 500) :]
            return part

    np.testing.assert_array_equal(prepare(Pipe(), CONTRACT), prepare(data, CONTRACT))


def test_an_endless_file_is_read_no_further_than_the_limit() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.given += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(errors.ImageTooManyBytesError):
        prepare(endless, CONTRACT, Limits(bytes=1000))
    assert endless.given <= 1001


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encode(garment(), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    prepare(data[:-2] + 50 * data[start:-2] + data[-2:], CONTRACT)
    with pytest.raises(errors.ImageCorruptError, match="more than 100 scans") as caught:
        prepare(data[:-2] + 100 * data[start:-2] + data[-2:], CONTRACT)
    assert_one_line(caught.value)


@pytest.mark.parametrize("progressive", [False, True])
def test_what_a_phone_puts_behind_a_jpeg_is_no_scan_of_it(progressive: bool) -> None:
    data = encode(garment(), "JPEG", progressive=progressive)
    film = 400 * b"\xff\xda\x00\x08film"
    for behind in (film, b"\0\0\0\x18ftypmp42" + film):  # the head of a film is no length
        np.testing.assert_array_equal(prepare(data + behind, CONTRACT), prepare(data, CONTRACT))
    for hidden in (film, b"\xff\x02\xff\xff" + film):  # a marker of no kind has no length, whatever stands behind it
        with pytest.raises(errors.ImageCorruptError, match="more than 100 scans"):
            prepare(data[:-2] + hidden + data[-2:], CONTRACT)


def test_what_an_editor_kept_in_a_png_is_no_damage() -> None:
    history = PngInfo()
    history.add_text("history", 3_000_000 * "x", zip=True)
    data = encode(garment(), "PNG", pnginfo=history)
    np.testing.assert_array_equal(prepare(data, CONTRACT), prepare(garment(), CONTRACT))
