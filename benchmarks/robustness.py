"""How much accuracy is lost to blur, noise, compression, light, rotation, crops and lost colour?

Every validation photo is decoded, corrupted at its own size at five strengths (after Hendrycks and Dietterich 2019;
right angles have three), and only then fitted to the network's square.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from benchmarks.common import FIGURES, RESULTS, Data, recording, run_clothing
from clothing_classifier.datasets import Columns, Record, content_sha256, fingerprint, load_dataset
from clothing_classifier.errors import ImageError
from clothing_classifier.evaluation.metrics import Floats, grouped_interval
from clothing_classifier.inference import Classifier
from clothing_classifier.utils import progress_bar

Rng = np.random.Generator
CLEAN = "clean"


def _blur(photo: Image.Image, sigma: float, _: Rng) -> Image.Image:
    """Gaussian blur, as wide on every photo as on one of 256 px."""
    return photo.filter(ImageFilter.GaussianBlur(sigma * max(photo.size) / 256))


def _noise(photo: Image.Image, deviation: float, rng: Rng) -> Image.Image:
    """Gaussian noise on every pixel and channel."""
    values = np.asarray(photo, np.float32) + rng.normal(0, 255 * deviation, (photo.height, photo.width, 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _compress(photo: Image.Image, quality: float, _: Rng) -> Image.Image:
    """Saved as JPEG and opened again."""
    file = BytesIO()
    photo.save(file, "JPEG", quality=int(quality))
    return Image.open(file).convert("RGB")


def _rotate(photo: Image.Image, degrees: float, _: Rng) -> Image.Image:
    """Rotated within its frame, counter-clockwise; the corners get the mean colour of the border."""
    pixels = np.asarray(photo)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean(0)
    return photo.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=tuple(map(int, border)))


def _crop(photo: Image.Image, fraction: float, _: Rng) -> Image.Image:
    """Its middle."""
    width, height = (max(1, round(fraction * side)) for side in photo.size)
    left, top = (photo.width - width) // 2, (photo.height - height) // 2
    return photo.crop((left, top, left + width, top + height))


@dataclass(frozen=True)
class Corruption:
    """What is done to a photo at each of the strengths, the mildest first, and what their numbers say."""

    apply: Callable[[Image.Image, float, Rng], Image.Image]
    strengths: tuple[float, ...]
    unit: str


CORRUPTIONS = {
    "blur": Corruption(_blur, (0.5, 1, 2, 3, 5), "deviation, px of 256"),
    "noise": Corruption(_noise, (0.04, 0.08, 0.16, 0.26, 0.4), "deviation, of full scale"),
    "JPEG": Corruption(_compress, (60, 40, 20, 10, 5), "quality"),
    "darker": Corruption(
        lambda p, by, _: ImageEnhance.Brightness(p).enhance(by), (0.8, 0.6, 0.4, 0.25, 0.15), "factor"
    ),
    "brighter": Corruption(lambda p, by, _: ImageEnhance.Brightness(p).enhance(by), (1.2, 1.5, 2, 2.5, 3.5), "factor"),
    "contrast": Corruption(
        lambda p, by, _: ImageEnhance.Contrast(p).enhance(by), (0.75, 0.5, 0.35, 0.2, 0.1), "factor"
    ),
    "grey": Corruption(lambda p, by, _: ImageEnhance.Color(p).enhance(1 - by), (0.2, 0.4, 0.6, 0.8, 1), "colour lost"),
    "crop": Corruption(_crop, (0.9, 0.8, 0.7, 0.6, 0.5), "side kept"),
    "rotation": Corruption(_rotate, (5, 10, 15, 20, 30), "degrees"),
    "right angles": Corruption(lambda p, by, _: p.rotate(by, expand=True), (90, 180, 270), "degrees"),
}


def robustness(
    data: Data,
    model: Annotated[str, typer.Option(help="A shipped model's name, or a bundle.")] = "wardrobe",
    limit: Annotated[int | None, typer.Option(help="Only so many photos, to try the command.")] = None,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "robustness.json",
    figure: Annotated[Path, typer.Option(help="Figure to draw.")] = FIGURES / "robustness.png",
) -> None:
    """Measure accuracy on corrupted photos; draw it against the strength of each corruption."""
    from benchmarks import figures

    with recording(out) as record:
        classifier = Classifier.load(model)
        dataset = load_dataset(data, Columns(group="sender_id"), classifier.labels)
        photos = dataset.part("validation")[:limit]
        probabilities = predict_versions(classifier, photos)
        right = _right(probabilities, photos, classifier.labels)
        groups = [str(photo.group) for photo in photos]
        record.update({
            "seed": 0, "model": {"name": classifier.manifest.name, "sha256": classifier.bundle.sha256},
            "data_sha256": fingerprint(photos, [content_sha256(photo.source) for photo in photos]),
            "orientation": classifier.manifest.orientation,
            "n": len(photos), "senders": len(set(groups)), "interval_method": "bootstrap over senders",
            **summarise(right, probabilities.max(2), groups),
        })  # fmt: skip
    figures.draw_robustness(record, figure)


def predict_versions(classifier: Classifier, photos: Sequence[Record]) -> Floats:
    """Probabilities `(N, 1 + V, K)`: of each photo as it is, and of its versions in the order of `CORRUPTIONS`."""
    rows = []
    with progress_bar("corrupting", len(photos)) as advance:
        for seed, photo in enumerate(photos):
            assert isinstance(photo.source, Path)
            with Image.open(photo.source) as file:
                image = ImageOps.exif_transpose(file).convert("RGB")
            rng = np.random.default_rng(seed)
            versions = [kind.apply(image, s, rng) for kind in CORRUPTIONS.values() for s in kind.strengths]
            found = classifier.probabilities((image, *versions))
            rows.append(np.stack([one for one in found if not isinstance(one, ImageError)]))
            advance()
    return np.stack(rows)


def columns() -> dict[str, slice]:
    """Where the versions of each corruption stand in `predict_versions`, and the photos as they are."""
    found, start = {CLEAN: slice(0, 1)}, 1
    for name, kind in CORRUPTIONS.items():
        found[name] = slice(start, start + len(kind.strengths))
        start = found[name].stop
    return found


def summarise(right: Floats, confidence: Floats, groups: Sequence[str]) -> dict[str, Any]:
    """The photos as they are, and each corruption at each strength beside them."""
    found: dict[str, Any] = {CLEAN: _level(right[:, 0], confidence[:, 0], groups), "corruptions": {}}
    for name, kind in CORRUPTIONS.items():
        levels = []
        for column, strength in enumerate(kind.strengths, columns()[name].start):
            drop = right[:, 0] - right[:, column]
            levels.append({
                "strength": strength, **_level(right[:, column], confidence[:, column], groups),
                "drop": float(drop.mean()), "drop_interval": grouped_interval(drop, groups),
            })  # fmt: skip
        found["corruptions"][name] = {"unit": kind.unit, "levels": levels}
    return found


def compare_variants(folders: Mapping[str, Sequence[Path]], base: str, groups: Sequence[str]) -> dict[str, Any]:
    """For an experiment: by variant and corruption, accuracy, and how far it is ahead of `base`, paired.

    `folders` holds a variant's runs, one a seed, each with its data set; figures are means over seeds and strengths.
    """
    right = {name: np.mean([_right_of_run(folder) for folder in some], axis=0) for name, some in folders.items()}
    of_base = right.pop(base)
    found: dict[str, Any] = {name: {} for name in right}
    for name, own in right.items():
        for kind, where in columns().items():
            ahead = (own - of_base)[:, where].mean(1)
            found[name][kind] = {
                "accuracy": float(own[:, where].mean()),
                "ahead": float(ahead.mean()), "ahead_interval": grouped_interval(ahead, groups),
            }  # fmt: skip
    return found


def _right_of_run(folder: Path) -> Floats:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "bundle"
        run_clothing("export", folder / "run", "--data", folder / "data", "--float", "--out", out)
        classifier = Classifier.load(out)
    settings = classifier.manifest.provenance["settings"]["data"]
    photos = load_dataset(folder / "data", Columns(settings["label_column"], settings["group_column"])).part(
        "validation"
    )
    return _right(predict_versions(classifier, photos), photos, classifier.labels)


def _right(probabilities: Floats, photos: Sequence[Record], labels: Sequence[str]) -> Floats:
    targets = np.array([labels.index(photo.label) for photo in photos])
    found: Floats = (probabilities.argmax(2) == targets[:, None]).astype(float)
    return found


def _level(right: Floats, confidence: Floats, groups: Sequence[str]) -> dict[str, Any]:
    return {
        "accuracy": float(right.mean()), "interval": grouped_interval(right, groups),
        "confidence": float(confidence.mean()),
    }  # fmt: skip
