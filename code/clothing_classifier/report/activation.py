"""Class activation maps (Zhou et al. 2016) laid over photos: which parts spoke for a class."""

import numpy as np
from PIL import Image

from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.preprocessing import Pixels

_COLOURS = np.array([[24, 20, 72], [122, 30, 130], [226, 76, 62], [252, 214, 72]], float)
"""From nothing to the most; the photo stays visible below, in grey."""


def overlay(pixels: Pixels, class_map: Floats) -> Pixels:
    """Colour a photo `(H, W, 3) uint8` by what spoke for a class, `(h, w)`; what spoke against it counts as nothing.

    The most is always the brightest: maps of two photos compare in where, not in how much.
    """
    height, width = pixels.shape[:2]
    spoke_for = np.maximum(class_map, 0).astype(np.float32)
    peak = float(spoke_for.max())
    coarse = Image.fromarray(spoke_for / peak if peak > 0 else spoke_for)
    strength = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)
    stops = np.linspace(0, 1, len(_COLOURS))
    colour = np.stack([np.interp(strength, stops, channel) for channel in _COLOURS.T], 2)
    grey = np.asarray(Image.fromarray(pixels).convert("L"), float)[..., None]
    mixed: Pixels = (0.5 * grey + 0.5 * colour).round().astype(np.uint8)
    return mixed
