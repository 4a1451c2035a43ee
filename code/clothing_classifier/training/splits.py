"""The train and validation photos of a run: which records, decoded, and the hash that identifies them."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clothing_classifier.config import AugmentationSettings, DataSettings, TrainSettings
from clothing_classifier.datasets import Columns, Dataset, Record, fingerprint, load_dataset
from clothing_classifier.datasets.splits import assign_splits, cut_fold
from clothing_classifier.errors import DatasetError
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.training.cache import PixelCache, default_cache
from clothing_classifier.training.data import Photos, prepare_photos
from clothing_classifier.utils import csv_line

_DETAIL = 1.15
"""Photos are cached this much larger than the network's input, so that a crop keeps its detail."""


@dataclass(frozen=True)
class Splits:
    """Decoded photos to train on and to validate on, and the labels that their targets index."""

    train: Photos
    validation: Photos
    labels: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The fingerprint of what a run was trained and validated on."""
        train, validation = self.train, self.validation
        return fingerprint(train.records + validation.records, train.keys + validation.keys)


def load_splits(root: Path, settings: DataSettings) -> tuple[Dataset, tuple[Record, ...], tuple[Record, ...]]:
    """Load a data set and its train and validation records.

    Validation is a fold of train where `settings.folds` asks for it, else the data set's own validation split, else
    split off what is not test.
    """
    columns = Columns(settings.label_column, settings.group_column, settings.split_column)
    dataset = load_dataset(root, columns, settings.labels, settings.exclude_labels)
    if settings.folds:
        has_split = any(record.split for record in dataset.records)
        some = dataset.part("train") if has_split else dataset.records
        train, validation = cut_fold(some, settings.folds, settings.fold, settings.seed)
    elif any(record.split == "validation" for record in dataset.records):
        train, validation = dataset.part("train"), dataset.part("validation")
    else:
        left = [replace(record, split=None) for record in dataset.records if record.split in (None, "train")]
        assigned = assign_splits(left, settings.validation_fraction, 0, settings.seed)
        train, validation = (tuple(r for r in assigned if r.split == name) for name in ("train", "validation"))
    if unseen := sorted({record.label for record in validation} - {record.label for record in train}):
        raise DatasetError(
            f"{root}: {len(unseen)} of the classes have photos to validate and none to train on; split again, or leave "
            f"them out with --exclude-labels {shlex.quote(csv_line(unseen).rstrip())}"
        )
    return dataset, train, validation


def decode_splits(
    train: Sequence[Record], validation: Sequence[Record], labels: Sequence[str], settings: TrainSettings
) -> Splits:
    """Decode train photos, larger than the network's input, and validation photos as the image contract has them."""
    contract = ImageContract(settings.image.size, settings.image.fit)
    return Splits(
        decode_larger(train, labels, contract, settings.augmentation, "decoding train"),
        prepare_photos(validation, labels, PixelCache(default_cache(), contract), "decoding validation"),
        tuple(labels),
    )


def decode_larger(
    records: Sequence[Record],
    labels: Sequence[str],
    contract: ImageContract,
    augmentation: AugmentationSettings,
    description: str,
) -> Photos:
    """Photos to make views from: larger than `contract` has them, where a view's pixels lie between theirs."""
    larger = replace(contract, size=round(contract.size * _DETAIL)) if augmentation.resamples else contract
    return prepare_photos(records, labels, PixelCache(default_cache(), larger), description)
