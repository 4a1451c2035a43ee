"""A garment as panels, seams and folds, and the sheet of pixels that they make, laid back to front."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from garments import fabric
from garments.fabric import Fabric
from garments.shapes import Array, Rng, blur, ellipse, noise, resize, rotate, smoothstep

MARGIN = 14
FINE = 3


@dataclass(frozen=True)
class Panel:
    """A cut of cloth. Lengths in garment units, but `thick`, the rise of its edge, in sheet pixels."""

    outline: Array
    cloth: Fabric
    degrees: float = 0.0
    thick: float = 3.0
    round: float = 0.02
    tone: float = 1.0
    cast: float = 0.35
    keep: float = 0.25


@dataclass(frozen=True)
class Seam:
    """A stitched or pressed line: its dye (or a darkening where there is none) and its groove in sheet pixels."""

    line: Array
    width: float = 0.007
    dye: Array | None = None
    tone: float = 0.75
    groove: float = -0.8
    dashed: bool = False


@dataclass(frozen=True)
class Decal:
    """A print, `width` garment units wide, RGBA."""

    image: Image.Image
    x: float
    y: float
    width: float


Element: TypeAlias = Panel | Seam | Decal


class Garment:
    """A garment while it is drawn: `design` decides what stays the same in every view, `pose` what differs.

    `crumple`, `soft` and `pleats` scale the folds that any cloth has, and `lift` is how far it casts its shadow.
    `place` moves what is drawn: to (x, y), turned by degrees, and mirrored where its last number is -1.
    """

    def __init__(self, number: int, design: Rng, pose: Rng, hung: bool) -> None:
        self.number, self.design, self.pose, self.hung = number, design, pose, hung
        self.elements: list[Element] = []
        self.folds: list[Array] = []
        self.crumple, self.soft, self.pleats, self.lift = float(pose.uniform(0.6, 1.2)), 1.0, 0.0, 1.0
        self.place = (0.0, 0.0, 0.0, 1)

    def size(self, low: float, high: float) -> float:
        """A measure of the garment."""
        return float(self.design.uniform(low, high))

    def chance(self, fraction: float) -> bool:
        """A property that this fraction of garments has."""
        return bool(self.design.random() < fraction)

    def sway(self, deviation: float, mean: float = 0.0) -> float:
        """A measure that differs from view to view."""
        return float(self.pose.normal(mean, deviation))

    def make(self, prints: str, dyes: str = fabric.ANY, weave: str = "", gloss: float = 0.0) -> Fabric:
        """A cloth with one of the prints in one of the dyes."""
        return fabric.make(self.design, prints, dyes, weave, gloss)

    def accent(self, cloth: Fabric, names: str = fabric.ANY) -> Array:
        """A dye that stands out on the cloth."""
        return fabric.contrasting(self.design, cloth.colour, names)

    def _sides(self, both: bool) -> Iterator[tuple[int, Callable[[Array], Array]]]:
        """The sides to draw on, 1 or -1, and what moves a line there."""
        x, y, degrees, mirrored = self.place
        for side in (-mirrored, mirrored) if both else (mirrored,):
            yield side, lambda line, side=side: np.add(rotate(line * (side, 1), degrees), (x, y))  # type: ignore[misc]

    def panel(self, outline: Array, cloth: Fabric, both: bool = False, degrees: float = 0.0, **look: Any) -> None:
        """Lay a panel, or `both` it and its mirror image; `look` holds further fields of `Panel`."""
        for side, moved in self._sides(both):
            self.elements.append(Panel(moved(outline), cloth, self.place[2] + side * degrees, **look))

    def seam(self, line: Array, width: float = 0.007, both: bool = False, **look: Any) -> None:
        """Stitch a line, or `both` it and its mirror image; `look` holds further fields of `Seam`."""
        self.elements += [Seam(moved(line), width, **look) for _, moved in self._sides(both)]

    def button(self, x: float, y: float, radius: float, dye: Array) -> None:
        """Sew a button on."""
        self.panel(ellipse(x, y, radius, radius), fabric.plain(dye, gloss=0.4), thick=2, round=0.01, cast=0.5)

    def decal(self, cloth: Fabric, x: float, y: float, width: float, small: bool = False) -> None:
        """Print words, or a badge where it is not `small`, in colours that stand out on the cloth."""
        colours = [self.accent(cloth) for _ in range(3)]
        if small or self.chance(0.6):
            image = fabric.lettering(self.design, colours)
        else:
            image = fabric.emblem(self.design, colours[0], cloth.colour)
        self.elements.append(Decal(image, x, y, width))

    def fold(self, x: Any, y: Any, degrees: Any, length: Any, height: Any, width: float = 0.02) -> None:
        """Folds that start at (x, y), numbers or arrays; degrees run clockwise from the right; height in pixels."""
        folds = np.stack(np.broadcast_arrays(x, y, np.deg2rad(degrees), length, width, height, 0.0), -1).reshape(-1, 7)
        folds[:, 3:6] *= self.pose.uniform(0.5, [1.1, 1.4, 1.2], (len(folds), 3))
        folds[:, 6] = self.pose.normal(0, 0.025, len(folds))
        self.folds += list(folds)

    def fan(self, x: float, y: float, degrees: float, spread: float, length: float, count: int, height: float) -> None:
        """Folds that leave one point, as from an armpit or a crotch, on both sides."""
        for side in (-1, 1):
            turns = 90 + side * (degrees - 90 + self.pose.uniform(-spread, spread, count))
            self.fold(side * x, y, turns, length, height)

    def across(self, spine: Array, reach: float, count: int, height: float) -> None:
        """Creases across a tube (a sleeve, a leg), slanted either way, some of them valleys."""
        places = self.pose.integers(len(spine) // 6, len(spine) - 1, count)
        dx, dy = np.gradient(spine, axis=0)[places].T
        a = np.arctan2(dx, -dy) + self.pose.normal(0, 0.55, count)
        x, y = spine[places].T - reach * np.array([np.cos(a), np.sin(a)])
        self.fold(x, y, np.rad2deg(a), 2 * reach, height * np.where(self.pose.random(count) < 0.35, -0.6, 1))

    def gather(self, half: float, y: float, length: float, count: int, height: float, flare: float = 0.0) -> None:
        """Folds that hang from a seam between -half and half; `flare` spreads them to the sides."""
        x = half * (2 * (np.arange(count) + self.pose.uniform(0.15, 0.85, count)) / count - 1)
        self.fold(x, y, 90 - np.rad2deg(np.arctan(flare * x / length)) + self.pose.normal(0, 2, count), length, height)

    def scatter(self, half: float, y0: float, y1: float, count: int, height: float = 2.0) -> None:
        """Loose creases of any direction."""
        x, y, degrees = self.pose.uniform([-half, y0, 0], [half, y1, 180], (count, 3)).T
        self.fold(x, y, degrees, 0.25, height)

    @property
    def outline(self) -> Array:
        """The points of all panels, (N, 2)."""
        return np.vstack([element.outline for element in self.elements if isinstance(element, Panel)])

    @property
    def colour(self) -> Array:
        """The mean colour of the largest panel."""
        panels = [element for element in self.elements if isinstance(element, Panel)]
        return max(panels, key=lambda panel: float(np.prod(np.ptp(panel.outline, axis=0)))).cloth.colour


class Sheet:
    """The flat garment as pixel fields: albedo (H, W, 3, times cover), cover, height, gloss and occlusion (H, W)."""

    def __init__(self, garment: Garment, unit: float, rng: Rng) -> None:
        points = garment.outline
        self.unit = unit
        self.corner = points.min(axis=0) - MARGIN / unit
        width, height = np.ceil((points.max(axis=0) - self.corner) * unit).astype(int) + MARGIN
        self.shape = (int(height), int(width))
        self.albedo = np.zeros((*self.shape, 3), np.float32)
        self.cover, self.height, self.gloss = (np.zeros(self.shape, np.float32) for _ in range(3))
        self.occlusion = np.ones(self.shape, np.float32)
        self.grain = noise(rng, self.shape, 1.5)
        for element in garment.elements:
            if isinstance(element, Panel):
                self._panel(element)
            elif isinstance(element, Seam):
                self._seam(element)
            else:
                self._decal(element)
        self.height += self._folds(garment, rng) * self.cover

    def _pixels(self, line: Array) -> Array:
        return (line - self.corner) * self.unit

    def _box(self, line: Array, pad: float) -> tuple[slice, slice]:
        points = self._pixels(line)
        low = np.maximum(points.min(axis=0) - pad, 0).astype(int)
        high = np.maximum(np.minimum(points.max(axis=0) + pad + 2, self.shape[::-1]).astype(int), low + 1)
        return slice(low[1], high[1]), slice(low[0], high[0])

    def _mask(self, line: Array, box: tuple[slice, slice], width: float = 0.0, dashed: bool = False) -> Array:
        """The line filled, or stroked where it has a width, as coverage in [0, 1] of the box's pixels."""
        rows, columns = box
        image = Image.new("L", ((columns.stop - columns.start) * FINE, (rows.stop - rows.start) * FINE))
        draw = ImageDraw.Draw(image)
        points = [(float(x), float(y)) for x, y in (self._pixels(line) - (columns.start, rows.start)) * FINE]
        stroke = max(2, round(width * self.unit * FINE))
        if not width:
            draw.polygon(points, fill=255)
        elif dashed:
            for i in range(0, len(points) - 1, 2):
                draw.line(points[i : i + 2], fill=255, width=stroke)
        else:
            draw.line(points, fill=255, width=stroke, joint="curve")
        return np.asarray(image.reduce(FINE), np.float32) / 255

    def _panel(self, panel: Panel) -> None:
        reach = max(panel.round * self.unit, 4.0)
        box = self._box(panel.outline, reach + 6)
        mask = self._mask(panel.outline, box)
        y, x = np.mgrid[box].astype(np.float32) / self.unit
        x, y = x + float(self.corner[0]), y + float(self.corner[1])
        a = math.radians(panel.degrees)
        u, v = x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)
        rise, shade = fabric.relief(panel.cloth.weave, u, v)
        edge = np.sqrt(np.clip(2 * blur(mask, reach * 0.6) - 1, 0, 1))
        rise = rise * 0.6 * min(1.0, self.unit / 170) + 0.15 * self.grain[box]
        under = self.occlusion[box] * (1 - panel.cast * blur(mask, 5.0) * (self.cover[box] > 0))
        self.occlusion[box] = under * (1 - mask) + mask
        colour = panel.cloth.albedo(u, v) * (panel.tone * shade)[..., None]
        self.albedo[box] += (colour - self.albedo[box]) * mask[..., None]
        risen = panel.keep * self.height[box] + (panel.thick + rise) * edge
        self.height[box] += (risen - self.height[box]) * mask
        self.gloss[box] += (panel.cloth.gloss - self.gloss[box]) * mask
        self.cover[box] += (1 - self.cover[box]) * mask

    def _seam(self, seam: Seam) -> None:
        line = _dense(seam.line, 0.018) if seam.dashed else seam.line
        box = self._box(line, seam.width * self.unit + 3)
        mask = self._mask(line, box, seam.width, seam.dashed) * self.cover[box]
        painted = self.albedo[box] * np.float32(seam.tone) if seam.dye is None else seam.dye
        self.albedo[box] += (painted - self.albedo[box]) * mask[..., None]
        self.height[box] += seam.groove * mask

    def _decal(self, decal: Decal) -> None:
        width = max(4, round(decal.width * self.unit))
        height = max(4, round(width * decal.image.height / decal.image.width))
        left, top = np.round(self._pixels(np.array([decal.x, decal.y])) - (width / 2, height / 2)).astype(int)
        layer = Image.new("RGBA", self.shape[::-1])
        layer.paste(decal.image.resize((width, height), Image.Resampling.BOX), (int(left), int(top)))
        pixels = np.asarray(layer, np.float32) / 255
        self.albedo += (pixels[..., :3] - self.albedo) * pixels[..., 3:] * self.cover[..., None]

    def _folds(self, garment: Garment, rng: Rng) -> Array:
        """All folds, in sheet pixels of height; made at half size, as they are smooth."""
        rows, columns = self.shape
        shape, unit = (rows // 2, columns // 2), self.unit / 2
        total = garment.crumple * 2.6 * noise(rng, shape, 0.26 * unit, octaves=2)
        total -= garment.crumple * 3.0 * np.abs(noise(rng, shape, 0.16 * unit, 0.34 * unit))
        total -= garment.crumple * 3.0 * np.abs(noise(rng, shape, 0.32 * unit, 0.14 * unit))
        total += garment.soft * 6.0 * noise(rng, shape, 0.42 * unit)
        total += garment.pleats * 3.2 * noise(rng, shape, 0.09 * unit, 1.1 * unit)
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / np.float32(unit)
        x += self.corner[0] + 0.014 * noise(rng, shape, 0.25 * unit)
        y += self.corner[1] + 0.014 * noise(rng, shape, 0.25 * unit)
        for fold in garment.folds:
            total += _fold(fold, x, y)
        return resize(total, columns, rows) * np.float32(1.35 * min(1.4, self.unit / 200))


def _fold(fold: Array, x: Array, y: Array) -> Array:
    x0, y0, a, length, width, height, bend = (np.float32(value) for value in fold)
    x, y = x - x0, y - y0
    s = (x * np.cos(a) + y * np.sin(a)) / length
    t = (y * np.cos(a) - x * np.sin(a) - bend * 4 * s * (1 - s)) / width
    # One flank is steep, the other runs out slowly.
    flank = np.where(t > 0, t * np.float32(0.45), t * np.float32(1.3))
    window = smoothstep(s, -0.12, 0.15) * (1 - smoothstep(s, 0.55, 1.12))
    return np.float32(1.7) * height * np.exp(-flank * flank) * window


def _dense(line: Array, step: float) -> Array:
    """The line resampled at an even step, so that its dashes are even."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    marks = np.arange(0, lengths[-1], step)
    return np.stack([np.interp(marks, lengths, line[:, axis]) for axis in (0, 1)], axis=1)
