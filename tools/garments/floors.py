"""What a garment lies on or hangs against: floors, fabrics and walls as albedo and height over room coordinates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from garments import palette
from garments.fields import blur, fractal, noise, smoothstep, tiled
from garments.geometry import Array
from garments.prints import PAINTERS

Rng = np.random.Generator


@dataclass(frozen=True)
class Ground:
    """Albedo (H, W, 3) in sRGB, height (H, W) in pixels, and how much its gloss reflects the window."""

    albedo: Array
    height: Array
    gloss: float = 0.0


def _turned(rng: Rng, x: Array, y: Array, spread: float = 8.0) -> tuple[Array, Array]:
    a = np.deg2rad(rng.normal(0, spread) + (90 if rng.random() < 0.35 else 0))
    return x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)


def _noise_tile(rng: Rng, size: int = 256) -> Array:
    return noise(rng, (size, size), 1.6)


def boards(rng: Rng, x: Array, y: Array) -> Ground:
    """Parquet or laminate: boards with staggered ends, a tone for each and grain along it."""
    woods = (
        "#c9b79d",
        "#d8c9b2",
        "#a98d6c",
        "#b88a55",
        "#8a5a36",
        "#5f4030",
        "#b3aaa0",
        "#9a938c",
        "#d3b183",
        "#c08a4a",
    )
    wood = palette.rgb(woods[int(rng.integers(len(woods)))])
    u, v = _turned(rng, x + rng.uniform(0, 9), y + rng.uniform(0, 9), 5)
    width, length = rng.uniform(0.13, 0.32), rng.uniform(0.9, 1.8)
    column = np.floor(u / width).astype(int)
    offset = rng.uniform(0, 1, 256)[column % 256] * length
    row = np.floor((v + offset) / length).astype(int)
    tone = rng.normal(1, 0.07, (256, 256))[column % 256, row % 256]
    start = rng.uniform(0, 5, (256, 256))[column % 256, row % 256]
    grain = tiled(_noise_tile(rng), u * 0.9 + start, v * 0.07 + start)
    fine = tiled(_noise_tile(rng), u * 2.2 + start, v * 0.25)
    rings = np.sin(9 * grain + 22 * (u + start))
    edge = np.minimum(np.abs(u / width - column - 0.5) * -1 + 0.5, 1) * width
    end = np.minimum((v + offset) / length - row, 1 - ((v + offset) / length - row)) * length
    gap = 1 - smoothstep(np.minimum(edge, end), 0.0, 0.007)
    shade = tone * (1 + 0.035 * rings + 0.04 * fine + 0.05 * grain) * (1 - 0.45 * gap)
    albedo = wood * np.clip(shade, 0.2, 1.6)[..., None]
    return Ground(albedo.astype(np.float32), (-1.2 * gap).astype(np.float32), float(rng.uniform(0.05, 0.3)))


def tiles(rng: Rng, x: Array, y: Array) -> Ground:
    """Ceramic floor tiles with grout, clouded like stone."""
    stones = ("#d5cdbd", "#c9bda7", "#e0dcd2", "#a8a39a", "#8d867c", "#cfc2b0")
    stone = palette.rgb(stones[int(rng.integers(len(stones)))])
    u, v = _turned(rng, x + rng.uniform(0, 3), y + rng.uniform(0, 3), 6)
    if rng.random() < 0.3:
        u, v = (u + v) * 0.7071, (u - v) * 0.7071
    size = rng.uniform(0.35, 0.75)
    fu, fv = (u / size) % 1, (v / size) % 1
    edge = np.minimum(np.minimum(fu, 1 - fu), np.minimum(fv, 1 - fv)) * size
    grout = 1 - smoothstep(edge, 0.004, 0.011)
    tone = rng.normal(1, 0.025, (64, 64))[np.floor(u / size).astype(int) % 64, np.floor(v / size).astype(int) % 64]
    cloud = fractal(rng, x.shape, 60, 4)
    shade = tone * (1 + 0.035 * cloud) * (1 - 0.35 * grout)
    return Ground((stone * shade[..., None]).astype(np.float32), (-1.5 * grout).astype(np.float32), 0.3)


def carpet(rng: Rng, x: Array, y: Array) -> Ground:
    """A shaggy or short-pile carpet: relief at the size of its tufts."""
    dyes = ("#cfc4ad", "#b9ab93", "#d9d6cf", "#8f9093", "#a58e78", "#7d3f45", "#66745c", "#4c4f5c", "#e4ddcf")
    dye = palette.rgb(dyes[int(rng.integers(len(dyes)))])
    tuft = rng.uniform(2.5, 6.5)
    pile = noise(rng, x.shape, tuft) + 0.8 * noise(rng, x.shape, tuft * 0.5)
    brushed = fractal(rng, x.shape, 70, 3)
    shade = 1 + 0.045 * pile + 0.05 * brushed
    return Ground((dye * shade[..., None]).astype(np.float32), (tuft * 0.24 * pile).astype(np.float32))


def sheet(rng: Rng, x: Array, y: Array) -> Ground:
    """A bed sheet or blanket of one colour, with wrinkles."""
    dyes = (
        "#c2234f",
        "#b01c66",
        "#cf2a22",
        "#e7e3dd",
        "#d9cdbd",
        "#cda9a0",
        "#8fa6bd",
        "#d2a58c",
        "#55607c",
        "#7d8c72",
        "#e8d7d4",
    )
    dye = palette.rgb(dyes[int(rng.integers(len(dyes)))])
    long = noise(rng, x.shape, (rng.uniform(60, 200), rng.uniform(25, 70)))
    wrinkles = -np.abs(fractal(rng, x.shape, rng.uniform(70, 130), 3)) * 7
    creases = -5 * np.abs(noise(rng, x.shape, (rng.uniform(30, 110), rng.uniform(30, 60))))
    height = wrinkles + creases + 4 * long + 0.35 * noise(rng, x.shape, 1.5)
    return Ground(np.broadcast_to(dye, (*x.shape, 3)).astype(np.float32), height * np.float32(rng.uniform(0.8, 2.4)))


def bedspread(rng: Rng, x: Array, y: Array) -> Ground:
    """A pale printed cover, its print calm beside the garment's."""
    ground = palette.pick(rng, ("white", "cream", "sky", "sand", "silver", "pink"))
    colours = [ground, *(0.6 * ground + 0.4 * palette.pick(rng, palette.ANY) for _ in range(3))]
    names = ("floral", "plaid", "windowpane", "geometric", "gingham")
    tile = PAINTERS[names[int(rng.integers(len(names)))]](rng, colours)
    u, v = _turned(rng, x, y)
    period = rng.uniform(0.35, 0.8)
    height = -6 * np.abs(fractal(rng, x.shape, 110, 2)) + 0.3 * noise(rng, x.shape, 1.5)
    shift_x, shift_y = 0.02 * noise(rng, x.shape, 90), 0.02 * noise(rng, x.shape, 90)
    return Ground(tiled(tile, (u + shift_x) / period, (v + shift_y) / period), height.astype(np.float32))


def _arabesque(rng: Rng, size: int = 192) -> Array:
    angle = 2 * np.pi * (np.arange(size) + 0.5) / size
    total = np.zeros((size, size))
    for _ in range(9):
        m, n = rng.integers(0, 6, 2)
        wave = np.outer(np.cos(m * angle), np.cos(n * angle))
        total += rng.normal() * (wave + 0.7 * wave.T) / (1 + 0.12 * (m + n))
    unit: Array = (total / total.std()).astype(np.float32)
    return unit


def rug(rng: Rng, x: Array, y: Array) -> Ground:
    """An ornamental wool rug: mirrored blots of a few deep dyes."""
    schemes = (("#6b2327", "#2c2a35", "#b59a6a", "#8f4a3a"), ("#2f4a3c", "#c2b28c", "#6d2b2b", "#1d2b26"),
               ("#b7a98e", "#7c6a55", "#d6ccb5", "#94664f"), ("#3b4663", "#a99c86", "#6e2f35", "#20263a"))  # fmt: skip
    dyes = [palette.rgb(code) for code in schemes[int(rng.integers(len(schemes)))]]
    motif = _arabesque(rng)
    levels = np.digitize(motif, [-0.9, -0.75, 0.45, 0.75])
    tile = np.stack([dyes[1], dyes[2], dyes[0], dyes[2], dyes[3]])[levels]
    u, v = _turned(rng, x, y, 12)
    size = rng.uniform(0.35, 0.6)
    jitter = 0.006 * noise(rng, x.shape, 3)
    pile = noise(rng, x.shape, 2.2)
    albedo = tiled(tile, (u + jitter) / size, (v + jitter) / size) * (1 + 0.06 * pile)[..., None]
    return Ground(albedo.astype(np.float32), (0.5 * pile).astype(np.float32))


def wall(rng: Rng, x: Array, y: Array) -> Ground:
    """A painted wall, now and then with a skirting board and a strip of floor."""
    paints = ("#d9d5cc", "#c9c6c0", "#e5e1d8", "#b8bcbf", "#d8cdb8", "#c3cdcf", "#ddd0c8")
    paint = palette.rgb(paints[int(rng.integers(len(paints)))])
    rough = fractal(rng, x.shape, 5, 2)
    albedo = np.broadcast_to(paint, (*x.shape, 3)) * (1 + 0.012 * fractal(rng, x.shape, 90, 2))[..., None]
    height = 0.35 * rough
    if rng.random() < 0.4:
        floor = boards(rng, x, y * 2)
        level = float(np.quantile(y, rng.uniform(0.88, 0.95)))
        board = (y > level - 0.07) & (y <= level)
        albedo = np.where((y > level)[..., None], floor.albedo, albedo * np.where(board, 1.06, 1.0)[..., None])
        height = height - 2.5 * (np.abs(y - level + 0.07) < 0.006) - 2.5 * (np.abs(y - level) < 0.006)
    return Ground(np.clip(albedo, 0, 1).astype(np.float32), height.astype(np.float32))


def door(rng: Rng, x: Array, y: Array) -> Ground:
    """A panelled door or a wardrobe front."""
    paints = ("#e6e2da", "#d6cfc2", "#b98d5f", "#8b5e3d", "#c9c9c7")
    paint = palette.rgb(paints[int(rng.integers(len(paints)))])
    left, width = rng.uniform(-0.62, -0.42), rng.uniform(0.9, 1.2)
    height = 0.15 * noise(rng, x.shape, 2)
    for top, bottom in ((-1.2, rng.uniform(-0.1, 0.25)), (rng.uniform(0.32, 0.4), 1.6)):
        away = np.maximum(np.abs(x - left - width / 2) - width / 2, np.abs(y - (top + bottom) / 2) - (bottom - top) / 2)
        height = height + 3.0 * np.sin(np.clip(away / 0.03, -1, 1) * np.pi)
    streak = tiled(_noise_tile(rng), x * 1.1, y * 0.05)
    warm = 0.06 if palette.lightness(paint) < 0.7 else 0.008
    return Ground((paint * (1 + warm * streak)[..., None]).astype(np.float32), blur(height, 1.0), 0.15)


FLAT: tuple[Callable[[Rng, Array, Array], Ground], ...] = (
    boards,
    boards,
    boards,
    tiles,
    carpet,
    carpet,
    sheet,
    sheet,
    sheet,
    bedspread,
    rug,
)
UPRIGHT: tuple[Callable[[Rng, Array, Array], Ground], ...] = (wall, wall, door)


def choose(rng: Rng, x: Array, y: Array, upright: bool, garment: Array) -> Ground:
    """A ground whose mean colour stands out against the garment's; the last of six if none does."""
    kinds = UPRIGHT if upright else FLAT
    for _ in range(6):
        ground = kinds[int(rng.integers(len(kinds)))](rng, x, y)
        if palette.distance(ground.albedo[::8, ::8].mean(axis=(0, 1)), garment) > 0.5:
            break
    return ground
