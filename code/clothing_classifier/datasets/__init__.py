"""Data sets on disk (a table, class folders, idx files) as validated records; splits; public data sets to fetch."""

from clothing_classifier.datasets.class_folders import image_files, is_image_named, left_by_mac
from clothing_classifier.datasets.idx import FASHION_MNIST_LABELS
from clothing_classifier.datasets.labels import match_labels
from clothing_classifier.datasets.loading import load_dataset
from clothing_classifier.datasets.records import (
    SPLITS,
    BadRow,
    Columns,
    Dataset,
    Record,
    RecordSource,
    abbreviate,
    content_if_readable,
    content_sha256,
    count_known,
    fingerprint,
)
from clothing_classifier.datasets.table import IMAGES, TABLE, columns_there, leaves_folder, read_table, write_table

__all__ = [
    "FASHION_MNIST_LABELS",
    "IMAGES",
    "SPLITS",
    "TABLE",
    "BadRow",
    "Columns",
    "Dataset",
    "Record",
    "RecordSource",
    "abbreviate",
    "columns_there",
    "content_if_readable",
    "content_sha256",
    "count_known",
    "fingerprint",
    "image_files",
    "is_image_named",
    "leaves_folder",
    "left_by_mac",
    "load_dataset",
    "match_labels",
    "read_table",
    "write_table",
]
