"""`--fix`: which rows go, and the table without them. Pictures and the old table are never touched."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from clothing_classifier.audit.duplicates import FLAT, DuplicateCluster
from clothing_classifier.audit.scan import ScannedPhotos
from clothing_classifier.datasets import TABLE, Dataset, read_table, write_table
from clothing_classifier.errors import DatasetError

CLEANED = "dataset.cleaned.csv"
_RANK = {"test": 0, "validation": 1, "train": 2, None: 3}
"""What is measured on stays; the copy that is learnt from goes, and before it the one that is on no side."""


def plan(scan: ScannedPhotos, clusters: Sequence[DuplicateCluster]) -> set[int]:
    """Indices of the photos whose rows go.

    Blank photos; all duplicates that disagree in label, since nobody can tell which is right; of duplicates that cross
    a split those on the training side; of equal pixels all but one.
    """
    gone = set(np.flatnonzero(scan.deviations < FLAT).tolist())
    for cluster in clusters:
        records = {i: scan.photos[i].record for i in cluster.photos}
        if len({record.label.casefold() for record in records.values()}) > 1:
            gone |= set(records)
            continue
        rank = {i: _RANK[record.split] for i, record in records.items()}
        best = min(rank.values())
        gone |= {i for i, record in records.items() if record.split and rank[i] != best}
        gone |= {max(pair, key=lambda i: (rank[i], i)) for pair in cluster.exact if not gone & set(pair)}
    return gone


def require_table(dataset: Dataset) -> None:
    """Raise `DatasetError` where the data set has no table to clean."""
    if not (dataset.root / TABLE).is_file():
        raise DatasetError(f"{dataset.root}: --fix cleans a {TABLE}, and there is none; move the files that it names")


def write_cleaned(dataset: Dataset, scan: ScannedPhotos, dropped: Collection[int]) -> tuple[Path, int]:
    """Write `dataset.cleaned.csv` beside the table, its rows and columns as they were but for those that go.

    Returns its path and how many rows went: those of `dropped`, of unreadable files, bad ones, and those that a bad one
    disputes. Raises `DatasetError` where the data set has no table.
    """
    require_table(dataset)
    table = dataset.root / TABLE
    header, rows = read_table(table)
    lines = {scan.photos[i].record.row for i in dropped}
    lines |= {record.row for record, _ in scan.failures} | {row.row for row in dataset.bad_rows}
    lines |= {row.disputes for row in dataset.bad_rows if row.disputes}
    path = table.with_name(CLEANED)
    write_table(path, table, [header, *(cells for line, cells in rows if line not in lines)])
    return path, sum(line in lines for line, _ in rows)
