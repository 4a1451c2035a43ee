"""Data sets of a few empty files: loading reads no image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clothing_classifier.datasets import Dataset


def make_table(root: Path, table: str | bytes, images: Iterable[str] = ("a.jpg", "b.jpg", "c.jpg")) -> Path:
    """A data set folder with these images, all empty: loading reads none of them."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    touch(root / "images", *images)
    (root / "dataset.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    return root


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def reasons(dataset: Dataset) -> dict[int, str]:
    return {row.row: row.reason for row in dataset.bad_rows}


def names(dataset: Dataset) -> list[str]:
    return [record.image for record in dataset.records]
