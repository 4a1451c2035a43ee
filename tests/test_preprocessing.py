"""The image contract: whatever holds a photo becomes one upright RGB square, or an `ImageError` of one line."""

from __future__ import annotations

import io
import struct
import sys
import warnings
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from PIL.JpegImagePlugin import JpegImageFile

from clothing_classifier import errors
from clothing_classifier.preprocessing import (
    FORMATS,
    HEAD,
    Fit,
    ImageContract,
    Limits,
    Pixels,
    check_arrived,
    prepare,
    scale,
)  # fmt: skip

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


# --- sources ---------------------------------------------------------------------------------------------------------


class Pathy:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


@pytest.mark.parametrize(
    "source",
    [
        str,
        Path,
        Pathy,
        Path.read_bytes,
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: path.open("rb"),
        lambda path: path.open("rb", buffering=0),
        Image.open,
        lambda path: np.asarray(Image.open(path)),
    ],
    ids=["str", "path", "path-like", "bytes", "BytesIO", "file", "raw file", "PIL", "array"],
)
def test_every_kind_of_source_gives_the_same_pixels(source: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    garment().save(path)
    opened = source(path)
    try:
        np.testing.assert_array_equal(prepare(opened, CONTRACT), prepare(garment(), CONTRACT))
    finally:
        if hasattr(opened, "close"):
            opened.close()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(32, 32), (70, 45), (3, 200)])
def test_the_answer_is_a_writable_contiguous_square(fit: Fit, size: tuple[int, int]) -> None:
    pixels = prepare(garment(*size), ImageContract(32, fit))
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3), (20, 30, 4)])
def test_a_16_bit_array_equals_its_8_bit_twin(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(prepare(array, CONTRACT), prepare(array.astype(np.uint16) * 257, CONTRACT))


def test_grey_arrays_of_two_and_three_dimensions_agree() -> None:
    grey = np.asarray(garment().convert("L"))
    expected = prepare(np.stack([grey] * 3, -1), CONTRACT)
    np.testing.assert_array_equal(prepare(grey, CONTRACT), expected)
    np.testing.assert_array_equal(prepare(grey[..., None], CONTRACT), expected)


def test_a_view_of_an_array_is_read_as_its_copy_and_left_alone() -> None:
    array = np.asarray(garment()).copy()
    for view in (array[::-1], array[:, ::2], array.transpose(1, 0, 2), array[..., ::-1]):
        before = view.copy()
        np.testing.assert_array_equal(prepare(view, CONTRACT), prepare(before, CONTRACT))
        np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float16, np.float32, np.float64, complex, object])
def test_arrays_without_an_agreed_range_are_refused(dtype: type) -> None:
    with pytest.raises(errors.ImageFormatError, match="must be uint8 or uint16"):
        prepare(np.zeros((4, 4, 3), dtype), CONTRACT)


@pytest.mark.parametrize("shape", [(), (4,), (4, 4, 2), (4, 4, 5), (1, 4, 4, 3)])
def test_arrays_that_are_no_image_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(errors.ImageFormatError, match="an array must be"):
        prepare(np.zeros(shape, np.uint8), CONTRACT)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0, 3)])
def test_an_array_without_pixels_is_empty(shape: tuple[int, ...]) -> None:
    with pytest.raises(errors.ImageEmptyError, match="no pixels"):
        prepare(np.zeros(shape, np.uint8), CONTRACT)


# --- the three fits --------------------------------------------------------------------------------------------------


def resampled(pixels: np.ndarray, axis: int, length: int, start: float, stop: float) -> np.ndarray:
    """`pixels` between `start` and `stop` of one axis, by a triangle that is as wide as a new pixel, or an old one."""
    scale = (stop - start) / length
    centres = start + (np.arange(length) + 0.5) * scale
    distance = np.abs(np.arange(pixels.shape[axis]) + 0.5 - centres[:, None]) / max(scale, 1)
    weights = np.maximum(0, 1 - distance)
    weights /= weights.sum(1, keepdims=True)
    return np.moveaxis(np.tensordot(weights, pixels, (1, axis)), 0, axis)


def expected_squash(pixels: np.ndarray, side: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    return resampled(resampled(pixels, 1, side, 0, width), 0, side, 0, height)


def expected_pad(pixels: np.ndarray, side: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    rows, columns = (max(1, round(length * side / max(height, width))) for length in (height, width))
    small = resampled(resampled(pixels, 1, columns, 0, width), 0, rows, 0, height)
    row = np.clip(np.arange(side) - (side - rows) // 2, 0, rows - 1)
    column = np.clip(np.arange(side) - (side - columns) // 2, 0, columns - 1)
    return small[row][:, column]


def expected_crop(pixels: np.ndarray, side: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) / 2, (width - edge) / 2
    return resampled(resampled(pixels, 1, side, left, left + edge), 0, side, top, top + edge)


EXPECTED = {"squash": expected_squash, "pad": expected_pad, "crop": expected_crop}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (70, 45), (45, 71), (13, 9), (1, 1), (300, 7), (5, 90)])
def test_the_fits_agree_with_an_independent_computation(fit: Fit, size: tuple[int, int]) -> None:
    image = ramp(*size)
    expected = EXPECTED[fit](np.asarray(image).astype(float), 32)
    # Pillow rounds to whole levels after each axis.
    np.testing.assert_allclose(prepare(image, ImageContract(32, fit)), expected, atol=1.51)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF"])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 20_000), (20_000, 1), (3, 19_999)])
def test_extreme_aspects_are_answered(size: tuple[int, int], fit: Fit, form: str) -> None:
    pixels = prepare(encode(Image.new("RGB", size, (10, 200, 30)), form), ImageContract(32, fit))
    assert pixels.shape == (32, 32, 3)
    assert np.abs(pixels.astype(int) - (10, 200, 30)).max() <= 3


# --- colour ----------------------------------------------------------------------------------------------------------

RED = (200, 30, 60)


def png(width: int, height: int, depth: int, colour: int, rows: bytes = b"", *chunks: tuple[bytes, bytes]) -> bytes:
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (header, *chunks, *body)
    )


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


# --- orientation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize(
    ("form", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
        ("TIFF", {"compression": "jpeg", "quality": 95}, 4),
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("MPO", {"quality": 95}, 4),
    ],
)
@pytest.mark.parametrize("fit", FITS)
def test_a_turned_photo_equals_the_upright_one(
    form: str, options: dict[str, Any], tolerance: float, orientation: int, fit: Fit
) -> None:
    upright = garment(163, 101)  # no multiple of a reduced scale
    stored = upright if STORED[orientation] is None else upright.transpose(STORED[orientation])
    contract = ImageContract(16, fit)
    pixels = prepare(encode(stored, form, exif=with_exif(orientation), **options), contract)
    assert mean_difference(pixels, prepare(upright, contract)) <= tolerance


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_heic_equals_the_upright_one(orientation: int) -> None:
    upright = garment(160, 96)
    stored = upright if STORED[orientation] is None else upright.transpose(STORED[orientation])
    data = encode_heic(stored, quality=95, exif=with_exif(orientation).tobytes())
    assert mean_difference(prepare(data, CONTRACT), prepare(upright, CONTRACT)) <= 4


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_pil_image_is_made_upright_too(orientation: int) -> None:
    upright = garment(160, 96)
    stored = upright if STORED[orientation] is None else upright.transpose(STORED[orientation])
    for form in ("PNG", "TIFF"):
        opened = Image.open(io.BytesIO(encode(stored, form, exif=with_exif(orientation))))
        np.testing.assert_array_equal(prepare(opened, CONTRACT), prepare(upright, CONTRACT))


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_unknown_orientation_leaves_the_photo_as_stored(orientation: int) -> None:
    data = encode(garment(), "PNG", exif=with_exif(orientation))
    np.testing.assert_array_equal(prepare(data, CONTRACT), prepare(garment(), CONTRACT))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0",
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(20),
        b"Exif\0\0" + with_exif(6).tobytes()[6:30],
    ],
    ids=["empty", "no header", "offset outside", "endless directory", "cut short"],
)
@pytest.mark.filterwarnings("error")
def test_a_damaged_exif_block_does_not_cost_the_photo(form: str, block: bytes) -> None:
    plain = encode(garment(), form)
    np.testing.assert_array_equal(prepare(encode(garment(), form, exif=block), CONTRACT), prepare(plain, CONTRACT))


# --- JPEG at reduced scale -------------------------------------------------------------------------------------------


def photo(width: int, height: int) -> Image.Image:
    """Smooth shades with edges and some grain, as a photo has."""
    grain = np.random.default_rng(1).normal(0, 4, (height, width, 3))
    image = garment(width, height)
    return Image.fromarray(np.clip(np.asarray(image) * 0.8 + 20 + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1601, 1203), (900, 1600), (2000, 333), (517, 519), (449, 448)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_the_reduced_decode_is_close_to_the_full_one(size: tuple[int, int], fit: Fit, options: dict[str, Any]) -> None:
    data, contract = encode(photo(*size), "JPEG", quality=90, **options), ImageContract(64, fit)
    full = prepare(np.asarray(Image.open(io.BytesIO(data))), contract)
    assert mean_difference(prepare(data, contract), full) < 1.5


def test_real_photos_decode_close_to_full_scale(shared: Path) -> None:
    paths = sorted((shared / "data" / "clothing" / "images").glob("*.jpg"))[::400]
    for path in paths:
        for fit in FITS:
            contract = ImageContract(96, fit)
            with Image.open(path) as image:
                full = prepare(image, contract)
            # Fine weaves keep more contrast at reduced scale; nothing moves.
            assert mean_difference(prepare(path, contract), full) < (3 if fit == "pad" else 8), path.name


@pytest.mark.parametrize(
    ("fit", "decoded"), [("squash", (200, 100)), ("pad", (100, 50)), ("crop", (200, 100))], ids=FITS
)
def test_a_large_jpeg_is_decoded_no_larger_than_needed(
    fit: Fit, decoded: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    load = JpegImageFile.load

    def spy(self: JpegImageFile) -> Any:
        sizes.append(self.size)
        return load(self)

    data = encode(garment(800, 400), "JPEG")
    monkeypatch.setattr(JpegImageFile, "load", spy)
    prepare(data, ImageContract(100, fit))
    assert sizes[0] == decoded


# --- limits and refusals ---------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (5, 8), (8, 5), (8, 8), (640, 3)])
def test_padding_repeats_the_edge(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    side = max(size)
    above, before = (side - size[1]) // 2, (side - size[0]) // 2
    margins = ((above, side - size[1] - above), (before, side - size[0] - before), (0, 0))
    expected = np.pad(pixels, margins, mode="edge")
    np.testing.assert_array_equal(prepare(pixels, ImageContract(side, "pad")), expected)


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


@pytest.mark.parametrize("data", [b"", bytearray()], ids=["bytes", "file"])
def test_a_file_without_bytes_is_empty(data: bytes) -> None:
    with pytest.raises(errors.ImageEmptyError, match="0 bytes"):
        prepare(data if isinstance(data, bytes) else io.BytesIO(), CONTRACT)


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"\n\n  <html lang=en>",
        b"\xef\xbb\xbf<!doctype HTML>",
        b"<!-- saved from url=(0014)about:internet -->\r\n<HTML>",
    ],
)
def test_an_html_page_named_jpg_is_called_so(page: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(page)
    with pytest.raises(errors.ImageFormatError, match="HTML page") as caught:
        prepare(path, CONTRACT)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"just some text",
        b"bmw,audi\n",
        b"\0",
        bytes(5000),
        b"%PDF-1.7\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"P6 2 2 255\n" + bytes(12),
        encode(garment(), "ICO"),
        encode(garment(), "TGA"),
        encode(garment(), "PCX"),
        b"\0\0\0\x1cftypavif" + bytes(40),
    ],
    ids=["text", "bm text", "one byte", "zeros", "pdf", "svg", "ppm", "ico", "tga", "pcx", "avif"],
)
def test_what_is_not_an_accepted_format_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(errors.ImageFormatError, match="not an image in an accepted format") as caught:
        prepare(data, CONTRACT)
    assert_one_line(caught.value)


def test_heic_without_its_extra_names_the_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(errors.ImageFormatError, match=r"pip install '\.\[heic\]'"):
        prepare(b"\0\0\0\x18ftypheic" + bytes(40), CONTRACT)


def test_a_missing_file_and_a_folder_are_not_found(tmp_path: Path) -> None:
    with pytest.raises(errors.ImageNotFoundError, match="no such file"):
        prepare(tmp_path / "gone.jpg", CONTRACT)
    with pytest.raises(errors.ImageNotFoundError, match="a folder"):
        prepare(str(tmp_path), CONTRACT)


def test_a_link_to_nothing_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    with pytest.raises(errors.ImageNotFoundError):
        prepare(tmp_path / "link.jpg", CONTRACT)


def test_a_link_in_a_circle_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "link.jpg")
    with pytest.raises(errors.ImageUnreadableError):
        prepare(tmp_path / "link.jpg", CONTRACT)


@pytest.mark.parametrize("name", ["a\0b.jpg", "x" * 5000])
def test_an_impossible_name_is_unreadable(name: str) -> None:
    with pytest.raises(errors.ImageUnreadableError) as caught:
        prepare(name, CONTRACT)
    assert_one_line(caught.value)


def test_a_refusal_of_the_system_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(errors.ImageUnreadableError, match="Permission denied"):
        prepare(tmp_path / "a.jpg", CONTRACT)


def test_a_file_object_that_fails_is_unreadable() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    closed = io.BytesIO(b"x")
    closed.close()
    for source, reason in ((Broken(), "Input/output error"), (closed, "closed file")):
        with pytest.raises(errors.ImageUnreadableError, match=reason):
            prepare(source, CONTRACT)


@pytest.mark.parametrize("name", ["two\nlines.jpg", "tab\there.jpg", "\x1b[31mred.jpg", "line\u2028separator.jpg"])
def test_a_name_with_control_characters_stays_on_one_line(name: str, tmp_path: Path) -> None:
    for source in (tmp_path / name, str(tmp_path / name)):
        with pytest.raises(errors.ImageNotFoundError) as caught:
            prepare(source, CONTRACT)
        assert_one_line(caught.value)


def test_a_name_that_is_not_utf_8_can_be_printed() -> None:
    with pytest.raises(errors.ImageNotFoundError) as caught:
        prepare(b"caf\xe9.jpg".decode("utf-8", "surrogateescape"), CONTRACT)
    assert str(caught.value).encode("utf-8").startswith(b"caf\\udce9.jpg")


def test_an_error_names_the_open_file_and_the_pil_image(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(SAMPLES["png"][:-60])
    with path.open("rb") as file, pytest.raises(errors.ImageCorruptError, match=r"broken\.png"):
        prepare(file, CONTRACT)
    with Image.open(path) as image, pytest.raises(errors.ImageCorruptError, match=r"broken\.png"):
        prepare(image, CONTRACT)
    with pytest.raises(errors.ImageCorruptError, match=r"^the image: "):
        prepare(path.read_bytes(), CONTRACT)


# --- truncation and damage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_a_truncated_file_is_refused_unless_every_pixel_is_there(name: str) -> None:
    data = SAMPLES[name]
    whole = prepare(data, CONTRACT)
    lengths = {*range(0, len(data), max(1, len(data) // 40)), *range(1, 13), len(data) - 1}
    for length in sorted(lengths):
        outcome = answer(data[:length])
        if isinstance(outcome, errors.ImageError):
            assert_one_line(outcome)
        else:
            np.testing.assert_array_equal(outcome, whole, err_msg=f"{length} of {len(data)} bytes")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", STILL)
def test_a_truncated_still_is_called_damaged(name: str, share: float) -> None:
    data = SAMPLES[name]
    assert isinstance(answer(data[: int(len(data) * share)]), errors.ImageCorruptError)


def test_a_truncated_heic_is_called_damaged() -> None:
    data = encode_heic(garment(), quality=90)
    for length in range(12, len(data), len(data) // 40):
        assert isinstance(answer(data[:length]), errors.ImageCorruptError), length


def test_a_truncated_large_jpeg_is_refused_at_reduced_scale_too() -> None:
    for options in ({}, {"progressive": True}):
        data = encode(photo(800, 600), "JPEG", **options)
        for share in (0.3, 0.6, 0.9, 0.99):
            assert isinstance(answer(data[: int(len(data) * share)]), errors.ImageCorruptError)


@settings(max_examples=500, deadline=None, database=None)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    # Half of the damage goes to the first bytes, where the structure is.
    flips=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.booleans(), st.integers(0, 255)), min_size=1, max_size=12
    ),
    fit=st.sampled_from(FITS),
)
def test_damaged_bytes_give_a_square_or_an_error_of_one_line(
    name: str, flips: list[tuple[float, bool, int]], fit: Fit
) -> None:
    data = bytearray(SAMPLES[name])
    for where, early, value in flips:
        data[int(where * (min(len(data), 200) if early else len(data)))] = value
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = answer(bytes(data), ImageContract(32, fit))
    assert caught == []
    if isinstance(outcome, errors.ImageError):
        assert_one_line(outcome)
    else:
        assert outcome.shape == (32, 32, 3)
        assert outcome.dtype == np.uint8


@settings(max_examples=200, deadline=None, database=None)
@given(st.sampled_from([b"", *(data[:16] for data in SAMPLES.values())]), st.binary(max_size=300))
def test_random_bytes_behind_a_signature_are_refused_or_answered(start: bytes, rest: bytes) -> None:
    outcome = answer(start + rest)
    if isinstance(outcome, errors.ImageError):
        assert_one_line(outcome)
    else:
        assert outcome.shape == (32, 32, 3)


# --- a caller's image stays as it is ---------------------------------------------------------------------------------


def state(image: Image.Image) -> tuple[Any, ...]:
    info = {key: value for key, value in image.info.items() if key != "exif"}
    return image.size, image.mode, image.format, info, dict(image.getexif()), image.tobytes(), image.getpalette()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("name", SAMPLES)
def test_an_opened_image_is_left_as_it_was(name: str, fit: Fit) -> None:
    given, untouched = (Image.open(io.BytesIO(SAMPLES[name])) for _ in range(2))
    size = given.size
    prepare(given, ImageContract(8, fit))
    assert given.size == size
    untouched.load()
    assert state(given) == state(untouched)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "I"]
)
def test_an_image_in_memory_is_left_as_it_was(mode: str) -> None:
    image = Image.new(mode, (40, 30), 1)
    image.info["transparency"] = 1
    image.getexif()[ORIENTATION] = 6
    before = state(image)
    assert prepare(image, CONTRACT).shape == (32, 32, 3)
    assert state(image) == before


def test_an_image_that_can_not_be_decoded_keeps_its_size() -> None:
    data = encode(garment(800, 600), "JPEG")
    image = Image.open(io.BytesIO(data[: len(data) // 2]))
    with pytest.raises(errors.ImageCorruptError):
        prepare(image, CONTRACT)
    assert image.size == (800, 600)


def test_threads_share_no_state_and_leave_the_warning_filters_alone() -> None:
    damaged = encode(garment(300, 200), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(answer, [damaged] * 64))
    assert warnings.filters == before
    for pixels in answers:
        np.testing.assert_array_equal(pixels, answers[0])


def test_scale_keeps_the_whole_photo_and_its_shape() -> None:
    photo = np.zeros((60, 120, 3), np.uint8)
    photo[:, :60] = 255
    small = scale(photo, 40)
    assert small.shape == (20, 40, 3)
    assert small[:, :19].min() == 255
    assert small[:, 21:].max() == 0


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_arrives_is_known_by_its_first_bytes(form: str) -> None:
    data = encode(garment(300, 200), form)
    check_arrived(data[:HEAD], "a")
    check_arrived(bytearray(data), "a")
    with pytest.raises(errors.ImageTooManyBytesError, match="a: the file is larger"):
        check_arrived(data, "a", Limits(bytes=len(data) - 1))


@pytest.mark.parametrize("data", [b"x" * HEAD, b"<!doctype html>" + b" " * HEAD, b"{}" * HEAD, bytes(HEAD)])
def test_a_file_that_arrives_and_is_no_image_is_refused_as_the_whole_would_be(data: bytes) -> None:
    with pytest.raises(errors.ImageFormatError) as early:
        check_arrived(data, "the image")
    with pytest.raises(errors.ImageFormatError) as late:
        prepare(data, CONTRACT)
    assert str(early.value) == str(late.value)
