"""Pictures of README.md that come from results/, the manifest and drawings: what a report draws of any model.

    python tools/picture_results.py --out docs/figures

Draws classes.png, architecture.png, augmentation.png and confusion.png.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clothing_classifier.preprocessing import ImageContract, prepare
from clothing_classifier.report import pictures
from clothing_classifier.report.figure import make_figure, to_png
from clothing_classifier.report.sections.network import end_channels
from clothing_classifier.training.augmentation import augment, degrade
from clothing_classifier.utils import write_bytes
from readme.model import class_counts, settings_of
from readme.records import ROOT, manifest, result

MODEL = "wardrobe"
SHOWN = ("hoodie-00-a", "dress-02-a", "shoes-00-a", "shirt-02-a")
VIEWS = 6


def main() -> None:
    """Draw each of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    out = parser.parse_args().out
    bundle, network = manifest(MODEL), result(f"{MODEL}-network.json")
    size, stages = bundle["preprocessing"]["size"], bundle["stages"]
    drawn = {
        "classes": pictures.draw_classes(class_counts(MODEL)),
        "architecture": pictures.draw_network(
            stages, size, len(bundle["labels"]), end_channels(stages, network["layers"])
        ),
        "augmentation": draw_views(),
        "confusion": pictures.draw_confusion(result(f"{MODEL}-evaluation.json")["validation"]),
    }
    for name, png in drawn.items():
        write_bytes(out / f"{name}.png", png)


def draw_views() -> bytes:
    """Drawn garments as the network sees them, and six views that training makes of each."""
    bundle = manifest(MODEL)
    contract = ImageContract(bundle["preprocessing"]["size"], bundle["preprocessing"]["fit"])
    settings = settings_of(MODEL).augmentation
    photos = np.stack([prepare(ROOT / "data" / "images" / f"{name}.jpg", contract) for name in SHOWN])
    generator = torch.Generator().manual_seed(0)
    views = [
        degrade(augment(torch.from_numpy(photos), settings.size, settings, generator), settings.degrade, generator)
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
            axes[1].set_title("as it is learnt from, six times", fontsize=10, loc="left")
    return with_palette(to_png(figure))


def with_palette(png: bytes) -> bytes:
    """The same picture in 256 colours: a third of the bytes."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
