"""How much accuracy is lost to blur, noise, compression, light, turns, crops and lost colour?

    python benchmarks/robustness.py --data datasets/clothing

Every validation photo is decoded, corrupted at its own size at five strengths (after Hendrycks and Dietterich 2019;
quarter turns have three), and only then fitted to the network's square. Writes results/robustness.json: for each
corruption and strength accuracy, mean confidence, and the fall of accuracy from the same photos as they are, with a 95%
interval by bootstrap over senders; and docs/figures/robustness.png.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from clothing_classifier.datasets import Columns, Record, content_sha256, fingerprint, load_dataset
from clothing_classifier.errors import ImageError
from clothing_classifier.evaluation.metrics import Floats, grouped_interval
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference import Classifier
from clothing_classifier.report.figure import BLUE, ORANGE, make_figure, to_png
from clothing_classifier.utils import progress_bar, write_bytes, write_json

Rng = np.random.Generator


@dataclass(frozen=True)
class Corruption:
    """What is done to a photo at each of the strengths, the mildest first, and what their numbers say."""

    apply: Callable[[Image.Image, float, Rng], Image.Image]
    strengths: tuple[float, ...]
    unit: str


def blurred(photo: Image.Image, sigma: float, _: Rng) -> Image.Image:
    """Gaussian blur, as wide on every photo as on one of 256 px."""
    return photo.filter(ImageFilter.GaussianBlur(sigma * max(photo.size) / 256))


def noisy(photo: Image.Image, deviation: float, rng: Rng) -> Image.Image:
    """Gaussian noise on every pixel and channel."""
    values = np.asarray(photo, np.float32) + rng.normal(0, 255 * deviation, (photo.height, photo.width, 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def compressed(photo: Image.Image, quality: float, _: Rng) -> Image.Image:
    """Saved as JPEG and opened again."""
    file = BytesIO()
    photo.save(file, "JPEG", quality=int(quality))
    return Image.open(file).convert("RGB")


def lit(photo: Image.Image, factor: float, _: Rng) -> Image.Image:
    """Every value times a factor, cut off at white."""
    return ImageEnhance.Brightness(photo).enhance(factor)


def flattened(photo: Image.Image, factor: float, _: Rng) -> Image.Image:
    """Every value's distance from the mean brightness times a factor."""
    return ImageEnhance.Contrast(photo).enhance(factor)


def greyed(photo: Image.Image, share: float, _: Rng) -> Image.Image:
    """A share of the colour taken out."""
    return ImageEnhance.Color(photo).enhance(1 - share)


def turned(photo: Image.Image, degrees: float, _: Rng) -> Image.Image:
    """Turned within its frame, counter-clockwise; the corners get the mean colour of the border."""
    pixels = np.asarray(photo)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean(0)
    fill = tuple(int(value) for value in border)
    return photo.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill)


def cropped(photo: Image.Image, share: float, _: Rng) -> Image.Image:
    """Its middle."""
    width, height = (max(1, round(share * side)) for side in photo.size)
    left, top = (photo.width - width) // 2, (photo.height - height) // 2
    return photo.crop((left, top, left + width, top + height))


CORRUPTIONS = {
    "blur": Corruption(blurred, (0.5, 1, 2, 3, 5), "deviation, px of 256"),
    "noise": Corruption(noisy, (0.04, 0.08, 0.16, 0.26, 0.4), "deviation, of full scale"),
    "JPEG": Corruption(compressed, (60, 40, 20, 10, 5), "quality"),
    "darker": Corruption(lit, (0.8, 0.6, 0.4, 0.25, 0.15), "factor"),
    "brighter": Corruption(lit, (1.2, 1.5, 2, 2.5, 3.5), "factor"),
    "contrast": Corruption(flattened, (0.75, 0.5, 0.35, 0.2, 0.1), "factor"),
    "grey": Corruption(greyed, (0.2, 0.4, 0.6, 0.8, 1), "colour lost"),
    "crop": Corruption(cropped, (0.9, 0.8, 0.7, 0.6, 0.5), "side kept"),
    "turn": Corruption(turned, (5, 10, 15, 20, 30), "degrees"),
    "quarter turns": Corruption(lambda p, by, _: p.rotate(by, expand=True), (90, 180, 270), "degrees"),
}


def main() -> None:
    """Measure, write the record, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--model", default="wardrobe", help="a shipped model's name, or a bundle")
    parser.add_argument("--limit", type=int, help="only so many photos, to try the command")
    parser.add_argument("--results", type=Path, default=Path("results/robustness.json"))
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/robustness.png"))
    options = parser.parse_args()
    record, classifier = provenance(), Classifier.load(options.model)
    dataset = load_dataset(options.data, Columns(group="sender_id"), classifier.labels)
    photos = dataset.part("validation")[: options.limit]
    probabilities = answer_all(classifier, photos)
    targets = np.array([classifier.labels.index(photo.label) for photo in photos])
    right = (probabilities.argmax(2) == targets[:, None]).astype(float)
    senders = [str(photo.group) for photo in photos]
    report = record | {
        "seed": 0, "model": {"name": classifier.manifest.name, "sha256": classifier.bundle.sha256},
        "data_sha256": fingerprint(photos, [content_sha256(photo.source) for photo in photos]),
        "orientation": classifier.manifest.orientation,
        "n": len(photos), "senders": len(set(senders)), "interval_method": "bootstrap over senders",
        **summarise(right, probabilities.max(2), senders),
    }  # fmt: skip
    write_json(options.results, report)
    draw(report, options.figure)


def answer_all(classifier: Classifier, photos: Sequence[Record]) -> Floats:
    """Probabilities `(N, 1 + V, K)`: of each photo as it is, and of its versions in the order of `CORRUPTIONS`."""
    rows = []
    with progress_bar("corrupting", len(photos)) as advance:
        for seed, photo in enumerate(photos):
            rows.append(answer(classifier, photo, seed))
            advance()
    return np.stack(rows)


def answer(classifier: Classifier, photo: Record, seed: int) -> Floats:
    """Probabilities `(1 + V, K)` of one photo."""
    assert isinstance(photo.source, Path)
    with Image.open(photo.source) as file:
        image = ImageOps.exif_transpose(file).convert("RGB")
    rng = np.random.default_rng(seed)
    versions = (kind.apply(image, strength, rng) for kind in CORRUPTIONS.values() for strength in kind.strengths)
    probabilities = [
        found for found in classifier.probabilities((image, *versions)) if not isinstance(found, ImageError)
    ]
    return np.stack(probabilities)


def summarise(right: Floats, confidence: Floats, senders: Sequence[str]) -> dict[str, Any]:
    """The photos as they are, and each corruption at each strength beside them; columns as in `answer_all`."""
    found: dict[str, Any] = {
        "clean": {"accuracy": float(right[:, 0].mean()), "interval": grouped_interval(right[:, 0], senders),
                  "confidence": float(confidence[:, 0].mean())},
        "corruptions": {},
    }  # fmt: skip
    column = 1
    for name, kind in CORRUPTIONS.items():
        levels = []
        for strength in kind.strengths:
            drop = right[:, 0] - right[:, column]
            levels.append({
                "strength": strength, "accuracy": float(right[:, column].mean()),
                "interval": grouped_interval(right[:, column], senders),
                "confidence": float(confidence[:, column].mean()),
                "drop": float(drop.mean()), "drop_interval": grouped_interval(drop, senders),
            })  # fmt: skip
            column += 1
        found["corruptions"][name] = {"unit": kind.unit, "levels": levels}
    return found


def draw(record: dict[str, Any], path: Path) -> None:
    """Accuracy with its interval, and mean confidence, against the strength of each corruption."""
    figure, clean = make_figure(12, 5.2), record["clean"]
    kinds = record["corruptions"].items()
    for axes, (name, kind) in zip(figure.subplots(2, 5, sharey=True).ravel(), kinds, strict=True):
        rows = [clean, *kind["levels"]]
        at = np.arange(len(rows))
        axes.fill_between(at, *np.array([row["interval"] for row in rows]).T, color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(at, [row["accuracy"] for row in rows], "o-", color=BLUE, markersize=3, label="accuracy")
        axes.plot(at, [row["confidence"] for row in rows], "--", color=ORANGE, label="mean confidence")
        axes.set_xticks(at, ["as is", *(f"{row['strength']:g}" for row in kind["levels"])], fontsize=7)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(kind["unit"], fontsize=8)
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8, loc="lower left")
    figure.supylabel("on validation, 95% over senders", fontsize=9)
    write_bytes(path, to_png(figure, dpi=110))


if __name__ == "__main__":
    main()
