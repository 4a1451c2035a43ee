"""Interiors: a room as a box that rays are cast into, furniture made of smaller boxes, light from a lamp."""

from dataclasses import dataclass

import numpy as np

from garments import floors, palette
from garments.fields import tiled
from garments.geometry import Array
from garments.prints import PAINTERS
from strangers.canvas import Rng, blend, hsv, shade
from strangers.furniture import Block, furnish

_AXES = ((1, 2), (0, 2), (0, 1))
"""The two coordinates that run along a face, by the axis (x to the right, y up, z into the room) that it faces."""
_TONES = (0.78, 1.08, 0.92)
"""How bright a block's face is, by the axis that it faces."""


@dataclass(frozen=True)
class Room:
    """Width, height and depth in metres, and the camera's place, turn (radians), tilt and focal length."""

    size: tuple[float, float, float]
    eye: tuple[float, float, float]
    turn: float
    tilt: float
    focal: float


def draw(rng: Rng, width: int, height: int) -> Array:
    """An interior `(H, W, 3) float32` in [0, 1]."""
    size = float(rng.uniform(2.6, 6)), float(rng.uniform(2.3, 3.2)), float(rng.uniform(3, 7))
    eye = float(rng.uniform(0.3, 0.7) * size[0]), float(rng.uniform(1.0, 1.8)), 0.15
    room = Room(size, eye, float(rng.normal(0, 0.3)), float(rng.uniform(-0.3, 0.05)), float(rng.uniform(0.55, 0.95)))
    rays = _rays(room, width, height)
    depth, picture = _shell(rng, room, rays)
    for block in furnish(rng, room.size[0], room.size[2]):
        _cast(room, rays, block, depth, picture)
    lit: Array = np.clip(picture * _light(rng, room, rays, depth)[..., None], 0, 1).astype(np.float32)
    return lit


def _rays(room: Room, width: int, height: int) -> Array:
    """Directions `(H, W, 3)`, not normalised."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = (x - width / 2) / max(width, height), (height / 2 - y) / max(width, height)
    z = np.full_like(x, room.focal)
    y, z = y * np.cos(room.tilt) + z * np.sin(room.tilt), z * np.cos(room.tilt) - y * np.sin(room.tilt)
    rays: Array = np.stack(
        [x * np.cos(room.turn) + z * np.sin(room.turn), y, z * np.cos(room.turn) - x * np.sin(room.turn)], -1
    )
    return np.where(np.abs(rays) < 1e-5, 1e-5, rays).astype(np.float32)


def _shell(rng: Rng, room: Room, rays: Array) -> tuple[Array, Array]:
    """Where each ray meets the walls `(H, W)`, and what it sees there."""
    eye, size = np.array(room.eye, np.float32), np.array(room.size, np.float32)
    distances = np.where(rays > 0, size - eye, -eye) / rays
    axis = distances.argmin(2)
    depth: Array = distances.min(2)
    point = eye + rays * depth[..., None]
    x, y, z = (point[..., i] for i in range(3))
    wall = hsv(rng.random(), rng.uniform(0.0, 0.3), rng.uniform(0.6, 0.95))
    picture = np.where((axis == 0)[..., None], shade(wall, 0.9), wall).astype(np.float32)
    if rng.random() < 0.3:
        picture = _papered(rng, picture, wall, np.where(axis == 0, z, x), y)
    kinds = (floors.boards, floors.boards, floors.tiles, floors.carpet)
    ground = kinds[int(rng.integers(len(kinds)))](rng, x * 0.6, z * 0.6)
    below = (axis == 1) & (rays[..., 1] < 0)
    picture = np.where(below[..., None], ground.albedo, picture)
    if rng.random() < 0.4:
        picture = np.where((below & _inside(rng, x, z, size))[..., None], _rug(rng, x, z), picture)
    picture = np.where(((axis == 1) & ~below)[..., None], np.float32(rng.uniform(0.85, 0.98)), picture)
    skirting = (axis != 1) & (y < 0.1)
    picture = np.where(skirting[..., None], np.float32(rng.uniform(0.4, 0.95)), picture)
    for facing, along, far in ((2, x, size[0]), (0, z, size[2])):
        picture = _openings(rng, picture, (axis == facing), along, y, float(far))
    return depth, picture.astype(np.float32)


def _papered(rng: Rng, picture: Array, wall: Array, u: Array, v: Array) -> Array:
    names = ("floral", "windowpane", "geometric")
    colours = [wall, *(0.7 * wall + 0.3 * palette.pick(rng, palette.ANY) for _ in range(3))]
    return tiled(PAINTERS[names[int(rng.integers(3))]](rng, colours), u * 1.3, v * 1.3) * np.ones_like(picture)


def _inside(rng: Rng, x: Array, z: Array, size: Array) -> Array:
    half = rng.uniform(0.2, 0.35, 2)
    inside: Array = (np.abs(x / size[0] - 0.5) < half[0]) & (np.abs(z / size[2] - rng.uniform(0.4, 0.7)) < half[1])
    return inside


def _rug(rng: Rng, x: Array, z: Array) -> Array:
    return floors.rug(rng, x * 0.5, z * 0.5).albedo if rng.random() < 0.6 else floors.carpet(rng, x, z).albedo


def _openings(rng: Rng, picture: Array, there: Array, u: Array, v: Array, far: float) -> Array:
    """Windows, a door and pictures on a wall, where there is room for them."""
    place = float(rng.uniform(0.1, 0.4))
    while place < far - 0.8:
        roll, wide = rng.random(), float(rng.uniform(0.5, 1.4))
        if roll < 0.4:
            low, high = float(rng.uniform(0.7, 1.1)), float(rng.uniform(1.9, 2.3))
            view = blend(hsv(0.3, 0.3, 0.7), hsv(0.57, rng.uniform(0.05, 0.3), 1.0), (v - low) / (high - low) * 1.6)
            cross = (np.abs(u - place - wide / 2) < 0.025) | (np.abs(v - (low + high) / 2) < 0.02)
            view = np.where(cross[..., None], np.float32(0.9), view)
        elif roll < 0.6:
            low, high, wide = 0.0, 2.05, 0.85
            view = hsv(rng.uniform(0.05, 0.12), rng.uniform(0.05, 0.6), rng.uniform(0.4, 0.95)) * np.ones_like(picture)
        elif roll < 0.85:
            low, high = float(rng.uniform(1.1, 1.4)), float(rng.uniform(1.6, 2.0))
            u2, v2 = np.sin((u - place) * rng.uniform(3, 15)), np.cos(v * rng.uniform(3, 15))
            colours = [hsv(rng.random(), rng.uniform(0.2, 0.9), rng.uniform(0.2, 0.95)) for _ in range(2)]
            view = blend(colours[0], colours[1], 0.5 + 0.5 * u2 * v2)
        else:
            place += wide
            continue
        picture = _framed(rng, picture, there, view, (u, v), (place, low, wide, high))
        place += wide + float(rng.uniform(0.2, 1.0))
    return picture


def _framed(
    rng: Rng, picture: Array, there: Array, view: Array, at: tuple[Array, Array], box: tuple[float, float, float, float]
) -> Array:
    (u, v), (left, low, wide, high), rim = at, box, 0.05
    outer = there & (u > left - rim) & (u < left + wide + rim) & (v > low - rim) & (v < high + rim)
    inner = there & (u > left) & (u < left + wide) & (v > low) & (v < high)
    frame = hsv(0.08, rng.uniform(0, 0.5), rng.uniform(0.2, 0.95))
    return np.where(inner[..., None], view, np.where(outer[..., None], frame, picture)).astype(np.float32)


def _cast(room: Room, rays: Array, block: Block, depth: Array, picture: Array) -> None:
    """Put a block in front of what each ray has met so far, in place."""
    eye = np.array(room.eye, np.float32)
    one, other = (np.array(block.low, np.float32) - eye) / rays, (np.array(block.high, np.float32) - eye) / rays
    near = np.minimum(one, other)
    enter = near.max(2)
    hit = (enter < np.maximum(one, other).min(2)) & (enter > 0.05) & (enter < depth)
    if not hit.any():
        return
    axis, distance = near[hit].argmax(1), enter[hit]
    colour = np.broadcast_to(block.colour, (len(axis), 3))
    if block.pattern is not None:
        point = eye + rays[hit] * distance[:, None]
        u, v = (np.choose(axis, [point[:, _AXES[facing][i]] for facing in range(3)]) for i in (0, 1))
        colour = tiled(block.pattern, u * 1.7, v * 1.7)
    depth[hit] = distance
    picture[hit] = np.clip(colour * np.array(_TONES, np.float32)[axis, None], 0, 1)


def _light(rng: Rng, room: Room, rays: Array, depth: Array) -> Array:
    """Falls off with the distance from a lamp or a window, and into the corners."""
    point = np.array(room.eye) + rays * depth[..., None]
    size = np.array(room.size)
    source = rng.uniform(0.1, 0.9, 3) * size * (1, 0.3, 1) + (0, 0.65 * size[1], 0)
    away = np.linalg.norm(point - source, axis=2)
    corner = (np.minimum(point, size - point) / 0.5).clip(0, 1).mean(2)
    light: Array = (0.45 + 0.75 / (1 + 0.12 * away**2)) * (0.72 + 0.28 * corner)
    return light * np.float32(rng.uniform(0.7, 1.1))
