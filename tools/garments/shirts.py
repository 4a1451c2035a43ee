"""Shirts and polos: tops with a collar and a row of buttons."""

from garments import decals, fabric, palette
from garments.bodice import (
    Cut,
    Sleeve,
    cuff,
    hanger,
    hem_seam,
    inside,
    sleeve,
    sleeve_folds,
    sleeve_panel,
    torso,
    torso_folds,
)
from garments.brief import Brief
from garments.cloth import Button, Decal, Element, Panel, Piece, Seam
from garments.fabric import Fabric, Frame
from garments.folds import scattered, storage
from garments.geometry import Array, box, curve, flip, join, polygon, shift
from garments.tops import long_arms


def leaf(neck: float, drop: float, spread: float, depth: float, gap: float = 0.012) -> Array:
    """The right leaf of a turned-down collar that ends at (gap, drop): near the middle where it is buttoned."""
    return join(
        curve((gap, drop), (0.55 * neck + 0.4 * gap, 0.5 * drop), (0.96 * neck, -0.035)),
        curve((0.96 * neck, -0.035), (neck + 0.045, -0.01), (neck + 0.055, 0.05)),
        curve((neck + 0.055, 0.05), (spread + 0.03, drop + 0.55 * depth), (spread, drop + depth)),
        polygon((spread, drop + depth), (gap, drop + 0.01)),
    )


def collar_back(cut: Cut, cloth: Fabric) -> list[Element]:
    """The stand and inner fold of the collar behind the neck, with a label."""
    n = cut.neck
    fold = join(
        curve((-n - 0.03, 0.02), (-0.8 * n, -0.055), (0, -0.085), (0.8 * n, -0.055), (n + 0.03, 0.02)),
        curve((n, 0.05), (0, 0.06), (-n, 0.05)),
    )
    stand = join(
        curve((-0.9 * n, 0.01), (0, -0.035), (0.9 * n, 0.01)), curve((0.85 * n, 0.07), (0, 0.075), (-0.85 * n, 0.07))
    )
    return [
        Panel(fold, cloth, thick=3.5, tone=0.95),
        Panel(stand, cloth, thick=2, tone=0.78),
        Panel(
            box(-0.045, 0.015, 0.045, 0.055),
            fabric.plain(palette.rgb("white" if palette.lightness(cloth.colour) < 0.5 else "navy")),
            thick=0.5,
            cast=0.1,
        ),
    ]


def collar_leaves(
    brief: Brief, cut: Cut, cloth: Fabric, depth: float, tip: Fabric | None = None, gap: float = 0.012
) -> list[Element]:
    """Both leaves of the collar, each with its edge stitched or in another colour."""
    elements: list[Element] = []
    spread = cut.neck * brief.size(0.5, 0.75) + 0.6 * gap
    drop = cut.drop * (1 - 1.6 * gap)
    for side in (-1, 1):
        wander = float(brief.pose.normal(0, 0.012))
        outline = flip(leaf(cut.neck, drop, spread + wander, depth + wander, gap), side)
        elements.append(Panel(outline, cloth, Frame((0, 0), side * 35.0), thick=6.0, round=0.025, cast=0.65, tone=1.06))
        edge = flip(
            curve(
                (cut.neck + 0.05, 0.05),
                (spread + 0.026 + wander, drop + 0.55 * depth),
                (spread + wander, drop + depth),
                (gap + 0.01, drop + 0.015),
            ),
            side,
        )
        if tip is not None:
            elements.append(Seam(shift(edge, 0, -0.012), 0.016, tip.colour, groove=0.2))
        else:
            elements.append(Seam(edge * (0.94, 0.97), 0.005, tone=0.78))
    return elements


def placket(cut: Cut, cloth: Fabric, bottom: float, buttons: int, dye: Array, wide: float = 0.075) -> list[Element]:
    """The strip with buttons from the collar to `bottom`."""
    top = cut.drop - 0.01
    strip = polygon((-wide / 2, top), (wide / 2, top), (wide / 2, bottom), (-wide / 2, bottom))
    elements: list[Element] = [Panel(strip, cloth, thick=1.6, round=0.012, cast=0.35, keep=0.6)]
    elements += [Seam(polygon((x, top), (x, bottom)), 0.005, tone=0.8) for x in (-0.38 * wide, 0.38 * wide)]
    step = (bottom - top) / buttons
    elements += [Button((0, top + (index + 0.45) * step), 0.014, dye) for index in range(buttons)]
    return elements


def pocket(x: float, y: float, wide: float, cloth: Fabric, flap: bool = False) -> list[Element]:
    """A patch pocket with a pointed bottom."""
    high = wide * 1.15
    bag = polygon((x, y), (x + wide, y), (x + wide, y + 0.85 * high), (x + wide / 2, y + high), (x, y + 0.85 * high))
    elements: list[Element] = [
        Panel(bag, cloth, thick=1.6, round=0.012, cast=0.3, keep=0.7, tone=0.99),
        Seam(shift(polygon((x, y), (x + wide, y)), 0, 0.035), 0.005, tone=0.78),
    ]
    if flap:
        lid = polygon(
            (x - 0.01, y - 0.02),
            (x + wide + 0.01, y - 0.02),
            (x + wide + 0.01, y + 0.06),
            (x + wide / 2, y + 0.1),
            (x - 0.01, y + 0.06),
        )
        elements += [
            Panel(lid, cloth, thick=2, round=0.012, cast=0.4),
            Button((x + wide / 2, y + 0.07), 0.012, palette.rgb("cream")),
        ]
    return elements


def _shirt_cut(brief: Brief) -> Cut:
    chest = brief.size(0.42, 0.52)
    return Cut(
        neck=brief.size(0.14, 0.17), shoulder=chest - brief.size(0.0, 0.04), slope=brief.size(0.11, 0.15), chest=chest,
        waist=chest - brief.size(0.01, 0.07), hem=chest + brief.size(-0.02, 0.02), length=brief.size(1.2, 1.38),
        armhole=brief.size(0.42, 0.48), drop=brief.size(0.11, 0.16), tail=brief.size(0.02, 0.12),
    )  # fmt: skip


def _shirt_cloth(brief: Brief) -> Fabric:
    kind = brief.style(
        "plaid", "white", "gingham", "denim", "plaid", "pinstripes", "solid", "plaid", "windowpane", "floral"
    )
    if kind == "white":
        return fabric.make(brief.design, ("solid",), ("white", "sky"))
    if kind == "solid":
        return fabric.make(brief.design, ("solid", "heather"), ("sky", "black", "pink", "navy", "olive", "silver"))
    size = 0.8 if kind in ("plaid", "gingham") else 0.6 if kind == "floral" else 1.0
    return fabric.make(brief.design, (kind,), palette.ANY, size=size)


def shirt(brief: Brief) -> Piece:
    """A shirt that buttons all the way down, long- or short-sleeved."""
    cut = _shirt_cut(brief)
    cloth = _shirt_cloth(brief)
    dye = palette.rgb("white") if palette.lightness(cloth.colour) < 0.5 else palette.rgb("#c9c2b4")
    long = brief.number % 5 not in (2, 4)
    if long:
        arms = long_arms(brief, cut, brief.size(0.98, 1.1), brief.size(0.19, 0.23))
    else:
        angle, length = brief.size(38, 54), brief.size(0.3, 0.37)
        arms = [(side, sleeve(cut, angle + float(brief.pose.normal(0, 6)), length, 0.36)) for side in (-1, 1)]
    elements = _shirt_front(brief, cut, cloth, dye, arms, long)
    ridges = torso_folds(brief.pose, cut, 1.1) + scattered(brief.pose, -0.42, 0.25, 0.42, cut.length, 12, 2.4)
    for side, arm in arms:
        ridges += sleeve_folds(brief.pose, arm, side, 9 if long else 3, 3.0)
    if brief.pose.random() < 0.5:
        ridges += storage(brief.pose, -cut.chest, 0.1, cut.chest, cut.length)
    return Piece(elements, ridges, crumple=float(brief.pose.uniform(0.8, 1.4)), pleats=0.6 if brief.hang else 0.0)


def _shirt_front(
    brief: Brief, cut: Cut, cloth: Fabric, dye: Array, arms: list[tuple[int, Sleeve]], long: bool
) -> list[Element]:
    elements = (hanger(cut, "brown")[:1] if brief.hang else []) + inside(cut, cloth) + collar_back(cut, cloth)
    for side, arm in arms:
        elements.append(sleeve_panel(arm, cloth, side))
        elements += cuff(arm, cloth, side, 0.12 if long else 0.05, 1.02)
        if long:
            x, y = flip(arm.spine, side)[-2]
            elements.append(Button((float(x) + 0.03 * side, float(y) - 0.02), 0.012, dye))
    elements.append(Panel(torso(cut), cloth, thick=4, round=0.025, cast=0.4))
    elements.append(hem_seam(cut, 0.025))
    for side in (-1, 1):
        yoke = flip(curve((cut.neck, 0.07), (cut.shoulder * 0.97, cut.slope + 0.08)), side)
        elements.append(Seam(yoke, 0.006, tone=0.8))
    elements += placket(cut, cloth, cut.length + cut.tail - 0.01, int(brief.design.integers(6, 8)), dye)
    if brief.chance(0.7):
        elements += pocket(0.12, 0.36, 0.21, cloth, brief.chance(0.3))
        if brief.chance(0.25):
            elements += pocket(-0.33, 0.36, 0.21, cloth)
    return elements + collar_leaves(brief, cut, cloth, brief.size(0.07, 0.1))


def _polo_cut(brief: Brief) -> Cut:
    chest = brief.size(0.43, 0.53)
    return Cut(
        neck=brief.size(0.15, 0.18), shoulder=chest - brief.size(0.0, 0.05), slope=brief.size(0.1, 0.15), chest=chest,
        waist=chest - brief.size(0.0, 0.05), hem=chest + brief.size(-0.01, 0.02), length=brief.size(1.15, 1.35),
        armhole=brief.size(0.41, 0.47), drop=brief.size(0.17, 0.25), vee=True,
    )  # fmt: skip


def polo(brief: Brief) -> Piece:
    """A polo: knitted collar, a short placket with two or three buttons, short sleeves with a rib."""
    cut = _polo_cut(brief)
    kind = brief.style("solid", "stripes", "solid", "heather", "tipped", "stripes", "solid", "block", "tipped", "solid")
    cloth = fabric.make(brief.design, (kind if kind in ("stripes", "heather") else "solid",), palette.ANY, "pique")
    contrast = fabric.plain(palette.contrasting(brief.design, cloth.colour), "rib")
    own = fabric.plain(cloth.tile[0, 0], "rib")
    collar = contrast if kind in ("stripes", "block") else own
    angle, length, wide = brief.size(34, 50), brief.size(0.26, 0.32), brief.size(0.32, 0.38)
    arms = [(side, sleeve(cut, angle + float(brief.pose.normal(0, 6)), length, wide)) for side in (-1, 1)]
    elements = _polo_front(brief, cut, cloth, collar, contrast if kind == "tipped" else None, arms)
    ridges = torso_folds(brief.pose, cut) + scattered(brief.pose, -0.4, 0.3, 0.4, cut.length, 7)
    for side, arm in arms:
        ridges += sleeve_folds(brief.pose, arm, side, 3)
    return Piece(elements, ridges, crumple=float(brief.pose.uniform(0.6, 1.1)), pleats=0.6 if brief.hang else 0.0)


def _polo_front(
    brief: Brief, cut: Cut, cloth: Fabric, collar: Fabric, tip: Fabric | None, arms: list[tuple[int, Sleeve]]
) -> list[Element]:
    elements = (hanger(cut)[:1] if brief.hang else []) + inside(cut, cloth) + collar_back(cut, collar)
    for side, arm in arms:
        elements.append(sleeve_panel(arm, cloth, side))
        elements += cuff(arm, tip or collar, side, 0.05)
    elements += [Panel(torso(cut), cloth, thick=4, round=0.03, cast=0.4), hem_seam(cut)]
    if brief.number % 10 == 7:
        band = join(curve((-cut.chest, 0.52), (cut.chest, 0.52)), curve((cut.chest, 0.72), (-cut.chest, 0.72)))
        elements.append(Panel(band * (0.985, 1), collar, thick=0.6, cast=0.05, keep=1.0))
    dye = palette.rgb("white") if palette.lightness(cloth.colour) < 0.6 else cloth.colour * 0.6
    bottom = cut.drop + brief.size(0.2, 0.27)
    elements += placket(cut, fabric.plain(cloth.colour), bottom, int(brief.design.integers(2, 4)), dye, 0.085)
    elements.append(
        Seam(
            polygon((-0.042, bottom), (0.042, bottom), (0.042, bottom - 0.04), (-0.042, bottom - 0.04)),
            0.005,
            tone=0.75,
        )
    )
    if brief.chance(0.7):
        colours = [palette.contrasting(brief.design, cloth.colour, apart=0.7) for _ in range(3)]
        elements.append(Decal(decals.emblem(brief.design, colours), (0.24, 0.4), 0.075))
    return elements + collar_leaves(brief, cut, collar, brief.size(0.085, 0.11), tip, brief.size(0.05, 0.085))
