"""Colours of clothes and rooms, as sRGB triples in [0, 1]."""

import numpy as np

from garments.geometry import Array

CLOTH = {
    "black": "#1c1b1e", "charcoal": "#3a3b40", "grey": "#8b8d92", "silver": "#b9bbbe", "white": "#eeece8",
    "cream": "#e7ddc8", "sand": "#cbb491", "camel": "#a97c4f", "brown": "#5c3f30", "navy": "#1f2947",
    "royal": "#2747a6", "blue": "#3f73b5", "sky": "#9dbfe0", "teal": "#21686d", "mint": "#a5d2bf",
    "green": "#2f6b45", "olive": "#5c5f3b", "mustard": "#cf9f33", "yellow": "#ecd04e", "orange": "#d9692f",
    "coral": "#e2776b", "red": "#b8262c", "burgundy": "#682233", "pink": "#e6a3b6", "magenta": "#bf2f73",
    "dusty": "#bf8e8b", "plum": "#5b2e57", "lilac": "#b6a1cf",
}  # fmt: skip

DARK = ("black", "charcoal", "navy", "burgundy", "brown", "plum", "teal", "green", "olive")
BRIGHT = ("red", "royal", "magenta", "coral", "yellow", "orange", "blue", "mustard", "teal", "green")
NEUTRAL = ("black", "charcoal", "grey", "white", "navy", "sand", "olive", "brown", "cream", "burgundy")
ANY = tuple(CLOTH)


def rgb(code: str) -> Array:
    """The colour of a name in `CLOTH` or of a #rrggbb code."""
    code = CLOTH.get(code, code).lstrip("#")
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


def pick(rng: np.random.Generator, names: tuple[str, ...]) -> Array:
    """One of the named colours, slightly off so that no two garments share a dye."""
    colour = rgb(names[int(rng.integers(len(names)))])
    colour += (lightness(colour) - colour) * np.float32(rng.uniform(0, 0.32))
    return np.clip(colour * (1 + rng.normal(0, 0.05)) + rng.normal(0, 0.015, 3), 0.03, 0.96).astype(np.float32)


def lightness(colour: Array) -> float:
    """Perceived brightness in [0, 1]."""
    return float(colour @ np.array([0.3, 0.59, 0.11], np.float32))


def distance(a: Array, b: Array) -> float:
    """How far apart two colours look: brightness counts double."""
    return float(np.hypot(np.linalg.norm(a - b), 2 * abs(lightness(a) - lightness(b))))


def contrasting(rng: np.random.Generator, other: Array, names: tuple[str, ...] = ANY, apart: float = 0.6) -> Array:
    """A picked colour that stands out against another; after 12 tries the farthest seen."""
    best = pick(rng, names)
    for _ in range(12):
        if distance(best, other) >= apart:
            break
        candidate = pick(rng, names)
        if distance(candidate, other) > distance(best, other):
            best = candidate
    return best
