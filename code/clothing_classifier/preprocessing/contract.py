"""What the image contract speaks of: sources, pixels, the contract itself, and the limits on what is decoded."""

import os
from dataclasses import dataclass
from typing import IO, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]
Bytes: TypeAlias = bytes | bytearray | memoryview
Source: TypeAlias = str | os.PathLike[str] | Bytes | IO[bytes] | npt.NDArray[Any] | Image.Image
Fit: TypeAlias = Literal["squash", "pad", "crop"]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom of a region, in pixels."""


@dataclass(frozen=True)
class ImageContract:
    """How a photo becomes the model's square; travels with the weights in `bundle.json`.

    `size` is the side of the square in pixels. `fit` is `squash` (ignore the aspect), `pad` (fit the long side, repeat
    the edge pixels over the rest) or `crop` (fit the short side, keep the centre). Resampling is Pillow's bilinear
    filter, which widens its support when it shrinks (antialiasing).
    """

    size: int
    fit: Fit = "pad"


@dataclass(frozen=True)
class Limits:
    """What a file may hold before it is decoded; over any of them the image is refused."""

    bytes: int = 20_000_000
    pixels: int = 50_000_000
    side: int = 20_000


DEFAULT_LIMITS = Limits()
