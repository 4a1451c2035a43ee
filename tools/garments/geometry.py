"""Curves of garment patterns, in garment units: x to the right, y down, about 1 across a chest."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Point: TypeAlias = tuple[float, float]


def curve(*points: Point, samples: int = 14) -> Array:
    """A Catmull-Rom curve through the points, (N, 2); two points give a straight line."""
    knots = np.asarray(points, dtype=np.float64)
    if len(knots) == 2:
        return np.linspace(knots[0], knots[1], samples)
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0, 1, samples, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))
    return np.vstack([*pieces, knots[-1:]])


def polygon(*points: Point) -> Array:
    """Straight edges between the points, (N, 2)."""
    return np.asarray(points, dtype=np.float64)


def join(*lines: Array) -> Array:
    """The lines one after another as one outline."""
    return np.vstack(lines)


def mirror(line: Array) -> Array:
    """The line reflected at x = 0 and reversed, so that it continues its original."""
    mirrored: Array = line[::-1] * np.array([-1.0, 1.0])
    return mirrored


def flip(line: Array, side: int) -> Array:
    """The line as drawn for the right side, moved to the left where `side` is -1."""
    moved: Array = line * np.array([float(side), 1.0])
    return moved


def symmetric(half: Array) -> Array:
    """A closed outline from its right half, which runs from top centre to bottom centre."""
    return join(half, mirror(half))


def shift(line: Array, x: float, y: float) -> Array:
    """The line moved by (x, y)."""
    moved: Array = line + np.array([x, y])
    return moved


def rotate(line: Array, degrees: float, centre: Point = (0.0, 0.0)) -> Array:
    """The line turned about a point; positive turns clockwise on the picture."""
    a = np.deg2rad(degrees)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    turned: Array = (line - np.asarray(centre)) @ turn + np.asarray(centre)
    return turned


def normals(line: Array) -> Array:
    """Unit normals, (N, 2): to the left of the direction of travel as seen on the picture."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def ribbon(line: Array, width: float | Array) -> Array:
    """The outline of a band of the given width (one, or one for each point) along the line."""
    half = np.broadcast_to(np.asarray(width) / 2, len(line))[:, None]
    side = normals(line) * half
    return join(line + side, (line - side)[::-1])


def ellipse(centre: Point, rx: float, ry: float, start: float = 0.0, stop: float = 360.0) -> Array:
    """Points of an ellipse or of its arc; degrees run clockwise from the right."""
    a = np.deg2rad(np.linspace(start, stop, 40))
    return np.stack([centre[0] + rx * np.cos(a), centre[1] + ry * np.sin(a)], axis=1)


def box(x0: float, y0: float, x1: float, y1: float, corner: float = 0.0) -> Array:
    """A rectangle whose corners are rounded by `corner`."""
    if corner <= 0:
        return polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    c = corner
    return join(
        ellipse((x1 - c, y0 + c), c, c, 270, 360), ellipse((x1 - c, y1 - c), c, c, 0, 90),
        ellipse((x0 + c, y1 - c), c, c, 90, 180), ellipse((x0 + c, y0 + c), c, c, 180, 270),
    )  # fmt: skip


def at(line: Array, t: float) -> Point:
    """The point at the fraction `t` of the line's samples."""
    position = t * (len(line) - 1)
    low = int(np.clip(np.floor(position), 0, len(line) - 2))
    x, y = line[low] + (position - low) * (line[low + 1] - line[low])
    return float(x), float(y)
