"""The relief of knitted, ribbed and quilted cloth, and the shade in its grooves, over cloth coordinates (u, v)."""

from collections.abc import Callable

import numpy as np

from garments.geometry import Array

BAFFLE, QUILT = 0.2, 0.16


def _wave(t: Array, period: float) -> Array:
    wave: Array = np.sin(2 * np.pi * t / period)
    return wave


def _bulge(t: Array, period: float) -> Array:
    bulge: Array = np.sqrt(np.abs(np.sin(np.pi * t / period)))
    return bulge


def _knit(u: Array, v: Array) -> Array:
    zigzag = np.abs((u / 0.045) % 1 - 0.5) * 0.045
    return 0.7 * _wave(u, 0.045) + _wave(v + zigzag, 0.03)


def _cable(u: Array, v: Array) -> Array:
    twist = np.sign(np.sin(np.pi * u / 0.14)) * u / 2
    return 1.6 * _wave(u + 0.035, 0.14) + _wave(v + twist, 0.1)


RELIEF: dict[str, Callable[[Array, Array], Array]] = {
    "rib": lambda u, v: _wave(u, 0.028),
    "knit": _knit,
    "cable": _cable,
    "cord": lambda u, v: 0.8 * _wave(u, 0.035),
    "baffle": lambda u, v: 16 * _bulge(v, BAFFLE) - 8,
    "diamond": lambda u, v: 5 * _bulge(u + v, QUILT) * _bulge(u - v, QUILT) - 2,
    "pique": lambda u, v: 0.35 * _wave(u, 0.022) * _wave(v, 0.022),
    "waffle": lambda u, v: _wave(u, 0.05) * _wave(v, 0.05),
}


def relief(weave: str, u: Array, v: Array) -> Array:
    """Height of the weave, about [-1, 1] and more where it is padded; "plain" is flat."""
    return RELIEF[weave](u, v) if weave in RELIEF else np.zeros_like(u)


def shade(weave: str, u: Array, v: Array) -> Array:
    """How bright the cloth is where padding meets at its stitching: whatever the light, these grooves are dark."""
    if weave == "baffle":
        return 0.72 + 0.3 * _bulge(v, BAFFLE)
    if weave == "diamond":
        return 0.75 + 0.28 * np.minimum(_bulge(u + v, QUILT), _bulge(u - v, QUILT))
    return np.ones_like(u)
