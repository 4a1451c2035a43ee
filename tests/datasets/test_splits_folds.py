"""Folds: each record inside one, with its whole group."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from helpers.drawn_records import make_records

from clothing_classifier.datasets import Record
from clothing_classifier.datasets.splits import assign_splits, cut_fold
from clothing_classifier.errors import DatasetError

pytest.importorskip("sklearn", reason="needs the extra 'train'")


def test_classes_smaller_than_the_number_of_folds_are_split_all_the_same() -> None:
    assigned = assign_splits(make_records(12, None, labels=("a", "b", "c")), 0.15, 0, seed=0)
    assert 1 <= Counter(record.split for record in assigned)["validation"] <= 4


def test_folds_of_many_photos_without_groups_are_stratified_exactly() -> None:
    records = [Record(str(i), Path(str(i)), "ABC"[i % 3]) for i in range(36_000)]
    train, validation = cut_fold(records, 12, 0, seed=0)
    assert Counter(record.label for record in validation) == {"A": 1000, "B": 1000, "C": 1000}
    assert len(train) == 33_000
    assert not {record.image for record in train} & {record.image for record in validation}


@pytest.mark.parametrize("folds", [2, 5])
def test_each_record_is_inside_one_fold_with_its_whole_group(folds: int) -> None:
    records = make_records()
    cut = [cut_fold(records, folds, fold, seed=3) for fold in range(folds)]
    assert sorted(record.row or 0 for _, inside in cut for record in inside) == [record.row for record in records]
    for outside, inside in cut:
        assert len(outside) + len(inside) == len(records)
        assert not {record.group for record in outside} & {record.group for record in inside}
        assert {record.split for record in outside} == {"train"}
        assert {record.split for record in inside} == {"validation"}


@pytest.mark.parametrize(
    ("folds", "fold", "message"),
    [
        (4, 4, "data.fold: 4, and there are folds 0 to 3"),
        (1, 0, "2 to 3 folds"),
        (9, 0, "data.folds: 9; groups and the largest class give 2 to 3 folds"),
    ],
)
def test_folds_that_can_not_be_cut_are_refused(folds: int, fold: int, message: str) -> None:
    records = [Record(f"{i}.jpg", Path(f"{i}.jpg"), "Hat", f"g{i % 3}", row=i + 2) for i in range(12)]
    with pytest.raises(DatasetError, match=message):
        cut_fold(records, folds, fold, seed=0)


def test_folds_beyond_the_largest_class_are_refused() -> None:
    records = [Record(f"{i}.jpg", Path(f"{i}.jpg"), f"class {i % 10}", None, row=i + 2) for i in range(30)]
    with pytest.raises(DatasetError, match="give 2 to 3 folds"):
        cut_fold(records, 4, 0, seed=0)
