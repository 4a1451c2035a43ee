"""Folds in cloth: the ridges where a garment pulls or bends, crumple, drape, and the height field they make."""

import numpy as np

from garments.cloth import Piece, Ridge, Sheet
from garments.fields import fractal, noise, resize, smoothstep
from garments.geometry import Array, Point, at

Rng = np.random.Generator


def fan(
    rng: Rng, root: Point, degrees: float, spread: float, length: float, count: int, height: float = 3.0
) -> list[Ridge]:
    """Ridges that leave one point, as from an armpit or a crotch; degrees run clockwise from the right."""
    ridges = []
    for _ in range(count):
        a = np.deg2rad(degrees + rng.uniform(-spread, spread))
        reach = length * rng.uniform(0.5, 1.1)
        away = reach * rng.uniform(0.02, 0.2)
        start = (root[0] + away * np.cos(a), root[1] + away * np.sin(a))
        stop = (root[0] + reach * np.cos(a), root[1] + reach * np.sin(a))
        ridges.append(
            Ridge(start, stop, rng.uniform(0.012, 0.03), height * rng.uniform(0.5, 1.2), rng.normal(0, 0.025))
        )
    return ridges


def across(
    rng: Rng, spine: Array, reach: float, count: int, where: tuple[float, float] = (0.2, 0.95), height: float = 2.5
) -> list[Ridge]:
    """Creases across a tube (a sleeve, a leg), slanted either way."""
    ridges = []
    for _ in range(count):
        t = rng.uniform(*where)
        x, y = at(spine, t)
        ahead, behind = np.asarray(at(spine, min(t + 0.05, 1))), np.asarray(at(spine, max(t - 0.05, 0)))
        direction = (ahead - behind) / max(float(np.linalg.norm(ahead - behind)), 1e-6)
        slant = rng.normal(0, 0.7)
        side = np.array([-direction[1], direction[0]]) + slant * direction
        side *= reach * rng.uniform(0.5, 0.95) / np.linalg.norm(side)
        start, stop = (x - side[0], y - side[1]), (x + side[0], y + side[1])
        ridges.append(
            Ridge(start, stop, rng.uniform(0.01, 0.025), height * rng.uniform(-0.6, 1.1), rng.normal(0, 0.03))
        )
    return ridges


def gathers(
    rng: Rng, x0: float, x1: float, y: float, length: float, count: int, height: float = 2.5, flare: float = 0.0
) -> list[Ridge]:
    """Folds that hang from a seam; `flare` spreads them to the sides."""
    ridges = []
    middle = (x0 + x1) / 2
    for index in range(count):
        x = x0 + (index + rng.uniform(0.15, 0.85)) * (x1 - x0) / count
        reach = length * rng.uniform(0.45, 1.0)
        stop = (x + flare * (x - middle) * reach / length + rng.normal(0, 0.02), y + reach)
        ridges.append(
            Ridge((x, y), stop, rng.uniform(0.012, 0.03), height * rng.uniform(0.5, 1.2), rng.normal(0, 0.02))
        )
    return ridges


def scattered(rng: Rng, x0: float, y0: float, x1: float, y1: float, count: int, height: float = 2.0) -> list[Ridge]:
    """Loose creases anywhere in a rectangle, of any direction."""
    ridges = []
    for _ in range(count):
        x, y = rng.uniform(x0, x1), rng.uniform(y0, y1)
        a, reach = rng.uniform(0, np.pi), rng.uniform(0.08, 0.3)
        dx, dy = 0.5 * reach * np.cos(a), 0.5 * reach * np.sin(a)
        ridges.append(
            Ridge(
                (x - dx, y - dy),
                (x + dx, y + dy),
                rng.uniform(0.01, 0.025),
                height * rng.uniform(-0.8, 1),
                rng.normal(0, 0.04),
            )
        )
    return ridges


def storage(rng: Rng, x0: float, y0: float, x1: float, y1: float, strength: float = 1.6) -> list[Ridge]:
    """The sharp cross that stays when a folded garment is opened."""
    x, y = (x0 + x1) / 2 + rng.normal(0, 0.03), y0 + (y1 - y0) * rng.uniform(0.4, 0.6)
    return [
        Ridge((x0, y + rng.normal(0, 0.02)), (x1, y + rng.normal(0, 0.02)), 0.011, strength * rng.uniform(0.6, 1.1)),
        Ridge((x, y0), (x + rng.normal(0, 0.02), y1), 0.011, strength * rng.uniform(0.4, 1.0)),
    ]


def _ridge(ridge: Ridge, x: Array, y: Array) -> Array:
    start, stop = np.asarray(ridge.start, np.float32), np.asarray(ridge.stop, np.float32)
    along = stop - start
    length = max(float(np.linalg.norm(along)), 1e-6)
    along = along / length
    s = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / length
    t = (x - start[0]) * -along[1] + (y - start[1]) * along[0]
    t = (t - ridge.bend * 4 * s * (1 - s)) / np.float32(ridge.width)
    # A fold leans over: one flank is steep, the other runs out slowly.
    flank = np.where(t > 0, t * 0.45, t * 1.3)
    window = smoothstep(s, -0.12, 0.15) * (1 - smoothstep(s, 0.55, 1.12))
    field: Array = 1.7 * ridge.height * np.exp(-flank * flank) * window
    return field


def _crumple(rng: Rng, shape: tuple[int, int], cell: float) -> Array:
    wander = fractal(rng, shape, cell * 1.3, 2)
    tall = -np.abs(noise(rng, shape, (cell * 0.8, cell * 1.7)))
    broad = -np.abs(noise(rng, shape, (cell * 1.6, cell * 0.7)))
    return 2.6 * wander + 3.0 * (tall + broad)


def height_field(rng: Rng, piece: Piece, sheet: Sheet) -> Array:
    """All folds of the piece over its sheet, in sheet pixels of height; made at half size, they are smooth."""
    rows, columns = sheet.shape
    shape = (rows // 2, columns // 2)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x = x * 2 / sheet.unit + sheet.corner[0]
    y = y * 2 / sheet.unit + sheet.corner[1]
    total = piece.crumple * _crumple(rng, shape, 0.2 * sheet.unit / 2)
    total += piece.soft * 6.0 * noise(rng, shape, 0.42 * sheet.unit / 2)
    wobble_x, wobble_y = (0.014 * noise(rng, shape, 0.25 * sheet.unit / 2) for _ in range(2))
    for ridge in piece.ridges:
        total += _ridge(ridge, x + wobble_x, y + wobble_y)
    if piece.pucker:
        total += piece.pucker * 2.6 * noise(rng, shape, (0.035 * sheet.unit / 2, 0.1 * sheet.unit / 2))
    if piece.pleats:
        drape = noise(rng, shape, (0.09 * sheet.unit / 2, 1.1 * sheet.unit / 2))
        total += piece.pleats * 3.2 * drape
    return resize(total, columns, rows) * np.float32(1.35 * min(1.4, sheet.unit / 200))
