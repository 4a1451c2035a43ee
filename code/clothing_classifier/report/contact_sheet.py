"""Many small pictures with a line below each, as one image."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clothing_classifier.preprocessing import Pixels

_GAP, _LINE, _TEXT = 6, 14, 11
_PAPER, _INK = (255, 255, 255), (40, 40, 40)


def contact_sheet(
    pictures: Sequence[Pixels], captions: Sequence[str], columns: int = 6, side: int = 128
) -> Image.Image:
    """Lay out `pictures`, each `(H, W, 3) uint8`, in rows of `columns`, fitted into squares of `side` px.

    A caption may have several lines; what is wider than its square is cut. Raises `ValueError` where there is not one
    caption a picture, or no picture.
    """
    if not pictures:
        raise ValueError("a sheet of no pictures")
    lines = max(caption.count("\n") + 1 for caption in captions)
    width, height = side + _GAP, side + lines * _LINE + _GAP
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), _PAPER)
    for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        cell = _cell(picture, caption, (width, height), side)
        sheet.paste(cell, (_GAP + i % columns * width, _GAP + i // columns * height))
    return sheet


def _cell(picture: Pixels, caption: str, size: tuple[int, int], side: int) -> Image.Image:
    cell = Image.new("RGB", size, _PAPER)
    photo = Image.fromarray(np.ascontiguousarray(picture))
    photo.thumbnail((side, side), Image.Resampling.BILINEAR)
    cell.paste(photo, ((side - photo.width) // 2, (side - photo.height) // 2))
    font = ImageFont.load_default(_TEXT)
    pen = ImageDraw.Draw(cell)
    for i, line in enumerate(caption.split("\n")):
        while pen.textlength(line, font) > side:
            line = line[:-2] + "…"
        pen.text((side / 2, side + 1 + i * _LINE), line, _INK, font, anchor="ma")
    return cell
