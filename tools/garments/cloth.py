"""Pieces of a garment and the sheet that they are laid on, back to front."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from garments import weave
from garments.fabric import Fabric, Frame
from garments.fields import blur, noise
from garments.geometry import Array, Point

MARGIN = 14
FINE = 2
UNTURNED = Frame()


@dataclass(frozen=True)
class Panel:
    """A cut of cloth. Lengths in garment units but `thick`, the rise of its edge, in sheet pixels."""

    outline: Array
    cloth: Fabric
    frame: Frame = UNTURNED
    thick: float = 3.0
    round: float = 0.02
    tone: float = 1.0
    cast: float = 0.35
    keep: float = 0.25


@dataclass(frozen=True)
class Seam:
    """A stitched or pressed line: its paint (or darkening where there is none) and its groove in sheet pixels."""

    line: Array
    width: float = 0.008
    colour: Array | None = None
    tone: float = 0.75
    groove: float = -0.8
    dash: int = 0


@dataclass(frozen=True)
class Button:
    """A small round thing with a raised rim."""

    centre: Point
    radius: float
    colour: Array


@dataclass(frozen=True)
class Decal:
    """A print: RGBA pixels laid on the cloth, `width` garment units wide."""

    image: Image.Image
    centre: Point
    width: float
    degrees: float = 0.0


@dataclass(frozen=True)
class Glow:
    """A soft patch that lightens or darkens the cloth: wear on denim, depth in a hood."""

    centre: Point
    rx: float
    ry: float
    tone: float


Element: TypeAlias = Panel | Seam | Button | Decal | Glow


@dataclass(frozen=True)
class Ridge:
    """A fold: from, to, sideways bend (garment units), half width and height (sheet pixels, negative for a valley)."""

    start: Point
    stop: Point
    width: float
    height: float
    bend: float = 0.0


@dataclass
class Piece:
    """A garment ready to lay out: elements back to front, its folds, how crumpled it is and how it drapes."""

    elements: list[Element]
    ridges: list[Ridge] = field(default_factory=list)
    crumple: float = 1.0
    soft: float = 1.0
    pleats: float = 0.0
    pucker: float = 0.0
    lift: float = 1.0


class Sheet:
    """The flat garment as pixel fields: albedo (H, W, 3, times cover), cover, height, gloss, occlusion (H, W)."""

    def __init__(self, elements: Sequence[Element], unit: float, rng: np.random.Generator) -> None:
        points = np.vstack([e.outline for e in elements if isinstance(e, Panel)])
        self.unit = unit
        self.corner = points.min(axis=0) - MARGIN / unit
        width, height = np.ceil((points.max(axis=0) - self.corner) * unit).astype(int) + MARGIN
        self.shape = (int(height), int(width))
        self.albedo = np.zeros((*self.shape, 3), np.float32)
        self.cover, self.height, self.gloss = (np.zeros(self.shape, np.float32) for _ in range(3))
        self.occlusion = np.ones(self.shape, np.float32)
        self.grain = noise(rng, self.shape, 1.5)
        for element in elements:
            self.add(element)

    def add(self, element: Element) -> None:
        """Lay one element on top of what is there."""
        if isinstance(element, Panel):
            self._panel(element)
        elif isinstance(element, Seam):
            self._seam(element)
        elif isinstance(element, Button):
            self._button(element)
        elif isinstance(element, Decal):
            self._decal(element)
        else:
            self._glow(element)

    def pixels(self, line: Array) -> Array:
        """Garment units to sheet pixels."""
        placed: Array = (line - self.corner) * self.unit
        return placed

    def units(self, box: tuple[slice, slice]) -> tuple[Array, Array]:
        """Garment coordinates (x, y) of the pixels of a box."""
        y, x = np.mgrid[box]
        return x / self.unit + self.corner[0], y / self.unit + self.corner[1]

    def _box(self, points: Array, pad: float) -> tuple[slice, slice]:
        low = np.floor(points.min(axis=0) - pad).astype(int)
        high = np.ceil(points.max(axis=0) + pad).astype(int) + 1
        x0, y0 = np.maximum(low, 0)
        x1, y1 = min(int(high[0]), self.shape[1]), min(int(high[1]), self.shape[0])
        return slice(int(y0), max(y1, int(y0) + 1)), slice(int(x0), max(x1, int(x0) + 1))

    def _filled(self, line: Array, box: tuple[slice, slice]) -> Array:
        rows, columns = box
        size = ((columns.stop - columns.start) * FINE, (rows.stop - rows.start) * FINE)
        image = Image.new("L", size)
        local = (self.pixels(line) - (columns.start, rows.start)) * FINE
        ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in local], fill=255)
        return np.asarray(image.reduce(FINE), np.float32) / 255

    def _panel(self, panel: Panel) -> None:
        reach = max(panel.round * self.unit, 4.0)
        box = self._box(self.pixels(panel.outline), reach + 6)
        mask = self._filled(panel.outline, box)
        u, v = panel.frame.local(*self.units(box))
        edge = np.sqrt(np.clip(2 * blur(mask, reach * 0.6) - 1, 0, 1))
        relief = (
            weave.relief(panel.cloth.weave, u, v) * 0.6 * min(1.0, self.unit / 170)
            + (0.1 if panel.cloth.weave in ("plain", "pique") else 0.2) * self.grain[box]
        )
        under = self.occlusion[box] * (1 - panel.cast * blur(mask, 5.0) * (self.cover[box] > 0))
        self.occlusion[box] = under * (1 - mask) + mask
        tone = panel.tone * weave.shade(panel.cloth.weave, u, v)
        colour = panel.cloth.albedo(u, v) * tone[..., None].astype(np.float32)
        self.albedo[box] += (colour - self.albedo[box]) * mask[..., None]
        risen = panel.keep * self.height[box] + panel.thick * edge + relief * edge
        self.height[box] += (risen - self.height[box]) * mask
        self.gloss[box] += (panel.cloth.gloss - self.gloss[box]) * mask
        self.cover[box] += (1 - self.cover[box]) * mask

    def _stroke(self, seam: Seam, box: tuple[slice, slice]) -> Array:
        rows, columns = box
        fine = 3
        size = ((columns.stop - columns.start) * fine, (rows.stop - rows.start) * fine)
        image = Image.new("L", size)
        draw = ImageDraw.Draw(image)
        local = (self.pixels(seam.line) - (columns.start, rows.start)) * fine
        points = [(float(x), float(y)) for x, y in local]
        width = max(2, round(seam.width * self.unit * fine))
        if seam.dash:
            for index in range(0, len(points) - 1, 2):
                draw.line(points[index : index + 2], fill=255, width=width)
        else:
            draw.line(points, fill=255, width=width, joint="curve")
        return np.asarray(image.reduce(fine), np.float32) / 255

    def _seam(self, seam: Seam) -> None:
        line = dense(seam.line, 0.018) if seam.dash else seam.line
        box = self._box(self.pixels(line), seam.width * self.unit + 3)
        mask = self._stroke(Seam(line, seam.width, dash=seam.dash), box) * self.cover[box]
        painted = seam.colour if seam.colour is not None else self.albedo[box] * np.float32(seam.tone)
        self.albedo[box] += (painted - self.albedo[box]) * mask[..., None]
        self.height[box] += seam.groove * mask

    def _button(self, button: Button) -> None:
        centre = self.pixels(np.asarray([button.centre]))
        radius = max(button.radius * self.unit, 1.6)
        box = self._box(centre, radius * 2 + 2)
        y, x = np.mgrid[box]
        away = np.hypot(x - centre[0, 0], y - centre[0, 1])
        mask = np.clip(radius - away + 0.5, 0, 1).astype(np.float32)
        shadow = np.clip(1.8 - away / radius, 0, 1).astype(np.float32)
        self.occlusion[box] *= 1 - 0.35 * shadow * (1 - mask)
        holes = 1 - 0.5 * np.clip(1 - np.abs(away / radius - 0.3) * 4, 0, 1)
        self.albedo[box] += (button.colour * holes[..., None].astype(np.float32) - self.albedo[box]) * mask[..., None]
        self.height[box] += mask * (1.5 - 1.2 * (away / radius < 0.7))
        self.gloss[box] = np.maximum(self.gloss[box], 0.5 * mask)

    def _decal(self, decal: Decal) -> None:
        width = max(4, round(decal.width * self.unit))
        height = max(4, round(width * decal.image.height / decal.image.width))
        image = decal.image.resize((width, height), Image.Resampling.BOX)
        image = image.rotate(-decal.degrees, Image.Resampling.BICUBIC, expand=True)
        pixels = np.asarray(image, np.float32) / 255
        x, y = np.round(self.pixels(np.asarray([decal.centre]))[0] - (image.width / 2, image.height / 2)).astype(int)
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + image.width, self.shape[1]), min(y + image.height, self.shape[0])
        pixels = pixels[y0 - y : y1 - y, x0 - x : x1 - x]
        box = slice(y0, y1), slice(x0, x1)
        mask = pixels[..., 3:] * self.cover[box][..., None]
        self.albedo[box] += (pixels[..., :3] - self.albedo[box]) * mask

    def _glow(self, glow: Glow) -> None:
        x, y = self.units((slice(0, self.shape[0]), slice(0, self.shape[1])))
        away = ((x - glow.centre[0]) / glow.rx) ** 2 + ((y - glow.centre[1]) / glow.ry) ** 2
        amount = (glow.tone - 1) * np.exp(-away)
        self.albedo *= (1 + amount)[..., None].astype(np.float32)


def dense(line: Array, step: float) -> Array:
    """The line resampled at an even step, so that its dashes are even."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    marks = np.arange(0, lengths[-1], step)
    return np.stack([np.interp(marks, lengths, line[:, axis]) for axis in (0, 1)], axis=1)
