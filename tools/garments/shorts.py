"""Shorts: the pattern of pants, cut above the knee."""

from garments import decals, fabric, palette
from garments.bottoms import (
    THREAD,
    Cut,
    clips,
    drawstring,
    fly,
    hem_band,
    leg_folds,
    legs,
    side_stripes,
    waistband,
    wear,
)
from garments.brief import Brief
from garments.cloth import Decal, Element, Panel, Piece, Seam
from garments.fabric import Fabric, Frame
from garments.geometry import curve, flip


def shorts(brief: Brief) -> Piece:
    """Shorts, in turn: denim, sport, bermuda, printed swim shorts."""
    kind = brief.style("denim", "sport", "bermuda", "swim", "sport", "bermuda", "denim", "swim", "sport", "bermuda")
    hip = brief.size(0.44, 0.5)
    length = {"denim": 0.74, "sport": 0.88, "bermuda": 1.02, "swim": 0.85}[kind] * brief.size(0.92, 1.08)
    wide = brief.size(0.41, 0.46)
    cut = Cut(
        hip - brief.size(0.05, 0.09),
        hip,
        brief.size(0.46, 0.53),
        wide + 0.03,
        wide,
        length,
        float(brief.pose.uniform(0.03, 0.07)),
    )
    turns = (float(brief.pose.normal(6, 2.5)), float(brief.pose.normal(6, 2.5)))
    cloth = _shorts_cloth(brief, kind)
    thread = THREAD if kind == "denim" else None
    elements = clips(cut.waist) if brief.hang else []
    elements += legs(brief, cut, cloth, turns, thread, 0.05)
    elastic = kind in ("sport", "swim")
    elements += waistband(cut, fabric.plain(cloth.tile[0, 0], "rib") if kind == "sport" else cloth, 0.11)
    if elastic:
        elements += _sporty(brief, kind, cut, cloth, turns)
    else:
        elements += fly(cut, thread) + (wear(brief, cut, brief.size(0.1, 0.3)) if kind == "denim" else [])
        elements += _turn_ups(cut, cloth, turns) if brief.chance(0.6) else []
    return Piece(
        elements, leg_folds(brief, cut, turns, elastic, 5), crumple=float(brief.pose.uniform(0.7, 1.3)), soft=1.1
    )


def _shorts_cloth(brief: Brief, kind: str) -> Fabric:
    if kind == "denim":
        return fabric.make(brief.design, ("denim",))
    if kind == "swim":
        return fabric.make(brief.design, ("floral", "geometric", "stripes", "dots"), palette.ANY, size=0.9)
    if kind == "bermuda":
        return fabric.make(
            brief.design,
            ("solid", "plaid", "solid", "camouflage"),
            ("sand", "olive", "navy", "grey", "cream", "sky", "brown"),
        )
    return fabric.make(
        brief.design, ("solid", "heather"), ("black", "navy", "red", "royal", "charcoal", "grey", "teal")
    )


def _sporty(brief: Brief, kind: str, cut: Cut, cloth: Fabric, turns: tuple[float, float]) -> list[Element]:
    elements: list[Element] = [Seam(curve((0, 0.1), (0.0, cut.crotch)), 0.006, tone=0.72, groove=-1.2)]
    bright = palette.contrasting(brief.design, cloth.colour, ("white", "red", "black", "yellow", "sky"), 0.7)
    if kind == "sport" and brief.chance(0.7):
        elements += side_stripes(cut, turns, bright)
    if kind == "sport":
        elements.append(Decal(decals.word(brief.design, [bright]), (-0.3, cut.length - 0.16), 0.14))
    return elements + drawstring(brief, bright)


def _turn_ups(cut: Cut, cloth: Fabric, turns: tuple[float, float]) -> list[Element]:
    elements: list[Element] = []
    for side, turn in zip((-1, 1), turns, strict=True):
        elements.append(
            Panel(
                flip(hem_band(cut, turn, 0.085), side),
                cloth.dyed(1.12),
                Frame((0, 0), 20.0 * side),
                thick=3.5,
                round=0.018,
                cast=0.45,
            )
        )
    return elements
