"""The four idx files of Fashion-MNIST, packed or not (format: yann.lecun.com/exdb/mnist)."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from clothing_classifier.datasets.records import Dataset, Pixels, Record
from clothing_classifier.errors import DatasetError

FASHION_MNIST_LABELS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_PARTS = {"train": "train", "t10k": "test"}


def is_idx(root: Path) -> bool:
    """Whether a folder holds idx files of images."""
    return any(root.glob("*-images-idx3-ubyte*"))


def load_idx(root: Path) -> Dataset:
    """Load all images `(28, 28) uint8`, train before test; raises `DatasetError` where a file is missing or damaged."""
    records: list[Record] = []
    for prefix, split in _PARTS.items():
        images_path, labels_path = (
            _idx_file(root, f"{prefix}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")
        )
        images, labels = _read_idx(images_path), _read_idx(labels_path)
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise DatasetError(f"{images_path}: {images.shape} images do not fit {labels.shape} labels")
        if labels.size and labels.max() >= len(FASHION_MNIST_LABELS):
            raise DatasetError(f"{labels_path}: label {labels.max()} is none of Fashion-MNIST's ten classes")
        names = (FASHION_MNIST_LABELS[label] for label in labels)
        records += (
            Record(f"{prefix}/{i}", image, name, split=split)
            for i, (image, name) in enumerate(zip(images, names, strict=True))
        )
    return Dataset(root, tuple(records))


def _idx_file(root: Path, name: str) -> Path:
    for path in (root / name, root / f"{name}.gz"):
        if path.is_file():
            return path
    raise DatasetError(f"{root}: {name} (or {name}.gz) is missing; get it with 'clothing fetch fashion-mnist'")


def _read_idx(path: Path) -> Pixels:
    """Read an idx file of bytes."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: the file can't be read ({error})") from error
    rank = data[3] if len(data) >= 4 else 0
    start = 4 + 4 * rank
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    if data[:3] != b"\0\0\x08" or rank not in (1, 3) or not 0 < math.prod(shape) == len(data) - start:
        raise DatasetError(f"{path}: not a whole idx file of bytes; fetch it again with 'clothing fetch fashion-mnist'")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
