"""Plants faults in a copy of a data set, to measure what an audit finds.

    python tools/plant_faults.py --data datasets/clothing --split validation --out planted --count 50 --seed 0

Of each kind so many photos are taken: damaged files and pictures of nothing stand beside the originals as new rows,
copies too, with the label of their original. With --flip a share of the labels is changed to another one of the table,
before copies are made. Writes the data set, and `planted.csv` with the columns kind, image, original.
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


def encoded(picture: Image.Image, quality: int = 92, form: str = "JPEG") -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=quality)
    return buffer.getvalue()


def truncated(data: bytes, rng: Rng) -> bytes:
    """A download that stopped."""
    return data[: int(len(data) * rng.uniform(0.2, 0.95))]


def zeroed(data: bytes, rng: Rng) -> bytes:
    """A download of which the rest was only reserved."""
    kept = int(len(data) * rng.uniform(0.3, 0.9))
    return data[:kept] + bytes(len(data) - kept)


def scattered(data: bytes, rng: Rng) -> bytes:
    """Twenty wrong bytes in the picture's data."""
    damaged = bytearray(data)
    for place in rng.integers(len(data) // 3, len(data) - 16, 20):
        damaged[place] ^= int(rng.integers(1, 256))
    return bytes(damaged)


def _cropped(picture: Image.Image, rng: Rng) -> Image.Image:
    left, top, right, bottom = rng.uniform(0, 0.05, 4)
    width, height = picture.size
    return picture.crop((round(width * left), round(height * top),
                         round(width * (1 - right)), round(height * (1 - bottom))))  # fmt: skip


def _resized(picture: Image.Image, rng: Rng) -> Image.Image:
    scale = rng.uniform(0.4, 0.9)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)


def _blank(rng: Rng) -> Image.Image:
    pixels = rng.normal(rng.uniform(0, 255), rng.uniform(0, 4), (400, 300, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _strip(picture: Image.Image, rng: Rng) -> Image.Image:
    return picture.resize((1200, int(rng.uniform(60, 300))))


FILES: dict[str, Callable[[bytes, Rng], bytes]] = {
    "truncated": truncated,
    "zeroed": zeroed,
    "scattered-bytes": scattered,
    "web-page": lambda data, rng: b"<!DOCTYPE html><html><body>404</body></html>",
    "empty": lambda data, rng: b"",
}
PICTURES: dict[str, Callable[[Image.Image, Rng], bytes]] = {
    "wrong-extension": lambda picture, rng: encoded(_cropped(_cropped(picture, rng), rng).rotate(180), form="PNG"),
    "blank": lambda picture, rng: encoded(_blank(rng)),
    "tiny": lambda picture, rng: encoded(picture.rotate(180).resize((24, 32))),
    "extreme-aspect": lambda picture, rng: encoded(_strip(picture.rotate(180), rng)),
    "re-encoded": lambda picture, rng: encoded(picture, int(rng.integers(30, 90))),
    "resized": lambda picture, rng: encoded(_resized(picture, rng)),
    "mirrored": lambda picture, rng: encoded(ImageOps.mirror(picture)),
    "brightness": lambda picture, rng: encoded(
        ImageEnhance.Brightness(picture).enhance(rng.choice([0.6, 0.8, 1.25, 1.4]))
    ),
    "cropped": lambda picture, rng: encoded(_cropped(picture, rng)),
}
EXACT = "exact-copy"


def main() -> None:
    """Write the data set with its faults, and what they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data set of JPEG photos")
    parser.add_argument("--split", required=True, help="the part to take the photos of")
    parser.add_argument("--exclude-labels", default="Not sure,Other,Skip")
    parser.add_argument("--out", type=Path, required=True, help="data set to write")
    parser.add_argument("--count", type=int, default=50, help="faults of each kind (default 50)")
    parser.add_argument("--flip", type=float, default=0.0, help="share of the labels to change (default 0)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset = load_dataset(options.data, Columns(group="sender_id"), (), options.exclude_labels.split(","))
    plant(dataset.part(options.split), options.out, options.count, options.flip, options.seed)


def plant(records: tuple[Record, ...], out: Path, count: int, flipped: float, seed: int) -> None:
    """Write `records` with `count` faults of each kind and a share of wrong labels to `out`, a new folder."""
    rng = np.random.default_rng(seed)
    images = out / "images"
    images.mkdir(parents=True)
    labels = flip([record.label for record in records], flipped, rng)
    rows = [[record.image, label, record.group or ""] for record, label in zip(records, labels, strict=True)]
    planted = [
        [FLIPPED, record.image, record.label]
        for record, label in zip(records, labels, strict=True)
        if record.label != label
    ]
    for record in records:
        (images / record.image).write_bytes(_bytes(record))
    for kind in (*FILES, *PICTURES, EXACT):
        for n, i in enumerate(rng.permutation(len(records))[:count]):
            name = f"{kind}-{n:03d}.jpg"
            (images / name).write_bytes(faulty(kind, _bytes(records[i]), rng))
            rows.append([name, labels[i], records[i].group or ""])
            planted.append([kind, name, records[i].image])
    write(out / "dataset.csv", ["image", "label", "group"], rows)
    write(out / "planted.csv", ["kind", "image", "original"], planted)


def flip(labels: list[str], share: float, rng: Rng) -> list[str]:
    """The labels, a share of them changed to another one that occurs."""
    known, changed = sorted(set(labels)), list(labels)
    for i in rng.permutation(len(labels))[: round(share * len(labels))]:
        changed[i] = str(rng.choice([label for label in known if label != labels[i]]))
    return changed


def faulty(kind: str, data: bytes, rng: Rng) -> bytes:
    """The file of a photo, with a fault."""
    if kind in FILES:
        return FILES[kind](data, rng)
    if kind == EXACT:
        return data + b"\0"  # another file, the same pixels
    with Image.open(io.BytesIO(data)) as picture:
        return PICTURES[kind](picture.convert("RGB"), rng)


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """Write a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _bytes(record: Record) -> bytes:
    assert isinstance(record.source, Path)
    return record.source.read_bytes()


if __name__ == "__main__":
    main()
