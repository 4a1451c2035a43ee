"""The photo: what the garment lies on or hangs against, the light, and a phone's camera."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import map_coordinates

from garments import fabric
from garments.cloth import Garment, Sheet
from garments.shapes import Array, Rng, blur, box, line, noise, ribbon, rotate, smoothstep

OVERSAMPLE = 2


@dataclass(frozen=True)
class Ground:
    """Albedo (H, W, 3) in sRGB, height (H, W) in pixels, and how much of the window it reflects."""

    albedo: Array
    height: Array
    gloss: float = 0.0


def _turned(rng: Rng, x: Array, y: Array, spread: float) -> tuple[Array, Array]:
    a = math.radians(rng.normal(0, spread) + (90 if rng.random() < 0.35 else 0))
    x, y = x + rng.uniform(0, 9), y + rng.uniform(0, 9)
    return x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)


def _streaks(rng: Rng, u: Array, v: Array) -> Array:
    tile = noise(rng, (256, 256), 1.6)
    return tile[(v * 256).astype(np.intp) % 256, (u * 256).astype(np.intp) % 256]


def boards(rng: Rng, x: Array, y: Array) -> Ground:
    """Parquet: boards with staggered ends, a tone for each, and grain along it."""
    wood = fabric.rgb(fabric.choose(rng, "#c9b79d #d8c9b2 #a98d6c #b88a55 #8a5a36 #5f4030 #b3aaa0 #9a938c #d3b183"))
    u, v = _turned(rng, x, y, 5)
    width, length = rng.uniform(0.13, 0.32), rng.uniform(0.9, 1.8)
    column = np.floor(u / width).astype(int)
    v = v + rng.uniform(0, length, 256)[column % 256]
    row = np.floor(v / length).astype(int)
    tone, start = rng.normal(1, 0.07, (256, 256))[column, row], rng.uniform(0, 5, (256, 256))[column, row]
    grain = _streaks(rng, u * 0.9 + start, v * 0.07 + start)
    fine = _streaks(rng, u * 2.2 + start, v * 0.25)
    rings = np.sin(9 * grain + 22 * (u + start))
    edge = np.minimum(np.abs((u / width + 0.5) % 1 - 0.5) * width, np.abs((v / length + 0.5) % 1 - 0.5) * length)
    gap = 1 - smoothstep(edge, 0.0, 0.007)
    shade = tone * (1 + 0.035 * rings + 0.04 * fine + 0.05 * grain) * (1 - 0.45 * gap)
    return Ground(wood * shade[..., None], -1.2 * gap, rng.uniform(0.05, 0.3))


def tiles(rng: Rng, x: Array, y: Array) -> Ground:
    """Ceramic floor tiles with grout, clouded like stone."""
    stone = fabric.rgb(fabric.choose(rng, "#d5cdbd #c9bda7 #e0dcd2 #a8a39a #8d867c #cfc2b0"))
    u, v = _turned(rng, x, y, 15)
    size = rng.uniform(0.35, 0.75)
    edge = np.minimum(*(np.abs((t / size + 0.5) % 1 - 0.5) for t in (u, v))) * size
    grout = 1 - smoothstep(edge, 0.004, 0.011)
    tone = rng.normal(1, 0.025, (64, 64))[np.floor(u / size).astype(int) % 64, np.floor(v / size).astype(int) % 64]
    shade = tone * (1 + 0.03 * noise(rng, x.shape, 60, octaves=4)) * (1 - 0.35 * grout)
    return Ground(stone * shade[..., None], -1.5 * grout, 0.3)


def carpet(rng: Rng, x: Array, y: Array) -> Ground:
    """A carpet of long or short pile."""
    dye = fabric.rgb(fabric.choose(rng, "#cfc4ad #b9ab93 #d9d6cf #8f9093 #a58e78 #7d3f45 #66745c #4c4f5c #e4ddcf"))
    tuft = rng.uniform(2.5, 6.5)
    pile = noise(rng, x.shape, tuft, octaves=2)
    shade = 1 + 0.045 * pile + 0.05 * noise(rng, x.shape, 70, octaves=3)
    return Ground(dye * shade[..., None], tuft * 0.26 * pile)


def blanket(rng: Rng, x: Array, y: Array) -> Ground:
    """A bed sheet or blanket with wrinkles, of one colour or with a pale print."""
    dye = fabric.rgb(
        fabric.choose(rng, "#c2234f #b01c66 #cf2a22 #e7e3dd #d9cdbd #cda9a0 #8fa6bd #d2a58c #55607c #7d8c72")
    )
    albedo = np.broadcast_to(dye, (*x.shape, 3))
    if rng.random() < 0.35:
        cloth = fabric.make(rng, "floral plaid", "white cream sky sand silver pink")
        u, v = (t + 0.02 * noise(rng, x.shape, 90) for t in _turned(rng, x, y, 8))
        albedo = 0.5 * cloth.albedo(u, v) + 0.5 * np.array([0.85, 0.82, 0.78])
    height = -7 * np.abs(noise(rng, x.shape, rng.uniform(70, 130), octaves=3))
    height -= 5 * np.abs(noise(rng, x.shape, rng.uniform(30, 110), rng.uniform(30, 60)))
    height += 4 * noise(rng, x.shape, rng.uniform(60, 200), rng.uniform(25, 70)) + 0.35 * noise(rng, x.shape, 1.5)
    return Ground(albedo, height * rng.uniform(0.8, 2.2))


def wall(rng: Rng, x: Array, y: Array) -> Ground:
    """A painted wall, often with a skirting board and a strip of floor."""
    paint = fabric.rgb(fabric.choose(rng, "#d9d5cc #c9c6c0 #e5e1d8 #b8bcbf #d8cdb8 #c3cdcf #ddd0c8"))
    albedo = paint * (1 + 0.012 * noise(rng, x.shape, 90, octaves=2))[..., None]
    height = 0.35 * noise(rng, x.shape, 5, octaves=2)
    if rng.random() < 0.5:
        level = float(np.quantile(y, rng.uniform(0.88, 0.95)))
        skirting = np.where((y > level - 0.07), 1.06, 1.0)[..., None]
        albedo = np.where((y > level)[..., None], boards(rng, x, y * 2).albedo, albedo * skirting)
        height -= 2.5 * (np.minimum(np.abs(y - level + 0.07), np.abs(y - level)) < 0.006)
    return Ground(albedo, height)


FLOORS = (boards, boards, tiles, carpet, blanket, blanket)


def choose(rng: Rng, x: Array, y: Array, upright: bool, garment: Array) -> Ground:
    """A ground against which the garment's colour stands out; the last of six if none does."""
    for _ in range(6):
        ground = (wall if upright else FLOORS[int(rng.integers(len(FLOORS)))])(rng, x, y)
        if fabric.distance(ground.albedo[::8, ::8].mean(axis=(0, 1)), garment) > 0.5:
            break
    return ground


def strew(rng: Rng, ground: Ground) -> Ground:
    """The ground with a cable or a box at its border."""
    rows, columns = ground.height.shape
    cable = rng.random() < 0.5
    sway = rng.normal(0, 0.06, 4)
    bends = [(-0.3, 0.0), (-0.12, 0.1 + sway[0]), (sway[1], -0.06), (0.12, 0.05 + sway[2]), (0.3, sway[3])]
    thing = ribbon(line(bends), 0.016) if cable else box(-0.25, -0.16, 0.25, 0.16)
    dye = fabric.pick(rng, "black white charcoal" if cable else "camel sand white teal")
    a = rng.uniform(0, 2 * np.pi)
    centre = np.array([columns, rows]) / 2 * np.clip(1.5 * np.array([np.cos(a), np.sin(a)]), -1, 1)
    image = Image.new("L", (columns, rows))
    points = rotate(thing, rng.uniform(0, 360)) * min(rows, columns) + centre + (columns / 2, rows / 2)
    ImageDraw.Draw(image).polygon([(float(px), float(py)) for px, py in points], fill=255)
    mask = blur(np.asarray(image, np.float32) / 255, 0.8)
    shade = (1 - 0.4 * blur(mask, 8.0) - 0.2 * blur(mask, 3.0)) * (1 - mask)
    albedo = ground.albedo * shade[..., None] + dye * mask[..., None]
    return Ground(albedo, ground.height * (1 - mask) + 12 * blur(mask, 2.0) * mask, ground.gloss)


def take(garment: Garment, wide: bool) -> Image.Image:
    """The photo (RGB, long side 256), in squares and landscapes more often where the garment is `wide`."""
    rng = garment.pose
    roll = rng.random() + (0.36 if wide else 0.0)
    frame = (192, 256) if roll < 0.86 else (256, 256) if roll < 1.2 else (256, 192)
    size = (frame[0] * OVERSAMPLE, frame[1] * OVERSAMPLE)
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    x, y = (x + 0.5 - size[0] / 2) / min(size), (y + 0.5 - size[1] / 2) / min(size)
    depth = 1 + rng.normal(0, 0.03) * x - rng.uniform(-0.02, 0.14) * y
    x, y = x / depth, y / depth
    unit = rng.uniform(0.87, 1.02) * float(np.min(size / np.ptp(garment.outline, axis=0)))
    layers = _laid(rng, Sheet(garment, unit, rng), garment, x, y, float(min(size)))
    ground = choose(rng, x, y, garment.hung, garment.colour)
    if not garment.hung and rng.random() < 0.4:
        ground = strew(rng, ground)
    lift = garment.lift * (1.8 if garment.hung else 1.0)
    return _developed(rng, _lit(rng, layers, ground, x, y, lift), frame)


def _laid(rng: Rng, sheet: Sheet, garment: Garment, x: Array, y: Array, unit: float) -> Array:
    """The sheet's fields as the camera sees them, (7, H, W): albedo, cover, gloss, occlusion, height."""
    a = math.radians(rng.normal(0, 1.2 if garment.hung else 4.5))
    x, y = x - rng.normal(0, 0.015), y - rng.normal(0, 0.015)
    column = (x * math.cos(a) + y * math.sin(a)) * unit + sheet.shape[1] / 2
    row = (y * math.cos(a) - x * math.sin(a)) * unit + sheet.shape[0] / 2
    # Cloth that rises towards the camera carries its print and its edge along.
    bend = [
        np.clip(-2.0 * slope, -3, 3) + 2.0 * noise(rng, sheet.shape, 75) + 0.35 * noise(rng, sheet.shape, 20)
        for slope in np.gradient(blur(sheet.height, 2.0))
    ]
    place = np.stack([row, column])
    stiff = np.float32(min(1.0, 0.25 + 0.75 * garment.soft))
    place += stiff * np.stack([map_coordinates(field, place, order=1, mode="nearest") for field in bend])
    fields = [*np.moveaxis(sheet.albedo, -1, 0), sheet.cover, sheet.gloss, sheet.occlusion, sheet.height]
    return np.stack([map_coordinates(field, place, order=1) for field in fields])


def _lit(rng: Rng, layers: Array, ground: Ground, x: Array, y: Array, lift: float) -> Array:
    """The scene in linear light, (H, W, 3): from a window or lamp above on the picture, warm or cool."""
    azimuth, ambient = math.radians(rng.uniform(-165, -15)), rng.uniform(0.32, 0.55)
    away = np.array([math.cos(azimuth), math.sin(azimuth), rng.uniform(0.7, 1.3)], np.float32)
    source = away / np.linalg.norm(away)
    cover, gloss, occlusion, height = layers[3:]
    fall = 1 + rng.uniform(0.05, 0.32) * (x * away[0] + y * away[1])
    exposure = fall * (1 - rng.uniform(0.1, 0.5) * (x * x + y * y)) * (1 + 0.05 * noise(rng, x.shape, 150))
    body, shine = _shade(height, source, ambient, 0.36)
    body *= (1 - 0.035 * np.clip(blur(height, 9.0) - height, 0, 12)) * (0.35 + 0.65 * occlusion)
    gleam = (0.02 + 0.45 * gloss**1.5) * np.clip(shine - shine.mean(), 0, 1)
    dye = np.moveaxis(layers[:3], 0, -1) / np.maximum(cover, 0.02)[..., None]
    cloth = np.clip(dye, 0.005, 1) ** 2.2 * body[..., None] + gleam[..., None]
    right, down = np.round(-5.0 * lift * away[:2]).astype(int).tolist()
    shadow = 1 - 0.42 * np.roll(blur(cover, 2.5 + 3.0 * lift), (down, right), (0, 1)) - 0.25 * blur(cover, 3.0)
    relief = _shade(ground.height.astype(np.float32), source, ambient, 0.3)[0]
    base = relief * shadow + 0.12 * ground.gloss * (exposure - 0.8)
    floor = np.clip(ground.albedo, 0, 1).astype(np.float32) ** 2.2 * base[..., None]
    warmth = rng.normal(0.02, 0.055)
    gain = np.array([1 + warmth, 1 + rng.normal(0, 0.012), 1 - warmth], np.float32) * rng.uniform(0.92, 1.2)
    return (floor + (cloth - floor) * cover[..., None]) * np.clip(exposure, 0.25, 1.8)[..., None] * gain


def _shade(height: Array, source: Array, ambient: float, strength: float) -> tuple[Array, Array]:
    """Diffuse light and shine on a relief, for the unit vector to the light."""
    dy, dx = np.gradient(height)
    nz = 1 / np.sqrt(1 + strength**2 * (dx * dx + dy * dy))
    facing = (source[2] - strength * (dx * source[0] + dy * source[1])) * nz
    shine = np.clip((facing + nz) / np.sqrt(2 + 2 * source[2]), 0, 1) ** 24
    return ambient + (1 - ambient) * np.clip(facing, 0, None) / source[2], shine


def _developed(rng: Rng, linear: Array, size: tuple[int, int]) -> Image.Image:
    """The picture: highlights rolled off, now and then soft, and grainy."""
    tone = np.clip(linear, 0, None)
    tone = np.where(tone > 0.8, 0.8 + 0.2 * np.tanh((tone - 0.8) / 0.2), tone) ** (1 / 2.2)
    image = Image.fromarray((np.clip(tone, 0, 1) * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX)
    values = np.asarray(image, np.float32)
    if rng.random() < 0.3:
        soft = rng.uniform(0.35, 0.7)
        values = np.stack([blur(values[..., channel], soft) for channel in range(3)], -1)
    grain = rng.normal(0, rng.uniform(0.8, 2.6), values.shape[:2])[..., None] + rng.normal(0, 0.9, values.shape)
    return Image.fromarray(np.clip(values + grain, 0, 255).astype(np.uint8))
