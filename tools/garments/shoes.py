"""Shoes, as pairs: seen from above (sneakers, flats, slippers) or from the side (sneakers, boots, heels)."""

from dataclasses import replace

import numpy as np

from garments import fabric, palette
from garments.brief import Brief
from garments.cloth import Button, Element, Glow, Panel, Piece, Seam
from garments.fabric import Fabric, Frame
from garments.geometry import Array, Point, curve, ellipse, join, ribbon, rotate, shift
from garments.profiles import PROFILES


def pair(shoe: list[Element], place: list[tuple[float, float, float, int]]) -> list[Element]:
    """Copies of a shoe, each moved to (x, y), turned by degrees and, where the last number is -1, mirrored."""
    return [_moved(element, x, y, turn, side) for x, y, turn, side in place for element in shoe]


def _moved(element: Element, x: float, y: float, turn: float, side: int) -> Element:
    def place(line: Array) -> Array:
        return shift(rotate(line * (side, 1), turn), x, y)

    if isinstance(element, Panel):
        return replace(
            element, outline=place(element.outline), frame=Frame((x, y), turn + side * element.frame.degrees)
        )
    if isinstance(element, Seam):
        return replace(element, line=place(element.line))
    centre = place(np.asarray([element.centre]))[0]
    return replace(element, centre=(float(centre[0]), float(centre[1])))


def _sole(wide: float, grow: float = 0.0) -> Array:
    w, g = wide, grow
    return curve(
        (0.0, -0.75 - g),
        (0.62 * w + g, -0.66),
        (w + g, -0.38),
        (0.9 * w + g, 0.0),
        (0.7 * w + g, 0.3),
        (0.72 * w + g, 0.6),
        (0.42 * w, 0.78 + g),
        (0.0, 0.82 + g),
        (-0.42 * w, 0.78 + g),
        (-0.72 * w - g, 0.6),
        (-0.66 * w - g, 0.3),
        (-0.72 * w - g, 0.0),
        (-0.86 * w - g, -0.36),
        (-0.58 * w - g, -0.66),
        (0.0, -0.75 - g),
    )


def _above(brief: Brief, kind: str, cloth: Fabric, sole: Fabric, accent: Fabric) -> list[Element]:
    wide = brief.size(0.25, 0.29)
    lining = fabric.plain(palette.pick(brief.design, ("sand", "grey", "charcoal", "cream")))
    elements: list[Element] = [Panel(_sole(wide, 0.03), sole, thick=8, round=0.04)]
    if kind == "slipper":
        elements += [Panel(_sole(wide, 0.0), lining, thick=3, round=0.05, tone=0.9), Glow((0, 0.5), 0.12, 0.2, 0.85)]
        strap = join(
            curve((-wide - 0.02, 0.05), (0, -0.08), (wide + 0.02, 0.08)),
            curve((wide + 0.0, -0.4), (0, -0.62), (-wide + 0.02, -0.4)),
        )
        return [
            *elements,
            Panel(strap, cloth, thick=22, round=0.16, cast=0.6),
            Button((wide * 0.75, -0.08), 0.03, palette.rgb("mustard")),
        ]
    elements.append(Panel(_sole(wide), cloth, thick=34, round=0.17, cast=0.4))
    if kind == "flat":
        hole = curve(
            (0, -0.42),
            (0.15, -0.34),
            (0.175, 0.1),
            (0.16, 0.58),
            (0, 0.7),
            (-0.16, 0.58),
            (-0.175, 0.1),
            (-0.15, -0.34),
            (0, -0.42),
        )
        bow: list[Element] = [
            Panel(ellipse((s * 0.06, -0.47), 0.065, 0.035), accent, thick=5, round=0.02, cast=0.5) for s in (-1, 1)
        ]
        return [
            *elements,
            Panel(hole, lining, thick=-8, round=0.05, keep=0.2, tone=0.72, cast=0),
            Seam(hole, 0.02, tone=0.75),
            *bow,
        ]
    return elements + _sneaker_top(cloth, sole, accent, lining, kind)


def _sneaker_top(cloth: Fabric, sole: Fabric, accent: Fabric, lining: Fabric, kind: str) -> list[Element]:
    hole = curve(
        (0, 0.1),
        (0.12, 0.14),
        (0.16, 0.42),
        (0.12, 0.66),
        (0, 0.72),
        (-0.12, 0.66),
        (-0.16, 0.42),
        (-0.12, 0.14),
        (0, 0.1),
    )
    tongue = curve((-0.09, -0.3), (-0.1, 0.1), (-0.085, 0.27), (0, 0.32), (0.085, 0.27), (0.1, 0.1), (0.09, -0.3))
    cap = join(
        curve((-0.22, -0.46), (0, -0.36), (0.24, -0.46)),
        curve((0.2, -0.6), (0.1, -0.71), (0, -0.74), (-0.1, -0.71), (-0.19, -0.6)),
    )
    elements: list[Element] = [Panel(hole, lining, thick=-8, round=0.05, keep=0.2, tone=0.55, cast=0)]
    if kind == "canvas":
        elements.append(Panel(cap, sole, thick=8, round=0.08, cast=0.3))
    else:
        elements.append(Seam(curve((-0.22, -0.42), (0, -0.3), (0.24, -0.42)), 0.012, tone=0.65))
        elements += [Seam(curve((s * 0.2, -0.25), (s * 0.17, 0.1)), 0.045, accent.colour, groove=0.5) for s in (-1, 1)]
    elements += [
        Panel(tongue, cloth, thick=5, round=0.04, tone=0.85, cast=0.5),
        Panel(ellipse((0, 0.62), 0.06, 0.12), accent, thick=3, round=0.03),
    ]
    lace = fabric.plain(palette.rgb("white") if palette.lightness(cloth.colour) < 0.6 else palette.rgb("grey"))
    for row in range(5):
        y = -0.27 + 0.085 * row
        elements.append(
            Panel(
                ribbon(curve((-0.115, y), (0, y + 0.02), (0.115, y + 0.015)), 0.03),
                lace,
                thick=4,
                round=0.014,
                cast=0.55,
            )
        )
    loops = curve(
        (0, 0.1), (0.14, 0.02), (0.2, 0.1), (0.1, 0.14), (0, 0.1), (-0.14, 0.03), (-0.19, 0.12), (-0.1, 0.14), (0, 0.1)
    )
    return [*elements, Panel(ribbon(loops, 0.022), lace, thick=3, round=0.01, cast=0.5)]


def _side(brief: Brief, kind: str, cloth: Fabric, sole: Fabric, accent: Fabric) -> list[Element]:
    upper, base, hole = PROFILES[kind]()
    dark = fabric.plain(palette.pick(brief.design, ("charcoal", "brown", "sand")))
    elements: list[Element] = [
        Panel(base, sole, thick=10, round=0.04),
        Panel(upper, cloth, thick=38, round=0.16, cast=0.4),
    ]
    elements.append(Panel(hole, dark, thick=-4, round=0.03, keep=0.1, tone=0.6, cast=0.1))
    if kind == "boot":
        return elements + _boot_details(brief, cloth)
    if kind == "heel":
        return [
            *elements,
            Seam(curve((-0.55, -0.28), (-0.3, -0.14), (0.0, 0.0), (0.2, 0.12)), 0.012, tone=0.7),
            Glow((0.45, 0.25), 0.14, 0.07, 1.3),
        ]
    panels = (curve((-0.56, -0.02), (-0.3, -0.05), (-0.22, 0.2)), curve((0.38, -0.06), (0.46, 0.06), (0.7, 0.1)))
    elements += [Seam(line, 0.014, tone=0.65) for line in panels]
    swoosh = join(
        curve((-0.3, 0.1), (-0.05, 0.13), (0.3, -0.02)), curve((0.3, -0.02), (0.0, 0.04), (-0.2, -0.02), (-0.3, 0.1))
    )
    elements += [
        Panel(swoosh, accent, thick=2, round=0.01),
        Seam(curve((-0.62, 0.25), (0.0, 0.27), (0.75, 0.23)), 0.012, tone=0.8),
    ]
    lace = fabric.plain(palette.rgb("white"))
    for row in range(5):
        x, y = 0.03 + 0.075 * row, -0.24 + 0.045 * row
        elements.append(
            Panel(
                ribbon(curve((x - 0.06, y + 0.09), (x + 0.045, y - 0.03)), 0.03), lace, thick=4, round=0.012, cast=0.5
            )
        )
    return elements


def _boot_details(brief: Brief, cloth: Fabric) -> list[Element]:
    elements: list[Element] = [Seam(curve((-0.44, 0.05), (-0.15, 0.0), (0.12, -0.06)), 0.012, tone=0.6)]
    if brief.chance(0.5):
        gore = curve((-0.26, -0.7), (-0.22, -0.3), (-0.17, -0.14), (-0.12, -0.3), (-0.09, -0.7))
        return [*elements, Panel(gore, fabric.plain(cloth.colour * 0.7, "rib"), thick=1, round=0.02, keep=0.9)]
    lace = fabric.plain(palette.pick(brief.design, ("mustard", "black", "cream")))
    for row in range(7):
        y = -0.66 + 0.1 * row
        x = 0.02 if row < 4 else 0.02 + 0.06 * (row - 3)
        elements.append(
            Panel(ribbon(curve((x - 0.1, y + 0.02), (x - 0.0, y)), 0.03), lace, thick=4, round=0.012, cast=0.5)
        )
    return elements


def _dyes(brief: Brief, kind: str) -> tuple[Fabric, Fabric, Fabric]:
    leather = kind in ("boot", "heel", "flat", "slipper")
    dyes = (
        ("black", "brown", "camel", "burgundy", "navy", "dusty", "red")
        if leather
        else ("white", "black", "navy", "grey", "red", "blue", "pink")
    )
    cloth = fabric.make(brief.design, ("solid", "solid", "heather"), dyes, gloss=0.65 if leather else 0.1)
    accent = fabric.plain(palette.contrasting(brief.design, cloth.colour))
    if kind in ("boot", "heel"):
        return (
            cloth,
            fabric.plain(palette.rgb("black") if brief.chance(0.6) else palette.rgb("brown") * 0.7, gloss=0.3),
            accent,
        )
    return cloth, fabric.plain(palette.pick(brief.design, ("white", "cream", "white", "black", "sand"))), accent


def shoes(brief: Brief) -> Piece:
    """A pair of shoes, in turn: sneakers, flats, canvas shoes, boots, slippers, heels."""
    kind = brief.style("runner", "flat", "boot", "canvas", "side", "slipper", "heel", "boot", "side", "runner")
    cloth, sole, accent = _dyes(brief, kind)
    rng = brief.pose
    if kind in ("boot", "heel", "side"):
        shoe = _side(brief, kind, cloth, sole, accent)
        high = {"boot": 0.55, "heel": 0.55, "side": 0.6}[kind]
        facing = 1 if rng.random() < 0.5 else -1
        back: Point = (float(rng.uniform(-0.25, 0.1)), -high * float(rng.uniform(0.7, 1.0)))
        place = [
            (back[0] * facing, back[1], float(rng.normal(0, 5)), facing),
            (0.1 * facing, 0.15, float(rng.normal(0, 5)), facing),
        ]
    else:
        shoe = _above(brief, kind, cloth, sole, accent)
        gap, toe = float(rng.uniform(0.32, 0.4)), float(rng.uniform(-4, 14))
        place = [(-gap, float(rng.normal(0, 0.04)), -toe, -1), (gap, float(rng.normal(0, 0.04)), toe, 1)]
        if rng.random() < 0.35:
            place = [(x, -y, turn + 180, side) for x, y, turn, side in place]
    return Piece(pair(shoe, place), crumple=0.25, soft=0.3, lift=1.8)
