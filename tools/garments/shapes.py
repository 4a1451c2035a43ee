"""Outlines and pixel fields. Lines are (N, 2) arrays of x to the right and y down, about 1 across a chest."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.interpolate import CubicHermiteSpline
from scipy.ndimage import gaussian_filter

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = str | Sequence[tuple[float, float]]
Rng: TypeAlias = np.random.Generator


def line(*runs: Run) -> Array:
    """Catmull-Rom curves through the points of each run; where a run ends and the next one begins is a corner.

    A run is a list of points, or a text "x,y x,y", in which `|` separates runs.
    """
    pieces: list[Array] = []
    for run in chain.from_iterable(_parsed(run) for run in runs):
        knots = np.vstack([pieces[-1][-1:], run]) if pieces else run
        count = len(knots)
        if count > 1:
            spline = CubicHermiteSpline(np.arange(count), knots, np.gradient(knots, axis=0))
            knots = spline(np.linspace(0, count - 1, 12 * (count - 1) + 1))
        pieces.append(knots)
    return np.vstack(pieces)


def _parsed(run: Run) -> list[Array]:
    if not isinstance(run, str):
        return [np.asarray(run, np.float64)]
    return [np.array([pair.split(",") for pair in part.split()], np.float64) for part in run.split("|")]


def symmetric(half: Array) -> Array:
    """The outline whose right half runs from its top to its bottom."""
    return np.vstack([half, half[::-1] * (-1, 1)])


def box(x0: float, y0: float, x1: float, y1: float) -> Array:
    """A rectangle."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def ellipse(x: float, y: float, rx: float, ry: float) -> Array:
    """An ellipse about (x, y)."""
    a = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + rx * np.cos(a), y + ry * np.sin(a)], axis=1)


def rotate(points: Array, degrees: float, x: float = 0.0, y: float = 0.0) -> Array:
    """The points turned about (x, y), clockwise on the picture."""
    a = np.deg2rad(degrees)
    return (points - (x, y)) @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + (x, y)


def ribbon(middle: Array, width: float | Array) -> Array:
    """The outline of a band along a line; its width is one number or one for each point."""
    along = np.gradient(middle, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side = np.stack([along[:, 1], -along[:, 0]], axis=1) * np.broadcast_to(np.asarray(width) / 2, len(middle))[:, None]
    return np.vstack([middle + side, (middle - side)[::-1]])


def resize(field: Array, width: int, height: int) -> Array:
    """The field (H, W) at another size, bicubic."""
    image = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def noise(rng: Rng, shape: tuple[int, ...], width: float, height: float = 0.0, octaves: int = 1) -> Array:
    """Smooth noise (H, W) of about unit deviation, its bumps `width` by `height` (default: the same) pixels."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        cells = [max(cell / 2**octave, 1.0) for cell in (height or width, width)]
        grid = rng.standard_normal([int(np.ceil(n / cell)) + 3 for n, cell in zip(shape, cells, strict=True)])
        rows, columns = (max(n, round(k * cell)) for n, k, cell in zip(shape, grid.shape, cells, strict=True))
        wide, top, left = resize(grid, columns, rows), (rows - shape[0]) // 2, (columns - shape[1]) // 2
        total += wide[top : top + shape[0], left : left + shape[1]] * np.float32(1.3 * 0.5**octave)
    return total


def blur(field: Array, sigma: float) -> Array:
    """The field (H, W) with a Gaussian blur."""
    return gaussian_filter(field, sigma, mode="nearest", truncate=2.5)


def smoothstep(field: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((field - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
