"""Every format, depth and palette becomes the RGB that a viewer shows; transparency is laid over white."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import CONTRACT, encode, encode_heic, garment, png
from PIL import Image

from clothing_classifier import errors
from clothing_classifier.preprocessing import load, prepare

RED = (200, 30, 60)


def plain_palette() -> Image.Image:
    image = Image.new("P", (8, 8), 3)
    image.putpalette(range(48))
    return image


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO"])
def test_every_format_keeps_its_colour(form: str) -> None:
    pixels = prepare(encode(Image.new("RGB", (40, 30), RED), form), CONTRACT)
    assert np.abs(pixels.astype(int) - RED).max() <= 4


def test_heic_keeps_its_colour() -> None:
    pixels = prepare(encode_heic(Image.new("RGB", (64, 64), RED), quality=95), CONTRACT)
    assert np.abs(pixels.astype(int) - RED).max() <= 6


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_heic_is_known_by_each_brand_that_phones_write(brand: bytes) -> None:
    data = encode_heic(Image.new("RGB", (64, 64), RED), quality=95)
    assert data[4:8] == b"ftyp"
    pixels = prepare(data[:8] + brand + data[12:], CONTRACT)
    assert np.abs(pixels.astype(int) - RED).max() <= 6


def test_the_format_is_decided_by_content_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(garment(), "PNG"))
    np.testing.assert_array_equal(prepare(path, CONTRACT), prepare(garment(), CONTRACT))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_is_turned_into_rgb(form: str) -> None:
    pixels = prepare(encode(Image.new("RGB", (40, 30), RED).convert("CMYK"), form), CONTRACT)
    assert np.abs(pixels.astype(int) - RED).max() <= 4


@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_is_looked_up(form: str) -> None:
    image = garment().quantize(16)
    np.testing.assert_array_equal(prepare(encode(image, form), CONTRACT), prepare(image.convert("RGB"), CONTRACT))


@pytest.mark.parametrize(("mode", "form"), [("1", "PNG"), ("1", "BMP"), ("1", "TIFF"), ("L", "PNG"), ("L", "JPEG")])
def test_black_and_white_and_grey_have_three_equal_channels(mode: str, form: str) -> None:
    pixels = prepare(encode(Image.new(mode, (9, 9), 255), form), CONTRACT)
    assert (pixels == 255).all()


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(form: str) -> None:
    deep = Image.fromarray(np.full((9, 9), 128 * 257, np.uint16))
    assert (prepare(encode(deep, form), CONTRACT) == 128).all()


def test_16_bit_colour_is_scaled_not_clipped() -> None:
    row = b"\0" + struct.pack(">HHH", *(level * 257 for level in RED)) * 4
    assert (prepare(png(4, 4, 16, 2, row * 4), CONTRACT) == RED).all()


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I"])
def test_pil_images_of_16_bits_are_scaled(mode: str) -> None:
    assert (prepare(Image.new(mode, (5, 7), 200 * 257), CONTRACT) == 200).all()


def test_16_bits_are_rounded_to_the_nearest_level() -> None:
    deep = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    levels = np.asarray(load(deep))[..., 0]
    np.testing.assert_array_equal(levels, np.rint(deep / 257))


@pytest.mark.parametrize(("value", "level"), [(-70_000, 0), (-1, 0), (65_536, 255), (2_000_000, 255)])
def test_levels_beyond_16_bits_are_black_and_white(value: int, level: int) -> None:
    image = Image.new("I", (5, 7), value)
    for source in (image, encode(image, "TIFF")):
        assert (prepare(source, CONTRACT) == level).all()


@pytest.mark.parametrize("source", [Image.new("F", (5, 7)), encode(Image.new("F", (5, 7)), "TIFF")])
def test_floating_point_pixels_are_refused(source: Any) -> None:
    with pytest.raises(errors.ImageFormatError, match="floating-point"):
        prepare(source, CONTRACT)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", None])
def test_transparency_is_laid_over_white(form: str | None) -> None:
    image = Image.new("RGBA", (8, 8), (0, 100, 200, 51))
    source = encode(image, form, **({"lossless": True} if form == "WEBP" else {})) if form else image
    expected = [255 * 0.8, 100 * 0.2 + 255 * 0.8, 200 * 0.2 + 255 * 0.8]
    assert np.abs(prepare(source, CONTRACT) - np.array(expected)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "PA"])
def test_a_pil_image_with_transparency_is_laid_over_white(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (100, 100, 100, 51)).convert(mode)
    assert np.abs(prepare(image, CONTRACT) - (100 * 0.2 + 255 * 0.8)).max() <= 3


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.new("LA", (8, 8), (0, 0)), "PNG"),
        encode(Image.new("RGBA", (8, 8), (9, 9, 9, 0)), "GIF"),
        encode(plain_palette(), "PNG", transparency=3),
        encode(plain_palette(), "PNG", transparency=bytes(256)),
        encode(Image.new("RGB", (8, 8), RED), "PNG", transparency=RED),
        encode(Image.new("L", (8, 8), 77), "PNG", transparency=77),
        encode(Image.new("1", (8, 8), 0), "PNG", transparency=0),
        png(4, 4, 16, 4, (b"\0" + bytes([18, 52, 0, 0]) * 4) * 4),
    ],
    ids=["grey", "gif", "palette entry", "palette table", "colour key", "grey key", "bit key", "16-bit grey"],
)
def test_what_is_wholly_transparent_is_white(data: bytes) -> None:
    assert (prepare(data, CONTRACT) == 255).all()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_the_first_frame_counts(form: str) -> None:
    red, blue = Image.new("RGB", (24, 24), (255, 0, 0)), Image.new("RGB", (24, 24), (0, 0, 255))
    pixels = prepare(encode(red, form, [blue, blue]), CONTRACT)
    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 4


@pytest.mark.parametrize(("depth", "dtype"), [(8, ">u1"), (16, ">u2")])
def test_the_grey_that_a_png_calls_transparent_is_white(depth: int, dtype: str) -> None:
    top = 2**depth - 1
    grey = np.full((8, 8), top // 5, dtype)
    grey[2:6, 2:6] = top // 2
    lines = b"".join(b"\0" + row.tobytes() for row in grey)
    pixels = load(png(8, 8, depth, 0, lines, (b"tRNS", struct.pack(">H", top // 5))))
    assert np.unique(np.asarray(pixels)[0]).tolist() == [255]
    assert np.abs(np.asarray(pixels)[3, 3].astype(int) - 127).max() <= 1
