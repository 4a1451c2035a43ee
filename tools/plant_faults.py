"""Plant faults in a copy of a data set, to measure what an audit finds.

    python tools/plant_faults.py --data datasets/clothing --split validation --out planted --count 50

Damaged files, pictures of nothing, and copies with the label of their original become new rows, `--count` of each kind;
`--flip` changes a fraction of the labels first. Writes the data set, and planted.csv: kind, image, original.
"""

import argparse
import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from clothing_classifier.datasets import Columns, Record, load_dataset

Rng = np.random.Generator
FLIPPED = "flipped-label"


def _scattered(data: bytes, rng: Rng) -> bytes:
    damaged = bytearray(data)
    for place in rng.integers(len(data) // 3, len(data) - 16, 20):
        damaged[place] ^= int(rng.integers(1, 256))
    return bytes(damaged)


def _zeroed(data: bytes, rng: Rng) -> bytes:
    return data[: int(len(data) * rng.uniform(0.3, 0.9))].ljust(len(data), b"\0")


def _jpeg(picture: Image.Image, quality: int = 92, form: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=quality)
    return buffer.getvalue()


def _cropped(picture: Image.Image, rng: Rng, most: float = 0.05) -> Image.Image:
    sides = np.array([0, 0, 1, 1]) + rng.uniform(0, most, 4) * (1, 1, -1, -1)
    left, top, right, bottom = np.round(sides * (*picture.size, *picture.size)).astype(int).tolist()
    return picture.crop((left, top, right, bottom))


def _scaled(picture: Image.Image, scale: float) -> Image.Image:
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)


def _blank(rng: Rng) -> Image.Image:
    pixels = rng.normal(rng.uniform(0, 255), rng.uniform(0, 4), (400, 300, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


FILES: dict[str, Callable[[bytes, Rng], bytes]] = {
    "truncated": lambda data, rng: data[: int(len(data) * rng.uniform(0.2, 0.95))],
    "zeroed": _zeroed,
    "scattered-bytes": _scattered,
    "web-page": lambda data, rng: b"<!DOCTYPE html><html><body>404</body></html>",
    "empty": lambda data, rng: b"",
    "exact-copy": lambda data, rng: data + b"\0",  # another file, the same pixels
}
PICTURES: dict[str, Callable[[Image.Image, Rng], bytes]] = {
    "wrong-extension": lambda picture, rng: _jpeg(_cropped(picture, rng, 0.1).rotate(180), form="PNG"),
    "blank": lambda picture, rng: _jpeg(_blank(rng)),
    "tiny": lambda picture, rng: _jpeg(picture.rotate(180).resize((24, 32))),
    "extreme-aspect": lambda picture, rng: _jpeg(picture.rotate(180).resize((1200, int(rng.uniform(60, 300))))),
    "re-encoded": lambda picture, rng: _jpeg(picture, int(rng.integers(30, 90))),
    "resized": lambda picture, rng: _jpeg(_scaled(picture, rng.uniform(0.4, 0.9))),
    "mirrored": lambda picture, rng: _jpeg(ImageOps.mirror(picture)),
    "brightness": lambda picture, rng: _jpeg(
        ImageEnhance.Brightness(picture).enhance(rng.choice([0.6, 0.8, 1.25, 1.4]))
    ),
    "cropped": lambda picture, rng: _jpeg(_cropped(picture, rng)),
}


def plant(records: tuple[Record, ...], out: Path, count: int, flipped: float, seed: int) -> None:
    """Write `records`, a fraction of their labels wrong, and `count` faults of each kind to `out`, a new folder."""
    rng = np.random.default_rng(seed)
    images = out / "images"
    images.mkdir(parents=True)
    labels = flip([record.label for record in records], flipped, rng)
    rows, planted = [], []
    for record, label in zip(records, labels, strict=True):
        (images / record.image).write_bytes(_read(record))
        rows.append([record.image, label, record.group or ""])
        if label != record.label:
            planted.append([FLIPPED, record.image, record.label])
    for kind in (*FILES, *PICTURES):
        for n, i in enumerate(rng.permutation(len(records))[:count]):
            name = f"{kind}-{n:03d}.jpg"
            (images / name).write_bytes(faulty(kind, _read(records[i]), rng))
            rows.append([name, labels[i], records[i].group or ""])
            planted.append([kind, name, records[i].image])
    _write(out / "dataset.csv", [["image", "label", "group"], *rows])
    _write(out / "planted.csv", [["kind", "image", "original"], *planted])


def flip(labels: list[str], fraction: float, rng: Rng) -> list[str]:
    """The labels, a fraction of them changed to another one that occurs."""
    known, changed = sorted(set(labels)), list(labels)
    for i in rng.permutation(len(labels))[: round(fraction * len(labels))]:
        changed[i] = str(rng.choice([label for label in known if label != labels[i]]))
    return changed


def faulty(kind: str, data: bytes, rng: Rng) -> bytes:
    """The file of a photo, with a fault."""
    if kind in FILES:
        return FILES[kind](data, rng)
    with Image.open(io.BytesIO(data)) as picture:
        return PICTURES[kind](picture.convert("RGB"), rng)


def _read(record: Record) -> bytes:
    assert isinstance(record.source, Path)
    return record.source.read_bytes()


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def main() -> None:
    """Write the data set with its faults, and what they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data set of JPEG photos")
    parser.add_argument("--split", required=True, help="the split to take the photos of")
    parser.add_argument("--out", type=Path, required=True, help="data set to write")
    parser.add_argument("--count", type=int, default=50, help="faults of each kind (default 50)")
    parser.add_argument("--flip", type=float, default=0.0, help="fraction of the labels to change (default 0)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset = load_dataset(options.data, Columns(group="sender_id"), (), ("Not sure", "Other", "Skip"))
    plant(dataset.part(options.split), options.out, options.count, options.flip, options.seed)


if __name__ == "__main__":
    main()
