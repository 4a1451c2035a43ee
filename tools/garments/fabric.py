"""Cloth: dyes, printed and woven tiles that repeat without a seam, and the relief of knits and padding."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.spatial import KDTree

from garments.shapes import Array, Rng, smoothstep

DYES = {
    "black": "#1c1b1e", "charcoal": "#3a3b40", "grey": "#8b8d92", "silver": "#b9bbbe", "white": "#eeece8",
    "cream": "#e7ddc8", "sand": "#cbb491", "camel": "#a97c4f", "brown": "#5c3f30", "navy": "#1f2947",
    "royal": "#2747a6", "blue": "#3f73b5", "sky": "#9dbfe0", "teal": "#21686d", "mint": "#a5d2bf",
    "green": "#2f6b45", "olive": "#5c5f3b", "mustard": "#cf9f33", "yellow": "#ecd04e", "orange": "#d9692f",
    "coral": "#e2776b", "red": "#b8262c", "burgundy": "#682233", "pink": "#e6a3b6", "magenta": "#bf2f73",
    "dusty": "#bf8e8b", "plum": "#5b2e57", "lilac": "#b6a1cf", "metal": "#b9b9bb", "thread": "#c79a5a",
}  # fmt: skip
ANY = " ".join(DYES)
NEUTRAL = "black charcoal grey white navy sand olive brown cream burgundy"
DENIM = "#33476b #5b7ba3 #8fa9c4 #26304a #3d4046"
WORDS = "NORTH COAST WAVES ATLAS RIDER SUNDAY OCEAN TOKYO ALPINE RUN HELLO 1978 SURF LIBRE MOON WILD SPORT PARIS"
SIZE = 256
BAFFLE = 0.2


def rgb(code: str) -> Array:
    """A dye by its name or as #rrggbb: sRGB, (3,) float32 in [0, 1]."""
    code = DYES.get(code, code).lstrip("#")
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


def choose(rng: Rng, names: str) -> str:
    """One of the words of a text."""
    options = names.split()
    return options[int(rng.integers(len(options)))]


def pick(rng: Rng, names: str = ANY) -> Array:
    """One of the dyes, slightly off, so that no two garments share one."""
    colour = rgb(choose(rng, names))
    colour += (lightness(colour) - colour) * np.float32(rng.uniform(0, 0.32))
    return np.clip(colour * (1 + rng.normal(0, 0.05)) + rng.normal(0, 0.015, 3), 0.03, 0.96).astype(np.float32)


def lightness(colour: Array) -> float:
    """Perceived brightness in [0, 1]."""
    return float(colour @ np.array([0.3, 0.59, 0.11], np.float32))


def distance(a: Array, b: Array) -> float:
    """How far apart two colours look: brightness counts double."""
    return float(np.hypot(np.linalg.norm(a - b), 2 * abs(lightness(a) - lightness(b))))


def contrasting(rng: Rng, other: Array, names: str = ANY) -> Array:
    """The one of four picked dyes that stands out most against a colour."""
    return max((pick(rng, names) for _ in range(4)), key=lambda colour: distance(colour, other))


@dataclass(frozen=True)
class Fabric:
    """A tile (N, N, 3) that repeats every `period` garment units, the name of its relief, and its gloss."""

    tile: Array
    period: float = 1.0
    weave: str = ""
    gloss: float = 0.0

    @property
    def colour(self) -> Array:
        """The mean colour."""
        return self.tile.mean(axis=(0, 1))

    def albedo(self, u: Array, v: Array) -> Array:
        """Colours (..., 3) at coordinates across and along the grain."""
        column, row = (np.floor(t * len(self.tile) / self.period).astype(np.intp) % len(self.tile) for t in (u, v))
        return self.tile[row, column]


def plain(colour: Array | str, weave: str = "", gloss: float = 0.0) -> Fabric:
    """A cloth of one even colour, for trims and hard parts."""
    dye = rgb(colour) if isinstance(colour, str) else colour
    return Fabric(np.broadcast_to(dye, (4, 4, 3)).astype(np.float32), 1.0, weave, gloss)


def make(rng: Rng, prints: str, dyes: str = ANY, weave: str = "", gloss: float = 0.0) -> Fabric:
    """A cloth with one of the prints in one of the dyes."""
    name = choose(rng, prints)
    ground = rgb(choose(rng, DENIM)) if name == "denim" else pick(rng, dyes)
    colours = np.stack([ground, *(contrasting(rng, ground) for _ in range(3))])
    tile = PRINTS[name](rng, colours).astype(np.float32)
    return Fabric(np.clip(tile, 0, 1), PERIODS.get(name, 0.4) * rng.uniform(0.75, 1.3), weave, gloss)


def relief(weave: str, u: Array, v: Array) -> tuple[Array, Array]:
    """Height of the weave, about [-1, 1] and more where it is padded, and how bright its grooves are."""
    if weave == "rib":
        return np.sin(2 * np.pi * u / 0.028), np.ones_like(u)
    if weave == "knit":
        zigzag = np.abs((u / 0.045) % 1 - 0.5) * 0.045
        return 0.7 * np.sin(2 * np.pi * u / 0.045) + np.sin(2 * np.pi * (v + zigzag) / 0.03), np.ones_like(u)
    if weave == "baffle":
        bulge = np.sqrt(np.abs(np.sin(np.pi * v / BAFFLE)))
        return 16 * bulge - 8, 0.72 + 0.3 * bulge
    return np.zeros_like(u), np.ones_like(u)


def _solid(rng: Rng, colours: Array) -> Array:
    return colours[0] * (1 + rng.normal(0, 0.02, (SIZE, SIZE, 1)))


def _heather(rng: Rng, colours: Array) -> Array:
    speck = rng.normal(0, 1, (SIZE, SIZE, 1))
    return colours[0] + 0.025 * (speck + np.roll(speck, 1, 1))


def _denim(rng: Rng, colours: Array) -> Array:
    y, x = np.mgrid[:SIZE, :SIZE]
    yarn = 0.5 * rng.normal(0, 1, (1, SIZE)) + 0.7 * rng.normal(0, 1, (SIZE, SIZE))
    return colours[0] * (1 + 0.05 * np.sin(2 * np.pi * (x + y) / 6.4) + 0.05 * yarn)[..., None]


def _stripes(rng: Rng, colours: Array) -> Array:
    place = np.arange(SIZE) * rng.integers(2, 6) / SIZE
    bands = np.where(place % 1 < rng.uniform(0.2, 0.55), 1 + place.astype(int) % 3, 0)
    return np.broadcast_to(colours[bands][:, None], (SIZE, SIZE, 3))


def _plaid(rng: Rng, colours: Array) -> Array:
    warp = np.repeat(colours[:1], SIZE, axis=0)
    for _ in range(int(rng.integers(3, 6))):
        band = (rng.integers(SIZE) + np.arange(rng.integers(6, 60))) % SIZE
        warp[band] = colours[rng.integers(1, 4)]
    twill = ((np.add.outer(np.arange(SIZE), np.arange(SIZE)) // 2) % 2)[..., None]
    crossed = warp[:, None] * twill + warp[None] * (1 - twill)
    return 0.3 * (warp[:, None] + warp[None]) + 0.4 * crossed


def _dots(rng: Rng, colours: Array) -> Array:
    count = int(rng.integers(3, 6))
    y, x = np.mgrid[:SIZE, :SIZE] * count / SIZE
    away = np.minimum(np.hypot(x % 1 - 0.5, y % 1 - 0.5), np.hypot((x + 0.5) % 1 - 0.5, (y + 0.5) % 1 - 0.5))
    return colours[(away < rng.uniform(0.12, 0.26)).astype(int)]


def _floral(rng: Rng, colours: Array) -> Array:
    """Flowers and leaves: five or two petals about the nearest of scattered centres."""
    size = rng.uniform(13, 26)
    centres = rng.uniform(0, SIZE, (int(0.5 * (SIZE / size) ** 2), 2))
    places = np.moveaxis(np.mgrid[:SIZE, :SIZE], 0, -1).astype(float)
    away, nearest = KDTree(centres, boxsize=SIZE).query(places)
    dy, dx = np.moveaxis((places - centres[nearest] + SIZE / 2) % SIZE - SIZE / 2, -1, 0)
    turn, radius = rng.uniform(0, 6.3, len(centres)), size * rng.uniform(0.7, 1.3, len(centres))
    leaf = nearest % 3 == 0
    petals = 0.7 + 0.3 * np.cos(np.where(leaf, 2, 5) * (np.arctan2(dy, dx) + turn[nearest]))
    dyes = np.vstack([np.array([0.25, 0.42, 0.25]) * rng.uniform(0.6, 1.3), colours[1:], colours[3] * 0.6 + 0.3])
    index = np.where(leaf, 0, np.where(away < 0.3 * radius[nearest], 4, 1 + nearest % 3))
    inside = smoothstep(radius[nearest] * petals - away, -1, 1)[..., None]
    return colours[0] * (1 - inside) + dyes[index] * inside


PRINTS: dict[str, Callable[[Rng, Array], Array]] = {
    "solid": _solid, "heather": _heather, "denim": _denim, "stripes": _stripes, "plaid": _plaid, "dots": _dots,
    "floral": _floral,
}  # fmt: skip
PERIODS = {"solid": 1.0, "heather": 1.0, "denim": 0.8, "floral": 0.55, "stripes": 0.3, "plaid": 0.3}


def code(colour: Array) -> tuple[int, int, int]:
    """The colour as Pillow takes it."""
    red, green, blue = (np.clip(colour, 0, 1) * 255).astype(int).tolist()
    return red, green, blue


def lettering(rng: Rng, colours: list[Array]) -> Image.Image:
    """One to three lines of words, RGBA."""
    image = Image.new("RGBA", (460, 330))
    draw, y = ImageDraw.Draw(image), 0.0
    for row in range(int(rng.integers(1, 4))):
        size = rng.uniform(26, 44) if row else rng.uniform(60, 100)
        draw.text((230, y), choose(rng, WORDS), code(colours[row]), ImageFont.load_default(size), "ma", stroke_width=2)
        y += size * 1.05
    return image.crop(image.getbbox())


def emblem(rng: Rng, dye: Array, ground: Array) -> Image.Image:
    """A round badge with a star and a word across, RGBA."""
    image = Image.new("RGBA", (300, 300))
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 10, 290, 290), code(ground), code(dye), 18)
    draw.regular_polygon((150, 150, 110), int(rng.integers(3, 8)), rng.uniform(0, 90), fill=code(dye))
    draw.rectangle((0, 122, 300, 180), fill=code(dye))
    draw.text((150, 150), choose(rng, WORDS), code(ground), ImageFont.load_default(46), "mm", stroke_width=2)
    return image
