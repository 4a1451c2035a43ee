"""Things that get into a picture from its border: a cable, a box, a plant, a chair leg, the edge of a blanket."""

import numpy as np

from garments import fabric, palette
from garments.cloth import Element, Panel, Seam, Sheet
from garments.fields import blur
from garments.floors import Ground
from garments.geometry import Array, box, curve, ellipse, polygon, ribbon, rotate, shift

Rng = np.random.Generator


def _cable(rng: Rng) -> list[Element]:
    sway = rng.normal(0, 0.05, 4)
    line = curve(
        (-0.3, -0.02), (-0.12, 0.1 + sway[0]), (0.0 + sway[1], -0.06), (0.12, 0.05 + sway[2]), (0.3, -0.1 + sway[3])
    )
    rubber = fabric.plain(palette.pick(rng, ("black", "white", "charcoal")), gloss=0.4)
    return [Panel(ribbon(line, 0.016), rubber, thick=4, round=0.008)]


def _box(rng: Rng) -> list[Element]:
    card = fabric.make(rng, ("heather",), ("camel", "sand", "white"))
    side = box(-0.2, -0.16, 0.2, 0.16, 0.005)
    tape = polygon((-0.2, -0.03), (0.2, -0.03), (0.2, 0.03), (-0.2, 0.03))
    return [
        Panel(side, card, thick=12, round=0.01),
        Panel(tape, fabric.plain(card.colour * 0.85, gloss=0.4), thick=0.5, keep=0.95),
    ]


def _plant(rng: Rng) -> list[Element]:
    green = palette.pick(rng, ("green", "olive"))
    leaves: list[Element] = []
    for _ in range(9):
        length, wide = rng.uniform(0.12, 0.24), rng.uniform(0.02, 0.05)
        leaf = np.vstack(
            [curve((0, 0), (0.5 * length, wide), (length, 0)), curve((length, 0), (0.5 * length, -wide), (0, 0))]
        )
        turn = float(rng.uniform(0, 360))
        dye = fabric.plain(np.clip(green * rng.uniform(0.7, 1.3), 0, 1), gloss=0.3)
        leaves += [Panel(rotate(leaf, turn), dye, thick=5, round=0.02, cast=0.5)]
        leaves.append(Seam(rotate(polygon((0, 0), (length * 0.9, 0)), turn), 0.006, tone=1.25, groove=-1))
    return leaves


def _chair(rng: Rng) -> list[Element]:
    wood = fabric.plain(palette.pick(rng, ("brown", "black", "camel", "silver")), gloss=0.3)
    leg = polygon((-0.035, -0.3), (0.035, -0.3), (0.025, 0.12), (-0.025, 0.12))
    return [Panel(leg, wood, thick=14, round=0.03), Panel(ellipse((0, 0.12), 0.03, 0.018), wood, thick=5, tone=0.6)]


def _blanket(rng: Rng) -> list[Element]:
    cloth = fabric.make(rng, ("solid", "plaid", "stripes", "heather"), (*palette.NEUTRAL, "dusty", "teal"))
    edge = curve((-0.5, -0.02), (-0.2, 0.03 * rng.normal()), (0.1, 0.03 * rng.normal()), (0.5, 0.0))
    strip = np.vstack([edge, polygon((0.5, 0.3), (-0.5, 0.3))])
    return [Panel(strip, cloth, thick=6, round=0.03), Seam(shift(edge, 0, 0.03), 0.006, tone=0.8)]


THINGS = (_cable, _cable, _box, _plant, _chair, _blanket)


def _border(rng: Rng, half: tuple[float, float]) -> tuple[float, float, float]:
    """A place on the frame's border (x, y) and the turn that faces its middle."""
    if rng.random() < 0.6:
        side = -1 if rng.random() < 0.5 else 1
        return side * half[0] * 0.98, float(rng.uniform(-0.9, 0.9)) * half[1], -90.0 * side
    side = -1 if rng.random() < 0.35 else 1
    return float(rng.uniform(-0.9, 0.9)) * half[0], side * half[1] * 0.98, 0.0 if side > 0 else 180.0


def _placed(element: Element, x: float, y: float, turn: float) -> Element:
    if isinstance(element, Panel):
        return Panel(
            shift(rotate(element.outline, turn), x, y),
            element.cloth,
            thick=element.thick,
            round=element.round,
            tone=element.tone,
            cast=element.cast,
            keep=element.keep,
        )
    if not isinstance(element, Seam):
        raise TypeError(f"clutter is made of panels and seams, not of {type(element).__name__}")
    return Seam(shift(rotate(element.line, turn), x, y), element.width, element.colour, element.tone, element.groove)


def strew(rng: Rng, ground: Ground) -> Ground:
    """The ground with one thing lying at its border."""
    rows, columns = ground.height.shape
    unit = float(min(rows, columns))
    x, y, turn = _border(rng, (columns / unit / 2, rows / unit / 2))
    turn += float(rng.normal(0, 14))
    thing = [_placed(e, x, y, turn) for e in THINGS[int(rng.integers(len(THINGS)))](rng)]
    sheet = Sheet(thing, unit, rng)
    left, top = np.round(sheet.corner * unit + (columns / 2, rows / 2)).astype(int)
    return _merged(ground, sheet, int(left), int(top))


def _frame(field: Array, shape: tuple[int, int], left: int, top: int) -> Array:
    full = np.zeros((*shape, *field.shape[2:]), np.float32)
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + field.shape[0], shape[0]), min(left + field.shape[1], shape[1])
    if y1 > y0 and x1 > x0:
        full[y0:y1, x0:x1] = field[y0 - top : y1 - top, x0 - left : x1 - left]
    return full


def _merged(ground: Ground, sheet: Sheet, left: int, top: int) -> Ground:
    shape = (ground.height.shape[0], ground.height.shape[1])
    cover = _frame(sheet.cover, shape, left, top)
    dye = _frame(sheet.albedo * sheet.occlusion[..., None], shape, left, top)
    shade = 1 - 0.4 * blur(cover, 8.0) - 0.2 * blur(cover, 3.0)
    albedo = ground.albedo * (shade * (1 - cover))[..., None] + dye
    height = ground.height * (1 - cover) + _frame(sheet.height, shape, left, top)
    return Ground(albedo.astype(np.float32), height.astype(np.float32), ground.gloss)
