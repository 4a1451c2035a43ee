"""Clothes with a torso: T-shirts, longsleeves, shirts, polos, hoodies, jackets and dresses, by tables of styles."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from garments import fabric
from garments.cloth import Garment
from garments.fabric import plain
from garments.parts import cords, fluff, hanger, wavy_hem
from garments.shapes import Array, box, line, ribbon, symmetric

Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """One kind of top: its cloth, ranges of its measures (half widths, heights), its collar, front and details."""

    prints: str = "solid heather"
    dyes: str = fabric.ANY
    weave: str = ""
    gloss: float = 0.0
    chest: Range = (0.46, 0.54)
    taper: Range = (0.0, 0.02)
    flare: Range = (-0.02, 0.03)
    length: Range = (1.18, 1.4)
    neck: Range = (0.14, 0.2)
    drop: Range = (0.09, 0.16)
    sleeve: str = "short"
    cuff: Range = (0.32, 0.38)
    collar: str = "crew"
    front: str = ""
    details: str = ""
    heavy: float = 1.0


LONG = Style(sleeve="long", cuff=(0.16, 0.22))
FITTED = Style(chest=(0.4, 0.44), taper=(0.05, 0.08), length=(1.12, 1.3))
SWEATER = replace(LONG, prints="heather solid", weave="knit", details="rib")
SHIRT = Style(chest=(0.42, 0.52), taper=(0.01, 0.06), length=(1.2, 1.38), neck=(0.14, 0.17), drop=(0.11, 0.16),
              sleeve="long", cuff=(0.19, 0.23), collar="buttoned", front="buttons")  # fmt: skip
POLO = Style(chest=(0.43, 0.53), taper=(0, 0.05), length=(1.15, 1.35), neck=(0.15, 0.18), drop=(0.17, 0.25),
             collar="open", front="placket", details="word")  # fmt: skip
HOODIE = Style(chest=(0.47, 0.55), flare=(-0.04, 0), length=(1.15, 1.32), neck=(0.16, 0.19), drop=(0.2, 0.2), heavy=1.2,
               sleeve="long", cuff=(0.21, 0.25), collar="hood", details="print rib pouch strings")  # fmt: skip
JACKET = Style("solid", chest=(0.48, 0.56), flare=(0.0, 0.03), length=(1.2, 1.5), neck=(0.16, 0.19), drop=(0.13, 0.13),
               sleeve="long", cuff=(0.22, 0.28), collar="stand", front="zip", details="slits", heavy=1.2)  # fmt: skip
PUFFER = replace(JACKET, dyes="black navy red olive magenta teal royal silver", weave="baffle", gloss=0.35)
PARKA = replace(JACKET, dyes="olive navy black sand burgundy", length=(1.4, 1.65), collar="fur", details="pockets")
DRESS = Style("floral dots solid", chest=(0.36, 0.41), taper=(0.05, 0.09), flare=(0.2, 0.4), length=(1.7, 2.0),
              neck=(0.15, 0.23), drop=(0.12, 0.22), cuff=(0.24, 0.28), heavy=0.7)  # fmt: skip
SHEATH = replace(DRESS, prints="solid", dyes="black red magenta navy dusty teal", flare=(0, 0.05), collar="vee")

STYLES = {
    "T-Shirt": (Style(), replace(FITTED, details="print"), replace(FITTED, prints="stripes", details="trim"),
                Style(details="print"), Style("floral dots"), Style(details="word", dyes=fabric.NEUTRAL)),
    "Longsleeve": (LONG, SWEATER, replace(LONG, prints="stripes", collar="vee"), replace(SWEATER, weave="rib"),
                   replace(LONG, details="print"), replace(SWEATER, collar="vee"), replace(LONG, prints="stripes")),
    "Shirt": (replace(SHIRT, prints="plaid", details="pocket"), replace(SHIRT, prints="solid", dyes="white sky pink"),
              replace(SHIRT, prints="plaid", sleeve="short", cuff=(0.34, 0.37)),
              replace(SHIRT, prints="denim", details="pocket"), replace(SHIRT, dyes="sky silver lilac mint"),
              replace(SHIRT, prints="plaid")),
    "Polo": (replace(POLO, prints="solid"), replace(POLO, prints="stripes", details="trim"), POLO,
             replace(POLO, details="trim tip"), replace(POLO, prints="stripes"), replace(POLO, details="tip word")),
    "Hoodie": (HOODIE,),
    "Outwear": (replace(PUFFER, collar="hood"), PARKA, replace(JACKET, weave="baffle", details="pockets"), PUFFER,
                replace(JACKET, dyes="yellow teal red navy orange royal", gloss=0.45, collar="hood"),
                replace(PUFFER, sleeve="none"), replace(PARKA, front="buttons")),
    "Dress": (DRESS, replace(SHEATH, sleeve="none"), replace(DRESS, prints="stripes dots", sleeve="none"), SHEATH,
              replace(DRESS, dyes="burgundy black green navy plum", sleeve="long", cuff=(0.14, 0.16), details="belt"),
              replace(DRESS, prints="floral", collar="vee"), replace(DRESS, length=(2.2, 2.5), sleeve="none")),
}  # fmt: skip


def draw(g: Garment, label: str) -> None:
    """A garment of one of the labels of `STYLES`."""
    styles = STYLES[label]
    _Top(g, styles[g.number % len(styles)], label == "Dress").draw()


class _Top:
    """One garment: its cloths and its measures, which are half widths, and heights from y = 0 at the neck."""

    def __init__(self, g: Garment, style: Style, dress: bool) -> None:
        self.g, self.style, self.details = g, style, style.details.split()
        self.cloth = g.make(style.prints, style.dyes, style.weave, style.gloss)
        self.other = plain(g.accent(self.cloth))
        self.trim = plain(self.other.colour if "trim" in self.details else self.cloth.tile[0, 0], "rib")
        self.neck, self.chest, self.length = g.size(*style.neck), g.size(*style.chest), g.size(*style.length)
        self.waist, self.hem = self.chest - g.size(*style.taper), self.chest + g.size(*style.flare)
        self.tip = (self.chest - g.size(0.02, 0.05) - (0.07 if style.sleeve == "none" else 0.0), g.size(0.09, 0.14))
        self.pit = (self.chest, g.size(0.38, 0.42) if dress else g.size(0.43, 0.49))
        self.skirt = g.size(0.68, 0.8) if dress else 0.0
        self.drop, n = g.size(*style.drop) * (1.7 if style.collar == "vee" else 1.0), self.neck
        if style.collar == "vee":
            right = line([(0, self.drop)], [(0.55 * n, 0.42 * self.drop), (n, 0)])
        else:
            right = line([(0, self.drop), (0.62 * n, 0.78 * self.drop), (0.95 * n, 0.3 * self.drop), (n, 0)])
        self.neckline = np.vstack([right[:0:-1] * (-1, 1), right])

    def draw(self) -> None:
        """Lay the parts back to front."""
        g, heavy = self.g, self.style.heavy
        self._back()
        if self.style.sleeve != "none":
            for side in (-1, 1):
                self._sleeve(side)
        g.panel(self._torso(), self.cloth, thick=3.5 + heavy, round=0.03, cast=0.4)
        g.fan(self.chest - 0.03, self.pit[1], 132, 34, 0.36, 4, 2.6 * heavy)
        if self.skirt:
            self._skirt()
        else:
            low = self.length - 0.035
            g.seam(line([(-self.hem, low), (0, low + 0.015), (self.hem, low)]), tone=0.8)
            g.fan(self.chest - 0.03, self.pit[1], 95, 16, 0.7, 3, 2.6 * heavy)
            g.scatter(self.chest - 0.08, 0.3, self.length, 7, 2.2 * heavy)
        self._details()
        self._front()
        if self.style.collar in ("hood", "fur"):
            self._hood()
        else:
            self._collar()
        g.pleats = 0.6 if g.hung or self.skirt else 0.0
        g.soft, g.lift = (1.3, 1.4) if heavy > 1 else (1.0, 1.0)

    def _torso(self) -> Array:
        (x, y), low, hem = self.tip, self.length, self.hem
        middle, inner = (0.5 * (self.neck + x), 0.42 * y), (x - 0.03, 0.6 * self.pit[1] + 0.4 * y)
        right = line([(self.neck, 0)], [middle, self.tip], [inner, self.pit])
        if self.skirt:
            knee = (self.waist + 0.42 * (hem - self.waist) + 0.04, self.skirt + 0.3 * (low - self.skirt))
            side = line([self.pit], [(self.waist, self.skirt)], [knee, (hem, low)])
            end = wavy_hem(self.g, hem, low, 0.1 * max(hem - 0.4, 0), 7 if hem > 0.5 else 0)
        else:
            side = line([self.pit, (self.waist, 0.6 * self.pit[1] + 0.4 * low), (hem, low)])
            end = line([(hem, low), (0, low + 0.02), (-hem, low)])
        left = np.vstack([right, side])[::-1] * (-1, 1)
        return np.vstack([self.neckline, right, side, end, left])

    def _back(self) -> None:
        """The inside of the back, which the neck leaves open, its label, and the hanger."""
        g, n, collar = self.g, self.neck, self.style.collar
        hanger(g, 0.9 * self.tip[0], 0.0, self.tip[1] + 0.02)
        if collar in ("hood", "fur"):
            return
        inner = line([(-n, 0), (-0.5 * n, -0.018), (0, -0.021), (0.5 * n, -0.018), (n, 0)])
        lining = self.other if collar == "stand" else self.cloth
        g.panel(np.vstack([inner, np.add(self.neckline[::-1], (0, 0.03))]), lining, thick=1, tone=0.58)
        if collar in ("buttoned", "open"):
            top = [(-n - 0.03, 0.02), (-0.8 * n, -0.055), (0, -0.085), (0.8 * n, -0.055), (n + 0.03, 0.02)]
            own = self.trim if collar == "open" else self.cloth
            g.panel(line(top, [(n, 0.05), (0, 0.06), (-n, 0.05)]), own, tone=0.9)
        g.panel(ribbon(line([(-0.93 * n, 0.012), (0, 0.002), (0.93 * n, 0.012)]), 0.034), lining, thick=1.5, tone=0.78)
        g.panel(box(-0.035, 0.03, 0.035, 0.075), plain("cream"), thick=0.5, tone=0.85, cast=0.1)

    def _sleeve(self, side: int) -> None:
        """One sleeve: down from the shoulder, a long one bending towards its cuff."""
        g, style, long = self.g, self.style, self.style.sleeve == "long"
        fall = (76.0 if g.hung else g.pose.uniform(63, 80)) if long else g.size(34, 50) + (10 if g.hung else 0)
        fall, bend = fall + g.sway(4), g.sway(9, 7) if long else 0.0
        length, width = g.size(0.98, 1.1) if long else g.size(0.24, 0.33), g.size(*style.cuff)
        tip, pit = np.array(self.tip), np.array(self.pit)
        t = np.linspace(0, 1, 24)
        heading = np.deg2rad(fall + bend * np.clip((t - 0.25) / 0.75, 0, 1) ** 1.3)
        spine = (tip + pit) / 2 + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * length / 24, axis=0)
        root = 0.92 * float(np.linalg.norm(tip - pit))
        widths = root + (width - root) * t**0.75
        upper, lower = np.split(ribbon(spine, widths), 2)
        ease = ((1 - t) ** 2.2)[:, None]
        upper, lower = upper + (tip - upper[0]) * ease, lower + ((pit - lower[-1]) * ease)[::-1]
        outline = np.vstack([upper, lower, [pit - (0.09, 0.01), tip - (0.09, -0.05)]])
        turn, flip = side * (fall + 0.5 * bend - 90), (side, 1)
        g.panel(outline * flip, self.cloth, degrees=turn, thick=2.5 + style.heavy, round=0.03)
        band = max(1, round((2.4 if "rib" in self.details or style.heavy > 1 else 1) / length))
        end = ribbon(spine[-band - 1 :], widths[-band - 1 :] + 0.008) * flip
        own = self.trim if "rib" in self.details or style.collar == "open" else self.cloth
        g.panel(end, own, degrees=turn, thick=2, round=0.012, cast=0.15)
        g.seam(end[[0, -1]], 0.006, tone=0.72)
        g.across(spine * flip, float(widths.mean()) / 2, 9 if long else 3, 2.6 * style.heavy)

    def _skirt(self) -> None:
        """The waist of a dress and the folds below."""
        g, w, y, hem = self.g, self.waist + 0.006, self.skirt, self.hem
        drop, flare = self.length - y, hem / w - 1
        if flare < 0.3:
            g.scatter(0.3, 0.4, self.length, 14, 2.6)
            g.seam(line([(0.18, 0.5), (0.16, y), (0.17, y + 0.25)]), 0.006, both=True, groove=-1.5)
            return
        g.gather(w, y + 0.02, 1.2 * drop, 11, 3.8, flare)
        g.gather(w, y + 0.03, 0.4 * drop, 12, 2.6, 0.4 * flare)
        g.gather(0.8 * hem, y + 0.5 * drop, 0.6 * drop, 8, 3.2, 0.3 * flare)
        if "belt" in self.details:
            band = line([(-w, y), (0, y + 0.02), (w, y)], [(w, y + 0.06)], [(0, y + 0.08), (-w, y + 0.06)])
            g.panel(band, plain(g.accent(self.cloth, "black brown white navy red"), gloss=0.3), round=0.015, cast=0.45)
        else:
            g.seam(line([(-w, y), (0, y + 0.02), (w, y)]), 0.01, tone=0.6, groove=-2.2)

    def _details(self) -> None:
        """Prints, pockets and hems that the style names."""
        g, cloth, low, hem = self.g, self.cloth, self.length, self.hem
        if "rib" in self.details:
            top = [(-hem, low - 0.1), (0, low - 0.09), (hem, low - 0.1)]
            band = line(top, [(0.97 * hem, low + 0.01)], [(0, low + 0.03), (-0.97 * hem, low + 0.01)])
            g.panel(band, self.trim, round=0.02, tone=0.94, cast=0.25)
        if "pouch" in self.details:
            y = low - 0.45
            bag = symmetric(np.array([(0, y), (0.18, y), (0.31, y + 0.22), (0.31, low - 0.11), (0, low - 0.11)]))
            g.panel(bag, cloth, thick=2.6, round=0.018, cast=0.45, keep=0.8)
            g.seam(line([(0.165, y + 0.02), (0.295, y + 0.235)]), 0.006, both=True, tone=0.72)
        if "print" in self.details:
            g.decal(cloth, 0, 0.48, 0.5 * g.size(0.75, 1.1))
        if "word" in self.details:
            g.decal(cloth, 0.23, 0.4, 0.1, small=True)
        for name, y, wide in (("pocket", 0.36, 0.21), ("pockets", 0.95, 0.28)):
            if name in self.details:
                both, end = name == "pockets", 0.12 + wide
                patch = [(0.12, y), (end, y), (end, y + wide), (0.12 + wide / 2, y + 1.15 * wide), (0.12, y + wide)]
                g.panel(np.array(patch), cloth, both, thick=1.6, round=0.012, cast=0.3, keep=0.7)
                g.seam(line([(0.12, y + 0.04), (end, y + 0.04)]), 0.006, both)
        if "slits" in self.details:
            g.seam(line([(0.24, low - 0.48), (0.36, low - 0.28)]), 0.022, both=True, tone=0.45, groove=-1.4)

    def _front(self) -> None:
        """A zip, or a strip with buttons."""
        g, dye, top = self.g, self.cloth.colour, self.drop - 0.01
        if self.style.front == "zip":
            middle = line([(0, top), (0, self.length)])
            g.seam(middle, 0.045, dye=dye * 0.55, groove=-0.6)
            g.seam(middle, 0.014, dye=fabric.rgb("metal") * 0.85, groove=0.8, dashed=True)
        elif self.style.front:
            short = self.style.front == "placket"
            low, wide, count = (top + g.size(0.2, 0.27), 0.042, 3) if short else (self.length + 0.01, 0.038, 7)
            g.panel(box(-wide, top, wide, low), plain(dye) if short else self.cloth, thick=1.6, round=0.012, keep=0.6)
            g.seam(line([(0.76 * wide, top), (0.76 * wide, low)]), 0.005, both=True, tone=0.8)
            for row in range(count):
                y = top + (row + 0.45) * (low - top) / count
                g.button(0, y, 0.014, fabric.rgb("white") if fabric.lightness(dye) < 0.6 else dye * 0.6)

    def _collar(self) -> None:
        g, n, collar = self.g, self.neck, self.style.collar
        if collar in ("crew", "vee"):
            band = ribbon(np.add(self.neckline, (0, 0.014)), 0.022 if self.skirt else 0.04)
            g.panel(band, self.trim, thick=1.6, round=0.012, cast=0.2)
            g.seam(np.add(self.neckline, (0, 0.038)), 0.006, tone=0.8)
        elif collar == "stand":
            back = line([(-n, -0.13), (0, -0.17), (n, -0.13)], [(n, 0.08)], [(0, 0.14), (-n, 0.08)])
            g.panel(back, self.other, thick=2, tone=0.55)
            half = line([(0.01, 0.16), (0.035, 0.02), (0.05, -0.05)], [(0.6 * n, -0.12), (1.06 * n, -0.13)],
                        [(n + 0.055, 0.0), (n + 0.05, 0.06)], [(0.5 * n, 0.15), (0.01, 0.16)])  # fmt: skip
            g.panel(half, self.cloth, both=True, thick=5, round=0.035, cast=0.45)
        else:
            gap, own = (g.size(0.05, 0.085), self.trim) if collar == "open" else (0.012, self.cloth)
            spread, drop = n * g.size(0.5, 0.75) + 0.6 * gap, self.drop * (1 - 1.6 * gap)
            deep = drop + g.size(0.08, 0.11) + g.sway(0.01)
            inner = [(gap, drop), (0.55 * n + 0.4 * gap, 0.5 * drop), (0.96 * n, -0.035)]
            edge = [(n + 0.055, 0.05), (spread + 0.03, 0.45 * drop + 0.55 * deep), (spread, deep)]
            leaf = line(inner, [(n + 0.045, -0.01), edge[0]], edge[1:])
            g.panel(leaf, own, both=True, degrees=35, thick=6, round=0.025, cast=0.65, tone=1.06)
            stitch = line(edge, [(gap + 0.01, drop + 0.015)]) * (0.94, 0.97)
            tipped = "tip" in self.details
            g.seam(stitch, 0.016 if tipped else 0.005, both=True, dye=self.other.colour if tipped else None)

    def _hood(self) -> None:
        """A hood laid out above the shoulders: the outside, the dark opening and its rim, with fur or with strings."""
        g, cloth = self.g, self.cloth
        high, wide, lean = g.size(0.44, 0.56), g.size(0.27, 0.32), g.sway(0.035)
        brim = [(0, -1), (0.55 * wide, -0.95), (wide, -0.62), (1.05 * wide, -0.25), (self.neck + 0.1, 0.2), (0, 0.4)]
        gap = [(0, -0.8), (0.42 * wide, -0.72), (0.6 * wide, -0.42), (0.45 * wide, -0.1), (0, 0.34)]
        shell, hole = (symmetric(line(half) * (1, high)) for half in (brim, gap))
        for outline in (shell, hole):
            outline[:, 0] += lean * (-outline[:, 1] / high).clip(0, 1)
        g.panel(shell, cloth, thick=6, round=0.09, cast=0.4, tone=0.98)
        g.panel(hole, self.other if g.chance(0.4) else cloth, thick=-2, round=0.06, tone=0.55, cast=0)
        if self.style.collar == "fur":
            rim = ribbon(hole, 0.14 + 0.025 * g.pose.standard_normal(len(hole)))
            hairs = hole[g.pose.integers(0, len(hole), 120)] + g.pose.normal(0, 0.035, (120, 2))
            fluff(g, rim, hairs, 0, -0.2, g.make("heather", "sand brown cream grey"))
        else:
            g.panel(ribbon(np.vstack([hole, hole[:1]]), 0.05), cloth, round=0.02, cast=0.4)
        if "strings" in self.details:
            cords(g, 0.055, 0.13, 0.34, plain("white") if g.chance(0.5) else plain(cloth.colour * 0.7))
