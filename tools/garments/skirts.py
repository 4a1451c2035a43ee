"""Skirts and dresses: whatever falls from a waist without legs."""

import numpy as np

from garments import fabric, palette
from garments.bottoms import THREAD, clips
from garments.brief import Brief
from garments.cloth import Button, Element, Glow, Panel, Piece, Ridge, Seam
from garments.fabric import Fabric
from garments.folds import Rng, gathers, scattered
from garments.geometry import Array, box, curve, join, mirror, polygon, shift


def wavy_hem(rng: Rng, half: float, length: float, sag: float, waves: int, height: float) -> Array:
    """A hem from right to left that sags in the middle and goes in and out with the folds."""
    t = np.linspace(1, -1, 60)
    phase, beat = rng.uniform(0, 6.3), rng.uniform(0.8, 1.2)
    bend = waves * np.pi * (t + 0.2 * np.sin(3 * beat * t + phase))
    ripple = height * (np.sin(bend + phase) + 0.6 * np.sin(2.3 * bend + 1.7 * phase))
    return np.stack([half * t, length + sag * (1 - t * t) + ripple * (1 - t**8)], axis=1)


def skirt_outline(rng: Rng, waist: float, hip: float, hem: float, length: float, waves: int, height: float) -> Array:
    """A skirt from its waist, y = 0, to its hem."""
    right = curve((waist, 0), (hip, 0.3), (0.5 * (hip + hem), 0.35 * 0.5 + 0.5 * length), (hem, length))
    return join(
        curve((0, 0.02), (waist, 0)),
        right,
        wavy_hem(rng, hem, length, 0.12 * max(hem - hip, 0) + 0.01, waves, height),
        mirror(right),
        curve((-waist, 0), (0, 0.02)),
    )


def _band(waist: float, cloth: Fabric, high: float) -> list[Element]:
    back = join(curve((-waist, 0), (0, -0.03), (waist, 0)), curve((waist, 0.04), (0, 0.07), (-waist, 0.04)))
    front = join(
        curve((-waist, 0), (0, 0.03), (waist, 0)),
        curve((waist + 0.015, high), (0, high + 0.03), (-waist - 0.015, high)),
    )
    return [
        Panel(back, cloth, thick=2, tone=0.6),
        Panel(box(-0.03, 0.0, 0.03, 0.03), fabric.plain(palette.rgb("cream")), thick=0.4, cast=0),
        Panel(front, cloth, thick=3, round=0.015, cast=0.35, tone=1.02),
        Seam(curve((-waist, high), (0, high + 0.03), (waist, high)), 0.007, tone=0.68),
    ]


def skirt(brief: Brief) -> Piece:
    """A skirt, in turn: A-line, pencil, pleated, denim, flared, tiered."""
    kind = brief.style(
        "flared", "pencil", "pleated", "denim", "a-line", "tiered", "pencil", "flared", "denim", "pleated"
    )
    waist = brief.size(0.3, 0.36)
    hip = waist + {"pencil": 0.08, "denim": 0.08, "a-line": 0.1, "pleated": 0.13, "flared": 0.17, "tiered": 0.12}[kind]
    hem = {
        "pencil": hip - 0.02,
        "denim": hip + 0.04,
        "a-line": hip + 0.12,
        "pleated": hip + 0.22,
        "flared": hip + 0.36,
        "tiered": hip + 0.22,
    }[kind]
    hem += float(brief.pose.normal(0, 0.02))
    length = {"pencil": 1.05, "denim": 0.82, "a-line": 0.95, "pleated": 0.95, "flared": 0.98, "tiered": 1.45}[
        kind
    ] * brief.size(0.9, 1.12)
    waves = 0 if kind in ("pencil", "denim") else 3 if kind == "a-line" else 6
    cloth = _skirt_cloth(brief, kind)
    outline = skirt_outline(brief.pose, waist, hip, hem, length, waves, 0.013 if waves else 0.0)
    elements = (clips(waist) if brief.hang else []) + [Panel(outline, cloth, thick=4, round=0.03)]
    elements += _skirt_details(brief, kind, waist, hip, hem, length, cloth)
    return Piece(
        elements, _skirt_folds(brief, kind, waist, hip, hem, length), crumple=float(brief.pose.uniform(0.5, 1.0))
    )


def _skirt_cloth(brief: Brief, kind: str) -> Fabric:
    if kind == "denim":
        return fabric.make(brief.design, ("denim",))
    if kind == "pencil":
        return fabric.make(
            brief.design,
            ("solid", "heather", "leopard"),
            ("black", "charcoal", "grey", "burgundy", "navy", "camel", "red"),
        )
    if kind == "pleated":
        return fabric.make(brief.design, ("plaid", "solid"), ("navy", "red", "black", "dusty", "green", "silver"))
    return fabric.make(brief.design, ("floral", "solid", "dots"), palette.ANY, size=0.9)


def _skirt_details(
    brief: Brief, kind: str, waist: float, hip: float, hem: float, length: float, cloth: Fabric
) -> list[Element]:
    line = polygon((-hem, length - 0.035), (hem, length - 0.035))
    if kind == "denim":
        return [*_band(waist, cloth, 0.1), *_denim_front(waist, hip, hem, length), Seam(line, 0.007, THREAD)]
    if kind == "tiered":
        tiers: list[Element] = []
        for share in (0.36, 0.68):
            half = hip + (hem - hip) * share * 0.95
            tiers.append(
                Seam(
                    curve((-half, share * length), (0, share * length + 0.03), (half, share * length)),
                    0.009,
                    tone=0.6,
                    groove=-2.0,
                )
            )
        return [*_band(waist, cloth, 0.06), *tiers]
    elements = _band(waist, cloth, 0.1 if kind != "pencil" else 0.07)
    if kind == "pencil":
        slit = curve((0.14, length - 0.26), (0.145, length + 0.02))
        elements += [Seam(slit, 0.01, tone=0.5, groove=-2), Seam(curve((0.0, 0.08), (0.005, 0.4)), 0.006, tone=0.7)]
        elements.append(Seam(line, 0.006, tone=0.75))
    if kind == "a-line" and brief.number % 2 == 0:
        elements += [
            Button((0, 0.16 + 0.13 * row), 0.022, palette.rgb("brown")) for row in range(int((length - 0.2) / 0.13))
        ]
    return elements


def _denim_front(waist: float, hip: float, hem: float, length: float) -> list[Element]:
    elements: list[Element] = [
        Seam(curve((0, 0.1), (0.0, length)), 0.009, tone=0.65, groove=-1.4),
        Seam(curve((0.02, 0.4), (0.02, length)), 0.006, THREAD, dash=1),
        Seam(curve((0.075, 0.11), (0.075, 0.28), (0.05, 0.35), (0.0, 0.38)), 0.007, THREAD),
        Button((0.0, 0.065), 0.023, palette.rgb("#a98955")),
    ]
    for side in (-1, 1):
        edge = curve((0.16, 0.11), (0.19, 0.2), (0.27, 0.245), (hip - 0.01, 0.25)) * (side, 1)
        elements += [Seam(edge, 0.009, tone=0.6, groove=-1.2), Seam(shift(edge, -0.01 * side, 0.017), 0.006, THREAD)]
        for x in (0.13, waist - 0.07):
            elements.append(Seam(shift(box(-0.016, -0.005, 0.016, 0.115), side * x, 0.01), 0.006, THREAD))
        elements.append(Glow((side * 0.5 * hip, 0.55 * length), 0.15, 0.25, 1.3))
    return elements


def _skirt_folds(brief: Brief, kind: str, waist: float, hip: float, hem: float, length: float) -> list[Ridge]:
    rng = brief.pose
    if kind == "pleated":
        flare = hem / waist - 1
        count = int(brief.design.integers(11, 16))
        marks = np.linspace(-0.94, 0.94, count)
        return [
            Ridge((float(waist * m), 0.06), (float(waist * m * (1 + flare)), 1.7 * length), 0.026, 6.0) for m in marks
        ]
    if kind == "flared":
        flare = hem / waist - 1
        return gathers(rng, -waist, waist, 0.08, length * 1.25, 13, 4.0, flare) + gathers(
            rng, -hip, hip, 0.45, length * 0.8, 7, 3.5, 0.5
        )
    if kind == "tiered":
        found = gathers(rng, -waist, waist, 0.06, 0.32 * length, 14, 2.6, 0.3)
        for share in (0.36, 0.68):
            half = hip + (hem - hip) * share * 0.9
            found += gathers(rng, -half, half, share * length + 0.02, 0.32 * length, 18, 2.8, 0.15)
        return found
    loose = scattered(rng, -hip, 0.2, hip, length, 9, 2.4)
    return loose + (
        gathers(rng, -waist, waist, 0.1, length, 6, 3.0, 0.4)
        if kind == "a-line"
        else gathers(rng, -waist, waist, 0.1, 0.3, 5, 1.8)
    )
