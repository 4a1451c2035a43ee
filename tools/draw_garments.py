"""Draws the small embedded data set (data/dataset.csv and data/images), so that the quick start and the tests have
pictures that anybody may use and that come out the same from the same seed."""

import argparse
import csv
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from clothing_classifier.utils import atomic_path
from garments import bottoms, dresses, hats, hoodies, outerwear, photo, shirts, shoes, shorts, skirts, tops
from garments.brief import Brief
from garments.cloth import Piece

GARMENTS = 10
VIEWS = "ab"
QUALITY = 88
SPLITS = ("train", "train", "validation", "train", "test", "train", "train", "validation", "test", "train")


@dataclass(frozen=True)
class Kind:
    """A label, its painter, the share of views that hang, and whether the garment is wider than high."""

    label: str
    paint: Callable[[Brief], Piece]
    hung: float = 0.0
    wide: bool = False


KINDS = (
    Kind("T-Shirt", tops.t_shirt, 0.2),
    Kind("Longsleeve", tops.longsleeve, 0.3),
    Kind("Shirt", shirts.shirt, 0.35),
    Kind("Polo", shirts.polo, 0.25),
    Kind("Hoodie", hoodies.hoodie, 0.3),
    Kind("Outwear", outerwear.outwear, 0.35),
    Kind("Pants", bottoms.pants, 0.25),
    Kind("Shorts", shorts.shorts, 0.2, True),
    Kind("Skirt", skirts.skirt, 0.2),
    Kind("Dress", dresses.dress, 0.35),
    Kind("Shoes", shoes.shoes, 0.0, True),
    Kind("Hat", hats.hat, 0.0, True),
)


@dataclass(frozen=True)
class Picture:
    """One row of dataset.csv: the view `view` of garment `number` of a kind."""

    kind: Kind
    number: int
    view: int

    @property
    def group(self) -> str:
        """The garment's name."""
        return f"{self.kind.label.lower()}-{self.number:02d}"

    @property
    def image(self) -> str:
        """The file name below images/."""
        return f"{self.group}-{VIEWS[self.view]}.jpg"

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The values of the columns image, label, group and split."""
        return self.image, self.kind.label, self.group, SPLITS[self.number]


def pictures() -> list[Picture]:
    """All pictures of the data set, in the order of their file names."""
    every = (Picture(kind, number, view) for kind in KINDS for number in range(GARMENTS) for view in range(len(VIEWS)))
    return sorted(every, key=lambda picture: picture.image)


def draw(picture: Picture, seed: int) -> Image.Image:
    """The picture (RGB, long side 256): the same pixels for the same seed, whatever was drawn before."""
    key = [seed, zlib.crc32(picture.kind.label.encode()), picture.number]
    rng = np.random.default_rng([*key, 1 + picture.view])
    hang = bool(rng.random() < picture.kind.hung)
    piece = picture.kind.paint(Brief(picture.number, np.random.default_rng(key), rng, hang))
    return photo.take(rng, piece, photo.shot(rng, picture.kind.wide, hang), hang)


def save(image: Image.Image, path: Path) -> None:
    """Write the JPEG; never leaves half a file."""
    with atomic_path(path) as part:
        image.save(part, "JPEG", quality=QUALITY, optimize=True)


def write_table(rows: list[Picture], path: Path) -> None:
    """Write dataset.csv."""
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("image", "label", "group", "split"))
        writer.writerows(picture.row for picture in rows)


def progress(rows: list[Picture]) -> Iterator[Picture]:
    """The rows, with a line on standard error as each label of them begins."""
    for index, picture in enumerate(rows):
        if index % (GARMENTS * len(VIEWS)) == 0:
            print(f"{index}/{len(rows)} {picture.kind.label}", file=sys.stderr)
        yield picture


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python tools/draw_garments.py --out data --seed 0"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for dataset.csv and images/")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other garments (default 0)")
    parser.add_argument(
        "--label", action="append", help="draw the pictures of this label only; the table still lists all"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Draw every picture, then the table that lists them."""
    options = parse(arguments)
    folder = options.out / "images"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [p for p in pictures() if not options.label or p.kind.label in options.label]
    for picture in progress(wanted):
        save(draw(picture, options.seed), folder / picture.image)
    write_table(pictures(), options.out / "dataset.csv")


if __name__ == "__main__":
    main()
