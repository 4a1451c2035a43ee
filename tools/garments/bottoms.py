"""Clothes with a waistband: pants, shorts and skirts."""

import numpy as np

from garments import fabric
from garments.cloth import Garment
from garments.fabric import Fabric, plain
from garments.parts import cords, hanger, wavy_hem
from garments.shapes import Array, box, line, rotate, symmetric

THREAD = fabric.rgb("thread")
LEGS = {
    "jeans": ("denim", fabric.ANY, 0.2, 1.95),
    "chinos": ("solid", "sand olive navy camel charcoal cream brown", 0.21, 1.95),
    "joggers": ("solid heather", "grey black navy olive burgundy silver pink", 0.17, 1.95),
    "denim shorts": ("denim", fabric.ANY, 0.44, 0.74),
    "sport shorts": ("solid heather", "black navy red royal charcoal grey teal", 0.44, 0.88),
    "swim shorts": ("floral stripes dots", fabric.ANY, 0.44, 0.85),
}
"""Prints, dyes, width of a leg's end and length of each kind with legs."""
SKIRTS = {
    "pleated": ("plaid solid", "navy red black dusty green silver", 0.35, 0.95),
    "flared": ("floral solid dots", fabric.ANY, 0.53, 0.98),
    "a-line": ("floral solid dots", fabric.ANY, 0.24, 0.95),
    "tiered": ("floral solid", fabric.ANY, 0.34, 1.4),
}
"""Prints, dyes, how much wider than the waist the hem is, and length of each kind of skirt."""


def draw(g: Garment, label: str) -> None:
    """Pants, shorts or a skirt."""
    if label == "Skirt":
        skirt(g, list(SKIRTS)[(g.number + g.number // 4) % 4])
    else:
        short = label == "Shorts"
        legs(g, list(LEGS)[g.number % 3 + (3 if short else 0)], short)


def skirt(g: Garment, kind: str) -> None:
    """A skirt from its waist, y = 0, to its hem."""
    prints, dyes, flare, length = SKIRTS[kind]
    waist, length = g.size(0.3, 0.36), length * g.size(0.9, 1.12)
    hip, hem = waist + 0.08 + 0.2 * flare, waist + flare + g.sway(0.02)
    cloth = g.make(prints, dyes)
    right = line([(0, 0.02), (waist, 0)], [(hip, 0.3), (0.5 * (hip + hem), 0.18 + 0.5 * length), (hem, length)])
    low = wavy_hem(g, hem, length, 0.12 * max(hem - hip, 0) + 0.01, 3 if kind == "a-line" else 6)
    hanger(g, 0.95 * waist, -0.03, -0.03)
    g.panel(np.vstack([right, low, right[::-1] * (-1, 1)]), cloth, thick=4, round=0.03)
    _waistband(g, waist, cloth, 0.07 if kind == "tiered" else 0.1)
    if kind == "pleated":
        x = np.linspace(-0.94, 0.94, int(g.design.integers(11, 16))) * waist
        g.fold(x, 0.06, 90 - np.rad2deg(np.arctan(flare / waist * x / length)), 1.9 * length, 6.0, 0.026)
        return
    g.gather(waist, 0.08, 1.25 * length, 13 if kind == "flared" else 7, 3.8, flare / waist)
    g.gather(hip, 0.45, 0.8 * length, 7, 3.3, 0.4)
    for level in (0.36, 0.68) if kind == "tiered" else ():
        half, y = hip + (hem - hip) * level * 0.95, level * length
        g.seam(line([(-half, y), (0, y + 0.03), (half, y)]), 0.009, tone=0.6, groove=-2)
        g.gather(half, y + 0.02, 0.32 * length, 18, 2.8, 0.15)


def legs(g: Garment, kind: str, short: bool) -> None:
    """Pants or shorts: two legs, one over the other, below a waistband."""
    prints, dyes, ankle, length = LEGS[kind]
    denim, elastic = "denim" in prints, kind in ("joggers", "sport shorts", "swim shorts")
    hip = g.size(0.44, 0.5) if short else g.size(0.38, 0.44)
    waist, crotch = hip - g.size(0.04, 0.08), g.size(0.47, 0.56)
    ankle, length = ankle * g.size(0.95, 1.08), length * g.size(0.94, 1.06)
    middle = g.pose.uniform(0.02, 0.08) + 0.5 * ankle
    cloth = g.make(prints, dyes)
    thread = THREAD if denim and g.chance(0.8) else None
    stripe = g.accent(cloth, "white red black yellow") if elastic and g.chance(0.6) else None
    outline, spine, band = _leg(waist, hip, crotch, ankle, length, middle)
    hanger(g, 0.95 * waist, -0.03, -0.03)
    for side in (-1, 1) if g.pose.random() < 0.5 else (1, -1):
        turn = -g.sway(2.5, 6) if short else -g.sway(1.6, 0.5)
        weight = np.clip((outline[:, 1:] - 0.3) / 0.4, 0, 1)
        pivot = (turn, 0.2, 0.6 * crotch)
        leg = (outline * (1 - weight) + rotate(outline, *pivot) * weight) * (side, 1)
        end = rotate(band, *pivot) * (side, 1)
        g.panel(leg, cloth, degrees=side * turn, thick=4, round=0.035, cast=0.45, keep=0)
        if kind == "joggers":
            g.panel(end, plain(cloth.colour, "rib"), degrees=side * turn, round=0.016, cast=0.4)
        else:
            g.seam(end[:2], dye=thread, tone=0.7)
        for inset in (0.03, 0.065) if stripe is not None else ():
            g.seam(leg[2:40] - (side * inset, 0), 0.02, dye=stripe, groove=0)
        g.across(rotate(spine, *pivot) * (side, 1), 0.3 * ankle + 0.04, 5 if short else 12, 3.0)
    g.fan(0.0, crotch - 0.02, 55, 40, 0.4, 4, 3.0)
    g.fan(0.0, crotch - 0.06, -35, 20, 0.3, 3, 2.6)
    g.seam(line([(0, 0.1), (0, crotch)]), tone=0.65, groove=-1.4)
    _waistband(g, waist, plain(cloth.tile[0, 0], "rib") if kind == "sport shorts" else cloth, 0.1)
    if elastic:
        g.gather(waist, 0.1, 0.2, 14, 2.2)
        cords(g, 0.03, 0.06, 0.22, plain(cloth.colour * 0.6 if stripe is None else stripe))
    else:
        _fly(g, waist, hip, thread)


def _leg(waist: float, hip: float, crotch: float, ankle: float, length: float,
         middle: float) -> tuple[Array, Array, Array]:  # fmt: skip
    """The right leg's outline, its middle line, and the band across its end."""
    half, knee_y, knee = 0.5 * ankle, 0.5 * (crotch + length), ankle + 0.06
    out = max(middle + 0.5 * knee, 0.45 * hip + 0.55 * (middle + half))
    outer = line([(waist, 0), (hip, 0.75 * crotch)], [(out, knee_y), (middle + half, length)])
    inner = line([(middle - half, length), (middle - 0.45 * knee, knee_y), (0.05, crotch + 0.12), (0, crotch)])
    outline = np.vstack([outer, inner, [(-0.02, crotch - 0.04), (-0.02, 0)]])
    band = np.array([(middle - half - 0.014, length - 0.08), (middle + half + 0.014, length - 0.08),
                     (middle + half + 0.012, length + 0.008), (middle - half - 0.012, length + 0.008)])  # fmt: skip
    return outline, line([(0.5 * hip, crotch), (middle, length)]), band


def _waistband(g: Garment, waist: float, cloth: Fabric, high: float) -> None:
    """The inside of the back, which shows above, its label, and the front."""
    back = symmetric(line([(0, -0.03), (0.6 * waist, -0.02), (waist, 0)], [(waist, 0.05)], [(0, 0.09)]))
    front = symmetric(line([(0, 0.03), (0.6 * waist, 0.02), (waist, 0)], [(waist + 0.012, high)], [(0, high + 0.03)]))
    g.panel(back, cloth, thick=2, tone=0.6)
    g.panel(box(-0.035, 0, 0.035, 0.03), plain("cream"), thick=0.4, tone=0.9, cast=0)
    g.panel(front, cloth, round=0.015, tone=1.02)
    g.seam(line([(-waist, high), (0, high + 0.03), (waist, high)]), tone=0.68)


def _fly(g: Garment, waist: float, hip: float, thread: Array | None) -> None:
    """The fly, a button, belt loops and curved front pockets."""
    g.seam(line([(0.075, 0.11), (0.075, 0.3), (0.05, 0.37), (0, 0.4)]), dye=thread, tone=0.72)
    g.button(0.02, 0.065, 0.022, fabric.rgb("#a98955" if thread is not None else "brown"))
    pocket = line([(0.17, 0.105), (0.2, 0.2), (0.3, 0.25), (hip - 0.01, 0.26)])
    g.seam(pocket, 0.009, both=True, tone=0.6, groove=-1.2)
    g.seam(np.add(pocket, (-0.01, 0.016)), 0.006, both=True, dye=thread, tone=0.74)
    for x in (0.13, waist - 0.07):
        g.seam(box(x - 0.016, 0.005, x + 0.016, 0.125), 0.006, both=True, dye=thread, tone=0.7)
