"""The world outside: sky, mountains, sea, fields, woods, streets with houses, a town at night."""

from collections.abc import Callable

import numpy as np

from garments.fields import fractal, noise, smoothstep
from garments.geometry import Array, box, polygon
from strangers.canvas import Canvas, Rng, blend, hsv, shade, spread


def draw(rng: Rng, width: int, height: int) -> Array:
    """A scene `(H, W, 3) float32` in [0, 1]."""
    return _PAINTERS[int(rng.integers(len(_PAINTERS)))](rng, width, height)


def _rows(width: int, height: int) -> Array:
    return np.broadcast_to(np.linspace(0, 1, height, dtype=np.float32)[:, None], (height, width))


def _sky(rng: Rng, width: int, height: int) -> Array:
    """Day, overcast or dusk, with clouds."""
    top, low, cloud = (
        (hsv(rng.uniform(0.54, 0.62), rng.uniform(0.4, 0.8), rng.uniform(0.6, 0.9)), hsv(0.55, 0.15, 0.95), 1.0),
        (hsv(0.6, 0.06, rng.uniform(0.5, 0.8)), hsv(0.6, 0.03, rng.uniform(0.75, 0.95)), 0.9),
        (hsv(rng.uniform(0.6, 0.75), 0.5, 0.45), hsv(rng.uniform(0.02, 0.1), 0.6, 0.95), 0.75),
    )[int(rng.choice(3, p=(0.55, 0.25, 0.2)))]
    share = _rows(width, height) ** np.float32(0.8)
    picture = blend(top, low, share)
    field = fractal(rng, (height, width), float(rng.uniform(50, 130)), 5) + 0.4 * noise(rng, (height, width), (160, 30))
    cover = smoothstep(field, rng.uniform(-0.4, 1.2), 1.8) * rng.uniform(0.3, 0.95)
    white = np.full(3, cloud, np.float32) * (1 - 0.12 * np.clip(noise(rng, field.shape, 25), 0, 2))[..., None]
    return blend(picture, white, cover)


def _ridge(rng: Rng, wide: float, level: float, rise: float, cell: float) -> Array:
    """An outline whose top runs from left to right around `level`, closed below the picture."""
    steps = 160
    line = noise(rng, (1, steps), steps * cell)[0]
    for octave in range(1, 5):
        line = line + noise(rng, (1, steps), max(2.0, steps * cell / 2**octave))[0] * 0.5**octave
    x = np.linspace(-0.01, wide + 0.01, steps)
    return np.vstack([np.stack([x, level - rise * (0.5 + 0.5 * line)], 1), [[wide + 0.01, 1.1], [-0.01, 1.1]]])


def _tree(rng: Rng, canvas: Canvas, x: float, foot: float, tall: float, leaf: Array) -> None:
    bark = hsv(rng.uniform(0.04, 0.1), 0.5, rng.uniform(0.15, 0.4))
    canvas.fill(box(x - 0.04 * tall, foot - 0.5 * tall, x + 0.04 * tall, foot), bark)
    if rng.random() < 0.4:
        for tier in range(4):
            top, half = foot - tall + 0.2 * tier * tall, (0.12 + 0.07 * tier) * tall
            colour = spread(rng, shade(leaf, 0.7 + 0.06 * tier), 0.015)
            canvas.fill(polygon((x, top), (x + half, top + 0.33 * tall), (x - half, top + 0.33 * tall)), colour)
        return
    for i in range(38):
        dx, dy = rng.normal(0, 0.15, 2) * tall
        tone = shade(leaf, (0.6 + 0.016 * i) * rng.uniform(0.85, 1.15))
        rx, ry = rng.uniform(0.05, 0.11, 2) * tall
        canvas.disc(x + dx, foot - 0.68 * tall + dy - 0.003 * i * tall, rx, ry, tone)


def _textured(rng: Rng, picture: Array, below: float, strength: float) -> Array:
    """Grit on the ground, finer the farther off."""
    height, width = picture.shape[:2]
    near = smoothstep(_rows(width, height), below, 1.0)
    grit = noise(rng, (height, width), 2.0) * (1 - near) + fractal(rng, (height, width), 9, 3) * near
    there = smoothstep(_rows(width, height), below, below + 0.3)
    gritty: Array = picture * (1 + strength * grit * there)[..., None]
    return np.clip(gritty, 0, 1)


def _mountains(rng: Rng, width: int, height: int) -> Array:
    canvas = Canvas(width, height, _sky(rng, width, height))
    haze, rock = hsv(0.6, 0.2, 0.8), hsv(rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.5))
    layers = int(rng.integers(2, 6))
    start = float(rng.uniform(0.35, 0.6))
    for i in range(layers):
        near = (i + 1) / layers
        level = start + (1 - start) * 0.75 * i / layers
        ridge = _ridge(rng, canvas.wide, level, rng.uniform(0.1, 0.35) * (1.3 - 0.6 * near), rng.uniform(0.1, 0.4))
        colour = haze + (rock - haze) * np.float32(near)
        canvas.fill(ridge, colour)
        if i == 0 and rng.random() < 0.5:
            peak = ridge[:-2][ridge[:-2, 1] < level - 0.16]
            if len(peak) > 3:
                canvas.fill(np.vstack([peak, peak[::-1] * [1, 0.4] + [0, 0.6 * (level - 0.16)]]), hsv(0.6, 0.05, 0.95))
    return _textured(rng, canvas.pixels(), start, float(rng.uniform(0.04, 0.15)))


def _sea(rng: Rng, width: int, height: int) -> Array:
    picture, horizon = _sky(rng, width, height), float(rng.uniform(0.3, 0.65))
    down = np.clip((_rows(width, height) - horizon) / (1 - horizon), 0, 1)
    far = np.where(down > 0, 1 / (down + 0.04), 0)
    wave = np.sin(far * rng.uniform(12, 30) + 2.5 * fractal(rng, (height, width), 60, 3))
    water = hsv(rng.uniform(0.48, 0.62), rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.65))
    crest = smoothstep(wave + 0.7 * noise(rng, wave.shape, (20, 4)), 0.9, 1.8) * (0.3 + 0.7 * down)
    sea = blend(water * (1 + 0.1 * wave)[..., None], np.full(3, 0.95, np.float32), crest * 0.7)
    picture = blend(picture, np.clip(sea, 0, 1), smoothstep(down, 0.0, 0.01))
    if rng.random() < 0.5:
        shore = float(rng.uniform(0.72, 0.92)) + 0.03 * noise(rng, (1, width), width / 3)
        sand = hsv(rng.uniform(0.08, 0.13), rng.uniform(0.2, 0.5), rng.uniform(0.6, 0.9))
        beach = sand * (1 + 0.05 * noise(rng, wave.shape, 2))[..., None]
        picture = blend(picture, beach, smoothstep(_rows(width, height) - shore, 0.0, 0.02))
    if rng.random() < 0.35:
        canvas = Canvas(width, height, picture)
        _boat(rng, canvas, horizon)
        picture = canvas.pixels()
    return picture


def _boat(rng: Rng, canvas: Canvas, horizon: float) -> None:
    x, y, long = rng.uniform(0.2, 0.8) * canvas.wide, horizon + rng.uniform(0.01, 0.12), rng.uniform(0.06, 0.2)
    hull = polygon((x - long, y - 0.25 * long), (x + long, y - 0.25 * long), (x + 0.7 * long, y), (x - 0.7 * long, y))
    canvas.fill(hull, hsv(rng.random(), rng.uniform(0, 0.7), rng.uniform(0.2, 0.8)))
    mast = polygon((x, y - 0.3 * long), (x, y - 1.8 * long), (x + 0.8 * long, y - 0.4 * long))
    canvas.fill(mast, hsv(0.1, 0.05, rng.uniform(0.7, 0.98)))


def _field(rng: Rng, width: int, height: int) -> Array:
    canvas, horizon = Canvas(width, height, _sky(rng, width, height)), float(rng.uniform(0.4, 0.65))
    ground = hsv(rng.uniform(0.08, 0.38), rng.uniform(0.25, 0.7), rng.uniform(0.35, 0.7))
    canvas.fill(_ridge(rng, canvas.wide, horizon, 0.05, 0.5), shade(ground, 0.8))
    canvas.fill(_ridge(rng, canvas.wide, horizon + 0.08, 0.06, 0.6), ground)
    if rng.random() < 0.4:
        x = rng.uniform(0.3, 0.7) * canvas.wide
        road = polygon((x - 0.01, horizon + 0.06), (x + 0.01, horizon + 0.06), (x + 0.4, 1.05), (x - 0.3, 1.05))
        canvas.fill(road, hsv(0.1, rng.uniform(0, 0.3), rng.uniform(0.4, 0.7)))
    leaf = hsv(rng.uniform(0.1, 0.4), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.6))
    for foot in np.sort(rng.uniform(horizon + 0.03, 0.95, int(rng.integers(1, 14)))):
        tall = (0.06 + 0.9 * (foot - horizon)) * rng.uniform(0.6, 1.1)
        _tree(rng, canvas, float(rng.uniform(0, canvas.wide)), float(foot), float(tall), spread(rng, leaf, 0.03))
    return _textured(rng, canvas.pixels(), horizon, float(rng.uniform(0.06, 0.2)))


def _wood(rng: Rng, width: int, height: int) -> Array:
    mist = blend(hsv(0.25, 0.15, rng.uniform(0.6, 0.95)), hsv(0.3, 0.3, 0.4), _rows(width, height))
    canvas = Canvas(width, height, mist)
    leaf, floor = hsv(rng.uniform(0.15, 0.4), 0.5, 0.4), float(rng.uniform(0.6, 0.8))
    canvas.fill(box(-0.1, floor, canvas.wide + 0.1, 1.1), hsv(rng.uniform(0.06, 0.3), 0.5, 0.35))
    for near in np.sort(rng.uniform(0, 1, int(rng.integers(14, 40)))):
        x, thick = rng.uniform(0, canvas.wide), 0.01 + 0.09 * near**2
        trunk = hsv(0.08, 0.35 * near + 0.05, 0.6 - 0.42 * near)
        foot, lean = floor + (1 - floor) * near, rng.normal(0, 0.03)
        bole = polygon((x - thick / 2 + lean, -0.1), (x + thick / 2 + lean, -0.1), (x + thick, foot), (x - thick, foot))
        canvas.fill(bole, trunk)
        for _ in range(int(14 * near) + 4):
            tone = spread(rng, shade(leaf, rng.uniform(0.5, 1.6)), 0.03)
            rx, ry = rng.uniform(0.02, 0.07, 2)
            canvas.disc(x + rng.normal(0, 0.15), abs(rng.normal(0, 0.22)), rx, ry, tone)
    return _textured(rng, canvas.pixels(), floor, 0.2)


def _windows(rng: Rng, canvas: Canvas, left: float, top: float, right: float, foot: float, night: bool) -> None:
    columns, rows = int(rng.integers(2, 6)), max(1, int((foot - top) / rng.uniform(0.07, 0.14)))
    wide, high = (right - left) / columns, (foot - top) / (rows + 0.4)
    pane = hsv(0.58, rng.uniform(0.1, 0.4), rng.uniform(0.15, 0.5))
    for i in range(columns):
        for j in range(rows):
            x, y = left + (i + 0.25) * wide, top + (j + 0.35) * high
            lit = night and rng.random() < 0.5
            colour = hsv(0.12, rng.uniform(0.2, 0.6), 0.95) if lit else spread(rng, pane, 0.04)
            frame = None if rng.random() < 0.3 else np.full(3, 0.85 if not night else 0.1, np.float32)
            canvas.fill(box(x, y, x + 0.5 * wide, y + 0.55 * high), colour, frame, 0.005)


def _house(rng: Rng, canvas: Canvas, left: float, right: float, foot: float, tall: float, night: bool) -> None:
    wall = hsv(rng.random(), rng.uniform(0.02, 0.45), rng.uniform(0.1, 0.25) if night else rng.uniform(0.5, 0.95))
    canvas.fill(box(left, foot - tall, right, foot), wall)
    if rng.random() < 0.6:
        roof, over = hsv(rng.uniform(0, 0.08), rng.uniform(0.2, 0.7), 0.15 if night else rng.uniform(0.3, 0.6)), 0.015
        peak = foot - tall - rng.uniform(0.3, 0.6) * (right - left)
        gable = polygon((left - over, foot - tall), ((left + right) / 2, peak), (right + over, foot - tall))
        canvas.fill(gable, roof)
    _windows(rng, canvas, left, foot - tall, right, foot, night)
    if rng.random() < 0.6:
        x, door = rng.uniform(left, right - 0.06), rng.uniform(0.08, 0.13)
        canvas.fill(box(x, foot - door, x + 0.055, foot), hsv(rng.random(), 0.5, 0.35))


def _street(rng: Rng, width: int, height: int) -> Array:
    """Houses that stand in a row, seen from across the street."""
    canvas, foot, x = Canvas(width, height, _sky(rng, width, height)), float(rng.uniform(0.65, 0.85)), -0.1
    while x < canvas.wide:
        wide = float(rng.uniform(0.18, 0.45))
        _house(rng, canvas, x, x + wide, foot, float(rng.uniform(0.25, 0.5)), False)
        x += wide + max(0.0, float(rng.normal(0, 0.05)))
    canvas.fill(box(-0.1, foot, canvas.wide + 0.1, foot + 0.06), np.full(3, rng.uniform(0.55, 0.75), np.float32))
    canvas.fill(box(-0.1, foot + 0.06, canvas.wide + 0.1, 1.1), np.full(3, rng.uniform(0.2, 0.45), np.float32))
    for _ in range(int(rng.integers(0, 4))):
        leaf = hsv(rng.uniform(0.15, 0.38), 0.55, rng.uniform(0.3, 0.6))
        _tree(rng, canvas, float(rng.uniform(0, canvas.wide)), foot + 0.04, float(rng.uniform(0.25, 0.5)), leaf)
    for _ in range(int(rng.integers(0, 3))):
        _car(rng, canvas, float(rng.uniform(0.1, canvas.wide)), float(rng.uniform(foot + 0.08, 0.98)))
    return _textured(rng, canvas.pixels(), foot, 0.05)


def _car(rng: Rng, canvas: Canvas, x: float, y: float) -> None:
    long, paint = float(rng.uniform(0.2, 0.35)), hsv(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.2, 0.9))
    canvas.fill(box(x - long / 2, y - 0.27 * long, x + long / 2, y - 0.08 * long, 0.02), paint)
    cabin = [(-0.3, -0.26), (-0.2, -0.44), (0.12, -0.44), (0.27, -0.26)]
    canvas.fill(polygon(*((x + a * long, y + b * long) for a, b in cabin)), shade(paint, 0.85))
    glass = [(-0.23, -0.27), (-0.17, -0.4), (0.1, -0.4), (0.2, -0.27)]
    canvas.fill(polygon(*((x + a * long, y + b * long) for a, b in glass)), hsv(0.57, 0.2, 0.35))
    for side in (-0.3, 0.3):
        canvas.disc(x + side * long, y - 0.08 * long, 0.09 * long, 0.09 * long, np.full(3, 0.08, np.float32))
        canvas.disc(x + side * long, y - 0.08 * long, 0.045 * long, 0.045 * long, np.full(3, 0.55, np.float32))


def _alley(rng: Rng, width: int, height: int) -> Array:
    """A street that runs away from the camera between two rows of houses."""
    canvas = Canvas(width, height, _sky(rng, width, height))
    x, y = float(rng.uniform(0.35, 0.65)) * canvas.wide, float(rng.uniform(0.4, 0.6))
    grey = rng.uniform(0.25, 0.6)
    canvas.fill(polygon((x, y), (canvas.wide + 0.3, 1.15), (-0.3, 1.15)), np.full(3, grey, np.float32))
    for side in (-1, 1):
        edge = -0.05 if side < 0 else canvas.wide + 0.05
        depths = np.sort(np.append(rng.uniform(0.12, 0.9, int(rng.integers(2, 6))), [0.06, 1.0]))
        for near, far in zip(depths[1:], depths[:-1], strict=True):
            wall, tall = hsv(rng.random(), rng.uniform(0.05, 0.4), rng.uniform(0.4, 0.9)), rng.uniform(0.5, 1.1)
            a, b = x + (edge - x) * far, x + (edge - x) * near
            quad = [(a, y - tall * far), (b, y - tall * near), (b, y + 0.62 * near), (a, y + 0.62 * far)]
            canvas.fill(polygon(*quad), shade(wall, 0.75 if side < 0 else 1.0))
            _facade(rng, canvas, quad)
    for dash in np.geomspace(0.08, 1, 8):
        half, low = 0.012 * dash, y + 0.62 * dash
        end, wider = low + 0.05 * dash, 1.1 * half
        strip = polygon((x - half, low), (x + half, low), (x + wider, end), (x - wider, end))
        canvas.fill(strip, np.full(3, 0.9, np.float32))
    return _textured(rng, canvas.pixels(), y, 0.06)


def _facade(rng: Rng, canvas: Canvas, quad: list[tuple[float, float]]) -> None:
    """Windows on a wall seen at an angle, by bilinear interpolation between its corners."""
    corners = np.array(quad)
    columns, rows, glass = int(rng.integers(1, 4)), int(rng.integers(2, 6)), hsv(0.58, 0.25, rng.uniform(0.15, 0.45))
    for i in range(columns):
        for j in range(rows):
            square = []
            for s, t in ((0.25, 0.3), (0.75, 0.3), (0.75, 0.75), (0.25, 0.75)):
                u, v = (i + s) / columns, (j + t) / (rows + 0.3)
                top, foot = corners[0] + (corners[1] - corners[0]) * u, corners[3] + (corners[2] - corners[3]) * u
                square.append(top + (foot - top) * v)
            canvas.fill(np.array(square), spread(rng, glass, 0.03))


def _town(rng: Rng, width: int, height: int) -> Array:
    """Towers of a town, some windows lit, or the same by day in haze."""
    night = bool(rng.random() < 0.6)
    sky = blend(hsv(0.65, 0.7, 0.06), hsv(rng.uniform(0.6, 0.9), 0.5, 0.3), _rows(width, height))
    canvas = Canvas(width, height, sky if night else _sky(rng, width, height))
    for layer in range(3):
        x = -0.05
        while x < canvas.wide:
            wide, tall = float(rng.uniform(0.07, 0.2)), float(rng.uniform(0.25, 0.75)) * (1 - 0.2 * layer)
            value = (0.22 - 0.06 * layer) if night else (0.75 - 0.18 * layer) * rng.uniform(0.8, 1.1)
            canvas.fill(box(x, 1 - tall, x + wide, 1.1), hsv(rng.uniform(0.55, 0.7), 0.2, value))
            if layer:
                _windows(rng, canvas, x, 1 - tall, x + wide, 1.0, night)
            x += wide * float(rng.uniform(0.8, 1.3))
    return canvas.pixels()


_PAINTERS: tuple[Callable[[Rng, int, int], Array], ...] = (
    _sky, _mountains, _mountains, _sea, _field, _wood, _street, _street, _alley, _town,
)  # fmt: skip
