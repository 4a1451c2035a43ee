"""Records and tables of random labels and groups, and what a split is judged by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clothing_classifier.datasets import SPLITS, Columns, Record
from clothing_classifier.datasets.splits import SplitResult, group_names, split_table


def make_records(
    photos: int = 600, groups: int | None = 120, labels: Sequence[str] = ("Hat", "Shoes", "Skirt"), seed: int = 0
) -> list[Record]:
    """Records of random labels in groups of uneven size; `groups=None` gives none a group."""
    random = np.random.default_rng(seed)
    senders = [None] * photos if groups is None else [f"g{int(groups * share**2)}" for share in random.random(photos)]
    chosen = random.choice(labels, photos)
    return [
        Record(f"{i}.jpg", Path(f"{i}.jpg"), str(label), sender, row=i + 2)
        for i, (label, sender) in enumerate(zip(chosen, senders, strict=True))
    ]


def parts(records: Sequence[Record]) -> dict[str, float]:
    counts = Counter(record.split or "" for record in records)
    return {name: counts[name] / len(records) for name in SPLITS}


def crossing_groups(records: Sequence[Record]) -> set[str]:
    sides = defaultdict(set)
    for record, group in zip(records, group_names(records), strict=True):
        sides[group].add(record.split)
    return {group for group, splits in sides.items() if len(splits) > 1}


def split(root: Path, out: Path | None = None, **options: object) -> SplitResult:
    arguments = {"columns": Columns(group="sender"), "validation": 0.2, "test": 0.2, "seed": 0} | options
    return split_table(root, out or root / "dataset.csv", **arguments)  # type: ignore[arg-type]
