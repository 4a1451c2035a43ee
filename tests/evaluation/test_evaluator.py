"""A report says what was measured, how sure it is, and which of its figures mean little."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from clothing_classifier import evaluation
from clothing_classifier.datasets import Columns, Record, RecordSource
from clothing_classifier.errors import ImageCorruptError, UsageError
from clothing_classifier.evaluation import column_reader, evaluate, metrics, with_comparison
from clothing_classifier.evaluation.predictions import collect

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
    assert figures["per_class"]["Shirt"] == {
        "precision": 1,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "support": 2,
        "auroc": 1,
    }
    assert figures["interval_method"] == "Wilson, photos taken as independent"
    assert figures["accuracy_interval"] == pytest.approx([0.3006, 0.9544], abs=1e-4)


def test_what_confidence_is_worth_is_in_the_figures() -> None:
    figures = evaluate(predict, records(("a", "Dress"), ("b", "Hat"), ("c", "Shirt"), ("d", "Shirt")), LABELS).figures
    assert figures["weighted_f1"] == pytest.approx((2 / 3 + 1 + 2 * 2 / 3) / 4)
    assert figures["auroc"] == pytest.approx(1)
    assert figures["per_class"]["Hat"]["auroc"] == 1
    assert figures["aurc"] == pytest.approx((0 + 0 + 0 + 1 / 4) / 4)
    assert figures["risk_coverage"] == [
        {"coverage": 0.5, "risk": 0, "threshold": 0.8},
        {"coverage": 0.75, "risk": 0, "threshold": 0.7},
        {"coverage": 1.0, "risk": 0.25, "threshold": 0.5},
    ]
    assert [(part["n"], part["confidence"], part["accuracy"]) for part in figures["reliability"]] == [
        (1, 0.5, 0), (1, 0.7, 1), (2, 0.8, 1),
    ]  # fmt: skip
    assert figures["slices"] == {}
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_each_figure_is_its_metric_over_all_photos() -> None:
    random = np.random.default_rng(0)
    targets, labels = random.integers(0, 6, 300), "abcdef"
    powers = np.exp(random.normal(size=(300, 6)) + 1.5 * np.eye(6)[targets])
    probabilities = powers / powers.sum(1, keepdims=True)
    found = evaluation.figures(targets, probabilities, labels, [None] * 300)
    for name, metric in (
        ("log_loss", metrics.log_loss), ("brier", metrics.brier_score), ("ece", metrics.expected_calibration_error),
    ):  # fmt: skip
        assert found[name] == metric(targets, probabilities), name
    assert found["top3"] == metrics.top_k_accuracy(targets, probabilities, 3) < 1
    assert found["aurc"] == metrics.risk_coverage(targets, probabilities).area
    for part in found["reliability"]:
        expected = metrics.wilson_interval(round(part["accuracy"] * part["n"]), part["n"])
        assert part["accuracy_interval"] == list(expected)


def test_of_a_class_that_is_never_named_or_never_shown_no_ratio_is_made_up() -> None:
    per_class = evaluate(predict, records(("c", "Hat"), ("d", "Shirt")), LABELS).figures["per_class"]
    assert per_class["Dress"].keys() == {"precision", "f1", "support"}  # named once, never shown
    assert per_class["Hat"].keys() == {"recall", "f1", "support", "auroc"}  # shown once, never named
    assert (per_class["Dress"]["precision"], per_class["Hat"]["recall"]) == (0, 0)


def test_few_groups_are_shown_one_by_one() -> None:
    some = [Record(name, Path(name), label, group) for name, label, group in
            (("a", "Dress", "ann"), ("b", "Hat", "ann"), ("c", "Shirt", "bob"))]  # fmt: skip
    figures = evaluate(predict, some, LABELS).figures
    assert figures["interval_method"] == "Wilson, photos taken as independent: 2 groups are too few to resample"
    assert figures["groups"] == {"ann": {"n": 2, "accuracy": 1}, "bob": {"n": 1, "accuracy": 0}}
    assert figures["leave_one_group_out"] == [0, 1]


def test_many_groups_are_resampled_and_blank_ones_are_said() -> None:
    many = [Record(f"{i}", Path("abcd"[i % 4]), ("Dress", "Hat", "Shirt", "Shirt")[i % 4], f"g{i % 25}")
            for i in range(100)]  # fmt: skip
    report = evaluate(predict, many, LABELS)
    assert report.figures["interval_method"] == "bootstrap over 25 groups"
    assert "groups" not in report.figures
    many[3] = Record("3", Path("d"), "Shirt")
    report = evaluate(predict, many, LABELS)
    assert "1 of 100 photos have no group" in report.figures["interval_method"]
    assert report.notes == ("1 of 100 photos have no group: intervals take the photos as independent",)


def test_one_class_only_is_measured_and_its_limits_are_said() -> None:
    report = evaluate(predict, records(("c", "Shirt"), ("d", "Shirt")), LABELS)
    assert report.figures["accuracy"] == 0.5
    assert "auroc" not in report.figures
    assert "auroc" not in report.figures["per_class"]["Shirt"]
    assert report.notes == (
        "every photo is of the class 'Shirt': AUROC is undefined; balanced accuracy and F1 mean little",
    )


def test_classes_without_a_photo_are_said() -> None:
    report = evaluate(predict, records(("a", "Dress"), ("d", "Shirt")), LABELS)
    assert report.notes == ("no photo is of the class Hat: no AUROC there, and the mean is that of the other classes",)
    assert report.figures["auroc"] == 1
    assert "auroc" not in report.figures["per_class"]["Hat"]


# --- slices ----------------------------------------------------------------------------------------------------------


SLICED = [
    Record("a", Path("a"), "Dress", "ann", "test", 2, {"kids": "true", "shop": ""}),
    Record("b", Path("b"), "Hat", "ann", "test", 3, {"kids": "false", "shop": "x"}),
    Record("c", Path("c"), "Shirt", "bob", "test", 4, {"kids": "false", "shop": " "}),
    Record("gone", Path("gone"), "Shirt", "bob", "test", 5, {"kids": "true", "shop": "x"}),
]


def test_slices_have_their_own_intervals_the_most_frequent_value_first() -> None:
    slices = {name: column_reader(name, SLICED, Columns()) for name in ("kids", "shop", "group", "label")}
    found = evaluate(predict, SLICED, LABELS, slices=slices).figures["slices"]
    assert list(found) == ["kids", "shop", "group", "label"]
    assert {value: (row["n"], row["accuracy"]) for value, row in found["kids"].items()} == {
        "false": (2, 0.5), "true": (1, 1),
    }  # fmt: skip
    assert list(found["shop"]) == ["(blank)", "x"]
    assert found["group"]["ann"]["accuracy_interval"] == pytest.approx([0.3424, 1], abs=1e-4)
    assert found["label"]["Shirt"]["accuracy"] == 0


def test_a_slice_is_resampled_by_group_where_it_has_enough() -> None:
    many = [
        Record(
            f"{i}", Path("abcd"[i % 4]), ("Dress", "Hat", "Shirt", "Shirt")[i % 4], f"g{i}", extra={"big": str(i > 9)}
        )
        for i in range(60)
    ]
    found = evaluate(predict, many, LABELS, slices={"big": column_reader("big", many, Columns())}).figures["slices"]
    assert found["big"]["True"]["interval_method"] == "bootstrap over 50 groups"
    assert found["big"]["False"]["interval_method"].endswith("10 groups are too few to resample")


def test_the_photos_of_a_slice_keep_their_own_groups() -> None:
    many = [
        Record(f"{i}", Path("abcd"[i % 4]), ("Dress", "Hat", "Shirt", "Shirt")[i % 4], f"g{max(i, 40)}",
               extra={"late": str(i >= 40)})
        for i in range(100)
    ]  # fmt: skip
    found = evaluate(predict, many, LABELS, slices={"late": column_reader("late", many, Columns())}).figures["slices"]
    assert found["late"]["True"]["interval_method"] == "bootstrap over 60 groups"
    assert found["late"]["False"]["interval_method"].endswith("1 group is too few to resample")


def test_columns_go_by_the_names_of_the_table() -> None:
    columns = Columns("kind", "sender", None)
    read = {name: column_reader(name, SLICED, columns)(SLICED[0]) for name in ("kind", "sender", "split", "image")}
    assert read == {"kind": "Dress", "sender": "ann", "split": "test", "image": "a"}
    with pytest.raises(UsageError) as caught:
        column_reader("label", SLICED, columns)
    assert str(caught.value) == ("no column 'label' to slice by (columns: image, kind, sender, split, kids, shop)")


# --- another model beside ---------------------------------------------------------------------------------------------


def test_a_rival_joins_the_report_with_what_it_can_not_read() -> None:
    def rival(sources: Iterable[RecordSource]) -> Iterator[object]:
        for source in sources:
            yield ImageCorruptError("b: too large") if str(source) == "b" else np.array([0.1, 0.1, 0.8, 0.0])

    some = records(("a", "Dress"), ("b", "Hat"), ("c", "Shirt"), ("gone", "Hat"))
    report = evaluate(predict, some, LABELS)
    both = with_comparison(report, collect(rival, some, (*LABELS, "Sock")), "other")
    assert both.failures == ("gone: damaged", "b: too large")
    assert both.notes[-1] == "compared on the 3 classes that both can choose"
    found = both.figures["comparison"]
    assert (found["against"], found["n"], found["candidates"]) == ("other", 2, list(LABELS))
    assert (found["only_this_right"], found["only_against_right"], found["difference"]) == (1, 1, 0)
    assert {key: both.figures[key] for key in report.figures} == report.figures
