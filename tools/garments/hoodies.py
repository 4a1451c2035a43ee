"""Hoodies, and what they share with jackets: the hood, the zip, the folds of heavy cloth."""

import numpy as np

from garments import fabric, palette
from garments.bodice import (
    Cut,
    Sleeve,
    cuff,
    hanger,
    sleeve_folds,
    sleeve_panel,
    torso,
    torso_folds,
)
from garments.brief import Brief
from garments.cloth import Button, Element, Glow, Panel, Piece, Ridge, Seam
from garments.fabric import Fabric
from garments.folds import scattered
from garments.geometry import Array, box, curve, flip, join, polygon, ribbon, shift, symmetric
from garments.tops import chest_print, long_arms

METAL = palette.rgb("#b9b9bb")


def zipper(top: float, bottom: float, dye: Array, lean: float = 0.0) -> list[Element]:
    """A zip fastener down the front, with its tape, teeth and puller."""
    line = curve((lean, top), (0, bottom))
    return [
        Seam(line, 0.045, dye, groove=-0.6),
        Seam(line, 0.014, METAL * 0.85, groove=0.8, dash=1),
        Panel(
            box(lean - 0.012, top + 0.01, lean + 0.012, top + 0.07, 0.01),
            fabric.plain(METAL, gloss=0.7),
            thick=1.5,
            round=0.008,
        ),
    ]


def rib_band(cut: Cut, trim: Fabric, high: float = 0.1) -> Panel:
    """The ribbed waistband of a hoodie or blouson."""
    low = curve((cut.hem * 0.97, cut.length + 0.01), (0, cut.length + cut.tail), (-cut.hem * 0.97, cut.length + 0.01))
    top = curve((-cut.hem, cut.length - high), (0, cut.length - high + 0.01), (cut.hem, cut.length - high))
    return Panel(join(top, low), trim, thick=3, round=0.02, tone=0.94, cast=0.25)


def hood(brief: Brief, cut: Cut, cloth: Fabric, lining: Fabric, fur: bool = False) -> list[Element]:
    """A hood laid out above the shoulders: the outside, the dark opening and its hem."""
    high, wide = brief.size(0.44, 0.56), brief.size(0.27, 0.32)
    lean = float(brief.pose.normal(0, 0.035))
    shell = symmetric(
        curve(
            (0, -high),
            (0.55 * wide, -0.95 * high),
            (wide, -0.62 * high),
            (1.05 * wide, -0.25 * high),
            (cut.neck + 0.1, 0.1),
            (0, 0.2),
        )
    )
    shell[:, 0] += lean * (-shell[:, 1] / high).clip(0, 1)
    hole = symmetric(
        curve(
            (0, -0.8 * high), (0.42 * wide, -0.72 * high), (0.6 * wide, -0.42 * high), (0.45 * wide, -0.05), (0.0, 0.17)
        )
    )
    hole[:, 0] += lean * (-hole[:, 1] / high).clip(0, 1)
    elements: list[Element] = [
        Panel(shell, cloth, thick=6, round=0.09, cast=0.4, tone=0.98),
        Seam(shift(curve((lean, -high), (0, -0.8 * high)), 0, 0.0), 0.006, tone=0.75),
        Panel(hole, lining, thick=-2, round=0.06, tone=0.62, cast=0.0),
        Glow((0, -0.12), 0.13, 0.24, 0.75),
    ]
    rim = join(hole, hole[:1])
    if fur:
        elements += _fur(brief, rim)
    else:
        elements += [
            Panel(ribbon(rim, 0.05), cloth, thick=3, round=0.02, cast=0.4),
            Seam(ribbon(rim, 0.045), 0.005, tone=0.8),
        ]
    return elements


def _fur(brief: Brief, rim: Array) -> list[Element]:
    pile = fabric.make(brief.design, ("heather",), ("sand", "brown", "cream", "grey"))
    width = 0.14 + 0.025 * brief.pose.standard_normal(len(rim))
    elements: list[Element] = [Panel(ribbon(rim, width), pile, thick=9, round=0.06, cast=0.5)]
    for x, y in rim[brief.pose.integers(0, len(rim), 170)]:
        a = np.arctan2(y + 0.2, x) + brief.pose.normal(0, 0.5)
        start = np.array([x, y]) + brief.pose.normal(0, 0.035, 2)
        hair = np.array([start, start + brief.pose.uniform(0.03, 0.07) * np.array([np.cos(a), np.sin(a)])])
        elements.append(Seam(hair, 0.01, tone=float(brief.pose.uniform(0.65, 1.3)), groove=1.2))
    return elements


def strings(brief: Brief, dye: Array) -> list[Element]:
    """Drawstrings that hang from the hood."""
    cord = fabric.plain(dye)
    elements: list[Element] = []
    for side in (-1, 1):
        sway = float(brief.pose.normal(0, 0.05))
        line = flip(
            curve((0.055, 0.13), (0.075 + 0.4 * sway, 0.28), (0.07 + sway, 0.42 + float(brief.pose.uniform(0, 0.12)))),
            side,
        )
        elements += [
            Panel(ribbon(line, 0.024), cord, thick=2.5, round=0.008, cast=0.5),
            Button((0.055 * side, 0.13), 0.014, METAL),
        ]
    return elements


def _hoodie_cut(brief: Brief) -> Cut:
    chest = brief.size(0.47, 0.55)
    return Cut(
        neck=brief.size(0.16, 0.19), shoulder=chest - 0.02, slope=brief.size(0.12, 0.16), chest=chest, waist=chest,
        hem=chest - brief.size(0.0, 0.04), length=brief.size(1.15, 1.32), armhole=brief.size(0.46, 0.52), drop=0.2,
    )  # fmt: skip


def _kangaroo(cut: Cut, cloth: Fabric) -> list[Element]:
    low, high = cut.length - 0.11, cut.length - 0.45
    bag = polygon((-0.18, high), (0.18, high), (0.31, high + 0.22), (0.31, low), (-0.31, low), (-0.31, high + 0.22))
    elements: list[Element] = [Panel(bag, cloth, thick=2.6, round=0.018, cast=0.45, keep=0.8)]
    slit = polygon((0.165, high + 0.02), (0.295, high + 0.235))
    return elements + [Seam(flip(slit, side), 0.006, tone=0.72) for side in (-1, 1)]


def hoodie(brief: Brief) -> Piece:
    """A sweatshirt with a hood, a front pocket and ribbed cuffs; every third one has a zip."""
    cut = _hoodie_cut(brief)
    zipped = brief.number % 3 == 1
    cloth = fabric.make(brief.design, ("solid", "heather", "solid"), palette.ANY)
    lining = fabric.plain(palette.contrasting(brief.design, cloth.colour)) if brief.chance(0.3) else cloth
    trim = fabric.plain(cloth.colour, "rib")
    arms = long_arms(brief, cut, brief.size(0.98, 1.08), brief.size(0.21, 0.25))
    elements = hanger(cut)[:1] if brief.hang else []
    for side, arm in arms:
        elements += [sleeve_panel(arm, cloth, side), *cuff(arm, trim, side, 0.11, 0.95)]
    elements += [Panel(torso(cut), cloth, thick=5, round=0.04, cast=0.4), *_kangaroo(cut, cloth), rib_band(cut, trim)]
    if zipped:
        elements += zipper(0.15, cut.length, cloth.colour * 0.7)
    elif brief.chance(0.75):
        elements += chest_print(brief, cloth, (0, 0.5), 0.46)
    elements += hood(brief, cut, cloth, lining)
    elements += strings(brief, palette.rgb("white") if brief.chance(0.5) else cloth.colour * 0.7)
    return Piece(elements, heavy_folds(brief, cut, arms), crumple=float(brief.pose.uniform(0.7, 1.2)), soft=1.3)


def heavy_folds(brief: Brief, cut: Cut, arms: list[tuple[int, Sleeve]], strength: float = 1.2) -> list[Ridge]:
    """Folds of a jacket or hoodie: torso, loose ones and sleeves."""
    ridges = torso_folds(brief.pose, cut, strength) + scattered(
        brief.pose, -0.42, 0.3, 0.42, cut.length, 8, 2.4 * strength
    )
    for side, arm in arms:
        ridges += sleeve_folds(brief.pose, arm, side, 9, 3.0 * strength)
    return ridges
