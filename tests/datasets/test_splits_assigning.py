"""No group on two sides, near the asked shares, and the same for a seed."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from helpers.drawn_records import crossing_groups, make_records, parts
from hypothesis import given, settings
from hypothesis import strategies as st

from clothing_classifier.datasets import SPLITS, Record
from clothing_classifier.datasets.splits import (
    _needed_to_learn,
    assign_splits,
    classes_with_few_groups,
    group_names,
    missing_classes,
)
from clothing_classifier.errors import DatasetError, MissingExtraError

pytest.importorskip("sklearn", reason="needs the extra 'train'")


SHARES = [(0.15, 0.15), (0.1, 0.2), (0.2, 0), (0, 0.2), (0.05, 0.1), (0.3, 0.3), (0.4, 0.4), (0.2, 0.6), (0, 0.8)]


@pytest.mark.parametrize(("validation", "test"), SHARES)
def test_shares_are_near_the_asked_ones(validation: float, test: float) -> None:
    shares = parts(assign_splits(make_records(1500, 300), validation, test, seed=0))
    assert shares["validation"] == pytest.approx(validation, rel=0.15)
    assert shares["test"] == pytest.approx(test, rel=0.15)


@pytest.mark.parametrize("share", [0.05, 0.12, 0.22, 0.35, 0.45, 0.55, 0.65, 0.75, 0.9, 0.97])
def test_any_share_of_photos_without_groups_is_met(share: float) -> None:
    shares = parts(assign_splits(make_records(500, None), share, 0, seed=1))
    assert shares["validation"] == pytest.approx(share, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_crosses(seed: int) -> None:
    assert crossing_groups(assign_splits(make_records(seed=seed), 0.2, 0.2, seed)) == set()


@settings(max_examples=40)
@given(
    facts=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=3, max_size=60),
    validation=st.floats(0, 0.5),
    test=st.floats(0, 0.49),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_the_table_groups_stay_whole_or_the_reason_is_said(
    facts: list[tuple[str, int]], validation: float, test: float, seed: int
) -> None:
    records = [Record(f"{i}.jpg", Path("x"), label, f"g{group}") for i, (label, group) in enumerate(facts)]
    try:
        assigned = assign_splits(records, validation, test, seed)
    except DatasetError as error:
        assert str(error).isprintable()
    else:
        assert crossing_groups(assigned) == set()
        assert [record.image for record in assigned] == [record.image for record in records]
        assert "train" in {record.split for record in assigned}


def test_nothing_but_the_split_changes() -> None:
    records = make_records()
    for before, after in zip(records, assign_splits(records, 0.15, 0.15, 0), strict=True):
        assert (before.image, before.label, before.group, before.row) == (
            after.image,
            after.label,
            after.group,
            after.row,
        )
        assert after.split in SPLITS


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    splits = {seed: [record.split for record in assign_splits(make_records(), 0.15, 0.15, seed)] for seed in (0, 1)}
    assert splits[0] == [record.split for record in assign_splits(make_records(), 0.15, 0.15, 0)]
    assert splits[0] != splits[1]


def test_a_former_split_has_no_say() -> None:
    records = make_records()
    again = assign_splits(assign_splits(records, 0.3, 0.3, 5), 0.15, 0.15, 0)
    assert again == assign_splits(records, 0.15, 0.15, 0)


def test_classes_keep_their_proportions() -> None:
    records = make_records(900, None, labels=("Hat", "Hat", "Hat", "Shoes"))
    assigned = assign_splits(records, 0.2, 0.2, 0)
    shares = Counter((record.split, record.label) for record in assigned)
    whole = Counter(record.label for record in records)["Hat"] / len(records)
    for split in SPLITS:
        hats, shoes = shares[split, "Hat"], shares[split, "Shoes"]
        assert hats / (hats + shoes) == pytest.approx(whole, abs=0.02)


def test_held_out_groups_go_to_test_whole_and_the_shares_are_of_the_rest() -> None:
    records = make_records(1000, 100)
    held_out = frozenset(f"g{i}" for i in range(5))
    assigned = assign_splits(records, 0.2, 0, 0, held_out)
    assert {record.group for record in assigned if record.split == "test"} == held_out
    rest = [record for record in assigned if record.group not in held_out]
    assert parts(rest)["validation"] == pytest.approx(0.2, rel=0.15)


@pytest.mark.parametrize(
    ("validation", "test"), [(-0.1, 0), (1, 0), (0, 1), (0.5, 0.5), (0.9, 0.2), (float("nan"), 0), (0, float("nan"))]
)
def test_shares_that_leave_nothing_to_train_on_are_refused(validation: float, test: float) -> None:
    with pytest.raises(DatasetError, match="must leave some to train on"):
        assign_splits(make_records(50), validation, test, 0)


def test_holding_out_every_group_is_refused() -> None:
    with pytest.raises(DatasetError, match="nothing is left to train on"):
        assign_splits(make_records(20, 1), 0.2, 0, 0, frozenset({"g0"}))


def test_one_group_can_not_be_split() -> None:
    with pytest.raises(DatasetError, match="all photos are of one group"):
        assign_splits(make_records(50, 1), 0.2, 0.2, 0)


def test_photos_that_are_each_a_class_are_refused_not_crashed_on() -> None:
    records = [Record(f"{i}.jpg", Path("x"), f"label {i}") for i in range(10)]
    with pytest.raises(DatasetError, match=r"^no class has two photos left, of which one could be held out"):
        assign_splits(records, 0.2, 0, 0)


@pytest.mark.parametrize("group_count", [None, 40])
@pytest.mark.parametrize("validation", [0.15, 0.4])
def test_every_class_is_learnt_however_rare(group_count: int | None, validation: float) -> None:
    records = make_records(240, group_count)
    records[::11] = [replace(record, label=f"rare {i}") for i, record in enumerate(records[::11])]
    for seed in range(10):
        assigned = assign_splits(records, validation, 0.2, seed)
        assert "train" not in missing_classes(assigned)
        assert group_count is None or not crossing_groups(assigned)
        assert {record.split for record in assigned} == set(SPLITS)


def test_of_a_class_that_none_would_learn_the_smallest_group_stays_and_no_more() -> None:
    """Both classes are held out whole: one group of both brings them back, and it is the smaller of the two."""
    sizes = {"small": 3, "large": 9}
    records = [Record(f"{i}.jpg", Path("x"), "Hat", f"g{i % 8}") for i in range(80)]
    for name, size in sizes.items():
        records += [Record(f"{name}-{i}.jpg", Path("x"), ("Coat", "Scarf")[i % 2], name) for i in range(size)]
    groups = group_names(records)
    split = {i: "test" for i, group in enumerate(groups) if group in sizes}
    kept = _needed_to_learn(records, groups, split, frozenset())
    assert {groups[i] for i in kept} == {"small"}
    assert len(kept) == 3
    assert _needed_to_learn(records, groups, split, frozenset(sizes)) == set()


def cut_into(folds: list[list[int]], monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Records of which each inner list is a fold, and each number in it a group of so many photos."""
    groups = [[f"{n}-{i}" for i, size in enumerate(sizes) for _ in range(size)] for n, sizes in enumerate(folds)]
    starts = np.cumsum([0, *map(len, groups)])
    cut = [np.arange(start, stop) for start, stop in pairwise(starts)]
    monkeypatch.setattr("clothing_classifier.datasets.splits._cut", lambda *_: cut)
    return [Record(f"{i}.jpg", Path("x"), "Hat", group) for i, group in enumerate(chain(*groups))]


@pytest.mark.parametrize(
    ("share", "folds", "chosen"),
    [
        # Of 34 photos wanted: one sender; one beside eighteen of a photo each; sixteen alike; too many photos.
        (0.25, [[33], [15, *[1] * 18], [*[2] * 15, 1], [1] * 39], {"2"}),
        (0.4, [[20], [1] * 20, [20], [2] * 10, [20]], {"1", "3"}),
    ],
)
def test_of_parts_near_the_asked_size_the_one_of_most_effective_groups_is_taken(
    share: float, folds: list[list[int]], chosen: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned = assign_splits(cut_into(folds, monkeypatch), share, 0, 0)
    held_out = {str(record.group).partition("-")[0] for record in assigned if record.split == "validation"}
    assert held_out == chosen


def test_classes_of_one_group_each_leave_nothing_to_hold_out() -> None:
    records = [Record(f"{i}.jpg", Path("x"), f"label {i % 6}", f"g{i % 6}") for i in range(24)]
    with pytest.raises(DatasetError, match=r"^no photo can be held out for validation, as each class"):
        assign_splits(records, 0.2, 0, 0)


def test_what_is_held_out_by_choice_stays_so_with_its_class() -> None:
    records = [*make_records(60, 6), Record("a.jpg", Path("x"), "rare", "mine")]
    assigned = assign_splits(records, 0.2, 0, 0, frozenset({"mine"}))
    assert assigned[-1].split == "test"
    assert missing_classes(assigned)["train"] == ["rare"]


def test_many_classes_of_two_are_split_without_a_warning() -> None:
    records = [Record(f"{i}.jpg", Path("x"), f"label {i % 10}") for i in range(19)]
    assert "validation" in {record.split for record in assign_splits(records, 0.5, 0, 0)}


def test_without_scikit_learn_the_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[audit\]'"):
        assign_splits(make_records(50), 0.2, 0, 0)


def test_a_class_with_fewer_groups_than_parts_is_named() -> None:
    records = [Record("x", Path("x"), "Hat", f"g{i}", split) for i, split in enumerate(SPLITS)]
    records += [Record("x", Path("x"), "Shoes", group, "train") for group in ("g0", "g0", "g7")]
    assert classes_with_few_groups(records) == {"Shoes": 2}
    assert missing_classes(records) == {"test": ["Shoes"], "validation": ["Shoes"]}
