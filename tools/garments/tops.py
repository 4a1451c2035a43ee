"""T-shirts and longsleeves: knitted tops without a collar."""

from garments import decals, fabric, palette
from garments.bodice import (
    Cut,
    Sleeve,
    collar_band,
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
from garments.cloth import Decal, Element, Panel, Piece
from garments.fabric import Fabric
from garments.folds import scattered, storage
from garments.geometry import Point, curve, join


def _cut(brief: Brief) -> Cut:
    fitted = brief.chance(0.4)
    chest = brief.size(0.4, 0.44) if fitted else brief.size(0.46, 0.54)
    return Cut(
        neck=brief.size(0.14, 0.22), shoulder=chest - brief.size(0.01, 0.06), slope=brief.size(0.09, 0.15), chest=chest,
        waist=chest - (brief.size(0.05, 0.08) if fitted else 0.01), hem=chest + brief.size(-0.02, 0.03),
        length=brief.size(1.12, 1.3) if fitted else brief.size(1.18, 1.42), armhole=brief.size(0.4, 0.47),
        drop=brief.size(0.2, 0.3) if brief.number % 3 == 2 else brief.size(0.09, 0.16), vee=brief.number % 3 == 2,
    )  # fmt: skip


def chest_print(brief: Brief, cloth: Fabric, centre: Point, wide: float) -> list[Element]:
    """A print in colours that stand out on the cloth; small and to one side for some garments."""
    colours = [palette.contrasting(brief.design, cloth.colour, apart=0.7) for _ in range(4)]
    if brief.chance(0.25):
        return [Decal(decals.word(brief.design, colours), (centre[0] + 0.2, centre[1] - 0.1), 0.16)]
    image = decals.choose(brief.design, colours)
    return [Decal(image, centre, wide * brief.size(0.75, 1.1), float(brief.pose.normal(0, 1.5)))]


def assemble(
    brief: Brief, cut: Cut, cloth: Fabric, trim: Fabric, arms: list[tuple[int, Sleeve]], sleeves: Fabric
) -> list[Element]:
    """Inner back, hanger, sleeves, front and neck band, in the order in which they cover each other."""
    elements = inside(cut, cloth)
    if brief.hang:
        elements = hanger(cut)[:1] + elements + hanger(cut)[1:]
    for side, arm in arms:
        elements.append(sleeve_panel(arm, sleeves, side))
        elements += cuff(arm, trim if brief.number % 4 == 1 else sleeves, side, 0.04)
    return [*elements, Panel(torso(cut), cloth, thick=4, round=0.03, cast=0.4), *collar_band(cut, trim), hem_seam(cut)]


def _cloth(brief: Brief) -> tuple[Fabric, Fabric]:
    kind = brief.style("solid", "print", "stripes", "print", "heather", "solid", "print", "stripes", "floral", "print")
    dyes = palette.ANY if brief.chance(0.6) else palette.NEUTRAL
    names = {"stripes": ("stripes",), "heather": ("heather",), "floral": ("floral", "leopard", "dots")}.get(
        kind, ("solid", "solid", "heather")
    )
    cloth = fabric.make(brief.design, names, dyes)
    other = palette.contrasting(brief.design, cloth.colour)
    trim = fabric.plain(other if brief.chance(0.25) else cloth.tile[0, 0], "rib")
    return cloth, trim


def t_shirt(brief: Brief) -> Piece:
    """A T-shirt: short sleeves, crew or V neck, often printed."""
    cut = _cut(brief)
    cloth, trim = _cloth(brief)
    sleeves = fabric.plain(trim.colour) if brief.number % 5 == 3 else cloth
    length, wide, angle = brief.size(0.22, 0.33), brief.size(0.32, 0.39), brief.size(32, 50) + (12 if brief.hang else 0)
    arms = [(side, sleeve(cut, angle + float(brief.pose.normal(0, 7)), length, wide)) for side in (-1, 1)]
    elements = assemble(brief, cut, cloth, trim, arms, sleeves)
    if brief.number % 10 in (1, 3, 6, 9):
        elements += chest_print(brief, cloth, (0, 0.48), 0.5)
    ridges = torso_folds(brief.pose, cut) + scattered(brief.pose, -0.4, 0.3, 0.4, cut.length, 7)
    for side, arm in arms:
        ridges += sleeve_folds(brief.pose, arm, side, 3)
    if brief.pose.random() < 0.35 and not brief.hang:
        ridges += storage(brief.pose, -cut.chest, 0.1, cut.chest, cut.length)
    return Piece(elements, ridges, crumple=float(brief.pose.uniform(0.6, 1.2)), pleats=0.6 if brief.hang else 0.0)


def long_arms(brief: Brief, cut: Cut, length: float, wide: float) -> list[tuple[int, Sleeve]]:
    """Two long sleeves, each laid its own way: hanging down, spread, or bent at the elbow."""
    base = 76.0 if brief.hang else float(brief.pose.uniform(63, 80))
    arms = []
    for side in (-1, 1):
        turn = float(brief.pose.normal(5, 5)) if brief.hang else float(brief.pose.normal(8, 11))
        arms.append((side, sleeve(cut, base + float(brief.pose.normal(0, 3)), length, wide, turn)))
    return arms


def longsleeve(brief: Brief) -> Piece:
    """A jersey or sweater with long sleeves."""
    cut = _cut(brief)
    sweater = brief.number % 10 in (1, 4, 5, 8)
    cloth, trim = _cloth(brief)
    if sweater:
        weave = brief.style("cable", "knit", "rib", "knit", "waffle")
        cloth = fabric.make(brief.design, ("heather", "solid"), palette.ANY, weave)
        trim = fabric.plain(cloth.colour, "rib")
    arms = long_arms(brief, cut, brief.size(0.98, 1.12), brief.size(0.16, 0.22))
    elements = assemble(brief, cut, cloth, trim, arms, cloth)
    if sweater:
        for side, arm in arms:
            elements += cuff(arm, trim, side, 0.1, 0.95)
        elements.append(_ribbed_hem(cut, trim))
    elif brief.number % 10 in (3, 6):
        elements += chest_print(brief, cloth, (0, 0.48), 0.48)
    ridges = torso_folds(brief.pose, cut) + scattered(brief.pose, -0.4, 0.3, 0.4, cut.length, 7)
    for side, arm in arms:
        ridges += sleeve_folds(brief.pose, arm, side, 9)
    return Piece(elements, ridges, crumple=float(brief.pose.uniform(0.6, 1.1)), pleats=0.6 if brief.hang else 0.0)


def _ribbed_hem(cut: Cut, trim: Fabric) -> Panel:
    low = curve((cut.hem, cut.length), (0, cut.length + cut.tail), (-cut.hem, cut.length))
    high = curve((-cut.hem - 0.004, cut.length - 0.1), (0, cut.length - 0.09), (cut.hem + 0.004, cut.length - 0.1))
    return Panel(join(high, low), trim, thick=2.5, round=0.02, tone=0.95, cast=0.2)
