"""Pictures of README.md drawn from results/, the manifest of the photos and data/.

    python tools/picture_results.py --out docs/figures

Draws classes.png, architecture.png, augmentation.png and confusion.png.
"""

import argparse
import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clothing_classifier.config import TrainSettings
from clothing_classifier.preprocessing import ImageContract, prepare
from clothing_classifier.report import charts
from clothing_classifier.report.figure import make_figure, to_png
from clothing_classifier.training.augmentation import augment, corrupt
from clothing_classifier.utils import write_bytes
from render import ROOT, load_record

MODEL = "wardrobe"
PHOTOS = ROOT / "code" / "clothing_classifier" / "manifests" / "clothing.csv.gz"
SPLITS = ("train", "validation", "test")
SHOWN = ("hoodie-00-a", "dress-02-a", "shoes-00-a", "shirt-02-a")
VIEWS = 6


def main() -> None:
    """Draw each of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    out = parser.parse_args().out
    bundle = load_record(f"bundles/{MODEL}")
    size, labels = bundle["preprocessing"]["size"], bundle["labels"]
    channels = {stage["name"]: stage["channels"] for stage in load_record("network")["stages"]}
    drawn = {
        "classes": to_png(charts.draw_classes(count_photos(labels))),
        "architecture": to_png(charts.draw_network(bundle["stages"], size, len(labels), channels)),
        "augmentation": draw_views(),
        "confusion": to_png(
            charts.draw_confusion(load_record(f"{MODEL}-evaluation")["validation"] | {"labels": labels})
        ),
    }
    for name, png in drawn.items():
        write_bytes(out / f"{name}.png", png)


def count_photos(labels: list[str]) -> dict[str, dict[str, int]]:
    """Photos of each of `labels` by split, from the manifest of the clothing photos."""
    with gzip.open(PHOTOS, "rt", encoding="utf-8", newline="") as stream:
        counts = Counter((row["label"], row["split"]) for row in csv.DictReader(stream))
    return {label: {split: counts[label, split] for split in SPLITS if counts[label, split]} for label in labels}


def draw_views() -> bytes:
    """Drawn garments as the network sees them, and six augmented views of each."""
    bundle = load_record(f"bundles/{MODEL}")
    contract = ImageContract(bundle["preprocessing"]["size"], bundle["preprocessing"]["fit"])
    settings = TrainSettings(**bundle["provenance"]["settings"]).augmentation
    photos = np.stack([prepare(ROOT / "data" / "images" / f"{name}.jpg", contract) for name in SHOWN])
    generator = torch.Generator().manual_seed(0)
    views = [
        corrupt(augment(torch.from_numpy(photos), settings.size, settings, generator), settings.corrupt, generator)
        for _ in range(VIEWS)
    ]
    figure = make_figure(1.35 * (VIEWS + 1), 1.42 * len(SHOWN))
    for row, axes in enumerate(figure.subplots(len(SHOWN), VIEWS + 1)):
        shown = [photos[row], *(view[row].permute(1, 2, 0).clamp(0, 1).numpy() for view in views)]
        for panel, image in zip(axes, shown, strict=True):
            panel.imshow(image)
            panel.set_axis_off()
        if row == 0:
            axes[0].set_title("photo", fontsize=10)
            axes[1].set_title("six training views", fontsize=10, loc="left")
    return with_palette(to_png(figure))


def with_palette(png: bytes) -> bytes:
    """The same picture in 256 colours: a third of the bytes."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
