"""Two models are compared on the photos and the classes that both have, and on nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clothing_classifier.datasets import Record
from clothing_classifier.errors import DatasetError
from clothing_classifier.evaluation.comparison import compare
from clothing_classifier.evaluation.metrics import difference_interval
from clothing_classifier.evaluation.predictions import Predictions

LABELS = ("Dress", "Hat")


def answers(right: list[bool], positions: list[int] | None = None, groups: int = 0) -> Predictions:
    """Photos of dresses, taken for hats where they are not right."""
    places = positions if positions is not None else list(range(len(right)))
    records = tuple(Record(f"{i}", Path(f"{i}"), "Dress", f"g{i % groups}" if groups else None) for i in places)
    rows = np.array([[0.8, 0.2] if hit else [0.3, 0.7] for hit in right])
    return Predictions(records, np.array(places), np.zeros(len(right), int), rows, LABELS)


def test_the_four_counts_make_the_difference() -> None:
    found = compare(answers([True] * 6 + [False] * 4), answers([True, False, False, False, True, True] + [True] * 2 +
                    [False] * 2))  # fmt: skip
    assert (found["both_right"], found["only_this_right"]) == (3, 3)
    assert (found["only_against_right"], found["both_wrong"]) == (2, 2)
    assert (found["accuracy"], found["against_accuracy"]) == (0.6, 0.5)
    assert found["difference"] == 0.1
    assert found["mcnemar"] == {"p": 1.0, "method": "exact, two-sided; photos taken as independent"}
    assert found["interval_method"] == "Newcombe, paired, photos taken as independent"
    low, high = found["difference_interval"]
    assert low < 0.1 < high


def test_photos_that_either_can_not_read_are_left_out() -> None:
    found = compare(answers([True, False, True], [0, 2, 3]), answers([False, True, False], [1, 2, 3]))
    assert found["n"] == 2
    assert (found["only_this_right"], found["only_against_right"]) == (1, 1)
    with pytest.raises(DatasetError, match="no photo can be read by both models"):
        compare(answers([True], [0]), answers([True], [1]))


def test_groups_are_resampled_where_there_are_enough() -> None:
    one, other = answers([True] * 90 + [False] * 10, groups=20), answers([True] * 80 + [False] * 20, groups=20)
    found = compare(one, other)
    assert found["interval_method"] == "paired bootstrap over 20 groups"
    low, high = found["difference_interval"]
    assert 0 < low <= 0.1 <= high


def test_each_photo_stays_with_its_group_where_others_are_left_out() -> None:
    right = (np.arange(120) % 7 < 5).tolist()
    one = answers(right)
    one = replace(one, records=tuple(replace(r, group=f"g{i // 4}") for i, r in enumerate(one.records)))
    found = compare(one, answers(right[::-1][2:], list(range(2, 120))))
    hits, rival = np.array(right[2:]), np.array(right[::-1][2:])
    expected, method = difference_interval(hits, rival, [f"g{i // 4}" for i in range(2, 120)])
    assert (found["difference_interval"], found["interval_method"]) == (list(expected), method)
    assert method == "paired bootstrap over 30 groups"


def test_each_chooses_among_the_classes_that_both_have() -> None:
    one = answers([True, True])
    rows = np.array([[0.5, 0.3, 0.2], [0.9, 0.06, 0.04]])  # a shirt, before the candidates are restricted
    other = Predictions(one.records, one.positions, np.array([2, 2]), rows, ("Shirt", "Hat", "dress"))
    found = compare(one, other)
    assert found["candidates"] == ["Dress", "Hat"]
    assert found["against_accuracy"] == 0
    rows = rows[:, [0, 2, 1]]
    assert compare(one, Predictions(one.records, one.positions, np.array([2, 2]), rows, other.labels))["n"] == 2


def test_labels_that_differ_in_case_alone_do_not_share_a_column() -> None:
    one = answers([True, True])
    rows = np.array([[0.9, 0.05, 0.05]] * 2)
    both = Predictions(one.records, one.positions, np.array([2, 2]), rows[:, ::-1], ("dress", "DRESS", "Dress"))
    found = compare(both, one)
    assert found["accuracy"] == 1.0
    assert found["candidates"] == ["Dress"]


def test_a_label_that_one_of_them_lacks_is_refused() -> None:
    one = answers([True, True])
    other = Predictions(one.records, one.positions, one.targets, one.probabilities, ("Shirt", "Hat"))
    with pytest.raises(DatasetError, match=r"^0 is labelled 'Dress', which is not among the candidates"):
        compare(one, other)
