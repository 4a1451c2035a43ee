"""Colours and orientation as a viewer shows them: RGB of eight bits, transparency over white, EXIF applied."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from clothing_classifier import errors
from clothing_classifier.preprocessing.contract import Box, Pixels

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


def upright_rgb(image: Image.Image, box: Box | None, name: str) -> tuple[Image.Image, Box]:
    """Decode `image` and return it in RGB, upright, with `box`, where the photo lies in it, turned along."""
    image.load()
    rgb = _to_rgb(image, name)
    box = box or (0, 0, *rgb.size)
    orientation = _orientation(image)
    if orientation not in _UPRIGHT:
        return rgb, box
    upright = rgb.transpose(_UPRIGHT[orientation])
    upright.info = {}  # else it says still that it lies on its side, and whoever reads it next turns it again
    return upright, _turned(box, rgb.size, orientation)


def _turned(box: Box, size: tuple[int, int], orientation: int) -> Box:
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
        values, transparent = np.asarray(image), image.info.get("transparency")
        if isinstance(transparent, int):
            values = np.where(values == transparent, 65_535, values)
        return Image.fromarray(to_eight_bit(values)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def to_eight_bit(array: npt.NDArray[Any]) -> Pixels:
    """Scale 16 bits to 8, rounded."""
    scaled: Pixels = ((np.clip(array, 0, 65_535).astype(np.uint32) + 128) // 257).astype(np.uint8)
    return scaled
