"""What every picture goes through last: the size it has, and what a lens and a sensor would do to it."""

import numpy as np
from PIL import Image

from garments.fields import blur
from garments.geometry import Array
from strangers.canvas import Rng

_SHAPES = ((4, 3), (3, 4), (1, 1), (3, 2), (2, 3), (16, 9), (9, 16))


def size(rng: Rng) -> tuple[int, int]:
    """Width and height in pixels, the long side from 240 to 400."""
    shape = _SHAPES[int(rng.choice(len(_SHAPES), p=(0.26, 0.24, 0.14, 0.12, 0.1, 0.08, 0.06)))]
    long = int(rng.integers(240, 401))
    return round(long * shape[0] / max(shape)), round(long * shape[1] / max(shape))


def photograph(rng: Rng, picture: Array) -> Image.Image:
    """`(H, W, 3) float32` in [0, 1] as a photo: white balance, exposure, vignette, some softness, grain."""
    warm, tint = rng.normal(0, 0.04), rng.normal(0, 0.015)
    gain = np.array([1 + warm, 1 + tint, 1 - warm], np.float32) * np.float32(rng.uniform(0.8, 1.15))
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) / 0.5
    linear = np.clip(picture, 0, 1) ** np.float32(2.2) * gain * (1 - rng.uniform(0, 0.35) * away)[..., None]
    values = 255 * np.clip(linear, 0, 1) ** np.float32(1 / 2.2)
    if rng.random() < 0.6:
        soft = float(rng.uniform(0.4, 1.3))
        values = np.stack([blur(values[..., channel], soft) for channel in range(3)], -1)
    grain = float(rng.uniform(0.6, 6.0))
    values = values + rng.normal(0, grain, (height, width, 1)) + rng.normal(0, grain / 2, (height, width, 3))
    return to_image(values)


def to_image(values: Array) -> Image.Image:
    """`(H, W, 3)` in [0, 255] as a picture."""
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
