"""Flat drawings with outlines: faces, animals, vehicles, houses and trees, shapes."""

from collections.abc import Callable

import numpy as np

from garments.geometry import Array, box, curve, ellipse, polygon, rotate, shift
from strangers.canvas import Canvas, Rng, hsv, shade

_BLACK = np.full(3, 0.06, np.float32)
_WHITE = np.full(3, 0.99, np.float32)


class Pen:
    """Draws in the units of one figure: `size` high on the canvas, its middle at (0, 0), every shape outlined."""

    def __init__(self, rng: Rng, canvas: Canvas, x: float, y: float, size: float) -> None:
        self.canvas, self.place, self.size = canvas, (x, y), size
        self.width = float(rng.choice([0.0, 0.006, 0.01, 0.016])) * (0.4 + size)
        self.ink = _BLACK if rng.random() < 0.8 else hsv(rng.random(), 0.6, 0.3)
        self.turn = float(rng.normal(0, 6))

    def fill(self, outline: Array, colour: Array) -> None:
        """A closed shape."""
        moved = shift(rotate(outline, self.turn) * self.size, *self.place)
        self.canvas.fill(moved, colour, self.ink, self.width)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Array) -> None:
        """An ellipse."""
        self.fill(ellipse((x, y), rx, ry), colour)

    def line(self, *points: tuple[float, float], width: float = 0.02) -> None:
        """A smooth line in ink."""
        moved = shift(rotate(curve(*points), self.turn) * self.size, *self.place)
        self.canvas.stroke(moved, width * self.size, self.ink)

    def eye(self, x: float, y: float, r: float) -> None:
        """White with a pupil that looks ahead."""
        self.disc(x, y, r, 1.2 * r, _WHITE)
        self.disc(x, y + 0.2 * r, 0.5 * r, 0.6 * r, _BLACK)


def draw(rng: Rng, width: int, height: int) -> Array:
    """A cartoon `(H, W, 3) float32` in [0, 1]."""
    canvas = Canvas(width, height, _ground(rng, width, height))
    if rng.random() < 0.55:
        _backdrop(rng, canvas)
    count = int(rng.choice([1, 1, 1, 2, 3, 5]))
    for i in range(count):
        figure = _FIGURES[int(rng.integers(len(_FIGURES)))]
        size = float(rng.uniform(0.55, 0.95)) * min(1.0, canvas.wide) / (1 if count == 1 else count**0.6)
        x = canvas.wide * ((i + 0.5) / count + rng.normal(0, 0.04))
        figure(rng, Pen(rng, canvas, float(x), float(0.52 + rng.normal(0, 0.06)), size))
    return canvas.pixels()


def _vivid(rng: Rng) -> Array:
    return hsv(rng.random(), float(rng.uniform(0.35, 0.95)), float(rng.uniform(0.55, 1)))


def _ground(rng: Rng, width: int, height: int) -> Array:
    if rng.random() < 0.3:
        return _WHITE
    top, low = _vivid(rng), _vivid(rng)
    if rng.random() < 0.5:
        return top
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return np.broadcast_to(top + (low - top) * share, (height, width, 3))


def _backdrop(rng: Rng, canvas: Canvas) -> None:
    """Hills and a sun, rays, or dots."""
    kind = int(rng.integers(3))
    if kind == 0:
        canvas.disc(rng.uniform(0, canvas.wide), rng.uniform(0, 0.3), 0.1, 0.1, hsv(0.14, 0.7, 1))
        for level in (0.6, 0.72):
            along = np.linspace(-0.1, canvas.wide + 0.1, 60)
            hill = np.stack([along, level + 0.07 * np.sin(along * rng.uniform(2, 6) + rng.uniform(0, 6))], 1)
            green = hsv(rng.uniform(0.2, 0.4), 0.6, level)
            canvas.fill(np.vstack([hill, [[canvas.wide + 0.1, 1.1], [-0.1, 1.1]]]), green)
    elif kind == 1:
        x, y, colour = float(rng.uniform(0, canvas.wide)), float(rng.uniform(0, 1)), _vivid(rng)
        for turn in np.arange(0, 2 * np.pi, np.pi / 8):
            away = [(x + 3 * np.cos(turn + d), y + 3 * np.sin(turn + d)) for d in (0, np.pi / 16)]
            canvas.fill(polygon((x, y), *away), colour)
    else:
        colour, step = _vivid(rng), float(rng.uniform(0.08, 0.2))
        for column in range(int(canvas.wide / step) + 2):
            for row in range(int(1 / step) + 2):
                canvas.disc(column * step, row * step, 0.25 * step, 0.25 * step, colour)


def _face(rng: Rng, pen: Pen) -> None:
    skin = hsv(rng.uniform(0.04, 0.1), rng.uniform(0.2, 0.6), rng.uniform(0.45, 1))
    hair, wide = hsv(rng.random() * 0.15, rng.uniform(0.3, 0.9), rng.uniform(0.1, 0.9)), rng.uniform(0.3, 0.42)
    pen.disc(0, -0.12, wide + 0.06, 0.38, hair)
    for side in (-1, 1):
        pen.disc(side * wide, 0, 0.06, 0.09, skin)
    pen.disc(0, 0, wide, 0.42, skin)
    pen.fill(ellipse((0, -0.2), wide, 0.24, 180, 360), hair)
    for side in (-1, 1):
        pen.eye(side * 0.15, -0.02, float(rng.uniform(0.04, 0.09)))
        pen.line((side * 0.22, -0.17), (side * 0.15, -0.2), (side * 0.08, -0.17))
    pen.line((0, 0.02), (0.04, 0.12), (-0.02, 0.13))
    smile = float(rng.uniform(-0.08, 0.1))
    pen.line((-0.14, 0.23), (0, 0.23 + smile), (0.14, 0.23))


def _cat(rng: Rng, pen: Pen) -> None:
    fur = _vivid(rng)
    pen.line((0.2, 0.4), (0.45, 0.3), (0.4, 0.0), width=0.06)
    pen.disc(0, 0.28, 0.25, 0.22, fur)
    for side in (-1, 1):
        pen.fill(polygon((side * 0.3, -0.42), (side * 0.33, -0.1), (side * 0.06, -0.28)), fur)
        pen.disc(side * 0.13, 0.46, 0.09, 0.05, shade(fur, 0.9))
    pen.disc(0, -0.1, 0.34, 0.26, fur)
    for side in (-1, 1):
        pen.eye(side * 0.14, -0.12, 0.06)
        for dy in (0, 0.05):
            pen.line((side * 0.14, 0.02 + dy), (side * 0.4, -0.02 + 2 * dy), width=0.008)
    pen.fill(polygon((-0.03, -0.02), (0.03, -0.02), (0, 0.02)), hsv(0.95, 0.5, 0.9))


def _bear(rng: Rng, pen: Pen) -> None:
    fur = hsv(rng.uniform(0.03, 0.12), rng.uniform(0.1, 0.7), rng.uniform(0.3, 0.95))
    pen.disc(0, 0.3, 0.3, 0.24, fur)
    pen.disc(0, 0.32, 0.18, 0.16, shade(fur, 1.3))
    for side in (-1, 1):
        pen.disc(side * 0.27, -0.35, 0.1, 0.1, fur)
        pen.disc(side * 0.3, 0.22, 0.09, 0.14, fur)
    pen.disc(0, -0.13, 0.34, 0.3, fur)
    pen.disc(0, -0.02, 0.16, 0.12, shade(fur, 1.3))
    pen.disc(0, -0.07, 0.05, 0.035, _BLACK)
    for side in (-1, 1):
        pen.disc(side * 0.13, -0.2, 0.03, 0.04, _BLACK)
    pen.line((-0.06, 0.03), (0, 0.06), (0.06, 0.03), width=0.015)


def _fish(rng: Rng, pen: Pen) -> None:
    scales, fin = _vivid(rng), _vivid(rng)
    pen.fill(polygon((0.28, 0), (0.52, -0.22), (0.46, 0), (0.52, 0.22)), fin)
    pen.fill(polygon((-0.1, -0.18), (0.08, -0.36), (0.18, -0.14)), fin)
    pen.disc(-0.05, 0, 0.4, 0.24, scales)
    for x in (-0.05, 0.08, 0.2):
        pen.line((x, -0.14), (x + 0.05, 0), (x, 0.14), width=0.012)
    pen.eye(-0.27, -0.06, 0.06)
    pen.line((-0.42, 0.06), (-0.34, 0.09), (-0.28, 0.06), width=0.015)


def _bird(rng: Rng, pen: Pen) -> None:
    feathers = _vivid(rng)
    for x in (-0.06, 0.08):
        pen.line((x, 0.28), (x, 0.48), width=0.02)
    pen.fill(polygon((0.22, 0.1), (0.52, 0.0), (0.5, 0.16)), shade(feathers, 0.8))
    pen.disc(0, 0.1, 0.3, 0.22, feathers)
    pen.disc(-0.2, -0.2, 0.18, 0.17, feathers)
    pen.fill(polygon((-0.36, -0.24), (-0.54, -0.16), (-0.35, -0.12)), hsv(0.1, 0.9, 1))
    pen.disc(0.06, 0.08, 0.18, 0.1, shade(feathers, 0.75))
    pen.eye(-0.23, -0.23, 0.05)


def _car(rng: Rng, pen: Pen) -> None:
    paint = _vivid(rng)
    pen.fill(polygon((-0.28, -0.02), (-0.18, -0.24), (0.14, -0.24), (0.28, -0.02)), shade(paint, 0.9))
    pen.fill(polygon((-0.22, -0.03), (-0.15, -0.19), (-0.03, -0.19), (-0.03, -0.03)), hsv(0.55, 0.25, 0.95))
    pen.fill(polygon((0.01, -0.03), (0.01, -0.19), (0.12, -0.19), (0.21, -0.03)), hsv(0.55, 0.25, 0.95))
    pen.fill(box(-0.5, -0.03, 0.5, 0.2, 0.06), paint)
    for x in (-0.28, 0.28):
        pen.disc(x, 0.2, 0.12, 0.12, _BLACK)
        pen.disc(x, 0.2, 0.055, 0.055, np.full(3, 0.75, np.float32))
    pen.disc(-0.47, 0.06, 0.03, 0.04, hsv(0.15, 0.6, 1))


def _truck(rng: Rng, pen: Pen) -> None:
    pen.fill(box(-0.5, -0.3, 0.16, 0.2), _vivid(rng))
    pen.fill(polygon((0.16, -0.14), (0.36, -0.14), (0.48, 0.04), (0.48, 0.2), (0.16, 0.2)), _vivid(rng))
    pen.fill(polygon((0.22, -0.09), (0.34, -0.09), (0.42, 0.04), (0.22, 0.04)), hsv(0.55, 0.25, 0.95))
    for x in (-0.36, -0.1, 0.32):
        pen.disc(x, 0.22, 0.1, 0.1, _BLACK)
        pen.disc(x, 0.22, 0.045, 0.045, _WHITE)


def _rocket(rng: Rng, pen: Pen) -> None:
    hull, fin = _vivid(rng), _vivid(rng)
    pen.fill(polygon((-0.08, 0.34), (0, 0.55), (0.08, 0.34)), hsv(0.09, 0.9, 1))
    for side in (-1, 1):
        pen.fill(polygon((side * 0.14, 0.1), (side * 0.32, 0.4), (side * 0.12, 0.32)), fin)
    side_line = curve((0, -0.5), (0.16, -0.2), (0.16, 0.1), (0.1, 0.35))
    pen.fill(np.vstack([side_line, side_line[::-1] * np.array([-1, 1])]), hull)
    pen.disc(0, -0.12, 0.09, 0.09, hsv(0.55, 0.4, 0.95))
    pen.disc(0, 0.1, 0.06, 0.06, hsv(0.55, 0.4, 0.95))


def _house(rng: Rng, pen: Pen) -> None:
    pen.fill(box(0.18, -0.45, 0.28, -0.15), _vivid(rng))
    pen.fill(box(-0.36, -0.12, 0.36, 0.45), _vivid(rng))
    pen.fill(polygon((-0.46, -0.12), (0, -0.5), (0.46, -0.12)), _vivid(rng))
    pen.fill(box(-0.08, 0.15, 0.1, 0.45), _vivid(rng))
    for x in (-0.28, 0.18):
        pen.fill(box(x, 0.0, x + 0.13, 0.14), hsv(0.55, 0.3, 1))


def _tree(rng: Rng, pen: Pen) -> None:
    pen.fill(box(-0.06, 0.1, 0.06, 0.5), hsv(0.07, 0.6, 0.5))
    green = hsv(rng.uniform(0.15, 0.45), 0.7, rng.uniform(0.4, 0.9))
    for x, y, r in ((-0.2, 0.0, 0.2), (0.2, 0.0, 0.2), (0, -0.2, 0.26), (0, 0.02, 0.2)):
        pen.disc(x, y, r, r, green)


def _flower(rng: Rng, pen: Pen) -> None:
    petal, count = _vivid(rng), int(rng.integers(5, 10))
    pen.line((0, 0), (0.04, 0.25), (0, 0.5), width=0.035)
    for turn in np.linspace(0, 360, count, endpoint=False):
        pen.fill(rotate(ellipse((0, -0.22), 0.1, 0.17), float(turn)), petal)
    pen.disc(0, 0, 0.12, 0.12, hsv(0.13, 0.8, 1))


def _shapes(rng: Rng, pen: Pen) -> None:
    for _ in range(int(rng.integers(3, 12))):
        x, y = rng.uniform(-0.45, 0.45, 2)
        r, corners = rng.uniform(0.06, 0.25), int(rng.integers(3, 9))
        turn = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 6)
        star = np.where(np.arange(corners) % 2, rng.uniform(0.4, 1), 1.0) * r
        pen.fill(np.stack([x + star * np.cos(turn), y + star * np.sin(turn)], 1), _vivid(rng))


_FIGURES: tuple[Callable[[Rng, Pen], None], ...] = (
    _face, _face, _cat, _bear, _fish, _bird, _car, _truck, _rocket, _house, _tree, _flower, _shapes,
)  # fmt: skip
