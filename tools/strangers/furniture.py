"""Furniture made of boxes: tables, beds, sofas, cupboards, shelves of books, kitchen counters, lamps."""

from dataclasses import dataclass

import numpy as np

from garments import palette
from garments.geometry import Array
from garments.prints import PAINTERS
from strangers.canvas import Rng, hsv, shade, spread


@dataclass(frozen=True)
class Block:
    """Furniture or a part of it: opposite corners `(3,)` in metres, its colour, or the tile that is printed on it."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    colour: Array
    pattern: Array | None = None


def furnish(rng: Rng, wide: float, deep: float) -> list[Block]:
    """Two to six pieces in the farther part of a room."""
    makers = (_table, _bed, _sofa, _cupboard, _shelf, _counter, _lamp)
    blocks: list[Block] = []
    for _ in range(int(rng.integers(2, 7))):
        x, z = float(rng.uniform(0, wide - 0.8)), float(rng.uniform(0.4 * deep, deep - 0.5))
        blocks += makers[int(rng.integers(len(makers)))](rng, x, z)
    return blocks


def _timber(rng: Rng) -> Array:
    return hsv(rng.uniform(0.04, 0.1), rng.uniform(0.1, 0.7), rng.uniform(0.2, 0.9))


def _table(rng: Rng, x: float, z: float) -> list[Block]:
    wide, deep, high, wood = rng.uniform(0.6, 1.8), rng.uniform(0.5, 1), rng.uniform(0.4, 0.8), _timber(rng)
    legs = [Block((x + a * (wide - 0.07), 0, z + b * (deep - 0.07)),
                  (x + a * (wide - 0.07) + 0.07, high, z + b * (deep - 0.07) + 0.07), shade(wood, 0.8))
            for a in (0, 1) for b in (0, 1)]  # fmt: skip
    places = zip(x + rng.random(3) * wide, high + rng.uniform(0.1, 0.4, 3), strict=True)
    things = [Block((a, high + 0.04, z + 0.2), (a + 0.12, top, z + 0.32), hsv(rng.random(), 0.6, 0.7))
              for a, top in places]  # fmt: skip
    return [*legs, Block((x, high, z), (x + wide, high + 0.05, z + deep), wood), *things]


def _cover(rng: Rng) -> tuple[Array, Array | None]:
    dye = palette.pick(rng, palette.ANY)
    if rng.random() < 0.6:
        return dye, None
    names = ("floral", "plaid", "gingham", "geometric")
    colours = [dye, *(palette.pick(rng, palette.ANY) for _ in range(3))]
    return dye, PAINTERS[names[int(rng.integers(len(names)))]](rng, colours)


def _bed(rng: Rng, x: float, z: float) -> list[Block]:
    wide, wood, (dye, tile) = rng.uniform(1, 1.8), _timber(rng), _cover(rng)
    white = np.full(3, 0.93, np.float32)
    pillows = [Block((a + 0.1, 0.5, z + 1.55), (a + wide / 2 - 0.1, 0.62, z + 1.95), white) for a in (x, x + wide / 2)]
    head = Block((x - 0.05, 0, z + 2), (x + wide + 0.05, rng.uniform(0.8, 1.2), z + 2.08), wood)
    return [Block((x, 0, z), (x + wide, 0.3, z + 2), wood), Block((x, 0.3, z), (x + wide, 0.5, z + 2), dye, tile),
            head, *pillows]  # fmt: skip


def _sofa(rng: Rng, x: float, z: float) -> list[Block]:
    wide, (dye, tile) = rng.uniform(0.8, 2.2), _cover(rng)
    dark = shade(dye, 0.85)
    return [Block((x, 0.1, z), (x + wide, 0.45, z + 0.8), dye, tile),
            Block((x, 0.1, z + 0.7), (x + wide, 0.9, z + 0.95), dark),
            Block((x - 0.18, 0.1, z), (x, 0.62, z + 0.9), dark),
            Block((x + wide, 0.1, z), (x + wide + 0.18, 0.62, z + 0.9), dark)]  # fmt: skip


def _cupboard(rng: Rng, x: float, z: float) -> list[Block]:
    wide, high, wood = rng.uniform(0.8, 1.8), rng.uniform(0.9, 2.2), _timber(rng)
    parts = int(rng.integers(2, 4))
    doors = [Block((x + (i + 0.05) * wide / parts, 0.1, z - 0.02), (x + (i + 0.95) * wide / parts, high - 0.06, z),
                   shade(wood, 1.12)) for i in range(parts)]  # fmt: skip
    return [Block((x, 0, z), (x + wide, high, z + 0.55), wood), *doors]


def _shelf(rng: Rng, x: float, z: float) -> list[Block]:
    wide, rows, wood = rng.uniform(0.6, 1.4), int(rng.integers(3, 6)), _timber(rng)
    blocks = [Block((x, 0, z + 0.25), (x + wide, rows * 0.38, z + 0.3), shade(wood, 0.6))]
    for row in range(rows + 1):
        blocks.append(Block((x, row * 0.38, z), (x + wide, row * 0.38 + 0.03, z + 0.28), wood))
        place = x + 0.02
        while row < rows and place < x + wide - 0.08:
            thick = float(rng.uniform(0.03, 0.1))
            book = spread(rng, hsv(rng.random(), rng.uniform(0.1, 0.8), rng.uniform(0.2, 0.9)), 0.02)
            if rng.random() < 0.85:
                blocks.append(Block((place, row * 0.38 + 0.03, z + 0.03),
                                    (place + thick, row * 0.38 + rng.uniform(0.2, 0.34), z + 0.25), book))  # fmt: skip
            place += thick + 0.004
    return blocks


def _counter(rng: Rng, x: float, z: float) -> list[Block]:
    wide, front = rng.uniform(1.2, 2.6), hsv(rng.random(), rng.uniform(0, 0.4), rng.uniform(0.3, 0.95))
    blocks = [Block((x, 0, z), (x + wide, 0.86, z + 0.6), front),
              Block((x - 0.02, 0.86, z - 0.02), (x + wide + 0.02, 0.9, z + 0.62), _timber(rng)),
              Block((x, 1.45, z + 0.25), (x + wide, 2.1, z + 0.6), shade(front, 0.95))]  # fmt: skip
    doors = [Block((a + 0.02, 0.08, z - 0.02), (a + 0.48, 0.8, z), shade(front, 1.06))
             for a in np.arange(x, x + wide - 0.5, 0.5)]  # fmt: skip
    return [*blocks, *doors]


def _lamp(rng: Rng, x: float, z: float) -> list[Block]:
    glow = hsv(0.12, rng.uniform(0.1, 0.4), 1.0)
    return [Block((x + 0.13, 0, z + 0.13), (x + 0.17, 1.4, z + 0.17), np.full(3, 0.2, np.float32)),
            Block((x, 1.35, z), (x + 0.3, 1.65, z + 0.3), glow)]  # fmt: skip
