"""`--fix`: which rows go, and the table without them. Pictures and the old table are never touched."""

from collections.abc import Collection, Sequence
from pathlib import Path

from clothing_classifier.audit.duplicates import FLAT, Copies
from clothing_classifier.audit.survey import Survey
from clothing_classifier.dataset import TABLE, Dataset, read_table
from clothing_classifier.errors import DatasetError
from clothing_classifier.utils import atomic_path, csv_line

CLEANED = "dataset.cleaned.csv"
_RANK = {"test": 0, "validation": 1, "train": 2, None: 2}
"""What is measured on stays; the copy that is learnt from goes."""


def plan(survey: Survey, copies: Sequence[Copies]) -> set[int]:
    """Indices of the photos whose rows go.

    Blank pictures; copies that disagree in label, all of them, since nobody can tell which is right; of copies that
    cross a split those on the side that is learnt from; of equal pixels all but one.
    """
    gone = {i for i, grey in enumerate(survey.greys) if grey.std() < FLAT}
    for cluster in copies:
        records = {i: survey.photos[i].record for i in cluster.photos}
        if len({record.label for record in records.values()}) > 1:
            gone |= set(records)
            continue
        best = min(_RANK[record.split] for record in records.values())
        stay = [i for i, record in records.items() if _RANK[record.split] == best]
        gone |= set(records) - set(stay)
        gone |= {j for i, j in cluster.exact if i in stay and j in stay}
    return gone


def require_table(dataset: Dataset) -> None:
    """Raise `DatasetError` where the data set has no table to clean."""
    if not (dataset.root / TABLE).is_file():
        raise DatasetError(f"{dataset.root}: --fix cleans a {TABLE}, and there is none; move the files that it names")


def write_cleaned(dataset: Dataset, survey: Survey, dropped: Collection[int]) -> tuple[Path, int]:
    """Write `dataset.cleaned.csv` beside the table, its rows and columns as they were but for those that go.

    Returns its path and how many rows went: those of `dropped`, of unreadable files, and bad ones. Raises
    `DatasetError` where the data set has no table.
    """
    require_table(dataset)
    table = dataset.root / TABLE
    header, rows = read_table(table)
    lines = {survey.photos[i].record.row for i in dropped}
    lines |= {record.row for record, _ in survey.failures} | {row.row for row in dataset.bad_rows}
    path = table.with_name(CLEANED)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(map(csv_line, [header, *(cells for line, cells in rows if line not in lines)]))
    return path, sum(line in lines for line, _ in rows)
