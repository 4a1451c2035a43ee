"""Paths, bytes, files, arrays and PIL images give the same pixels, and are left as they were."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import CONTRACT, FITS, ORIENTATION, SAMPLES, answer, encode, garment
from PIL import Image

from clothing_classifier import errors
from clothing_classifier.preprocessing import Fit, ImageContract, prepare


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
