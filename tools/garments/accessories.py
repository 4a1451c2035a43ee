"""Shoes, as pairs seen from above or from the side, and hats."""

import numpy as np

from garments import fabric
from garments.cloth import Garment
from garments.fabric import Fabric, plain
from garments.parts import fluff
from garments.shapes import Array, ellipse, line, ribbon, symmetric

SOLE = symmetric(line("0,-.75 .6,-.66 .93,-.37 .81,0 .68,.3 .72,.6 .42,.78 0,.82"))
FLAT = symmetric(line("0,-.42 .15,-.34 .175,.1 .16,.58 0,.7"))
HOLE = symmetric(line("0,.1 .12,.14 .16,.42 .12,.66 0,.72"))
TONGUE = symmetric(line("0,-.3 .09,-.3 | .1,.1 .085,.27 0,.32"))
TOE = line("-.22,-.46 0,-.36 .24,-.46 | .2,-.6 .1,-.71 0,-.74 -.1,-.71 -.19,-.6")
LOOPS = line("0,.1 .14,.02 .2,.1 .1,.14 0,.1 -.14,.03 -.19,.12 -.1,.14 0,.1")
SIDE_UPPER = line(
    "-.5,-.28 -.56,-.1 -.58,.2 | .72,.2 | .7,.06 .5,-.03 .22,-.1 .05,-.28 -.02,-.33 -.08,-.26 -.28,-.2 -.5,-.28"
)
SIDE_SOLE = line("-.62,.16 -.64,.3 -.4,.35 .3,.34 .7,.3 .77,.18 .6,.17 0,.19 -.62,.16")
SIDE_HOLE = line("-.48,-.26 -.28,-.19 -.08,-.25 -.2,-.29 -.36,-.3 -.48,-.26")
SWOOSH = line("-.3,.1 -.05,.13 .3,-.02 | 0,.04 -.2,-.02 -.3,.1")


def shoes(g: Garment) -> None:
    """A pair: laced shoes or flats from above, or sneakers from the side."""
    kind = ("laced", "flat", "side")[g.number % 3]
    dyes = "black brown camel burgundy navy dusty red" if kind == "flat" else "white black navy grey red blue pink"
    cloth = g.make("solid heather", dyes, gloss=0.65 if kind == "flat" else 0.1)
    sole, lining = plain(g.accent(cloth, "white cream black sand")), plain(g.accent(cloth, "sand grey charcoal"))
    accent, wide, rng = plain(g.accent(cloth)), g.size(0.25, 0.29), g.pose
    facing = 1 if rng.random() < 0.5 else -1
    gap, toe = rng.uniform(0.32, 0.4), rng.uniform(-4, 14)
    for side in (-1, 1):
        if kind == "side":
            back = (rng.uniform(-0.25, 0.1) * facing, -0.6 * rng.uniform(0.8, 1.05))
            g.place = (*(back if side < 0 else (0.1 * facing, 0.15)), g.sway(5), facing)
            _side(g, cloth, sole, lining, accent)
            continue
        g.place = (side * gap, g.sway(0.04), side * toe, side)
        g.panel(SOLE * (wide + 0.035, 1.04), sole, thick=8, round=0.04)
        g.panel(SOLE * (wide, 1), cloth, thick=34, round=0.17, cast=0.4)
        if kind == "flat":
            g.panel(FLAT, lining, thick=-8, round=0.05, keep=0.2, tone=0.72, cast=0)
            g.seam(FLAT, 0.02, tone=0.75)
            g.panel(ellipse(0.06, -0.47, 0.065, 0.035), accent, both=True, thick=5, cast=0.5)
        else:
            _laced(g, cloth, sole, lining, accent)
    g.crumple, g.soft, g.lift = 0.25, 0.3, 1.8


def _laced(g: Garment, cloth: Fabric, sole: Fabric, lining: Fabric, accent: Fabric) -> None:
    g.panel(HOLE, lining, thick=-8, round=0.05, keep=0.2, tone=0.55, cast=0)
    g.panel(TOE, sole, thick=8, round=0.08)
    g.seam(line("-.2,-.25 -.17,.1"), 0.045, both=True, dye=accent.colour, groove=0.5)
    g.panel(TONGUE, cloth, thick=5, round=0.04, tone=0.85, cast=0.5)
    lace = plain("white" if fabric.lightness(cloth.colour) < 0.6 else "grey")
    for y in np.arange(-0.27, 0.1, 0.085):
        g.panel(ribbon(line([(-0.115, y), (0, y + 0.02), (0.115, y + 0.015)]), 0.03), lace, round=0.014, cast=0.55)
    g.panel(ribbon(LOOPS, 0.022), lace, round=0.01, cast=0.5)


def _side(g: Garment, cloth: Fabric, sole: Fabric, lining: Fabric, accent: Fabric) -> None:
    g.panel(SIDE_SOLE, sole, thick=10, round=0.04)
    g.panel(SIDE_UPPER, cloth, thick=38, round=0.16, cast=0.4)
    g.panel(SIDE_HOLE, lining, thick=-4, round=0.03, keep=0.1, tone=0.6, cast=0.1)
    g.seam(line("-.56,-.02 -.3,-.05 -.22,.2"), 0.014, tone=0.65)
    g.seam(line("-.62,.25 0,.27 .75,.23"), 0.012, tone=0.8)
    g.panel(SWOOSH, accent, thick=2, round=0.01)
    for row in range(5):
        lace = line("-.03,-.15 .075,-.27") + np.array([0.075, 0.045]) * row
        g.panel(ribbon(lace, 0.03), plain("white"), round=0.012, cast=0.5)


def hat(g: Garment) -> None:
    """A hat seen from the front and a little from above."""
    g.crumple, g.soft, g.lift = 0.5, 0.6, 1.8
    (_cap, _beanie, _brimmed)[g.number % 3](g)


def _leaning(half: str, wide: float, high: float, lean: float) -> Array:
    shape = symmetric(line(half) * (wide, high))
    shape[:, 0] += lean * np.clip(-shape[:, 1] / high, 0, 1)
    return shape


def _cap(g: Garment) -> None:
    cloth = g.make("solid denim", fabric.NEUTRAL + " red royal")
    second = plain(g.accent(cloth)) if g.chance(0.5) else cloth
    wide, high, reach, lean = g.size(0.55, 0.62), g.size(0.55, 0.68), g.size(0.3, 0.42), g.sway(0.08)
    g.panel(_leaning("0,-1 .55,-.93 .92,-.5 1,0 | 0,.25", wide, high, lean), cloth, thick=34, round=0.34)
    for s in (-0.62, -0.24, 0.24, 0.62):
        g.seam(line([(lean, -0.98 * high), (1.15 * s * wide + 0.5 * lean, -0.55 * high), (1.3 * s * wide, 0.0)]), 0.009)
    g.decal(cloth, 0.35 * lean, -0.3 * high, 0.4 * wide + 0.1)
    g.button(lean, -high, 0.035, second.colour)
    brow = [(-0.95 * wide, 0), (0, 0.13), (0.95 * wide, 0)]
    rim = [(0.82 * wide - lean, reach), (-lean, reach + 0.14), (-0.82 * wide - lean, reach), (-0.97 * wide, 0.02)]
    g.panel(line(brow, [(0.97 * wide, 0.02)], rim), second, thick=14, round=0.1, cast=0.6)
    for row in (0.35, 0.6, 0.85):
        end = (0.9 * wide, 0.05 + 0.06 * row)
        g.seam(line([(-end[0], end[1]), (-lean * row, 0.15 + row * reach), end]), 0.006)


def _beanie(g: Garment) -> None:
    cloth = g.make("heather stripes solid", weave="knit" if g.chance(0.6) else "rib")
    wide, high, lean, fold = g.size(0.5, 0.58), g.size(0.75, 0.95), g.sway(0.06), g.size(0.24, 0.34)
    if g.chance(0.5):
        radius = 0.2 + 0.02 * np.sin(7 * np.arange(40)) + 0.015 * g.pose.standard_normal(40)
        ball = ellipse(0, 0, 1, 1) * radius[:, None] + (lean, -high - 0.1)
        tufts = g.pose.normal((lean, -high - 0.1), 0.09, (50, 2))
        fluff(g, ball, tufts, lean, -high - 0.1, g.make("heather", "white cream charcoal red sand"))
    dome = "0,-1 .6,-.9 .98,-.45 1,.12 | 0,.18"
    g.panel(_leaning(dome, wide, high, lean), cloth, thick=26, round=0.28, cast=0.4)
    top = [(-1.03 * wide, 0.13 - fold), (0, 0.19 - fold), (1.03 * wide, 0.13 - fold)]
    band = line(top, [(1.05 * wide, 0.13)], [(0, 0.21), (-1.05 * wide, 0.13)])
    g.panel(band, plain(cloth.tile[0, 0], "rib"), thick=12, round=0.08, cast=0.6)
    x = np.linspace(-1, 1, 7)
    g.fold(lean + 0.05 * x, -0.97 * high, 90 - 35 * x, 0.8 * high, 3.0, 0.025)
    g.soft = 0.9


def _brimmed(g: Garment) -> None:
    cloth = g.make("heather solid", "sand cream camel" if g.chance(0.5) else "black camel burgundy grey navy olive")
    wide, deep, tilt = g.size(0.85, 1.05), g.size(0.48, 0.62), g.sway(0.04)
    brim = ellipse(0, 0, wide, deep)
    brim[:, 1] += 0.06 * np.cos(2.2 * brim[:, 0] / wide) + tilt * brim[:, 0]
    g.panel(brim, cloth, thick=9, round=0.05)
    for level in (0.6, 0.7, 0.8, 0.88, 0.95):
        g.seam(brim * level, 0.006, tone=0.85)
    wide, high = g.size(0.42, 0.48), g.size(0.42, 0.55)
    half = "0,-.98 .25,-1.08 .62,-1 | .88,-.6 1,.1 | .5,.34 0,.42"
    g.panel(symmetric(line(half) * (wide, high)), cloth, thick=30, round=0.26, cast=0.55)
    ribbon_line = line([(-0.99 * wide, -0.02), (-0.5 * wide, 0.1), (0, 0.14), (0.5 * wide, 0.1), (0.99 * wide, -0.02)])
    dye = plain(g.accent(cloth, "black brown navy red cream"), gloss=0.2)
    g.panel(ribbon(ribbon_line, 0.13), dye, round=0.015, cast=0.4, keep=0.95)
