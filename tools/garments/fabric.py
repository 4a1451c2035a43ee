"""Cloth: a printed tile, how large it repeats, the relief of its weave and its gloss."""

from dataclasses import dataclass, replace

import numpy as np

from garments import palette
from garments.fields import tiled
from garments.geometry import Array, Point
from garments.prints import PAINTERS

PERIOD = {
    "solid": 1.0, "heather": 1.0, "stripes": 0.3, "pinstripes": 0.28, "gingham": 0.36, "plaid": 0.34,
    "windowpane": 0.36, "dots": 0.4, "floral": 0.6, "camouflage": 0.8, "leopard": 0.55, "denim": 0.8,
    "geometric": 0.42,
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """Where the grain of a panel starts and how it is turned (degrees clockwise)."""

    origin: Point = (0.0, 0.0)
    degrees: float = 0.0

    def local(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Garment coordinates as coordinates across and along the grain."""
        a = np.deg2rad(self.degrees)
        x, y = x - self.origin[0], y - self.origin[1]
        return x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)


@dataclass(frozen=True)
class Fabric:
    """A cloth: `tile` (N, N, 3) repeats every `period` garment units; `relief` names the weave."""

    tile: Array
    period: float = 1.0
    weave: str = "plain"
    gloss: float = 0.0

    @property
    def colour(self) -> Array:
        """The mean colour."""
        mean: Array = self.tile.mean(axis=(0, 1))
        return mean

    def albedo(self, u: Array, v: Array) -> Array:
        """Colours (..., 3) at cloth coordinates."""
        return tiled(self.tile, u / self.period, v / self.period)

    def dyed(self, tone: float) -> "Fabric":
        """The same cloth, lighter or darker."""
        return replace(self, tile=np.clip(self.tile * np.float32(tone), 0, 1))


def plain(colour: Array, weave: str = "plain", gloss: float = 0.0) -> Fabric:
    """A cloth of one even colour, for trims and hard parts."""
    return Fabric(np.broadcast_to(colour, (4, 4, 3)).astype(np.float32), 1.0, weave, gloss)


def make(rng: np.random.Generator, prints: tuple[str, ...], dyes: tuple[str, ...] = palette.ANY, weave: str = "plain",
         gloss: float = 0.0, size: float = 1.0) -> Fabric:  # fmt: skip
    """A cloth with one of the prints on a ground of one of the dyes."""
    name = prints[int(rng.integers(len(prints)))]
    ground = palette.pick(rng, dyes)
    colours = [ground, *(palette.contrasting(rng, ground, apart=0.5) for _ in range(3))]
    if name == "pinstripes":
        colours[1] = 0.55 * ground + 0.45 * palette.rgb("white" if palette.lightness(ground) < 0.55 else "navy")
    if name == "gingham":
        colours[0], colours[1] = palette.rgb("white"), palette.pick(rng, palette.DARK + palette.BRIGHT)
    if name == "leopard":
        colours[:2] = [palette.rgb("#c9a878"), palette.rgb("#2b1d16")]
    if name == "camouflage":
        colours = [palette.rgb(code) for code in ("#6b6b47", "#3c4a32", "#8d7d5c", "#2b2a25")]
    if name == "denim":
        colours[0] = palette.rgb(
            ("#33476b", "#5b7ba3", "#8fa9c4", "#26304a", "#3d4046", "#7d8893")[int(rng.integers(6))]
        )
    period = PERIOD[name] * float(rng.uniform(0.75, 1.3)) * size
    return Fabric(PAINTERS[name](rng, colours), period, weave, gloss)
