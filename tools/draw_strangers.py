"""Draws pictures that show no garment, one folder a kind, to measure how well `unfamiliarity` tells them from clothes.

python tools/draw_strangers.py --out strangers --count 150 --seed 0
"""

import argparse
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from strangers import camera, cartoons, noise, rooms, scenes, textures
from strangers.canvas import Rng

KINDS: dict[str, Callable[[Rng, int, int], np.ndarray]] = {
    "textures": textures.draw,
    "scenes": scenes.draw,
    "rooms": rooms.draw,
    "cartoons": cartoons.draw,
    "noise": noise.draw,
}
_FLAT = ("cartoons", "noise")
"""Kinds of which most pictures are files made on a computer, never in front of a lens."""
_PHOTOGRAPHED = 0.3


def draw(kind: str, number: int, seed: int) -> Image.Image:
    """Picture `number` of a kind (RGB, long side 240 to 400): the same for the same seed, whatever was drawn before."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), number])
    picture = KINDS[kind](rng, *camera.size(rng))
    if kind in _FLAT and rng.random() >= _PHOTOGRAPHED:
        return camera.to_image(255 * picture)
    return camera.photograph(rng, picture)


def draw_many(kind: str, count: int, seed: int) -> Iterator[Image.Image]:
    """The first `count` pictures of a kind."""
    return (draw(kind, number, seed) for number in range(count))


def main(arguments: list[str] | None = None) -> None:
    """Write JPEGs as OUT/KIND/NUMBER.jpg."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to fill")
    parser.add_argument("--count", type=int, default=150, help="pictures of each kind (default 150)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other pictures (default 0)")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="draw this kind only; may be repeated")
    options = parser.parse_args(arguments)
    for kind in options.kind or KINDS:
        folder = options.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(draw_many(kind, options.count, options.seed)):
            picture.save(folder / f"{number:04d}.jpg", quality=int(70 + number % 26))


if __name__ == "__main__":
    main()
