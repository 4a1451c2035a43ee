"""Surfaces that fill the picture: wood, stone, walls, leaves, water, woven cloth, plain colour."""

from collections.abc import Callable

import numpy as np

from garments import floors, palette
from garments.fields import fractal, noise, slope, smoothstep, tiled
from garments.geometry import Array, curve, rotate, shift
from garments.prints import PAINTERS
from garments.weave import RELIEF, relief
from strangers.canvas import Canvas, Rng, blend, hsv, shade, spread


def draw(rng: Rng, width: int, height: int) -> Array:
    """A surface `(H, W, 3) float32` in [0, 1]."""
    painter = _PAINTERS[int(rng.integers(len(_PAINTERS)))]
    return painter(rng, width, height)


def _plane(rng: Rng, width: int, height: int, scale: float) -> tuple[Array, Array]:
    """Coordinates on the surface, turned and tilted as a camera would see it."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / min(width, height)
    x, y = x - x.mean(), y - y.mean()
    depth = 1 + rng.normal(0, 0.12) * x + rng.uniform(-0.5, 0.1) * y
    turn = rng.uniform(0, 2 * np.pi)
    u, v = x / depth * scale, y / depth * scale
    return u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)


def _lit(rng: Rng, albedo: Array, height: Array) -> Array:
    dx, dy = slope(height)
    turn = rng.uniform(0, 2 * np.pi)
    light = 1 - 0.35 * np.clip(dx * np.cos(turn) + dy * np.sin(turn), -2, 2)
    lit: Array = albedo * (light * (1 + 0.06 * noise(rng, height.shape, 120)))[..., None]
    return np.clip(lit, 0, 1)


def _floor(rng: Rng, width: int, height: int) -> Array:
    kinds = (floors.boards, floors.boards, floors.tiles, floors.carpet, floors.rug, floors.sheet)
    ground = kinds[int(rng.integers(len(kinds)))](rng, *_plane(rng, width, height, float(rng.uniform(0.5, 2.2))))
    return _lit(rng, ground.albedo, ground.height)


def _grain(rng: Rng, width: int, height: int) -> Array:
    u, v = _plane(rng, width, height, float(rng.uniform(0.6, 2)))
    bend = 0.12 * noise(rng, u.shape, 90) + 0.05 * noise(rng, u.shape, (200, 30))
    rings = np.sin((u + bend) * rng.uniform(20, 60) + 3 * fractal(rng, u.shape, 120))
    pores = tiled(noise(rng, (256, 256), 1.5), u * 2, v * 0.12)
    wood = hsv(rng.uniform(0.04, 0.11), rng.uniform(0.25, 0.7), rng.uniform(0.3, 0.85))
    return _lit(rng, wood * (1 + 0.11 * rings + 0.06 * pores)[..., None], 0.5 * pores)


def _cells(rng: Rng, width: int, height: int, count: int) -> tuple[Array, Array, Array]:
    """Nearest point of each pixel, its distance, and how much farther the second nearest is."""
    points = rng.random((count, 2)) * (width, height)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1]).astype(np.float32)
    two = np.partition(away, 1, axis=2)[..., :2]
    return away.argmin(2), two[..., 0], two[..., 1] - two[..., 0]


def _pebbles(rng: Rng, width: int, height: int) -> Array:
    count = int(rng.integers(60, 260))
    which, _, gap = _cells(rng, width, height, count)
    base = hsv(rng.random(), rng.uniform(0, 0.25), rng.uniform(0.35, 0.75))
    stones = np.clip(base * rng.normal(1, 0.25, (count, 1)) + rng.normal(0, 0.04, (count, 3)), 0.05, 1)
    wide = np.sqrt(width * height / count)
    dome = np.sqrt(np.clip(gap / wide, 0, 1)) * wide * 0.4
    albedo = stones[which] * (0.25 + 0.75 * smoothstep(gap, 0, wide * 0.2))[..., None]
    return _lit(rng, albedo * (1 + 0.06 * noise(rng, gap.shape, 2))[..., None], dome + 0.4 * noise(rng, gap.shape, 3))


def _stone(rng: Rng, width: int, height: int) -> Array:
    field = fractal(rng, (height, width), float(rng.uniform(40, 140)), 6)
    veins = np.exp(-np.abs(field + 0.3 * noise(rng, field.shape, 15)) * rng.uniform(6, 18))
    base = hsv(rng.random(), rng.uniform(0, 0.3), rng.uniform(0.25, 0.9))
    other = hsv(rng.random(), rng.uniform(0, 0.3), rng.uniform(0.2, 0.95))
    return _lit(rng, blend(base, other, veins) * (1 + 0.08 * field)[..., None], 0.6 * noise(rng, field.shape, 1.6))


def _speckled(rng: Rng, width: int, height: int) -> Array:
    shape, base = (height, width), hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.3, 0.8))
    rough = noise(rng, shape, float(rng.uniform(1, 4))) + 0.7 * fractal(rng, shape, float(rng.uniform(6, 50)), 4)
    return _lit(rng, base * (1 + rng.uniform(0.05, 0.25) * rough)[..., None], rng.uniform(0.3, 2) * rough)


def _bricks(rng: Rng, width: int, height: int) -> Array:
    u, v = _plane(rng, width, height, float(rng.uniform(3, 9)))
    row = np.floor(v * 2).astype(int)
    column = np.floor(u + 0.5 * (row % 2)).astype(int)
    fu, fv = u + 0.5 * (row % 2) - column, v * 2 - row
    edge = np.minimum(np.minimum(fu, 1 - fu) * 2, np.minimum(fv, 1 - fv))
    clay = hsv(rng.uniform(0, 0.12), rng.uniform(0.1, 0.7), rng.uniform(0.4, 0.8))
    tone = rng.normal(1, 0.14, (64, 64))[row % 64, column % 64] * (1 + 0.08 * noise(rng, u.shape, 3))
    mortar = np.full(3, rng.uniform(0.3, 0.8), np.float32)
    solid = smoothstep(edge, 0.04, 0.1)
    return _lit(rng, blend(mortar, clay * tone[..., None], solid), 2 * solid + 0.5 * noise(rng, u.shape, 2))


def _leaf(rng: Rng, size: float) -> Array:
    half = curve((0, -0.5 * size), (rng.uniform(0.15, 0.35) * size, 0.0), (0, 0.5 * size))
    return np.vstack([half, half[::-1] * np.array([-1, 1])])


def _foliage(rng: Rng, width: int, height: int) -> Array:
    green = hsv(rng.uniform(0.12, 0.4), rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.75))
    canvas = Canvas(width, height, shade(green, 0.2))
    size, leaves = float(rng.uniform(0.06, 0.3)), int(rng.integers(250, 600))
    for i in range(leaves):
        x, y = rng.uniform(-0.1, canvas.wide + 0.1), rng.uniform(-0.1, 1.1)
        long, turn = size * rng.uniform(0.6, 1.3), float(rng.uniform(0, 360))
        colour = spread(rng, shade(green, (0.35 + 0.85 * i / leaves) * rng.uniform(0.7, 1.25)), 0.03)
        canvas.fill(shift(rotate(_leaf(rng, long), turn), x, y), colour)
        rib = shift(rotate(np.array([[0, -0.45 * long], [0, 0.45 * long]]), turn), x, y)
        canvas.stroke(rib, 0.004, shade(colour, 1.2))
    return canvas.pixels()


def _grass(rng: Rng, width: int, height: int) -> Array:
    green = hsv(rng.uniform(0.1, 0.35), rng.uniform(0.3, 0.75), rng.uniform(0.35, 0.7))
    canvas = Canvas(width, height, shade(green, 0.35))
    long = float(rng.uniform(0.08, 0.4))
    for i in range(1200):
        x, y = rng.uniform(0, canvas.wide), rng.uniform(0, 1 + long)
        lean, rise = rng.normal(0, 0.35) * long, long * rng.uniform(0.5, 1.2)
        blade = curve((x, y), (x + 0.3 * lean, y - 0.6 * rise), (x + lean, y - rise), samples=6)
        colour = spread(rng, shade(green, (0.5 + 0.7 * i / 1200) * rng.uniform(0.7, 1.3)), 0.03)
        canvas.stroke(blade, float(rng.uniform(0.002, 0.009)), colour)
    return canvas.pixels()


def _ripples(rng: Rng, width: int, height: int) -> Array:
    """Water or sand."""
    u, _ = _plane(rng, width, height, float(rng.uniform(6, 30)))
    wave = np.sin(u * 2 + 2.5 * fractal(rng, u.shape, 80, 3)) + 0.5 * fractal(rng, u.shape, 20, 3)
    wet = rng.random() < 0.5
    base = hsv(
        rng.uniform(0.45, 0.65) if wet else rng.uniform(0.07, 0.13), rng.uniform(0.2, 0.7), rng.uniform(0.4, 0.8)
    )
    lit = _lit(rng, base * (1 + 0.15 * wave)[..., None], 2.5 * wave)
    return blend(lit, np.ones(3, np.float32), smoothstep(wave, 1.2, 2.0) * (0.7 if wet else 0.0))


def _woven(rng: Rng, width: int, height: int) -> Array:
    u, v = _plane(rng, width, height, float(rng.uniform(0.25, 1.3)))
    weave = list(RELIEF)[int(rng.integers(len(RELIEF)))]
    bumps = relief(weave, u, v)
    dye = palette.pick(rng, palette.ANY)
    return _lit(rng, np.broadcast_to(dye, (*u.shape, 3)) * (1 + 0.07 * np.clip(bumps, -2, 2))[..., None], 1.2 * bumps)


def _basket(rng: Rng, width: int, height: int) -> Array:
    u, v = _plane(rng, width, height, float(rng.uniform(5, 25)))
    over = (np.floor(u) + np.floor(v)) % 2 == 0
    dome = np.where(over, np.sin(np.pi * (u % 1)), np.sin(np.pi * (v % 1)))
    strand = np.where(over, np.sin(v * 20), np.sin(u * 20))
    straw = hsv(rng.uniform(0.02, 0.16), rng.uniform(0.1, 0.7), rng.uniform(0.4, 0.85))
    return _lit(rng, straw * (0.45 + 0.55 * dome + 0.05 * strand)[..., None], 2 * dome)


def _pattern(rng: Rng, width: int, height: int) -> Array:
    """Wallpaper or printed paper, flat."""
    colours = [palette.pick(rng, palette.ANY) for _ in range(4)]
    names = sorted(PAINTERS)
    tile = PAINTERS[names[int(rng.integers(len(names)))]](rng, colours)
    u, v = _plane(rng, width, height, float(rng.uniform(1.2, 5)))
    return tiled(tile, u, v)


def _gradient(rng: Rng, width: int, height: int) -> Array:
    y, x = np.mgrid[:height, :width].astype(np.float32) / max(width, height)
    turn = rng.uniform(0, 2 * np.pi)
    share = x * np.cos(turn) + y * np.sin(turn)
    if rng.random() < 0.4:
        share = np.hypot(x - rng.random(), y - rng.random())
    share = (share - share.min()) / np.ptp(share) + rng.uniform(0, 0.2) * fractal(rng, share.shape, 90)
    ends = [hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.1, 1)) for _ in range(3)]
    return blend(blend(ends[0], ends[1], 2 * share), ends[2], 2 * share - 1)


def _brushed(rng: Rng, width: int, height: int) -> Array:
    u, v = _plane(rng, width, height, 1.0)
    lines = tiled(noise(rng, (256, 256), 1.2), u * 3, v * 0.05)
    sheen = np.sin(3 * u + rng.uniform(0, 6)) * 0.2
    metal = hsv(rng.random(), rng.uniform(0, 0.2), rng.uniform(0.4, 0.8))
    return np.clip(metal * (1 + 0.07 * lines + sheen)[..., None], 0, 1)


_PAINTERS: tuple[Callable[[Rng, int, int], Array], ...] = (
    _floor, _floor, _grain, _pebbles, _stone, _speckled, _bricks, _foliage, _grass, _ripples, _woven, _basket,
    _pattern, _gradient, _brushed,
)  # fmt: skip
