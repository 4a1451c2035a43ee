"""A canvas for flat shapes, and the colours that the painters share."""

from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from garments.geometry import Array, ellipse, ribbon

Rng: TypeAlias = np.random.Generator

_OVERSAMPLE = 3


def hsv(hue: float, saturation: float, value: float) -> Array:
    """A colour `(3,) float32` in [0, 1] from hue (in turns), saturation and value."""
    ramp = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    colour: Array = (value * (1 - saturation * (1 - ramp))).astype(np.float32)
    return np.clip(colour, 0, 1)


def shade(colour: Array, by: float) -> Array:
    """The colour, lighter or darker by a factor."""
    return np.clip(colour * np.float32(by), 0, 1)


def spread(rng: Rng, colour: Array, deviation: float) -> Array:
    """The colour, moved a little at random."""
    moved: Array = colour + rng.normal(0, deviation, 3).astype(np.float32)
    return np.clip(moved, 0, 1)


def blend(low: Array, high: Array, share: Array) -> Array:
    """`(H, W, 3)` between two colours (or pictures) by `share` `(H, W)`."""
    mixed: Array = low + (high - low) * np.clip(share, 0, 1)[..., None]
    return mixed


class Canvas:
    """Paints shapes without jagged edges. The unit is the picture's height: x runs from 0 to `wide`, y from 0 to 1."""

    def __init__(self, width: int, height: int, ground: Array) -> None:
        self.size = width, height
        self.wide = width / height
        self._unit = height * _OVERSAMPLE
        if ground.ndim == 1:
            self._image = Image.new("RGB", (width * _OVERSAMPLE, self._unit), _code(ground))
        else:
            pixels = Image.fromarray((np.clip(ground, 0, 1) * 255).astype(np.uint8))
            self._image = pixels.resize((width * _OVERSAMPLE, self._unit), Image.Resampling.BILINEAR)
        self._draw = ImageDraw.Draw(self._image)

    def fill(self, outline: Array, colour: Array, line: Array | None = None, width: float = 0.0) -> None:
        """Fill a closed outline `(N, 2)`, and draw it where `line` gives a colour."""
        points = [(float(x) * self._unit, float(y) * self._unit) for x, y in outline]
        self._draw.polygon(points, _code(colour))
        if line is not None and width > 0:
            pen = max(1, round(width * self._unit))
            self._draw.line([*points, points[0], points[1]], _code(line), pen, joint="curve")

    def stroke(self, line: Array, width: float, colour: Array) -> None:
        """Draw an open line `(N, 2)`."""
        self.fill(ribbon(line, width), colour)

    def disc(
        self, x: float, y: float, rx: float, ry: float, colour: Array, line: Array | None = None, width: float = 0.0
    ) -> None:
        """Fill an ellipse."""
        self.fill(ellipse((x, y), rx, ry), colour, line, width)

    def pixels(self) -> Array:
        """The picture `(H, W, 3) float32` in [0, 1]."""
        return np.asarray(self._image.resize(self.size, Image.Resampling.BOX), np.float32) / 255


def _code(colour: Array) -> tuple[int, int, int]:
    red, green, blue = (round(255 * float(np.clip(value, 0, 1))) for value in colour)
    return red, green, blue
