"""A report says what was measured, and refuses what can't be."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from clothing_classifier.dataset import Record, RecordSource
from clothing_classifier.errors import DatasetError, ImageCorruptError
from clothing_classifier.evaluation import evaluate

LABELS = ("Dress", "Hat", "Shirt")
ANSWERS = {
    "a": [0.8, 0.1, 0.1], "b": [0.2, 0.7, 0.1], "c": [0.5, 0.2, 0.3], "d": [0.1, 0.1, 0.8],
}  # fmt: skip


def records(*pairs: tuple[str, str]) -> list[Record]:
    return [Record(name, Path(name), label) for name, label in pairs]


def predict(sources: Iterable[RecordSource]) -> Iterator[object]:
    for source in sources:
        answer = ANSWERS.get(str(source))
        yield np.array(answer) if answer else ImageCorruptError(f"{source}: damaged")


def test_the_figures_are_those_of_the_photos() -> None:
    report = evaluate(predict, records(("a", "Dress"), ("b", "Hat"), ("c", "Shirt"), ("d", "Shirt")), LABELS)
    figures = report.figures
    assert figures["n"] == 4
    assert figures["accuracy"] == 0.75
    assert figures["balanced_accuracy"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert figures["top3"] == 1
    assert figures["log_loss"] == pytest.approx(-np.mean(np.log([0.8, 0.7, 0.3, 0.8])))
    assert figures["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert figures["per_class"]["Shirt"] == {"precision": 1, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    assert figures["interval_method"] == "Wilson, photos taken as independent"
    assert figures["accuracy_interval"] == pytest.approx([0.3006, 0.9544], abs=1e-4)


def test_photos_that_can_not_be_read_are_named_and_left_out() -> None:
    report = evaluate(predict, records(("a", "Dress"), ("broken", "Hat")), LABELS)
    assert report.figures["n"] == 1
    assert report.failures == ("broken: damaged",)


def test_labels_match_without_case_and_it_is_said() -> None:
    report = evaluate(predict, records(("a", "dress"), ("b", "Hat")), LABELS)
    assert report.figures["accuracy"] == 1
    assert report.notes == ("label 'dress' is taken as the model's 'Dress'",)


def test_classes_that_the_model_lacks_are_named() -> None:
    with pytest.raises(
        DatasetError, match="no class for Other,Skip; leave them out with --exclude-labels 'Other,Skip'"
    ):
        evaluate(predict, records(("a", "Dress"), ("b", "Skip"), ("c", "Other")), LABELS)


def test_no_readable_photo_is_an_error() -> None:
    with pytest.raises(DatasetError, match="none of 1 photos can be read; first: broken: damaged"):
        evaluate(predict, records(("broken", "Hat")), LABELS)
