"""JPEG decoders for engines.py: each gives the contract's square, by its own decoding at a reduced scale.

Only the decoding differs: what follows is Pillow's resize and the padding of `preprocessing`, but for the one that
resizes by itself. Each raises ImportError, or RuntimeError where a library of the system is missing, when it is made.
"""

import math
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from clothing_classifier.preprocessing import ImageContract, Pixels, prepare

Decode = Callable[[bytes], Pixels]


def pillow_as_shipped(contract: ImageContract) -> Decode:
    """Pillow's draft mode: libjpeg decodes at a half, a quarter or an eighth."""
    return lambda data: prepare(data, contract)


def pillow_whole(contract: ImageContract) -> Decode:
    """Every pixel is decoded."""

    def decode(data: bytes) -> Pixels:
        with Image.open(BytesIO(data)) as image:
            return prepare(image.convert("RGB"), contract)

    return decode


def simplejpeg(contract: ImageContract) -> Decode:
    """libjpeg-turbo, built into the package."""
    import simplejpeg

    def decode(data: bytes) -> Pixels:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        rows, columns = _fitted(height, width, contract.size)
        return prepare(simplejpeg.decode_jpeg(data, "RGB", min_height=rows, min_width=columns, min_factor=1), contract)

    return decode


def pyturbojpeg(contract: ImageContract) -> Decode:
    """libjpeg-turbo of the system."""
    from turbojpeg import TJPF_RGB, TurboJPEG  # type: ignore[import-not-found]

    turbo = TurboJPEG()

    def decode(data: bytes) -> Pixels:
        width, height, *_ = turbo.decode_header(data)
        factor = (1, _reduction(height, width, contract.size))
        return prepare(turbo.decode(data, pixel_format=TJPF_RGB, scaling_factor=factor), contract)

    return decode


def opencv(contract: ImageContract) -> Decode:
    """OpenCV's reduced decoding; it must be told the scale, so that Pillow reads the header."""
    import cv2

    cv2.setNumThreads(1)
    flags = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
             8: cv2.IMREAD_REDUCED_COLOR_8}  # fmt: skip

    def decode(data: bytes) -> Pixels:
        with Image.open(BytesIO(data)) as image:
            width, height = image.size
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags[_reduction(height, width, contract.size)])
        return prepare(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), contract)

    return decode


def opencv_alone(contract: ImageContract) -> Decode:
    """OpenCV resizes and pads, too, by areas."""
    import cv2

    cv2.setNumThreads(1)

    def decode(data: bytes) -> Pixels:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        rows, columns = _fitted(pixels.shape[0], pixels.shape[1], contract.size)
        small = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
        above, before = (contract.size - rows) // 2, (contract.size - columns) // 2
        margins = (above, contract.size - rows - above, before, contract.size - columns - before)
        square: Pixels = cv2.copyMakeBorder(small, *margins, cv2.BORDER_REPLICATE)
        return square

    return decode


DECODERS: dict[str, tuple[str, Callable[[ImageContract], Decode]]] = {
    "Pillow, reduced (ours)": ("pillow", pillow_as_shipped),
    "Pillow, whole": ("pillow", pillow_whole),
    "simplejpeg": ("simplejpeg", simplejpeg),
    "PyTurboJPEG": ("PyTurboJPEG", pyturbojpeg),
    "OpenCV, reduced": ("opencv-python-headless", opencv),
    "OpenCV, whole, its own resize": ("opencv-python-headless", opencv_alone),
}
"""By name: the distribution that brings it, and what makes it."""


def _fitted(height: int, width: int, side: int) -> tuple[int, int]:
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _reduction(height: int, width: int, side: int) -> int:
    """The largest of libjpeg's reductions that leaves no less than is asked for."""
    rows, columns = _fitted(height, width, side)
    return max(n for n in (1, 2, 4, 8) if (math.ceil(height / n) >= rows and math.ceil(width / n) >= columns) or n == 1)
