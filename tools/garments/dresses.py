"""Dresses: a bodice that falls into a skirt."""

from dataclasses import replace

from garments import fabric, palette
from garments.bodice import (
    Cut,
    collar_band,
    cuff,
    hanger,
    inside,
    neckline,
    sleeve,
    sleeve_panel,
    torso_folds,
)
from garments.brief import Brief
from garments.cloth import Element, Panel, Piece, Ridge, Seam
from garments.fabric import Fabric
from garments.folds import Rng, gathers, scattered
from garments.geometry import Array, curve, join, mirror, ribbon, shift
from garments.skirts import wavy_hem


def _dress_cut(brief: Brief, sleeveless: bool) -> Cut:
    chest = brief.size(0.36, 0.41)
    return Cut(
        neck=brief.size(0.15, 0.23),
        shoulder=chest - (brief.size(0.07, 0.11) if sleeveless else 0.02),
        slope=brief.size(0.07, 0.1),
        chest=chest,
        waist=chest - brief.size(0.05, 0.09),
        hem=0.5,
        length=2.0,
        armhole=brief.size(0.38, 0.42),
        drop=brief.size(0.28, 0.4) if brief.number % 3 == 1 else brief.size(0.12, 0.22),
        vee=brief.number % 3 == 1,
    )


def dress_outline(rng: Rng, cut: Cut, waist_y: float, waves: int) -> Array:
    """Shoulders, fitted or straight waist, and the skirt down to a hem that may go in and out."""
    scoop = 0.03 if cut.shoulder < cut.chest - 0.05 else 0.08
    right = join(
        neckline(cut),
        curve((cut.neck, 0), cut.tip),
        curve(cut.tip, (cut.shoulder - scoop * 0.4, 0.55 * cut.armhole), cut.pit),
        curve(cut.pit, (cut.waist, waist_y)),
        curve(
            (cut.waist, waist_y),
            (cut.waist + 0.42 * (cut.hem - cut.waist) + 0.04, waist_y + 0.3 * (cut.length - waist_y)),
            (cut.hem, cut.length),
        ),
    )
    hem = wavy_hem(rng, cut.hem, cut.length, 0.1 * max(cut.hem - 0.4, 0) + 0.01, waves, 0.018 if waves else 0.0)
    return join(right, hem, mirror(right))


def dress(brief: Brief) -> Piece:
    """A dress, in turn: summer dress, sheath, shirt dress, maxi, knitted, with straps."""
    kind = brief.style(
        "flared", "sheath", "flared", "strap", "long sleeve", "maxi", "sheath", "flared", "strap", "long sleeve"
    )
    sleeves = {
        "flared": brief.number % 4 != 0,
        "sheath": brief.number > 4,
        "long sleeve": True,
        "maxi": False,
        "strap": False,
    }[kind]
    straight = kind == "sheath" or (kind == "long sleeve" and brief.number > 5)
    cut = _dress_cut(brief, not sleeves)
    length = {"maxi": 2.45, "sheath": 1.85, "strap": 1.75}.get(kind, 1.85) * brief.size(0.93, 1.08)
    hem = cut.chest + (brief.size(0.0, 0.06) if straight else brief.size(0.2, 0.4) if kind != "maxi" else 0.2)
    cut = replace(cut, length=length, hem=hem + float(brief.pose.normal(0, 0.02)))
    cloth = _dress_cloth(brief, kind)
    waist_y = brief.size(0.68, 0.82)
    elements = _dress_elements(brief, kind, cut, cloth, waist_y, sleeves, straight)
    ridges = _dress_folds(brief, cut, waist_y, straight)
    return Piece(elements, ridges, crumple=float(brief.pose.uniform(0.5, 1.0)), pleats=0.3 if straight else 0.6)


def _dress_cloth(brief: Brief, kind: str) -> Fabric:
    if kind == "sheath":
        return fabric.make(
            brief.design,
            ("solid", "solid", "geometric", "leopard"),
            ("black", "red", "magenta", "navy", "dusty", "teal"),
        )
    if kind == "long sleeve":
        return fabric.make(
            brief.design, ("solid", "dots", "heather"), ("burgundy", "black", "green", "navy", "plum", "grey")
        )
    return fabric.make(brief.design, ("floral", "floral", "dots", "solid", "stripes"), palette.ANY, size=0.9)


def _dress_elements(
    brief: Brief, kind: str, cut: Cut, cloth: Fabric, waist_y: float, sleeves: bool, straight: bool
) -> list[Element]:
    elements: list[Element] = (
        [*hanger(cut)[:1], *inside(cut, cloth), *hanger(cut)[1:]] if brief.hang else inside(cut, cloth)
    )
    if sleeves:
        for side in (-1, 1):
            elements += _dress_sleeve(brief, kind, cut, cloth, side)
    outline = dress_outline(brief.pose, cut, waist_y, 0 if straight else 7)
    if kind == "strap":
        elements = _straps(brief, cut, cloth)
        outline = _strap_outline(outline, cut)
    elements.append(Panel(outline, cloth, thick=4, round=0.03, cast=0.4))
    if kind != "strap":
        elements += collar_band(cut, fabric.plain(cloth.tile[0, 0]), 0.022)
    return elements + _waist(brief, cut, cloth, waist_y, straight)


def _dress_sleeve(brief: Brief, kind: str, cut: Cut, cloth: Fabric, side: int) -> list[Element]:
    turn = float(brief.pose.normal(0, 5))
    if kind == "long sleeve":
        arm = sleeve(cut, 70 + turn, 1.0, 0.15, float(brief.pose.normal(8, 8)))
    else:
        arm = sleeve(cut, 52 + turn, 0.24, 0.27)
    return [sleeve_panel(arm, cloth, side), *cuff(arm, cloth, side, 0.035)]


def _straps(brief: Brief, cut: Cut, cloth: Fabric) -> list[Element]:
    elements: list[Element] = []
    for side in (-1, 1):
        back = curve(
            (0.2, 0.32), (0.17 + float(brief.pose.normal(0, 0.02)), 0.05), (0.19, -0.02), (0.24, 0.1), (0.25, 0.35)
        )
        elements.append(Panel(ribbon(back * (side, 1), 0.035), cloth, thick=2, round=0.012))
    rim = join(
        curve((-cut.chest + 0.03, 0.36), (0, 0.3), (cut.chest - 0.03, 0.36)),
        curve((cut.chest - 0.03, 0.45), (0, 0.45), (-cut.chest + 0.03, 0.45)),
    )
    return [Panel(rim, cloth, thick=1.5, tone=0.55), *elements]


def _strap_outline(outline: Array, cut: Cut) -> Array:
    low = outline[outline[:, 1] > cut.armhole]
    top = curve(
        (-cut.chest + 0.01, cut.armhole - 0.02),
        (-0.25, 0.27),
        (-0.1, 0.33),
        (0, 0.4),
        (0.1, 0.33),
        (0.25, 0.27),
        (cut.chest - 0.01, cut.armhole - 0.02),
    )
    return join(low, top)


def _waist(brief: Brief, cut: Cut, cloth: Fabric, y: float, straight: bool) -> list[Element]:
    w = cut.waist + 0.006
    if straight:
        return [
            Seam(curve((s * 0.18, 0.5), (s * 0.16, y), (s * 0.17, y + 0.25)), 0.006, tone=0.75, groove=-1.5)
            for s in (-1, 1)
        ]
    if brief.chance(0.45):
        dark = fabric.plain(
            palette.contrasting(brief.design, cloth.colour, ("black", "brown", "white", "navy", "red")), gloss=0.3
        )
        band = join(curve((-w, y), (0, y + 0.02), (w, y)), curve((w, y + 0.06), (0, y + 0.08), (-w, y + 0.06)))
        return [Panel(band, dark, thick=3, round=0.015, cast=0.45)]
    line = curve((-w, y), (0, y + 0.02), (w, y))
    return [Seam(line, 0.01, tone=0.6, groove=-2.2), Seam(shift(line, 0, 0.03), 0.006, tone=0.75)]


def _dress_folds(brief: Brief, cut: Cut, waist_y: float, straight: bool) -> list[Ridge]:
    rng = brief.pose
    ridges = torso_folds(rng, cut, 0.6)
    if straight:
        return ridges + scattered(rng, -0.3, 0.4, 0.3, cut.length, 14, 2.6)
    flare = cut.hem / cut.waist - 1
    drop = cut.length - waist_y
    ridges += gathers(rng, -cut.waist, cut.waist, waist_y + 0.02, 1.2 * drop, 11, 3.8, flare)
    ridges += gathers(rng, -cut.waist, cut.waist, waist_y + 0.03, 0.4 * drop, 12, 2.6, 0.4 * flare)
    return ridges + gathers(rng, -0.8 * cut.hem, 0.8 * cut.hem, waist_y + 0.5 * drop, 0.6 * drop, 8, 3.2, 0.3 * flare)
