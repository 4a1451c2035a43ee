"""Pants and shorts: two legs below a waistband."""

from dataclasses import dataclass

import numpy as np

from garments import fabric, palette
from garments.brief import Brief
from garments.cloth import Button, Element, Glow, Panel, Piece, Ridge, Seam
from garments.fabric import Fabric, Frame
from garments.folds import across, fan, gathers, scattered
from garments.geometry import Array, box, curve, flip, join, polygon, ribbon, rotate, shift

THREAD = palette.rgb("#c79a5a")


@dataclass(frozen=True)
class Cut:
    """Half widths of waist and hip; leg widths at knee and ankle; heights of crotch and hem."""

    waist: float
    hip: float
    crotch: float
    knee: float
    ankle: float
    length: float
    apart: float


def leg(cut: Cut, turn: float) -> Array:
    """The right leg from waist to hem, turned outwards by `turn` degrees about the hip."""
    knee_y = 0.5 * (cut.crotch + cut.length)
    middle = cut.apart + 0.5 * cut.ankle
    knee_x = max(middle + 0.5 * cut.knee, 0.45 * cut.hip + 0.55 * (middle + 0.5 * cut.ankle))
    outer = join(
        curve((cut.waist, 0), (cut.hip, 0.75 * cut.crotch)),
        curve((cut.hip, 0.75 * cut.crotch), (knee_x, knee_y), (middle + 0.5 * cut.ankle, cut.length)),
    )
    inner = curve(
        (middle - 0.5 * cut.ankle, cut.length),
        (middle - 0.45 * cut.knee, knee_y),
        (0.05, cut.crotch + 0.12),
        (0, cut.crotch),
    )
    bend = rotate(join(outer, inner), -turn, (0.2, cut.crotch * 0.6))
    weight = np.clip((join(outer, inner)[:, 1:] - 0.3) / 0.4, 0, 1)
    placed = join(outer, inner) * (1 - weight) + bend * weight
    return join(placed, polygon((-0.02, cut.crotch - 0.04), (-0.02, 0)))


def spine(cut: Cut, turn: float) -> Array:
    """The middle line of the right leg."""
    middle = cut.apart + 0.5 * cut.ankle
    return rotate(curve((0.5 * cut.hip, cut.crotch), (middle, cut.length)), -turn, (0.2, cut.crotch * 0.6))


def hem_band(cut: Cut, turn: float, high: float) -> Array:
    """The band of a given height across the end of the right leg."""
    middle, half = cut.apart + 0.5 * cut.ankle, 0.5 * cut.ankle + 0.012
    grow = half + 0.3 * high * (cut.knee - cut.ankle)
    shape = polygon(
        (middle - grow, cut.length - high),
        (middle + grow, cut.length - high),
        (middle + half, cut.length + 0.008),
        (middle - half, cut.length + 0.008),
    )
    return rotate(shape, -turn, (0.2, cut.crotch * 0.6))


def waistband(cut: Cut, cloth: Fabric, high: float, dip: float = 0.03) -> list[Element]:
    """The band: the inside of the back, which shows above, and the front."""
    w = cut.waist
    back = join(curve((-w, 0.0), (0, -dip), (w, 0.0)), curve((w, 0.05), (0, 0.06 + dip), (-w, 0.05)))
    front = join(curve((-w, 0.0), (0, dip), (w, 0.0)), curve((w + 0.012, high), (0, high + dip), (-w - 0.012, high)))
    return [
        Panel(back, cloth, thick=2, tone=0.6),
        Panel(box(-0.035, 0.0, 0.035, 0.03), fabric.plain(palette.rgb("cream")), thick=0.4, tone=0.9, cast=0),
        Panel(front, cloth, thick=3, round=0.015, cast=0.35, tone=1.02),
        Seam(curve((-w, high), (0, high + dip), (w, high)), 0.007, tone=0.68),
    ]


def fly(cut: Cut, thread: Array | None) -> list[Element]:
    """The front seam, the J of the fly, a button, belt loops and the curved front pockets."""
    elements: list[Element] = [
        Seam(curve((0, 0.1), (0.0, cut.crotch)), 0.008, tone=0.62, groove=-1.5),
        Seam(curve((0.075, 0.11), (0.075, 0.3), (0.05, 0.37), (0.0, 0.4)), 0.007, thread, tone=0.72),
        Button((0.025, 0.065), 0.022, palette.rgb("#a98955") if thread is not None else palette.rgb("brown")),
    ]
    for side in (-1, 1):
        line = flip(curve((0.17, 0.105), (0.2, 0.2), (0.3, 0.25), (cut.hip - 0.01, 0.26)), side)
        elements += [
            Seam(line, 0.009, tone=0.6, groove=-1.2),
            Seam(shift(line, -0.01 * side, 0.016), 0.006, thread, tone=0.74),
        ]
        for x in (0.13, cut.waist - 0.07):
            loop = shift(box(-0.016, -0.005, 0.016, 0.115), side * x, 0.01)
            elements.append(Seam(loop, 0.006, thread, tone=0.7))
    return elements


def drawstring(brief: Brief, dye: Array) -> list[Element]:
    """Two loose cords and a gathered waist."""
    elements: list[Element] = []
    for side in (-1, 1):
        sway, drop = float(brief.pose.normal(0.03, 0.03)), float(brief.pose.uniform(0.2, 0.32))
        line = flip(curve((0.03, 0.06), (0.05 + sway, 0.16), (0.04 + 1.4 * sway, drop)), side)
        elements.append(Panel(ribbon(line, 0.02), fabric.plain(dye), thick=2.5, round=0.008, cast=0.5))
    return elements


def wear(brief: Brief, cut: Cut, strength: float) -> list[Element]:
    """Pale patches where denim rubs: thighs and knees."""
    elements: list[Element] = []
    for side in (-1, 1):
        x = side * (cut.apart + 0.5 * cut.ankle)
        elements.append(Glow((x, cut.crotch + 0.1), 0.11, 0.4, 1 + strength))
        elements.append(Glow((x, 0.55 * (cut.crotch + cut.length)), 0.1, 0.2, 1 + 0.8 * strength))
    return elements


def legs(
    brief: Brief, cut: Cut, cloth: Fabric, turns: tuple[float, float], thread: Array | None, hem: float
) -> list[Element]:
    """Both legs, one over the other, with their hems stitched."""
    elements: list[Element] = []
    order = (-1, 1) if brief.pose.random() < 0.5 else (1, -1)
    for side in order:
        turn = turns[0 if side < 0 else 1]
        elements.append(
            Panel(
                flip(leg(cut, turn), side),
                cloth,
                Frame((0, 0), side * -turn),
                thick=4,
                round=0.035,
                cast=0.45,
                keep=0.0,
            )
        )
        if hem:
            line = flip(hem_band(cut, turn, hem)[:2], side)
            elements.append(Seam(line, 0.007, thread, tone=0.7))
    return elements


def side_stripes(cut: Cut, turns: tuple[float, float], dye: Array) -> list[Element]:
    """Two stripes down each outer side."""
    elements: list[Element] = []
    for side, turn in zip((-1, 1), turns, strict=True):
        outline = leg(cut, turn)[2:42]
        elements += [Seam(flip(shift(outline, -inset, 0), side), 0.02, dye, groove=0) for inset in (0.03, 0.065)]
    return elements


def pants(brief: Brief) -> Piece:
    """Long pants, in turn: jeans, joggers, chinos, leggings, wide pants."""
    kind = brief.style("jeans", "joggers", "chinos", "jeans", "wide", "leggings", "jeans", "joggers", "chinos", "wide")
    slim = kind in ("leggings", "joggers")
    hip = brief.size(0.38, 0.44)
    ankle = {"jeans": 0.2, "joggers": 0.17, "chinos": 0.21, "leggings": 0.15, "wide": 0.32}[kind] * brief.size(
        0.95, 1.15
    )
    waist = hip - (0.05 if slim else brief.size(0.03, 0.07))
    cut = Cut(
        waist,
        hip,
        brief.size(0.5, 0.58),
        ankle + (0.05 if kind == "wide" else 0.08),
        ankle,
        brief.size(1.8, 2.05),
        float(brief.pose.uniform(0.02, 0.1)),
    )
    turns = (float(brief.pose.normal(0.5, 1.6)), float(brief.pose.normal(0.5, 1.6)))
    cloth = _pants_cloth(brief, kind)
    thread = THREAD if kind == "jeans" and brief.chance(0.75) else None
    elements = clips(cut.waist) if brief.hang else []
    elements += legs(brief, cut, cloth, turns, thread, 0.0 if slim else 0.045)
    elements += waistband(cut, fabric.plain(cloth.colour, "rib") if slim else cloth, 0.1)
    elements += _details(brief, kind, cut, cloth, turns, thread)
    return Piece(
        elements, leg_folds(brief, cut, turns, slim, 12), crumple=float(brief.pose.uniform(0.6, 1.2)), soft=1.1
    )


def _details(
    brief: Brief, kind: str, cut: Cut, cloth: Fabric, turns: tuple[float, float], thread: Array | None
) -> list[Element]:
    if kind in ("jeans", "chinos"):
        return fly(cut, thread) + (wear(brief, cut, brief.size(0.1, 0.45)) if kind == "jeans" else [])
    elements: list[Element] = [Seam(curve((0, 0.1), (0.0, cut.crotch)), 0.006, tone=0.72, groove=-1.2)]
    if kind == "joggers":
        rib = fabric.plain(cloth.colour, "rib")
        for side, turn in zip((-1, 1), turns, strict=True):
            elements.append(Panel(flip(hem_band(cut, turn, 0.1), side), rib, thick=2.5, round=0.015, tone=0.93))
        if brief.chance(0.6):
            elements += side_stripes(
                cut, turns, palette.contrasting(brief.design, cloth.colour, ("white", "red", "black", "yellow"), 0.7)
            )
        elements += drawstring(brief, palette.rgb("white") if brief.chance(0.6) else cloth.colour * 0.6)
    if kind == "wide":
        elements += fly(cut, None)[:2]
    return elements


def _pants_cloth(brief: Brief, kind: str) -> Fabric:
    if kind == "jeans":
        return fabric.make(brief.design, ("denim",))
    if kind == "leggings":
        return fabric.make(brief.design, ("solid", "heather"), ("black", "charcoal", "navy", "plum"))
    if kind == "wide":
        return fabric.make(brief.design, ("solid", "pinstripes", "floral", "plaid"), palette.NEUTRAL, size=0.7)
    if kind == "joggers":
        return fabric.make(
            brief.design, ("solid", "heather"), ("grey", "black", "navy", "olive", "burgundy", "silver", "pink")
        )
    return fabric.make(
        brief.design,
        ("solid",),
        ("sand", "olive", "navy", "camel", "charcoal", "cream", "brown"),
        "cord" if brief.chance(0.3) else "plain",
    )


def leg_folds(brief: Brief, cut: Cut, turns: tuple[float, float], gathered: bool, count: int) -> list[Ridge]:
    """Folds of legs: from the crotch, across the knees and, where gathered, from the waist."""
    ridges: list[Ridge] = []
    for side, turn in zip((-1, 1), turns, strict=True):
        toward = 55 if side > 0 else 125
        ridges += fan(brief.pose, (0.0, cut.crotch - 0.02), toward, 40, 0.4, 4, 3.0)
        ridges += fan(brief.pose, (0.0, cut.crotch - 0.06), -toward + (20 if side > 0 else -20), 20, 0.3, 3, 2.6)
        ridges += across(brief.pose, flip(spine(cut, turn), side), 0.55 * cut.knee, count, (0.05, 0.98), 3.0)
    if gathered:
        ridges += gathers(brief.pose, -cut.waist, cut.waist, 0.1, 0.2, 14, 2.2)
    return ridges + scattered(brief.pose, -0.3, 0.2, 0.3, cut.crotch, 4)


def clips(waist: float) -> list[Element]:
    """A hanger with two clips that hold a waistband."""
    hard, wire = fabric.plain(palette.rgb("black"), gloss=0.5), fabric.plain(palette.rgb("#9a9a9c"), gloss=0.7)
    hook = curve((0, -0.09), (0, -0.16), (0.045, -0.2), (0.05, -0.25), (0, -0.29), (-0.05, -0.25))
    bar = box(-waist + 0.02, -0.11, waist - 0.02, -0.08, 0.015)
    elements: list[Element] = [Panel(ribbon(hook, 0.016), wire, thick=1.5), Panel(bar, hard, thick=3, round=0.015)]
    elements += [
        Panel(shift(box(-0.03, -0.13, 0.03, 0.04, 0.01), side * (waist - 0.1), 0), hard, thick=3) for side in (-1, 1)
    ]
    return elements
