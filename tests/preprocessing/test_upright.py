"""A turned photo equals the upright one, whatever its EXIF block holds."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from helpers.pictures import CONTRACT, FITS, STORED, encode, encode_heic, garment, mean_difference, with_exif
from PIL import Image

from clothing_classifier.preprocessing import Fit, ImageContract, load, prepare


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
def test_what_is_loaded_upright_is_not_turned_again(orientation: int) -> None:
    turned = garment()
    if (way := STORED[orientation]) is not None:
        turned = turned.transpose(way)
    data = encode(turned, "PNG", exif=with_exif(orientation))
    np.testing.assert_array_equal(prepare(load(data), CONTRACT), prepare(data, CONTRACT))


@pytest.mark.parametrize("orientation", range(2, 9))
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
