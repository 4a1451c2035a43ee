"""Parts that several families of garments share."""

import numpy as np

from garments.cloth import Garment
from garments.fabric import Fabric, plain
from garments.shapes import Array, line, ribbon


def wavy_hem(g: Garment, half: float, length: float, sag: float, waves: int) -> Array:
    """A hem from right to left that sags in the middle and goes in and out with the folds."""
    t = np.linspace(1, -1, 60)
    phase, beat = g.pose.uniform(0, 6.3), g.pose.uniform(0.8, 1.2)
    bend = waves * np.pi * (t + 0.2 * np.sin(3 * beat * t + phase))
    ripple = (0.015 if waves else 0.0) * (np.sin(bend + phase) + 0.6 * np.sin(2.3 * bend + 1.7 * phase))
    return np.stack([half * t, length + sag * (1 - t * t) + ripple * (1 - t**8)], axis=1)


def hanger(g: Garment, half: float, middle: float, end: float) -> None:
    """A hanger, where the garment hangs: its hook, and a bar at the heights `middle` and, to either side, `end`."""
    if g.hung:
        g.panel(ribbon(line("0,0 0,-.12 .045,-.17 .05,-.22 0,-.26 -.05,-.22"), 0.016), plain("metal", gloss=0.7))
        bar = line([(-half, end), (-0.3 * half, middle), (0.3 * half, middle), (half, end)])
        g.panel(ribbon(bar, 0.045), plain("black", gloss=0.5), round=0.02)


def cords(g: Garment, x: float, y: float, length: float, cord: Fabric) -> None:
    """A pair of loose drawstrings."""
    for side in (-1, 1):
        sway, reach = g.sway(0.05), length * g.pose.uniform(0.8, 1.2)
        string = line([(x, y), (x + 0.02 + 0.4 * sway, y + 0.5 * reach), (x + 0.015 + sway, y + reach)]) * (side, 1)
        g.panel(ribbon(string, 0.024), cord, thick=2.5, round=0.008, cast=0.5)


def fluff(g: Garment, outline: Array, places: Array, x: float, y: float, pile: Fabric) -> None:
    """A tuft of fur: an outline, and hairs at `places` that stand away from (x, y)."""
    g.panel(outline, pile, thick=12, round=0.1, cast=0.5)
    for place in places:
        away = place - (x, y) + g.pose.normal(0, 0.08, 2)
        hair = np.array([place, place + 0.05 * away / max(float(np.linalg.norm(away)), 0.02)])
        g.seam(hair, 0.011, tone=g.pose.uniform(0.68, 1.25), groove=1.3)
