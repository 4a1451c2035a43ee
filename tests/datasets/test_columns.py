"""Columns and classes that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.small_tables import make_table, names

from clothing_classifier.datasets import Columns, load_dataset, match_labels
from clothing_classifier.errors import DatasetError

MAPPED = "image,label,kind,sender,part\na.jpg,Hat,hat,1,train\nb.jpg,Hat,,2,test\nc.jpg,Shoes,shoes,,validation\n"


def test_mapped_columns_take_the_place_of_the_usual_ones(tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, MAPPED), Columns(label="kind"))
    assert [(record.label, record.extra["label"]) for record in dataset.records] == [("hat", "Hat"), ("shoes", "Shoes")]


@pytest.mark.parametrize(
    ("columns", "images", "set_aside"),
    [
        (Columns(), ["a.jpg", "b.jpg", "c.jpg"], 0),
        (Columns(label="kind"), ["a.jpg", "c.jpg"], 1),
        (Columns(group="sender"), ["a.jpg", "b.jpg"], 1),
        (Columns(label="kind", group="sender", split="part"), ["a.jpg"], 2),
    ],
)
def test_rows_blank_in_a_mapped_column_are_set_aside_and_counted(
    columns: Columns, images: list[str], set_aside: int, tmp_path: Path
) -> None:
    dataset = load_dataset(make_table(tmp_path, MAPPED), columns)
    assert (names(dataset), dataset.set_aside, dataset.bad_rows) == (images, set_aside, ())


def test_records_bad_rows_and_rows_set_aside_are_all_the_rows(tmp_path: Path) -> None:
    table = MAPPED + "gone.jpg,Hat,hat,1,train\nd.jpg,Hat\na.jpg,Hat,hat,1,test\n"
    dataset = load_dataset(make_table(tmp_path, table), Columns(label="kind", group="sender", split="part"))
    assert (len(dataset.records), len(dataset.bad_rows), dataset.set_aside) == (1, 3, 2)


def test_a_blank_group_or_split_that_nobody_mapped_is_no_value(tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, "image,label,group,split\na.jpg,Hat, ,\n"))
    assert (dataset.records[0].group, dataset.records[0].split) == (None, None)


@pytest.mark.parametrize("columns", [Columns(label="x"), Columns(group="x"), Columns(split="x")])
def test_a_mapped_column_that_is_not_there_is_refused(columns: Columns, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no column 'x' .* \(columns: image, label, kind, sender, part\)"):
        load_dataset(make_table(tmp_path, MAPPED), columns)


def test_an_ignored_split_column_is_a_further_column(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label,split\na.jpg,Hat,holdout\nb.jpg,Hat,\n")
    dataset = load_dataset(tmp_path, Columns(ignore_split=True))
    assert [(record.split, record.extra) for record in dataset.records] == [
        (None, {"split": "holdout"}),
        (None, {"split": ""}),
    ]
    assert load_dataset(tmp_path, Columns(split="no such column", ignore_split=True)) == dataset


def test_labels_restrict_the_classes(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label\na.jpg,Hat\nb.jpg,Shoes\nc.jpg,Skirt\ngone.jpg,Hat\n")
    assert load_dataset(tmp_path, labels=["Hat", "Skirt"]).labels == ("Hat", "Skirt")
    assert load_dataset(tmp_path, exclude_labels=["Hat"]).labels == ("Shoes", "Skirt")
    assert load_dataset(tmp_path, labels=["Hat", "Shoes"], exclude_labels=["Hat"]).labels == ("Shoes",)
    assert len(load_dataset(tmp_path, labels=["Shoes"]).bad_rows) == 1


@pytest.mark.parametrize("option", ["labels", "exclude_labels"])
def test_an_unknown_label_is_refused_with_the_known_ones(option: str, tmp_path: Path) -> None:
    make_table(tmp_path, "image,label\na.jpg,Hat\nb.jpg,Shoes\n")
    with pytest.raises(DatasetError, match=r"no row has the label 'Scarf' \(labels: Hat, Shoes\)"):
        load_dataset(tmp_path, **{option: ["Scarf"]})


def test_leaving_out_every_label_is_refused(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label\na.jpg,Hat\nb.jpg,Shoes\n")
    with pytest.raises(DatasetError, match="every label is left out"):
        load_dataset(tmp_path, labels=["Hat"], exclude_labels=["Hat"])


@pytest.mark.parametrize(
    ("wanted", "known", "matches"),
    [
        (["Hat"], ["Hat", "Shoes"], {"Hat": "Hat"}),
        (["hat", "SHOES"], ["Hat", "Shoes"], {"hat": "Hat", "SHOES": "Shoes"}),
        (["Hat"], ["hat", "Hat", "HAT"], {"Hat": "Hat"}),
        (["hAt"], ["hat", "HAT"], {}),
        (["Scarf"], ["Hat"], {}),
        (["STRASSE"], ["Straße"], {"STRASSE": "Straße"}),
        ([], ["Hat"], {}),
        (["Hat"], [], {}),
    ],
)
def test_labels_match_exactly_or_without_case(wanted: list[str], known: Sequence[str], matches: dict[str, str]) -> None:
    assert match_labels(wanted, known) == matches


def test_a_part_is_its_records_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, "image,label,split\na.jpg,Hat,train\nb.jpg,Hat,test\nc.jpg,Hat,\n"))
    assert [record.image for record in dataset.part("test")] == ["b.jpg"]
    with pytest.raises(DatasetError, match=r"no photos in the split 'validation' \(no split: 1, test: 1, train: 1\)"):
        dataset.part("validation")
