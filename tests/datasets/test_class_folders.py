"""Class folders become the records of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.small_tables import names, touch

from clothing_classifier.datasets import BadRow, Columns, image_files, load_dataset
from clothing_classifier.errors import DatasetError


def test_class_folders_are_labels(tmp_path: Path) -> None:
    touch(tmp_path, "Hat/b.jpg", "Hat/a.PNG", "Hat/more/c.jpeg", "Shoes/a.jpg", "Shoes/notes.txt", ".cache/x.jpg")
    dataset = load_dataset(tmp_path)
    assert [(record.image, record.label, record.split) for record in dataset.records] == [
        ("Hat/a.PNG", "Hat", None),
        ("Hat/b.jpg", "Hat", None),
        ("Hat/more/c.jpeg", "Hat", None),
        ("Shoes/a.jpg", "Shoes", None),
    ]
    assert dataset.records[0].source == tmp_path / "Hat" / "a.PNG"
    assert dataset.bad_rows == ()


def test_split_folders_above_class_folders_are_splits(tmp_path: Path) -> None:
    touch(tmp_path, "train/Hat/a.jpg", "test/Hat/a.jpg", "validation/Shoes/b.jpg")
    assert [(record.image, record.label, record.split) for record in load_dataset(tmp_path).records] == [
        ("test/Hat/a.jpg", "Hat", "test"),
        ("train/Hat/a.jpg", "Hat", "train"),
        ("validation/Shoes/b.jpg", "Shoes", "validation"),
    ]


def test_usual_names_of_parts_are_parts(tmp_path: Path) -> None:
    touch(tmp_path, "Train/Hat/a.jpg", "val/Hat/b.jpg", "test/Hat/c.jpg", "__MACOSX/Train/Hat/a.jpg")
    records = load_dataset(tmp_path).records
    assert [(record.label, record.split) for record in records] == [
        ("Hat", "train"), ("Hat", "test"), ("Hat", "validation"),
    ]  # fmt: skip


def test_a_class_beside_parts_of_a_split_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/Hat/a.jpg", "test/Hat/b.jpg", "Shoes/c.jpg")
    with pytest.raises(DatasetError, match="'Shoes' is no part of a split beside 'test'; have train/, validation/"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("columns", [Columns(label="kind"), Columns(group="sender"), Columns(split="part")])
def test_columns_without_a_table_are_refused(columns: Columns, tmp_path: Path) -> None:
    touch(tmp_path, "Hat/a.jpg")
    with pytest.raises(DatasetError, match=r"no column .(kind|sender|part)., since there is no dataset\.csv"):
        load_dataset(tmp_path, columns)


@pytest.mark.parametrize("above", ["", "train/"])
def test_images_beside_class_folders_are_named(above: str, tmp_path: Path) -> None:
    touch(tmp_path, f"{above}Hat/a.jpg", f"{above}stray.jpg", f"{above}README.md")
    dataset = load_dataset(tmp_path)
    assert len(dataset.records) == 1
    stray = tmp_path / above / "stray.jpg"
    assert dataset.bad_rows == (BadRow(stray, 0, f"{above}stray.jpg", "the image is in no class folder"),)
    assert str(dataset.bad_rows[0]) == f"{stray}: the image is in no class folder"


@pytest.mark.parametrize("files", [[], ["a.jpg"], ["Hat/notes.txt"], ["train/a.jpg"], ["images/"]])
def test_a_folder_without_anything_to_load_is_refused(files: list[str], tmp_path: Path) -> None:
    for file in files:
        touch(tmp_path, file) if not file.endswith("/") else (tmp_path / file).mkdir()
    with pytest.raises(DatasetError, match="nothing to load"):
        load_dataset(tmp_path)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "file")
    for root in (tmp_path / "gone", tmp_path / "file"):
        with pytest.raises(DatasetError, match="there is no such folder"):
            load_dataset(root)


def test_a_folder_that_can_not_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    touch(tmp_path, "Hat/a.jpg")
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DatasetError, match=r"can't be read \(Permission denied\)"):
        load_dataset(tmp_path)


def test_image_files_follow_links_but_no_loops(tmp_path: Path) -> None:
    touch(tmp_path, "here/a.jpg", "here/deep/b.JPG", "there/c.webp", "there/d.txt")
    (tmp_path / "here" / "loop").symlink_to(tmp_path / "here")
    (tmp_path / "here" / "deep" / "up").symlink_to(tmp_path / "here")
    (tmp_path / "here" / "there").symlink_to(tmp_path / "there")
    (tmp_path / "there" / "back").symlink_to(tmp_path / "here")
    (tmp_path / "here" / "self").symlink_to("self")
    (tmp_path / "here" / "broken.jpg").symlink_to("gone.jpg")
    found = [path.relative_to(tmp_path).as_posix() for path in image_files(tmp_path / "here")]
    assert found == ["here/a.jpg", "here/broken.jpg", "here/deep/b.JPG", "here/there/c.webp"]


def test_a_class_folder_may_be_a_link(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", "a.jpg")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "Hat").symlink_to(tmp_path / "elsewhere")
    assert names(load_dataset(tmp_path / "data")) == ["Hat/a.jpg"]


def test_an_unreadable_folder_is_handed_on_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "locked/b.jpg")
    listed = Path.iterdir

    def iterdir(self: Path) -> Any:
        if self.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert list(image_files(tmp_path)) == [tmp_path / "a.jpg", tmp_path / "locked"]


def test_what_a_mac_keeps_beside_files_is_no_photo(tmp_path: Path) -> None:
    for name in ("Hat/a.jpg", "Hat/._a.jpg", "Hat/__MACOSX/a.jpg", "Hat/.a.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path)] == [".a.jpg", "a.jpg"]
