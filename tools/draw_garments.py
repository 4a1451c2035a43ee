"""Draw the small data set of data/ (dataset.csv and images/), the same pixels for the same seed."""

import argparse
import csv
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from clothing_classifier.utils import atomic_path
from garments import accessories, bottoms, scene, tops
from garments.cloth import Garment

GARMENTS = 10
VIEWS = "ab"
QUALITY = 85
SPLITS = ("train", "train", "validation", "train", "test", "train", "train", "validation", "test", "train")


@dataclass(frozen=True)
class Kind:
    """What draws a label's garments, the fraction of views that hang, and whether garments are wider than high."""

    draw: Callable[[Garment], None]
    hung: float = 0.0
    wide: bool = False


KINDS = {
    **{label: Kind(partial(tops.draw, label=label), 0.3) for label in tops.STYLES},
    "Pants": Kind(partial(bottoms.draw, label="Pants"), 0.25),
    "Shorts": Kind(partial(bottoms.draw, label="Shorts"), 0.2, wide=True),
    "Skirt": Kind(partial(bottoms.draw, label="Skirt"), 0.2),
    "Shoes": Kind(accessories.shoes, wide=True),
    "Hat": Kind(accessories.hat, wide=True),
}


@dataclass(frozen=True)
class Picture:
    """One row of dataset.csv: view `view` of garment `number` of a label."""

    label: str
    number: int
    view: int

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The values of the columns image, label, group and split."""
        group = f"{self.label.lower()}-{self.number:02d}"
        return f"{group}-{VIEWS[self.view]}.jpg", self.label, group, SPLITS[self.number]

    @property
    def image(self) -> str:
        """The file name below images/."""
        return self.row[0]


def pictures() -> list[Picture]:
    """All pictures of the data set, in the order of their file names."""
    every = (Picture(label, number, view) for label in KINDS for number in range(GARMENTS) for view in (0, 1))
    return sorted(every, key=lambda picture: picture.image)


def draw(picture: Picture, seed: int) -> Image.Image:
    """The picture (RGB, long side 256), whatever was drawn before."""
    kind = KINDS[picture.label]
    key = [seed, zlib.crc32(picture.label.encode()), picture.number]
    pose = np.random.default_rng([*key, 1 + picture.view])
    garment = Garment(picture.number, np.random.default_rng(key), pose, bool(pose.random() < kind.hung))
    kind.draw(garment)
    return scene.take(garment, kind.wide)


def save(image: Image.Image, path: Path) -> None:
    """Write the JPEG whole or not at all."""
    with atomic_path(path) as part:
        image.save(part, "JPEG", quality=QUALITY, optimize=True)


def write_table(rows: list[Picture], path: Path) -> None:
    """Write dataset.csv."""
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("image", "label", "group", "split"))
        writer.writerows(picture.row for picture in rows)


def main(arguments: list[str] | None = None) -> None:
    """Draw every picture, then the table that lists them."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python tools/draw_garments.py --out data --seed 0"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for dataset.csv and images/")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other garments (default 0)")
    options = parser.parse_args(arguments)
    folder = options.out / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures():
        save(draw(picture, options.seed), folder / picture.image)
        print(picture.image, file=sys.stderr)
    write_table(pictures(), options.out / "dataset.csv")


if __name__ == "__main__":
    main()
