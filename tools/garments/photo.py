"""The photograph: the sheet is posed, folded, lit, laid on its ground and taken with a phone-like camera."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from garments import clutter, floors
from garments.cloth import Panel, Piece, Sheet
from garments.fields import blur, noise, remap, slope
from garments.folds import height_field
from garments.geometry import Array

Rng = np.random.Generator
OVERSAMPLE = 2


@dataclass(frozen=True)
class Shot:
    """How the camera stands: frame (width, height) in pixels, turn in degrees, share of the frame filled, tilt."""

    size: tuple[int, int]
    degrees: float
    fill: float
    offset: tuple[float, float]
    tilt: tuple[float, float]


@dataclass(frozen=True)
class Light:
    """Direction (azimuth, degrees), height of the source above the ground, ambient share, gain and colour."""

    azimuth: float
    rise: float
    ambient: float
    gain: Array
    falloff: float
    vignette: float


def shot(rng: Rng, wide: bool, upright: bool) -> Shot:
    """A camera position; `wide` garments are taken in squares and landscapes more often."""
    roll = rng.random()
    size = (
        (192, 256) if roll < (0.5 if wide else 0.86) else (256, 256) if roll < (0.86 if wide else 0.97) else (256, 192)
    )
    turn = rng.normal(0, 1.2) if upright else rng.normal(0, 4.5)
    tilt = (float(rng.normal(0, 0.03)), float(rng.uniform(-0.02, 0.14)))
    fill = float(rng.uniform(0.87, 1.02))
    return Shot(size, float(turn), fill, (float(rng.normal(0, 0.015)), float(rng.normal(0, 0.015))), tilt)


def light(rng: Rng) -> Light:
    """Window or lamp light: mostly from above on the picture, warm or cool."""
    warmth = float(rng.normal(0.02, 0.055))
    tint = float(rng.normal(0, 0.012))
    gain = np.array([1 + warmth, 1 + tint, 1 - warmth], np.float32) * float(rng.uniform(0.86, 1.12))
    return Light(float(rng.uniform(-165, -15)), float(rng.uniform(0.7, 1.3)), float(rng.uniform(0.32, 0.55)),
                 gain, float(rng.uniform(0.05, 0.32)), float(rng.uniform(0.05, 0.3)))  # fmt: skip


def extent(piece: Piece) -> tuple[float, float]:
    """Width and height of the piece in garment units."""
    points = np.vstack([e.outline for e in piece.elements if isinstance(e, Panel)])
    width, height = points.max(axis=0) - points.min(axis=0)
    return float(width), float(height)


def mean_colour(piece: Piece) -> Array:
    """The colour of the piece's largest panel."""
    panels = [e for e in piece.elements if isinstance(e, Panel)]
    return max(panels, key=lambda p: float(np.prod(np.ptp(p.outline, axis=0)))).cloth.colour


def _rays(size: tuple[int, int], tilt: tuple[float, float]) -> tuple[Array, Array]:
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = (x + 0.5 - width / 2) / min(size), (y + 0.5 - height / 2) / min(size)
    depth = 1 + tilt[0] * x - tilt[1] * y
    return x / depth, y / depth


def _placed(rng: Rng, sheet: Sheet, folds: Array, x: Array, y: Array, camera: Shot, unit: float, stiff: float) -> Array:
    a = np.deg2rad(camera.degrees)
    x, y = x - camera.offset[0], y - camera.offset[1]
    column = (x * np.cos(a) + y * np.sin(a)) * unit + sheet.shape[1] / 2
    row = (y * np.cos(a) - x * np.sin(a)) * unit + sheet.shape[0] / 2
    dx, dy = slope(blur(folds, 2.0))
    # Cloth that rises towards the camera carries its print and its edge along.
    warp = np.clip(np.stack([-3.0 * dx, -3.0 * dy], axis=-1), -3.5, 3.5)
    for axis in (0, 1):
        warp[..., axis] += 2.0 * noise(rng, sheet.shape, 75) + 0.35 * noise(rng, sheet.shape, 20)
    moved = remap(warp, np.clip(column, 0, sheet.shape[1] - 2), np.clip(row, 0, sheet.shape[0] - 2)) * np.float32(stiff)
    fields = np.concatenate(
        [sheet.albedo, np.stack([sheet.cover, sheet.height + folds * sheet.cover, sheet.gloss, sheet.occlusion], -1)],
        -1,
    )
    return remap(fields, column + moved[..., 0], row + moved[..., 1])


def _lit(height: Array, source: Light, strength: float) -> tuple[Array, Array]:
    dx, dy = slope(height)
    nx, ny = -strength * dx, -strength * dy
    nz = 1 / np.sqrt(1 + nx * nx + ny * ny)
    a = np.deg2rad(source.azimuth)
    norm = float(np.hypot(1, source.rise))
    lx, ly, lz = np.cos(a) / norm, np.sin(a) / norm, source.rise / norm
    diffuse = np.clip((nx * lx + ny * ly + lz) * nz, 0, None) / lz
    shine = np.clip((nx * lx + ny * ly + lz + 1) * nz / np.sqrt(2 + 2 * lz), 0, 1) ** 24
    return source.ambient + (1 - source.ambient) * diffuse, shine


def _hollows(height: Array) -> Array:
    deep = blur(height, 9.0) - height
    dark: Array = 1 - 0.035 * np.clip(deep, 0, 12)
    return dark


def _shadow(cover: Array, source: Light, lift: float) -> Array:
    a = np.deg2rad(source.azimuth)
    reach = 5.0 * lift
    moved = [round(float(-np.cos(a) * reach)), round(float(-np.sin(a) * reach))]
    cast = np.roll(blur(cover, 2.5 + 3.0 * lift), (moved[1], moved[0]), axis=(0, 1))
    contact = blur(cover, 3.0)
    shade: Array = 1 - 0.42 * cast - 0.25 * contact
    return shade


def _exposure(rng: Rng, x: Array, y: Array, source: Light) -> Array:
    a = np.deg2rad(source.azimuth)
    fall = 1 + source.falloff * (x * np.cos(a) + y * np.sin(a))
    vignette = 1 - source.vignette * (x * x + y * y) / 0.6
    clouds = 1 + 0.05 * noise(rng, x.shape, 150)
    exposure: Array = np.clip(fall * vignette * clouds, 0.25, 1.8)
    return exposure


def _camera(rng: Rng, linear: Array, size: tuple[int, int]) -> Image.Image:
    tone = np.clip(linear, 0, None)
    tone = np.where(tone > 0.8, 0.8 + 0.2 * np.tanh((tone - 0.8) / 0.2), tone) ** np.float32(1 / 2.2)
    pixels = Image.fromarray((np.clip(tone, 0, 1) * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX)
    values = np.asarray(pixels, np.float32)
    if rng.random() < 0.3:
        soft = float(rng.uniform(0.35, 0.7))
        values = np.stack([blur(values[..., c], soft) for c in range(3)], -1)
    grain = rng.normal(0, rng.uniform(0.8, 2.6), values.shape[:2])[..., None] + rng.normal(0, 0.9, values.shape)
    return Image.fromarray(np.clip(values + grain, 0, 255).astype(np.uint8))


def take(rng: Rng, piece: Piece, camera: Shot, upright: bool) -> Image.Image:
    """The finished picture (RGB, `camera.size`)."""
    size = (camera.size[0] * OVERSAMPLE, camera.size[1] * OVERSAMPLE)
    wide, high = extent(piece)
    unit = camera.fill * min(size[0] / wide, size[1] / high)
    sheet = Sheet(piece.elements, unit, rng)
    source = light(rng)
    x, y = _rays(size, camera.tilt)
    garment = _placed(
        rng, sheet, height_field(rng, piece, sheet), x, y, camera, float(min(size)), min(1.0, 0.25 + 0.75 * piece.soft)
    )
    ground = floors.choose(rng, x, y, upright, mean_colour(piece))
    if not upright and rng.random() < 0.4:
        ground = clutter.strew(rng, ground)
    return _camera(
        rng, _composed(rng, garment, ground, source, x, y, piece.lift * (1.8 if upright else 1.0)), camera.size
    )


def _composed(rng: Rng, garment: Array, ground: floors.Ground, source: Light, x: Array, y: Array, lift: float) -> Array:
    cover = np.clip(garment[..., 3], 0, 1)
    body, shine = _lit(garment[..., 4], source, 0.36)
    body = body * _hollows(garment[..., 4]) * (0.35 + 0.65 * garment[..., 6])
    gleam = (0.02 + 0.45 * garment[..., 5] ** 1.5) * (shine - shine.mean()).clip(-0.2, 1)
    base, _ = _lit(ground.height, source, 0.30)
    exposure = _exposure(rng, x, y, source)
    floor = (
        ground.albedo ** np.float32(2.2)
        * (base * _shadow(cover, source, lift) + 0.12 * ground.gloss * (exposure - 0.8))[..., None]
    )
    dye = garment[..., :3] / np.maximum(cover, 0.02)[..., None]
    cloth = np.clip(dye, 0.005, 1) ** np.float32(2.2) * body[..., None] + np.clip(gleam, 0, None)[..., None]
    mixed = floor + (cloth - floor) * cover[..., None]
    result: Array = mixed * exposure[..., None] * source.gain * np.float32(1.08)
    return result
