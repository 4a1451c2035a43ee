"""Noise alone: of pixels, of bumps, of blocks, of dots."""

import numpy as np

from garments.fields import fractal
from garments.geometry import Array
from strangers.canvas import Rng


def draw(rng: Rng, width: int, height: int) -> Array:
    """A field of noise `(H, W, 3) float32` in [0, 1]."""
    painter = (_uniform, _normal, _bumps, _blocks, _dots)[int(rng.integers(5))]
    return np.clip(painter(rng, width, height), 0, 1).astype(np.float32)


def _uniform(rng: Rng, width: int, height: int) -> Array:
    return rng.random((height, width, 3 if rng.random() < 0.7 else 1)) * np.ones(3)


def _normal(rng: Rng, width: int, height: int) -> Array:
    return rng.random(3) + rng.normal(0, rng.uniform(0.05, 0.4), (height, width, 3))


def _bumps(rng: Rng, width: int, height: int) -> Array:
    cell, strength = float(rng.uniform(3, 80)), rng.uniform(0.1, 0.35)
    return 0.5 + strength * np.stack([fractal(rng, (height, width), cell) for _ in range(3)], -1)


def _blocks(rng: Rng, width: int, height: int) -> Array:
    side = int(rng.integers(3, 40))
    cells = rng.random((-(-height // side), -(-width // side), 3))
    blocks: Array = np.kron(cells, np.ones((side, side, 1)))[:height, :width]
    return blocks


def _dots(rng: Rng, width: int, height: int) -> Array:
    roll, share = rng.random((height, width, 1)), rng.uniform(0.02, 0.3)
    return np.where(roll < share, 1.0, np.where(roll > 1 - share, 0.0, rng.random(3)))
