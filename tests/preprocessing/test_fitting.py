"""Each fit against an independent computation; a JPEG decoded at reduced scale against the full one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import FITS, encode, garment, mean_difference, photo, ramp
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from clothing_classifier.preprocessing import Fit, ImageContract, prepare, scale


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
@pytest.mark.parametrize(
    "size", [(32, 32), (64, 64), (70, 45), (45, 71), (13, 9), (1, 1), (300, 7), (5, 90), (300, 200)]
)
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


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (5, 8), (8, 5), (8, 8), (640, 3)])
def test_padding_repeats_the_edge(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    side = max(size)
    above, before = (side - size[1]) // 2, (side - size[0]) // 2
    margins = ((above, side - size[1] - above), (before, side - size[0] - before), (0, 0))
    expected = np.pad(pixels, margins, mode="edge")
    np.testing.assert_array_equal(prepare(pixels, ImageContract(side, "pad")), expected)


def test_scale_keeps_the_whole_photo_and_its_shape() -> None:
    photo = np.zeros((60, 120, 3), np.uint8)
    photo[:, :60] = 255
    small = scale(photo, 40)
    assert small.shape == (20, 40, 3)
    assert small[:, :19].min() == 255
    assert small[:, 21:].max() == 0


@pytest.mark.parametrize("size", [(1601, 1203), (517, 333)])
def test_scale_is_what_is_prepared_without_the_padding(size: tuple[int, int]) -> None:
    data = encode(photo(*size), "JPEG")  # whose reduced sides do not divide
    small, padded = scale(data, 64), prepare(data, ImageContract(64, "pad"))
    above = (64 - len(small)) // 2
    np.testing.assert_array_equal(small, padded[above : above + len(small)])


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


@pytest.mark.parametrize("form", ["JPEG", "MPO"])
@pytest.mark.parametrize(
    ("fit", "decoded"), [("squash", (200, 100)), ("pad", (100, 50)), ("crop", (200, 100))], ids=FITS
)
def test_a_large_jpeg_is_decoded_no_larger_than_needed(
    fit: Fit, decoded: tuple[int, int], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    load = JpegImageFile.load

    def spy(self: JpegImageFile) -> Any:
        sizes.append(self.size)
        return load(self)

    data = encode(garment(800, 400), form)
    monkeypatch.setattr(JpegImageFile, "load", spy)
    prepare(data, ImageContract(100, fit))
    assert sizes[0] == decoded
