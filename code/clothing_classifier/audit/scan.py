"""One pass over the photos: each is read and decoded once, and what the checks need of it is kept, linear in n."""

import hashlib
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from clothing_classifier import preprocessing
from clothing_classifier.audit.blocks import blocks_shifted, colours_impossible
from clothing_classifier.datasets import Record, RecordSource
from clothing_classifier.errors import BundleError, DatasetError, ImageError, ImageUnreadableError
from clothing_classifier.inference import Classifier
from clothing_classifier.preprocessing import QUIET, Pixels
from clothing_classifier.utils import available_cpus

GREY_SIDE = 128
MIN_SIDE = 64
"""Pixels of the shorter side, below which a picture shows too little."""
_CHUNK = 16

Features = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class ScannedPhoto:
    """What a readable photo is like.

    `form` is the format of the file's content (None of an array), `sha256` that of the decoded pixels, `brightness`
    and `contrast` the mean and standard deviation of luma in [0, 255], `damage` what the decoder complained of where
    it had to make up a part, or what it did not notice.
    """

    record: Record
    form: str | None
    width: int
    height: int
    sha256: str
    brightness: float
    contrast: float
    damage: str | None


@dataclass(frozen=True)
class ScannedPhotos:
    """The readable photos in the table's order, and why the others can't be read.

    Aligned with `photos`: `greys` `(M, 128, 128) uint8`, the whole photo squashed, and `features` `(M, D) float16`,
    those of the bundle at length one.
    """

    photos: tuple[ScannedPhoto, ...]
    greys: Pixels
    features: Features
    failures: tuple[tuple[Record, ImageError], ...]

    def __len__(self) -> int:
        return len(self.photos)

    @cached_property
    def deviations(self) -> npt.NDArray[np.float64]:
        """Standard deviation of each of `greys`, `(M,)`."""
        return np.array([grey.std() for grey in self.greys])  # at once they would be eight times as large

    @cached_property
    def shows_detail(self) -> bool:
        """Whether most are photos, not small pictures, in which like garments look as copies do."""
        return float(np.median([min(photo.width, photo.height) for photo in self.photos])) >= MIN_SIDE


def scan_photos(records: Sequence[Record], classifier: Classifier, advance: Callable[[int], object]) -> ScannedPhotos:
    """Look at every photo once, on all processors.

    Raises `DatasetError` where none can be read, `BundleError` where the model gives no features.
    """
    if "features" not in classifier.outputs:
        raise BundleError(f"{classifier.bundle.path}: the model gives no features, which an audit compares photos by")
    chunks = [records[start : start + _CHUNK] for start in range(0, len(records), _CHUNK)]
    photos: list[ScannedPhoto] = []
    greys: list[Pixels] = []
    features: list[Features] = []
    failures: list[tuple[Record, ImageError]] = []
    with ThreadPoolExecutor(available_cpus()) as pool:
        for chunk, (seen, small, described, failed) in zip(
            chunks, pool.map(lambda chunk: _look(chunk, classifier), chunks), strict=True
        ):
            photos += seen
            greys += small
            features += described
            failures += failed
            advance(len(chunk))
    if not photos:
        raise DatasetError(f"none of {len(records)} photos can be read; first: {failures[0][1]}")
    return ScannedPhotos(tuple(photos), np.stack(greys), np.concatenate(features), tuple(failures))


def _look(
    records: Sequence[Record], classifier: Classifier
) -> tuple[list[ScannedPhoto], list[Pixels], list[Features], list[tuple[Record, ImageError]]]:
    photos, greys, pixels, failures = [], [], [], []
    for record in records:
        try:
            image = preprocessing.load(record.source)
            form, damage = _file_facts(record.source)
        except ImageError as error:
            failures.append((record, error))
            continue
        small = np.asarray(image.convert("L").resize((GREY_SIDE, GREY_SIDE), Image.Resampling.BILINEAR))
        photos.append(_describe(record, image, form, damage))
        greys.append(small)
        pixels.append(preprocessing.prepare(image, classifier.bundle.contract))
    return photos, greys, [_features(np.stack(pixels), classifier)] if pixels else [], failures


def _describe(record: Record, image: Image.Image, form: str | None, damage: str | None) -> ScannedPhoto:
    luma = np.asarray(image.convert("L"))
    sha256 = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
    return ScannedPhoto(record, form, *image.size, sha256, float(luma.mean()), float(luma.std()), damage)


def _file_facts(source: RecordSource) -> tuple[str | None, str | None]:
    """The format of a readable file, and what is wrong with a JPEG that a lenient decoder makes a picture of.

    Both are None of an array. Raises `ImageError`.
    """
    if not isinstance(source, Path):
        return None, None
    with QUIET:
        return _facts(source)


def _facts(source: Path) -> tuple[str | None, str | None]:
    try:
        data = source.read_bytes()
    except OSError as error:  # it was there a moment ago
        raise ImageUnreadableError(f"{source}: the file can't be read ({error.strerror})") from error
    with Image.open(io.BytesIO(data)) as image:
        form = image.format
    if form not in ("JPEG", "MPO"):
        return form, None
    try:
        luma = simplejpeg.decode_jpeg(data, colorspace="GRAY", strict=True)[..., 0]
    except ValueError as error:
        return form, str(error) if _decodes(data) else None
    if blocks_shifted(luma):
        return form, "an edge along the grid of its blocks from side to side"
    coded = _as_coded(data)
    return form, None if coded is None or not colours_impossible(coded) else "areas of a colour that no RGB has"


def _as_coded(data: bytes) -> Pixels | None:
    """A JPEG's `(H, W, 3) uint8` YCbCr, before it is clipped to what RGB has; None of one in other colours."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("YCbCr", None)
        try:
            return np.asarray(image) if image.mode == "YCbCr" else None
        except OSError:  # coded as RGB
            return None


def _decodes(data: bytes) -> bool:
    try:
        simplejpeg.decode_jpeg(data, colorspace="GRAY", strict=False)
    except ValueError:  # a kind of JPEG that only Pillow knows, not a damaged one
        return False
    return True


def _features(pixels: Pixels, classifier: Classifier) -> Features:
    found = classifier.run(pixels, "features")
    unit = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return np.asarray(unit, np.float16)
