"""What all tops share: the torso, necklines, sleeves, the inside of the back, the hanger."""

from dataclasses import dataclass

import numpy as np

from garments import palette
from garments.cloth import Element, Panel, Ridge, Seam
from garments.fabric import Fabric, Frame, plain
from garments.folds import Rng, across, fan
from garments.geometry import (
    Array,
    Point,
    box,
    curve,
    flip,
    join,
    mirror,
    normals,
    polygon,
    ribbon,
    shift,
    symmetric,
)


@dataclass(frozen=True)
class Cut:
    """Half widths and heights of a torso; y = 0 at the neck, `armhole` the height of the armpit."""

    neck: float = 0.17
    shoulder: float = 0.46
    slope: float = 0.12
    chest: float = 0.5
    waist: float = 0.48
    hem: float = 0.5
    length: float = 1.35
    armhole: float = 0.45
    drop: float = 0.12
    vee: bool = False
    tail: float = 0.02

    @property
    def tip(self) -> Point:
        """The right shoulder's end."""
        return self.shoulder, self.slope

    @property
    def pit(self) -> Point:
        """The right armpit."""
        return self.chest, self.armhole


@dataclass(frozen=True)
class Sleeve:
    """One sleeve: its outline, spine and the turn of its grain."""

    outline: Array
    spine: Array
    half: Array
    degrees: float


def neckline(cut: Cut) -> Array:
    """The right half of the front neckline, from the centre out."""
    if cut.vee:
        return curve((0, cut.drop), (0.55 * cut.neck, 0.42 * cut.drop), (cut.neck, 0))
    return curve((0, cut.drop), (0.62 * cut.neck, 0.78 * cut.drop), (0.95 * cut.neck, 0.3 * cut.drop), (cut.neck, 0))


def torso(cut: Cut, top: Array | None = None) -> Array:
    """The outline of the front."""
    waist = (cut.waist, 0.6 * cut.armhole + 0.4 * cut.length)
    scoop = 0.04 if cut.shoulder < cut.chest else 0.1
    return symmetric(
        join(
            neckline(cut) if top is None else top,
            curve((cut.neck, 0), (0.5 * (cut.neck + cut.shoulder), 0.42 * cut.slope), cut.tip),
            curve(cut.tip, (min(cut.shoulder, cut.chest) - scoop, 0.6 * cut.armhole + 0.4 * cut.slope), cut.pit),
            curve(cut.pit, waist, (cut.hem, cut.length)),
            curve((cut.hem, cut.length), (0.5 * cut.hem, cut.length + 0.8 * cut.tail), (0, cut.length + cut.tail)),
        )
    )


def inside(cut: Cut, cloth: Fabric, rise: float = 0.035, tone: float = 0.58) -> list[Element]:
    """The inner back that the neckline leaves open, with its label."""
    back = curve(
        (-cut.neck, 0.0),
        (-0.5 * cut.neck, -0.5 * rise),
        (0, -0.6 * rise),
        (0.5 * cut.neck, -0.5 * rise),
        (cut.neck, 0.0),
    )
    front = join(neckline(cut)[::-1], mirror(neckline(cut))[::-1])
    hollow = join(back, shift(front, 0, 0.03))
    band = curve((-0.93 * cut.neck, 0.012), (0, 0.012 - 0.3 * rise), (0.93 * cut.neck, 0.012))
    return [
        Panel(hollow, cloth, thick=1.0, tone=tone),
        Panel(ribbon(band, 0.034), cloth, thick=1.5, tone=tone * 1.35),
        Panel(box(-0.035, 0.04, 0.035, 0.085), plain(palette.rgb("#e8e4da")), thick=0.5, tone=0.85, cast=0.1),
    ]


def collar_band(cut: Cut, cloth: Fabric, width: float = 0.04, tone: float = 1.0) -> list[Element]:
    """The ribbed band that finishes a front neckline."""
    half = neckline(cut)
    line = shift(join(mirror(half), half), 0, width * 0.35)
    seam = shift(join(mirror(half), half), 0, width * 0.95)
    return [Panel(ribbon(line, width), cloth, thick=1.6, round=0.012, tone=tone, cast=0.2), Seam(seam, 0.006, tone=0.8)]


def sleeve(cut: Cut, degrees: float, length: float, cuff: float, bend: float = 0.0, extend: float = 0.09) -> Sleeve:
    """A right sleeve: `degrees` below the horizontal, bending by `bend` more towards its cuff (of width `cuff`)."""
    tip, pit = np.asarray(cut.tip), np.asarray(cut.pit)
    t = np.linspace(0, 1, 24)
    heading = np.deg2rad(degrees + bend * np.clip((t - 0.25) / 0.75, 0, 1) ** 1.3)
    steps = np.stack([np.cos(heading), np.sin(heading)], 1) * length / 23
    spine = (tip + pit) / 2 + np.cumsum(steps, axis=0) - steps[0]
    root = 0.46 * float(np.linalg.norm(tip - pit))
    half = root + (cuff / 2 - root) * t**0.75
    side = normals(spine) * half[:, None]
    ease = ((1 - t) ** 2.2)[:, None]
    upper, lower = spine + side, spine - side
    upper, lower = upper + (tip - upper[0]) * ease, lower + (pit - lower[0]) * ease
    under = polygon((pit[0] - extend, pit[1] - 0.01), (tip[0] - extend, tip[1] + 0.05)) if extend else pit[None]
    return Sleeve(join(upper, lower[::-1], under), spine, half, degrees + 0.5 * bend - 90)


def sleeve_panel(arm: Sleeve, cloth: Fabric, side: int, tone: float = 1.0) -> Panel:
    """The sleeve's cloth on the right (1) or left (-1)."""
    frame = Frame((side * float(arm.spine[0, 0]), float(arm.spine[0, 1])), side * arm.degrees)
    return Panel(flip(arm.outline, side), cloth, frame, thick=3.5, round=0.03, tone=tone)


def cuff(arm: Sleeve, cloth: Fabric, side: int, width: float = 0.05, tone: float = 1.0) -> list[Element]:
    """A band across the end of a sleeve."""
    along = arm.spine[-1] - arm.spine[-2]
    along /= np.linalg.norm(along)
    out = np.array([along[1], -along[0]]) * (arm.half[-1] + 0.004)
    end = arm.spine[-1] + along * 0.004
    start = end - along * width
    shape = np.array([start + out, end + out * 0.98, end - out * 0.98, start - out])
    seam = flip(np.array([start + out, start - out]), side)
    frame = Frame((0, 0), side * arm.degrees)
    return [
        Panel(flip(shape, side), cloth, frame, thick=2.0, round=0.012, tone=tone, cast=0.15),
        Seam(seam, 0.006, tone=0.72),
    ]


def hem_seam(cut: Cut, up: float = 0.035, tone: float = 0.8) -> Seam:
    """The stitching above the hem."""
    return Seam(
        shift(curve((-cut.hem, cut.length), (0, cut.length + cut.tail), (cut.hem, cut.length)), 0, -up),
        0.006,
        tone=tone,
    )


def torso_folds(rng: Rng, cut: Cut, strength: float = 1.0) -> list[Ridge]:
    """Pulls from the armpits towards the chest and waist."""
    ridges = []
    for side in (-1, 1):
        root = (side * (cut.chest - 0.03), cut.armhole)
        inward = 132 if side > 0 else 48
        ridges += fan(rng, root, inward, 34, 0.36, 4, 2.6 * strength)
        ridges += fan(rng, root, 95, 16, 0.7, 3, 2.6 * strength)
    return ridges


def sleeve_folds(rng: Rng, arm: Sleeve, side: int, count: int, height: float = 2.6) -> list[Ridge]:
    """Creases across a sleeve."""
    return across(rng, flip(arm.spine, side), float(arm.half.mean()), count, height=height)


def hanger(cut: Cut, dye: str = "black") -> list[Element]:
    """A hanger in the shoulders, its hook above the neck; drawn after the inner back and before the front."""
    hard = plain(palette.rgb(dye), gloss=0.5)
    wire = plain(palette.rgb("#9a9a9c"), gloss=0.7)
    hook = curve((0, 0.0), (0, -0.1), (0.045, -0.15), (0.05, -0.2), (0, -0.24), (-0.05, -0.2))
    arms = curve(
        (-cut.shoulder * 0.9, cut.slope + 0.02),
        (-0.1, 0.015),
        (0, -0.01),
        (0.1, 0.015),
        (cut.shoulder * 0.9, cut.slope + 0.02),
    )
    return [
        Panel(ribbon(hook, 0.016), wire, thick=1.5, round=0.008),
        Panel(ribbon(arms, 0.05), hard, thick=3, round=0.02),
    ]
