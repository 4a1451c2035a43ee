"""Every form of a data set becomes the same records, and every row that can't be used is named."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clothing_classifier.dataset import (
    FASHION_MNIST_LABELS,
    BadRow,
    Columns,
    Dataset,
    content_sha256,
    fingerprint,
    image_files,
    load_dataset,
    match_labels,
    read_table,
)
from clothing_classifier.errors import DatasetError


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


# --- a table ---------------------------------------------------------------------------------------------------------


def test_a_table_becomes_records_in_its_order(tmp_path: Path) -> None:
    table = "image,label,group,split,shop\nb.jpg,Hat,7,test,north\na.jpg,Shoes,,,\n"
    dataset = load_dataset(make_table(tmp_path, table))
    hat, shoes = dataset.records
    assert (hat.image, hat.label, hat.group, hat.split, hat.row) == ("b.jpg", "Hat", "7", "test", 2)
    assert (shoes.image, shoes.label, shoes.group, shoes.split, shoes.row) == ("a.jpg", "Shoes", None, None, 3)
    assert hat.source == tmp_path / "images" / "b.jpg"
    assert hat.extra == {"shop": "north"}
    assert dataset.labels == ("Hat", "Shoes")
    assert (dataset.bad_rows, dataset.set_aside) == ((), 0)


def test_every_bad_row_is_listed_with_file_row_and_reason(tmp_path: Path) -> None:
    table = "\n".join(
        (
            "image,label,split",
            "a.jpg,Hat,train",
            "gone.jpg,Hat,train",
            "b.jpg,  ,train",
            "c.jpg,Hat,holdout",
            "a.jpg,Shoes,test",
            "../a.jpg,Hat,test",
            ",Hat,test",
            "d.jpg,Hat",
            "e.jpg,Hat,test,more",
        )
    )
    dataset = load_dataset(make_table(tmp_path, table))
    assert names(dataset) == ["a.jpg"]
    assert reasons(dataset) == {
        3: f"there is no file {tmp_path / 'images' / 'gone.jpg'}",
        4: "the column 'label' is empty",
        5: "unknown split 'holdout'; use train, validation, test",
        6: "'a.jpg' stands in row 2 already",
        7: "the path '../a.jpg' leaves the folder images/",
        8: "the column 'image' is empty",
        9: "2 cells where the header has 3",
        10: "4 cells where the header has 3",
    }
    assert str(dataset.bad_rows[0]).startswith(f"{tmp_path / 'dataset.csv'}, row 3: there is no file")
    assert [row.image for row in dataset.bad_rows[-2:]] == ["d.jpg", "e.jpg"]


def test_a_ragged_row_names_its_image_wherever_the_column_stands(tmp_path: Path) -> None:
    table = "label,image,note\nHat,a.jpg,x\nHat,b.jpg\nHat\n"
    dataset = load_dataset(make_table(tmp_path, table))
    assert [row.image for row in dataset.bad_rows] == ["b.jpg", ""]


def test_rows_are_numbered_by_the_line_where_they_start(tmp_path: Path) -> None:
    table = 'image,label,note\na.jpg,Hat,"one\ntwo\nthree"\n\nb.jpg,,"x\ny"\nc.jpg,Shoes,\n'
    dataset = load_dataset(make_table(tmp_path, table))
    assert [record.row for record in dataset.records] == [2, 8]
    assert reasons(dataset) == {6: "the column 'label' is empty"}
    assert dataset.records[0].extra == {"note": "one\ntwo\nthree"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(end: str, tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, f"image,label{end}a.jpg,Hat{end}b.jpg,{end}"))
    assert (names(dataset), reasons(dataset)) == (["a.jpg"], {3: "the column 'label' is empty"})


def test_a_byte_order_mark_and_quoted_header_are_read(tmp_path: Path) -> None:
    table = b'\xef\xbb\xbf"image","label"\r\n"a.jpg","Hut, gr\xc3\xbcn"\r\n'
    assert load_dataset(make_table(tmp_path, table)).labels == ("Hut, grün",)


def test_spaces_around_cells_and_names_are_no_part_of_them(tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, "image , label\n a.jpg ,  Hat\n"))
    assert (names(dataset), dataset.labels) == (["a.jpg"], ("Hat",))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_utf_8_is_refused_with_its_row(encoding: str, tmp_path: Path) -> None:
    filler = "".join(f"{i}.jpg,Hat\n" for i in range(5000))
    make_table(tmp_path, f"image,label\n{filler}a.jpg,Röcke\n".encode(encoding))
    with pytest.raises(DatasetError, match=f"row {5002 if encoding == 'latin-1' else 1}: not UTF-8"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "no column 'image' for the image (columns: none)"),
        ("\n\n", "no column 'image' for the image (columns: none)"),
        ("image\na.jpg\n", "no column 'label' for the label (columns: image)"),
        ("image;label\na.jpg;Hat\n", "no column 'image' for the image (columns: image;label)"),
        ("image,label\n", "no usable row (0 bad, 0 blank)"),
        ("image,label\ngone.jpg,Hat\n", "no usable row (1 bad, 0 blank); first: "),
        ("image,label,note,note\na.jpg,Hat,,\n", "the column 'note' stands twice in the header"),
        ("image,label,image\na.jpg,Hat,b.jpg\n", "the column 'image' stands twice in the header"),
        (
            'image,label\na.jpg,Hat\nb.jpg,"Shoes\nc.jpg,Hat\n',
            "row 3: the table can't be read (unexpected end of data)",
        ),
        ('image,label\na.jpg,"Hat" or so\n', "row 2: the table can't be read"),
        (f"image,label\na.jpg,{'x' * 200_000}\n", "row 2: the table can't be read (field larger than field limit"),
    ],
)
def test_what_is_no_usable_table_is_refused_in_one_line(table: str, message: str, tmp_path: Path) -> None:
    make_table(tmp_path, table)
    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_open_quote_never_swallows_the_rows_behind_it(tmp_path: Path) -> None:
    make_table(tmp_path, 'image,label\na.jpg,"Hat\nb.jpg,Shoes\n')
    with pytest.raises(DatasetError, match="row 2"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("image", ["a\0.jpg", "a\0b/c.jpg", "\0"])
def test_null_bytes_make_a_bad_row(image: str, tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, f"image,label\n{image},Hat\nb.jpg,Hat\n"))
    assert names(dataset) == ["b.jpg"]
    assert str(dataset.bad_rows[0]).isprintable()


def test_a_bad_row_is_one_line_whatever_its_cells_hold(tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, 'image,label\n"x\ny\x1b[31m.jpg",Hat\nb.jpg,Hat\n'))
    assert str(dataset.bad_rows[0]).isprintable()
    assert dataset.bad_rows[0].row == 2


# --- names of images -------------------------------------------------------------------------------------------------


def test_images_may_lie_in_sub_folders(tmp_path: Path) -> None:
    table = "image,label\nshop/north/a.jpg,Hat\nshop/b.jpg,Hat\n"
    dataset = load_dataset(make_table(tmp_path, table, ["shop/north/a.jpg", "shop/b.jpg"]))
    assert dataset.records[0].source == tmp_path / "images" / "shop" / "north" / "a.jpg"
    assert dataset.bad_rows == ()


@pytest.mark.parametrize("again", ["./a.jpg", ".//a.jpg", "././a.jpg"])
def test_another_spelling_of_a_path_is_the_same_path(again: str, tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, f"image,label\na.jpg,Hat\n{again},Hat\n"))
    assert reasons(dataset) == {3: f"'{again}' stands in row 2 already"}


def test_equal_names_in_two_folders_are_two_images(tmp_path: Path) -> None:
    images = ["a.jpg", "x/a.jpg", "y/a.jpg"]
    dataset = load_dataset(make_table(tmp_path, "image,label\n" + "".join(f"{i},Hat\n" for i in images), images))
    assert names(dataset) == images


@pytest.mark.parametrize(
    "path",
    [
        "../a.jpg",
        "x/../a.jpg",
        "x/../../a.jpg",
        "..",
        "/a.jpg",
        "//a.jpg",
        "/etc/passwd",
        "C:\\photos\\a.jpg",
        "C:/photos/a.jpg",
        "\\\\server\\share\\a.jpg",
        "\\a.jpg",
        "..\\a.jpg",
        "x\\..\\..\\a.jpg",
    ],
)
def test_a_path_that_leaves_the_folder_is_a_bad_row(path: str, tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, f"image,label\n{path},Hat\nb.jpg,Hat\n"))
    assert reasons(dataset) == {2: f"the path '{path}' leaves the folder images/"}


@pytest.mark.parametrize("path", ["a..jpg", "..a.jpg", "x..y/a.jpg", "...", "über/ä ö.jpg", "%2e%2e.jpg"])
def test_dots_and_signs_within_names_are_names(path: str, tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, f"image,label\n{path},Hat\n", [path]))
    assert names(dataset) == [path]


@pytest.mark.parametrize("path", ["sub", "sub/", "a.jpg/", ".", "sub\\a.jpg", "A.JPG"])
def test_what_is_no_file_of_that_name_is_a_bad_row(path: str, tmp_path: Path) -> None:
    make_table(tmp_path, f"image,label\n{path},Hat\nb.jpg,Hat\n", ["a.jpg", "b.jpg", "sub/a.jpg"])
    if (tmp_path / "images" / "A.JPG").exists():
        pytest.skip("the file system takes names without case")
    assert list(reasons(load_dataset(tmp_path))) == [2]


def test_links_are_followed(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label\nlink.jpg,Hat\nfolder/d.jpg,Hat\nbroken.jpg,Hat\n")
    touch(tmp_path / "elsewhere", "d.jpg")
    images = tmp_path / "images"
    (images / "link.jpg").symlink_to(tmp_path / "elsewhere" / "d.jpg")
    (images / "folder").symlink_to(tmp_path / "elsewhere")
    (images / "broken.jpg").symlink_to(tmp_path / "gone.jpg")
    dataset = load_dataset(tmp_path)
    assert names(dataset) == ["link.jpg", "folder/d.jpg"]
    assert list(reasons(dataset)) == [4]


def test_a_link_in_a_circle_costs_its_own_row_only(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label\na.jpg,Hat\ncircle.jpg,Hat\n")
    (tmp_path / "images" / "circle.jpg").symlink_to("circle.jpg")
    dataset = load_dataset(tmp_path)
    assert names(dataset) == ["a.jpg"]
    assert list(reasons(dataset)) == [3]


def test_a_table_without_its_images_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset.csv").write_text("image,label\na.jpg,Hat\n")
    with pytest.raises(DatasetError, match="no usable row"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("folder", ["", "shop/north/"])
def test_100_000_rows_load(folder: str, tmp_path: Path) -> None:
    files = [f"{folder}{i}.jpg" for i in range(50)]
    rows = [f"{files[i]}" if i < 50 else f"{folder}gone-{i}.jpg" for i in range(100_000)]
    table = "image,label,group,split\n" + "".join(f"{row},Hat,{i % 5000},train\n" for i, row in enumerate(rows))
    dataset = load_dataset(make_table(tmp_path, table, files))
    assert len(dataset.records) == 50
    assert len(dataset.bad_rows) == 99_950
    assert (dataset.bad_rows[-1].row, dataset.bad_rows[-1].image) == (100_001, f"{folder}gone-99999.jpg")


# --- mapped columns and labels ---------------------------------------------------------------------------------------

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
    with pytest.raises(DatasetError, match=r"no rows in the split 'validation' \(no split: 1, test: 1, train: 1\)"):
        dataset.part("validation")


# --- class folders ---------------------------------------------------------------------------------------------------


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


# --- idx files -------------------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_files(train: int = 12, test: int = 5) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    files = {}
    for prefix, count in (("train", train), ("t10k", test)):
        files[f"{prefix}-images-idx3-ubyte"] = idx(random.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        files[f"{prefix}-labels-idx1-ubyte"] = idx(np.arange(count, dtype=np.uint8) % 10)
    return files


def write_idx(root: Path, files: dict[str, bytes], zipped: bool = False) -> Path:
    for name, data in files.items():
        (root / (f"{name}.gz" if zipped else name)).write_bytes(gzip.compress(data) if zipped else data)
    return root


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_become_records(zipped: bool, tmp_path: Path) -> None:
    files = idx_files()
    dataset = load_dataset(write_idx(tmp_path, files, zipped))
    assert [record.split for record in dataset.records] == ["train"] * 12 + ["test"] * 5
    assert dataset.records[11].label == FASHION_MNIST_LABELS[1]
    assert dataset.records[12].image == "t10k/0"
    pixels = dataset.records[3].source
    assert isinstance(pixels, np.ndarray)
    assert pixels.shape == (28, 28)
    assert pixels.tobytes() == files["train-images-idx3-ubyte"][16:][3 * 784 : 4 * 784]


def with_shape(*shape: int) -> bytes:
    return b"\0\0\x08" + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


IMAGES = idx_files()["train-images-idx3-ubyte"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        IMAGES[:1],
        IMAGES[:4],
        IMAGES[:8],
        IMAGES[:15],
        IMAGES[:16],
        IMAGES[:-1],
        IMAGES + b"x",
        b"\0\0\x0d" + IMAGES[3:],
        b"<html>not found</html>",
        idx(np.zeros((12, 784), np.uint8)),
        idx(np.zeros((11, 28, 28), np.uint8)),
        with_shape(65536, 65536, 65536),
        with_shape(2**31, 2**31, 4),
        with_shape(0, 2**32 - 1, 2**32 - 1),
        with_shape(12, 0, 28),
        with_shape(*[0] * 200),
        with_shape(*[2**16] * 4),
        b"\0\0\x08\xff",
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_damaged_idx_images_are_refused(damaged: bytes, zipped: bool, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files() | {"train-images-idx3-ubyte": damaged}, zipped)
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("damaged", [b"\0\0\x08\x01", with_shape(11) + bytes(11), with_shape(12) + bytes(11)])
def test_damaged_idx_labels_are_refused(damaged: bytes, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files() | {"train-labels-idx1-ubyte": damaged})
    with pytest.raises(DatasetError, match="idx"):
        load_dataset(tmp_path)


def test_two_truncated_idx_files_are_no_empty_part(tmp_path: Path) -> None:
    cut = {"train-images-idx3-ubyte": b"\0\0\x08\x03", "train-labels-idx1-ubyte": b"\0\0\x08\x01"}
    with pytest.raises(DatasetError, match="not a whole idx file"):
        load_dataset(write_idx(tmp_path, idx_files() | cut))


@pytest.mark.parametrize("keep", [0, 5, 20, -9, -1])
def test_truncated_gzip_is_refused(keep: int, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files(), zipped=True)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=path.name):
        load_dataset(tmp_path)


def test_every_flipped_byte_of_gzip_is_refused_or_harmless(tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files(2, 2), zipped=True)
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    expected = [record.label for record in load_dataset(tmp_path).records]
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert [record.label for record in load_dataset(tmp_path).records] == expected
        except DatasetError as error:
            assert str(error).isprintable()


def test_a_label_beyond_the_ten_classes_is_refused(tmp_path: Path) -> None:
    labels = idx(np.array([0] * 11 + [10], np.uint8))
    with pytest.raises(DatasetError, match="label 10"):
        load_dataset(write_idx(tmp_path, idx_files() | {"train-labels-idx1-ubyte": labels}))


@pytest.mark.parametrize("name", sorted(set(idx_files()) - {"train-images-idx3-ubyte"}))
def test_a_missing_idx_file_is_named(name: str, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files())
    (tmp_path / name).unlink()
    with pytest.raises(DatasetError, match=f"{name} .* is missing"):
        load_dataset(tmp_path)


# --- one data set, three forms ---------------------------------------------------------------------------------------


def test_table_and_class_folders_give_the_same_photos(tmp_path: Path) -> None:
    photos = [("train", "Hat", "1.jpg"), ("test", "Hat", "2.jpg"), ("test", "Shoes", "3.jpg")]
    touch(tmp_path / "folders", *(f"{split}/{label}/{name}" for split, label, name in photos))
    rows = "".join(f"{name},{label},{split}\n" for split, label, name in photos)
    make_table(tmp_path / "table", f"image,label,split\n{rows}", [name for _, _, name in photos])

    def facts(root: Path) -> set[tuple[str, str, str | None, str | None]]:
        records = load_dataset(root).records
        return {(Path(record.image).name, record.label, record.group, record.split) for record in records}

    assert facts(tmp_path / "folders") == facts(tmp_path / "table")


def test_the_real_clothing_table_loads_whole(shared: Path) -> None:
    root = shared / "data" / "clothing"
    dataset = load_dataset(root, Columns(group="sender_id"))
    _, rows = read_table(root / "dataset.csv")
    assert len(dataset.records) == len(rows)
    assert (dataset.bad_rows, dataset.set_aside) == ((), 0)
    benchmark = load_dataset(root, Columns(label="benchmark_label", split="benchmark_split"))
    assert len(benchmark.records) + benchmark.set_aside == len(rows)
    assert {record.split for record in benchmark.records} == {"train", "validation", "test"}


def test_the_real_fashion_mnist_loads(shared: Path) -> None:
    dataset = load_dataset(shared / "data" / "fashion-mnist")
    assert (len(dataset.part("train")), len(dataset.part("test"))) == (60_000, 10_000)
    assert dataset.labels == tuple(sorted(FASHION_MNIST_LABELS))


# --- fingerprints ----------------------------------------------------------------------------------------------------


def test_a_fingerprint_hangs_on_content_not_on_order_or_place(tmp_path: Path) -> None:
    table = "image,label\na.jpg,Hat\nb.jpg,Shoes\n"
    here, there = (load_dataset(make_table(tmp_path / name, table)).records for name in ("here", "there"))
    assert fingerprint(here, ["1", "2"]) == fingerprint(there[::-1], ["2", "1"])
    assert fingerprint(here, ["1", "2"]) != fingerprint(here, ["2", "1"])


def test_the_content_hash_of_pixels_knows_their_shape(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8)
    assert content_sha256(pixels.reshape(3, 4)) != content_sha256(pixels.reshape(4, 3))
    path = tmp_path / "a.jpg"
    path.write_bytes(os.urandom(10))
    assert len(content_sha256(path)) == 64
