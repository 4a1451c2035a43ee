"""Hoodies and outer garments: puffers, coats, parkas and short jackets."""

from dataclasses import replace

from garments import fabric, palette
from garments.bodice import (
    Cut,
    Sleeve,
    cuff,
    hanger,
    hem_seam,
    inside,
    sleeve_panel,
    torso,
)
from garments.brief import Brief
from garments.cloth import Button, Element, Panel, Piece, Ridge, Seam
from garments.fabric import Fabric, Frame
from garments.geometry import Array, box, curve, flip, join, polygon, shift, symmetric
from garments.hoodies import METAL, heavy_folds, hood, zipper
from garments.shirts import collar_back, collar_leaves, pocket
from garments.tops import long_arms


def outwear(brief: Brief) -> Piece:
    """A jacket or coat, in turn: puffer, coat, parka, leather jacket, rain jacket."""
    makers = {"puffer": _puffer, "coat": _coat, "parka": _parka, "biker": _biker, "rain": _rain, "quilted": _quilted}
    names = ("puffer", "coat", "parka", "biker", "rain", "puffer", "quilted", "parka", "biker", "quilted")
    return makers[brief.style(*names)](brief)


def _jacket_cut(brief: Brief, length: float, hem: float = 0.0) -> Cut:
    chest = brief.size(0.48, 0.56)
    return Cut(
        neck=brief.size(0.16, 0.19), shoulder=chest - 0.02, slope=brief.size(0.12, 0.16), chest=chest,
        waist=chest + 0.3 * hem, hem=chest + hem, length=length, armhole=brief.size(0.46, 0.52), drop=0.13, tail=0.01,
    )  # fmt: skip


def _arms(brief: Brief, cut: Cut, cloth: Fabric, trim: Fabric | None) -> tuple[list[Element], list[tuple[int, Sleeve]]]:
    arms = long_arms(brief, cut, brief.size(1.0, 1.1), brief.size(0.22, 0.28))
    elements: list[Element] = hanger(cut)[:1] if brief.hang else []
    for side, arm in arms:
        elements += [sleeve_panel(arm, cloth, side), *cuff(arm, trim or cloth, side, 0.09 if trim else 0.04)]
    return elements, arms


def stand_collar(cut: Cut, cloth: Fabric, lining: Fabric, high: float = 0.15) -> list[Element]:
    """A collar that stands up around the neck, open at the front."""
    n = cut.neck
    inner = join(curve((-n, -high * 0.8), (0, -high * 1.05), (n, -high * 0.8)), curve((n, 0.08), (0, 0.14), (-n, 0.08)))
    elements: list[Element] = [Panel(inner, lining, thick=2, tone=0.55)]
    for side in (-1, 1):
        half = join(
            curve((0.01, 0.16), (0.035, 0.02), (0.05, -0.3 * high)),
            curve((0.05, -0.3 * high), (0.6 * n, -0.75 * high), (1.06 * n, -high * 0.8)),
            curve((1.06 * n, -high * 0.8), (n + 0.055, 0.0), (n + 0.05, 0.06)),
            curve((n + 0.05, 0.06), (0.5 * n, 0.15), (0.01, 0.16)),
        )
        elements.append(Panel(flip(half, side), cloth, thick=5, round=0.035, cast=0.45))
    return elements


def _slant_pockets(y: float, dye: Array | None = None) -> list[Element]:
    elements: list[Element] = []
    for side in (-1, 1):
        line = flip(polygon((0.24, y), (0.36, y + 0.2)), side)
        elements.append(Seam(line, 0.022, dye, tone=0.55, groove=-1.4))
        elements.append(Seam(shift(line, 0.018 * side, -0.008), 0.005, tone=0.75))
    return elements


def _puffer(brief: Brief) -> Piece:
    vest = brief.number == 5
    cut = _jacket_cut(brief, brief.size(1.15, 1.5))
    cut = replace(cut, shoulder=cut.chest - 0.12) if vest else cut
    dyes = ("black", "navy", "red", "olive", "magenta", "teal", "mustard", "royal", "silver", "burgundy")
    cloth = fabric.make(brief.design, ("solid",), dyes, "baffle", 0.35)
    lining = fabric.plain(palette.contrasting(brief.design, cloth.colour))
    elements, arms = ([], []) if vest else _arms(brief, cut, cloth, None)
    elements += [*inside(cut, lining), Panel(torso(cut), cloth, thick=7, round=0.06, cast=0.45)]
    for level in range(1, int(cut.length / 0.2) + 1):
        elements.append(
            Seam(
                curve((-cut.chest, level * 0.2), (0, level * 0.2 + 0.01), (cut.chest, level * 0.2)),
                0.008,
                tone=0.62,
                groove=-1.5,
            )
        )
    elements += zipper(0.1, cut.length, cloth.colour * 0.45) + _slant_pockets(cut.length - 0.48, palette.rgb("black"))
    elements += (
        hood(brief, cut, cloth, lining, brief.chance(0.4))
        if brief.chance(0.5)
        else stand_collar(cut, cloth, lining, 0.17)
    )
    ridges = heavy_folds(brief, cut, arms, 0.9)
    for level in range(int(cut.length / 0.2)):
        ridges += _puckers(brief, cut, level * 0.2)
    return Piece(elements, ridges, crumple=0.8, soft=1.2, pucker=0.45, lift=1.6)


def _quilted(brief: Brief) -> Piece:
    cut = _jacket_cut(brief, brief.size(1.2, 1.45), 0.03)
    cloth = fabric.make(brief.design, ("solid",), ("navy", "olive", "lilac", "black", "camel", "dusty"), "diamond", 0.3)
    trim = fabric.plain(cloth.colour * 0.7, "cord")
    elements, arms = _arms(brief, cut, cloth, None)
    elements += [*inside(cut, trim), Panel(torso(cut), cloth, thick=6, round=0.05, cast=0.45)]
    elements += zipper(0.1, cut.length, cloth.colour * 0.5) + _slant_pockets(cut.length - 0.48)
    elements += stand_collar(cut, trim, trim, 0.14)
    return Piece(elements, heavy_folds(brief, cut, arms, 0.9), crumple=0.8, soft=1.2, pucker=0.25, lift=1.5)


def _puckers(brief: Brief, cut: Cut, y: float) -> list[Ridge]:

    found = []
    for x in brief.pose.uniform(-cut.chest, cut.chest, 9):
        tilt = brief.pose.normal(0, 0.03)
        found.append(
            Ridge((float(x), y + 0.01), (float(x + tilt), y + 0.13), 0.012, float(brief.pose.uniform(1.0, 2.4)))
        )
    return found


def lapels(cut: Cut, cloth: Fabric, bottom: float, wide: float = 0.2) -> list[Element]:
    """The notched lapels and upper collar of a coat."""
    n = cut.neck
    open_front = polygon((-0.8 * n, 0.06), (0, 0.1), (0.8 * n, 0.06), (0.02, bottom), (-0.02, bottom))
    elements: list[Element] = [Panel(open_front, fabric.plain(cloth.colour * 0.35), thick=1, cast=0)]
    for side in (-1, 1):
        lapel = polygon(
            (0.0, bottom),
            (wide + 0.02, 0.33),
            (wide + 0.08, 0.22),
            (n + 0.05, 0.2),
            (n * 0.9, 0.03),
            (0.02, bottom - 0.1),
        )
        upper = join(
            curve((n * 0.55, 0.17), (n * 0.85, 0.05), (n * 0.95, -0.05)),
            curve((n * 0.95, -0.05), (n + 0.08, 0.0), (n + 0.12, 0.1)),
            polygon((wide + 0.06, 0.215), (n + 0.04, 0.205)),
        )
        elements.append(
            Panel(flip(lapel, side), cloth, Frame((0, 0), side * 12.0), thick=6, round=0.02, cast=0.6, tone=1.08)
        )
        elements.append(
            Panel(flip(upper, side), cloth, Frame((0, 0), side * 35.0), thick=6, round=0.02, cast=0.6, tone=1.1)
        )
    return elements


def _coat(brief: Brief) -> Piece:
    cut = _jacket_cut(brief, brief.size(2.05, 2.35), brief.size(0.06, 0.16))
    cloth = fabric.make(
        brief.design, ("heather", "solid"), ("camel", "charcoal", "sand", "grey", "burgundy", "navy", "olive")
    )
    dye = palette.rgb("brown") if palette.lightness(cloth.colour) > 0.25 else palette.rgb("black")
    elements, arms = _arms(brief, cut, cloth, None)
    bottom = brief.size(0.55, 0.7)
    lining = fabric.plain(cloth.colour * 0.6)
    elements += collar_back(cut, cloth) + inside(cut, lining)
    elements.append(Panel(torso(cut), cloth, thick=5, round=0.03, cast=0.4))
    elements += [hem_seam(cut, 0.04), Seam(curve((0.1, bottom), (0.1, cut.length)), 0.008, tone=0.6, groove=-1.8)]
    columns = (-0.1, 0.05) if brief.chance(0.5) else (0.04,)
    rows = [bottom + 0.05 + 0.19 * row for row in range(4)]
    elements += [Button((x, y), 0.024, dye) for x in columns for y in rows]
    elements += _flap_pockets(cut, cloth, bottom + 0.42) + lapels(cut, cloth, bottom)
    if brief.chance(0.4):
        elements += _belt(cut, cloth, bottom + 0.22)
    return Piece(
        elements, heavy_folds(brief, cut, arms), crumple=float(brief.pose.uniform(0.5, 0.9)), soft=1.3, pleats=0.5
    )


def _flap_pockets(cut: Cut, cloth: Fabric, y: float) -> list[Element]:
    x = cut.chest - 0.34
    return [
        Panel(shift(box(0, 0, 0.24, 0.075, 0.015), side_x, y), cloth, thick=2, round=0.012, cast=0.4)
        for side_x in (x, -x - 0.24)
    ]


def _belt(cut: Cut, cloth: Fabric, y: float) -> list[Element]:
    band = join(
        curve((-cut.chest, y), (0, y + 0.02), (cut.chest, y)),
        curve((cut.chest, y + 0.075), (0, y + 0.095), (-cut.chest, y + 0.075)),
    )
    buckle = box(-0.06, y - 0.005, 0.05, y + 0.115, 0.015)
    return [
        Panel(band, cloth, thick=3, round=0.02, cast=0.5, tone=0.95),
        Panel(buckle, fabric.plain(palette.rgb("brown") * 0.6, gloss=0.5), thick=2, round=0.01),
        Panel(box(-0.04, y + 0.02, 0.03, y + 0.09), cloth, thick=1, round=0.01),
    ]


def _parka(brief: Brief) -> Piece:
    cut = _jacket_cut(brief, brief.size(1.4, 1.65), 0.02)
    cloth = fabric.make(brief.design, ("solid",), ("olive", "navy", "black", "sand", "burgundy"))
    lining = fabric.plain(palette.pick(brief.design, ("cream", "charcoal", "orange", "brown")))
    elements, arms = _arms(brief, cut, cloth, fabric.plain(cloth.colour * 0.8, "rib"))
    elements.append(Panel(torso(cut), cloth, thick=5, round=0.04, cast=0.4))
    flap = box(-0.055, 0.14, 0.055, cut.length)
    elements.append(Panel(flap, cloth, thick=2, round=0.014, cast=0.4))
    elements += [Button((0.0, 0.24 + 0.2 * row), 0.017, METAL * 0.8) for row in range(int((cut.length - 0.3) / 0.2))]
    elements.append(Seam(curve((-cut.chest, 0.85), (0, 0.87), (cut.chest, 0.85)), 0.01, tone=0.65, groove=-1.5))
    for x in (-0.42, 0.14):
        elements += pocket(x, 0.95, 0.28, cloth, True)
    elements += hood(brief, cut, cloth, lining, True)
    return Piece(
        elements, heavy_folds(brief, cut, arms, 1.3), crumple=float(brief.pose.uniform(0.9, 1.4)), soft=1.3, lift=1.4
    )


def _biker(brief: Brief) -> Piece:
    cut = _jacket_cut(brief, brief.size(1.1, 1.22), -0.03)
    denim = brief.chance(0.3)
    if denim:
        cloth = fabric.make(brief.design, ("denim",))
    else:
        cloth = fabric.make(brief.design, ("solid",), ("black", "brown", "charcoal", "brown"), gloss=0.75)
    elements, arms = _arms(brief, cut, cloth, fabric.plain(cloth.colour * 0.9, "rib") if not denim else None)
    elements += collar_back(cut, cloth) + inside(cut, fabric.plain(cloth.colour * 0.6))
    elements.append(Panel(torso(cut), cloth, thick=5, round=0.035, cast=0.4))
    thread = palette.rgb("#c9a468") if denim else None
    for side in (-1, 1):
        elements.append(Seam(flip(curve((0.05, 0.38), (cut.chest, 0.36)), side), 0.008, thread, tone=0.65))
        elements.append(Seam(flip(curve((0.16, 0.4), (0.13, cut.length)), side), 0.008, thread, tone=0.65))
    elements.append(
        Panel(box(-cut.hem, cut.length - 0.09, cut.hem, cut.length), cloth, thick=2.5, round=0.015, cast=0.3)
    )
    if denim:
        elements += [Button((0.0, 0.16 + 0.16 * row), 0.02, METAL * 0.8) for row in range(6)]
        elements += pocket(0.12, 0.38, 0.2, cloth, True) + pocket(-0.32, 0.38, 0.2, cloth, True)
    else:
        elements += zipper(
            0.12, cut.length, cloth.colour * 0.4, float(brief.design.choice([0.0, 0.14]))
        ) + _slant_pockets(0.75, METAL * 0.7)
    elements += collar_leaves(brief, cut, cloth, 0.13)
    return Piece(
        elements, heavy_folds(brief, cut, arms, 1.5), crumple=float(brief.pose.uniform(1.0, 1.5)), soft=1.3, lift=1.3
    )


def _rain(brief: Brief) -> Piece:
    cut = _jacket_cut(brief, brief.size(1.25, 1.5), 0.06)
    cloth = fabric.make(
        brief.design, ("solid",), ("yellow", "teal", "red", "navy", "orange", "olive", "royal"), gloss=0.45
    )
    second = fabric.plain(palette.contrasting(brief.design, cloth.colour), gloss=0.45) if brief.chance(0.5) else cloth
    elements, arms = _arms(brief, cut, second, None)
    elements.append(Panel(torso(cut), cloth, thick=5, round=0.035, cast=0.4))
    if second is not cloth:
        yoke = symmetric(
            join(
                curve((0, 0.1), (cut.neck, 0.0)),
                curve((cut.neck, 0.0), cut.tip),
                curve(cut.tip, (cut.chest - 0.07, 0.36)),
                curve((cut.chest - 0.07, 0.36), (0, 0.4)),
            )
        )
        elements.append(Panel(yoke, second, thick=1, round=0.012, cast=0.2, keep=0.9))
    elements += zipper(0.14, cut.length, cloth.colour * 0.5) + _slant_pockets(cut.length - 0.5)
    elements += [hem_seam(cut), *hood(brief, cut, second, fabric.plain(cloth.colour * 0.7))]
    return Piece(elements, heavy_folds(brief, cut, arms, 1.3), crumple=float(brief.pose.uniform(1.0, 1.5)), lift=1.3)
