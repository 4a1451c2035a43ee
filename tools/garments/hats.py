"""Hats: caps, beanies, bucket hats and brimmed hats, seen from the front and a little from above."""

import numpy as np

from garments import decals, fabric, palette
from garments.brief import Brief
from garments.cloth import Button, Decal, Element, Glow, Panel, Piece, Ridge, Seam
from garments.fabric import Fabric
from garments.folds import scattered
from garments.geometry import Array, curve, ellipse, join, mirror, polygon, ribbon, shift


def hat(brief: Brief) -> Piece:
    """A hat, in turn: cap, beanie, bucket hat, straw or felt hat with a brim."""
    makers = {"cap": _cap, "beanie": _beanie, "bucket": _bucket, "brim": _brimmed}
    return makers[brief.style("cap", "beanie", "bucket", "brim", "beanie", "cap", "brim", "beanie", "cap", "bucket")](
        brief
    )


def _dome(wide: float, high: float, lean: float) -> Array:
    right = curve((0, -high), (0.55 * wide, -0.93 * high), (0.92 * wide, -0.5 * high), (wide, 0.0))
    shape = join(right, curve((wide, 0), (0, 0.16), (-wide, 0)), mirror(right))
    shape[:, 0] += lean * np.clip(-shape[:, 1] / high, 0, 1)
    return shape


def _cap(brief: Brief) -> Piece:
    cloth = fabric.make(
        brief.design, ("solid", "denim", "solid", "camouflage"), (*palette.NEUTRAL, "red", "royal", "burgundy")
    )
    second = fabric.plain(palette.contrasting(brief.design, cloth.colour)) if brief.chance(0.5) else cloth
    wide, high = brief.size(0.55, 0.62), brief.size(0.55, 0.68)
    lean = float(brief.pose.normal(0.0, 0.1))
    crown = _dome(wide, high, lean)
    reach = brief.size(0.3, 0.42)
    peak = join(
        curve((-0.93 * wide, 0.0), (0, 0.13), (0.93 * wide, 0.0)),
        curve(
            (0.97 * wide, 0.02),
            (0.82 * wide - lean, reach),
            (-lean, reach + 0.14),
            (-0.82 * wide - lean, reach),
            (-0.97 * wide, 0.02),
        ),
    )
    elements: list[Element] = [Panel(crown, cloth, thick=34, round=0.34, cast=0.3)]
    for s in (-0.62, -0.24, 0.24, 0.62):
        middle, end = (1.15 * s * wide + 0.5 * lean, -0.55 * high), (1.3 * s * wide, 0.1 - 0.12 * abs(s))
        gore = curve((lean, -high * 0.98), middle, end)
        elements += [Seam(gore, 0.009, tone=0.68)]
    colours = [palette.contrasting(brief.design, cloth.colour, apart=0.7) for _ in range(3)]
    elements += [
        Decal(decals.choose(brief.design, colours), (0.35 * lean, -0.3 * high), 0.4 * wide + 0.1),
        Button((lean, -high), 0.035, second.colour),
    ]
    elements.append(Panel(peak, second, thick=14, round=0.1, cast=0.6))
    for row in range(4):
        inner = 0.25 + 0.2 * row
        elements.append(
            Seam(
                curve(
                    (-0.9 * wide, 0.05 + 0.06 * inner),
                    (-0.55 * wide, 0.1 + reach * inner * 0.8),
                    (-lean * inner, 0.13 + inner * reach),
                    (0.55 * wide, 0.1 + reach * inner * 0.8),
                    (0.9 * wide, 0.05 + 0.06 * inner),
                ),
                0.006,
                tone=0.75,
            )
        )
    elements.append(Glow((0, 0.13), 0.5, 0.05, 0.8))
    return Piece(elements, scattered(brief.pose, -0.4, -0.5, 0.4, 0.0, 4, 1.8), crumple=0.4, soft=0.5, lift=2.0)


def _beanie(brief: Brief) -> Piece:
    weave = brief.style("knit", "cable", "rib")
    cloth = fabric.make(brief.design, ("heather", "stripes", "solid"), palette.ANY, weave)
    wide, high = brief.size(0.5, 0.58), brief.size(0.75, 0.95)
    lean = float(brief.pose.normal(0, 0.06))
    right = curve((0.02, -high), (0.6 * wide, -0.9 * high), (0.98 * wide, -0.45 * high), (wide, 0.1))
    shape = join(right, curve((wide, 0.1), (0, 0.16), (-wide, 0.1)), mirror(right))
    shape[:, 0] += lean * np.clip(-shape[:, 1] / high, 0, 1)
    elements: list[Element] = []
    if brief.number % 3 == 1:
        elements += _pompom(brief, (lean, -high - 0.1))
    elements.append(Panel(shape, cloth, thick=26, round=0.28, cast=0.4))
    turn_up = brief.size(0.24, 0.34)
    band = join(
        curve((-1.03 * wide, 0.13 - turn_up), (0, 0.19 - turn_up), (1.03 * wide, 0.13 - turn_up)),
        curve((1.05 * wide, 0.13), (0, 0.21), (-1.05 * wide, 0.13)),
    )
    elements.append(Panel(band, fabric.plain(cloth.tile[0, 0], "rib"), thick=12, round=0.08, cast=0.6))
    if brief.chance(0.5):
        elements.append(
            Panel(
                shift(polygon((-0.09, -0.05), (0.09, -0.05), (0.09, 0.06), (-0.09, 0.06)), 0.1, 0.14 - 0.5 * turn_up),
                fabric.plain(palette.rgb("camel")),
                thick=2,
                round=0.012,
            )
        )
    ridges = [
        Ridge((lean + 0.05 * x, -high * 0.97), (0.8 * x * wide, -0.2 * high), 0.025, 3.0) for x in np.linspace(-1, 1, 7)
    ]
    return Piece(elements, ridges, crumple=0.7, soft=0.9, lift=1.6)


def _pompom(brief: Brief, centre: tuple[float, float]) -> list[Element]:
    dye = fabric.make(brief.design, ("heather",), ("white", "cream", "charcoal", "red", "sand"))
    a = np.linspace(0, 2 * np.pi, 120)
    radius = 0.2 + 0.022 * np.sin(23 * a) + 0.015 * brief.pose.standard_normal(120)
    shape = np.stack([centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a)], axis=1)
    tufts: list[Element] = [Panel(shape, dye, thick=22, round=0.16)]
    for x, y in brief.pose.normal(0, 0.08, (40, 2)):
        line = curve((centre[0] + x, centre[1] + y), (centre[0] + 1.5 * x, centre[1] + 1.5 * y))
        tufts.append(Seam(line, 0.016, tone=float(brief.pose.uniform(0.7, 1.2)), groove=1.5))
    return tufts


def _bucket(brief: Brief) -> Piece:
    cloth = fabric.make(
        brief.design, ("denim",) if brief.number > 5 else ("solid",), ("olive", "sand", "black", "mustard")
    )
    wide, high = brief.size(0.46, 0.5), brief.size(0.3, 0.36)
    flare = brief.size(0.68, 0.76)
    brim = join(
        curve((-wide, 0.0), (-0.85 * flare, 0.12), (-flare, 0.24)),
        curve((-flare, 0.24), (-0.6 * flare, 0.4), (0, 0.47), (0.6 * flare, 0.4), (flare, 0.24)),
        curve((flare, 0.24), (0.85 * flare, 0.12), (wide, 0.0)),
    )
    crown = join(
        curve((-0.8 * wide, -high), (0, -high - 0.03), (0.8 * wide, -high)),
        curve((0.8 * wide, -high), (wide, 0.06)),
        curve((wide, 0.06), (0, 0.2), (-wide, 0.06)),
    )
    top = ellipse((0, -high), 0.8 * wide, 0.17)
    elements: list[Element] = [
        Panel(brim, cloth, thick=14, round=0.1),
        Panel(crown, cloth, thick=22, round=0.2, cast=0.5),
    ]
    elements += [
        Panel(top, cloth, thick=5, round=0.05, tone=1.06, cast=0.1),
        Seam(ellipse((0, -high), 0.8 * wide, 0.17), 0.012, tone=0.7),
    ]
    for row in range(4):
        s = (row + 1) / 5
        x, y = wide + (flare - wide) * s, 0.05 + 0.19 * s
        elements.append(
            Seam(curve((-x, y), (-0.5 * x, y + 0.14), (0, y + 0.19), (0.5 * x, y + 0.14), (x, y)), 0.007, tone=0.75)
        )
    elements += [
        Button((side * 0.88 * wide, -0.1 + drop), 0.022, palette.rgb("silver"))
        for side in (-1, 1)
        for drop in (0, 0.08)
    ]
    patch = [palette.contrasting(brief.design, cloth.colour, apart=0.7) for _ in range(3)]
    elements.append(Decal(decals.word(brief.design, patch), (0, -0.05), 0.3))
    ridges = scattered(brief.pose, -0.6, -0.3, 0.6, 0.5, 9, 3.0)
    return Piece(elements, ridges, crumple=0.9, soft=1.0, lift=1.8)


def _brimmed(brief: Brief) -> Piece:
    straw = brief.chance(0.5)
    dyes = ("sand", "cream", "camel") if straw else ("black", "camel", "burgundy", "grey", "navy", "olive")
    cloth = fabric.make(brief.design, ("heather", "solid"), dyes, "waffle" if straw else "plain")
    wide, deep = brief.size(0.85, 1.05), brief.size(0.48, 0.62)
    tilt = float(brief.pose.normal(0, 0.04))
    brim = ellipse((0, 0), wide, deep)
    brim[:, 1] += 0.06 * np.cos(2.2 * brim[:, 0] / wide) + tilt * brim[:, 0]
    elements: list[Element] = [Panel(brim, cloth, thick=9, round=0.05), Seam(brim * 0.95, 0.01, tone=0.78)]
    elements += [Glow((0.0, 0.08), 0.55, 0.25, 0.8), *_crown(brief, cloth)]
    if straw:
        elements[1:1] = [Seam(brim * share, 0.006, tone=0.85) for share in (0.6, 0.7, 0.8, 0.88)]
    return Piece(elements, crumple=0.3, soft=0.6, lift=1.8)


def _crown(brief: Brief, cloth: Fabric) -> list[Element]:
    wide, high = brief.size(0.42, 0.48), brief.size(0.42, 0.55)
    crown = join(
        curve((-wide, 0.05), (-0.88 * wide, -0.6 * high), (-0.62 * wide, -high)),
        curve(
            (-0.62 * wide, -high),
            (-0.25 * wide, -1.08 * high),
            (0, -0.98 * high),
            (0.25 * wide, -1.08 * high),
            (0.62 * wide, -high),
        ),
        curve((0.62 * wide, -high), (0.88 * wide, -0.6 * high), (wide, 0.05)),
        curve((wide, 0.05), (0.5 * wide, 0.17), (0, 0.21), (-0.5 * wide, 0.17), (-wide, 0.05)),
    )
    ribbon_dye = fabric.plain(
        palette.contrasting(brief.design, cloth.colour, ("black", "brown", "navy", "red", "cream")), gloss=0.2
    )
    line = curve((-0.99 * wide, -0.02), (-0.5 * wide, 0.1), (0, 0.14), (0.5 * wide, 0.1), (0.99 * wide, -0.02))
    dent = ellipse((0.0, -0.9 * high), 0.4 * wide, 0.06)
    return [
        Panel(crown, cloth, thick=30, round=0.26, cast=0.55),
        Glow((0, -0.86 * high), 0.2, 0.06, 0.72),
        Seam(dent[4:36], 0.008, tone=0.85, groove=-1),
        Panel(ribbon(line, 0.13), ribbon_dye, thick=3, round=0.015, cast=0.4, keep=0.95),
        Panel(
            ribbon(curve((0.62 * wide, -0.0), (0.68 * wide, 0.13)), 0.1),
            ribbon_dye,
            thick=3,
            round=0.02,
            cast=0.5,
            keep=0.95,
        ),
    ]
