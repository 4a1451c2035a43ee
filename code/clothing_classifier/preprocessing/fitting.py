"""From a whole image to the contract's square: decoded no larger than needed, resampled once, padded or cropped."""

import numpy as np
from PIL import Image

from clothing_classifier.preprocessing.contract import Box, ImageContract, Pixels


def reduce(image: Image.Image, contract: ImageContract) -> Box | None:
    """Have a JPEG decoded at a half, a quarter or an eighth where that is enough; return where the photo then lies.

    Its sides rarely divide: the last row and column then hold less of the photo than the others do.
    """
    reduced = image.draft(None, resized(image.size, contract)) if image.format in ("JPEG", "MPO") else None
    return reduced[1] if reduced else None


def resized(size: tuple[float, float], contract: ImageContract) -> tuple[int, int]:
    """Width and height of the whole image once it is fitted, before padding or cropping."""
    if contract.fit == "squash":
        return contract.size, contract.size
    scale = contract.size / (max(size) if contract.fit == "pad" else min(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def fit(image: Image.Image, box: Box, contract: ImageContract) -> Pixels:
    """Resample what `box` holds of an RGB image to the contract's square, `(size, size, 3) uint8`."""
    side, (left, top) = contract.size, box[:2]
    width, height = box[2] - left, box[3] - top
    if contract.fit == "crop":
        edge = min(width, height)
        left, top = left + (width - edge) / 2, top + (height - edge) / 2
        box = (left, top, left + edge, top + edge)
        return np.array(image.resize((side, side), Image.Resampling.BILINEAR, box=box))
    columns, rows = resized((width, height), contract)
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
