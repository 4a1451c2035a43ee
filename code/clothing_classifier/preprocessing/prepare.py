"""THE image contract: anything that holds a photo becomes an upright RGB `(size, size, 3) uint8` array, one way only.

Training's validation, evaluation, export, prediction and every later user call `prepare`, so that a network always
meets the pixels that it was trained for. The format is decided by content; the limits hold before anything is decoded.
"""

import numpy as np
from PIL import Image

from clothing_classifier import errors
from clothing_classifier.preprocessing.contract import DEFAULT_LIMITS, Box, ImageContract, Limits, Pixels, Source
from clothing_classifier.preprocessing.fitting import fit, reduce, resized
from clothing_classifier.preprocessing.opening import name_of, open_image
from clothing_classifier.preprocessing.pillow import QUIET
from clothing_classifier.preprocessing.upright import upright_rgb
from clothing_classifier.utils import reason_of

VERSION = 2
"""Changes whenever `prepare` gives other pixels for the same photo, so that kept copies are made anew."""


def prepare(source: Source, contract: ImageContract, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """Return `source` as an upright RGB array, `(size, size, 3) uint8`, fitted as `contract` says.

    `source` is a path, the bytes of a file, a binary file object, an array (`(H, W)`, `(H, W, 1)`, `(H, W, 3)` or
    `(H, W, 4)`; uint8 or uint16) or a PIL image. EXIF orientation is applied, transparency is laid over white, of an
    animation the first frame counts. A PIL image stays as it is: its pixels are loaded, nothing else. Raises a subclass
    of `errors.ImageError` that names the file.
    """
    return fit(*_upright(source, contract, limits), contract)


def scale(source: Source, side: int, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """Return `source`, as `prepare` takes it, upright and whole: `(H, W, 3) uint8`, its long side `side` px."""
    image, box = _upright(source, ImageContract(side), limits)
    size = resized((box[2] - box[0], box[3] - box[1]), ImageContract(side))
    return np.array(image.resize(size, Image.Resampling.BILINEAR, box=box))


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Return `source`, as `prepare` takes it, as an upright RGB image of its own size."""
    return _upright(source, None, limits)[0]


def _upright(source: Source, contract: ImageContract | None, limits: Limits) -> tuple[Image.Image, Box]:
    """The whole image, where there is a contract decoded no larger than that needs, and where the photo lies in it."""
    name = name_of(source)
    with QUIET:
        image = open_image(source, limits, name)
        try:
            box = reduce(image, contract) if contract and image is not source else None
            return upright_rgb(image, box, name)
        except errors.ImageError:
            raise
        except Exception as error:  # Pillow's decoders raise a dozen unrelated types on damaged data
            reason = reason_of(error)
            raise errors.ImageCorruptError(f"{name}: the image is truncated or damaged ({reason})") from error
