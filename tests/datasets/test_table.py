"""A table becomes records, and every row that can't be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.small_tables import make_table, names, reasons, touch

from clothing_classifier.datasets import load_dataset
from clothing_classifier.errors import DatasetError


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
        6: "'a.jpg' stands in row 2 already, labelled 'Hat', in train",
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


def test_cells_may_be_long_but_not_endless(tmp_path: Path) -> None:
    make_table(tmp_path, f"image,label,note\na.jpg,Hat,{1_000_000 * 'x'}\n")
    assert len(load_dataset(tmp_path).records[0].extra["note"]) == 1_000_000
    make_table(tmp_path, f"image,label,note\na.jpg,Hat,{20_000_000 * 'x'}\n")
    with pytest.raises(DatasetError, match=r"row 2: the table can't be read \(field larger than field limit"):
        load_dataset(tmp_path)


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


def test_what_looks_the_same_is_one_label_and_one_group(tmp_path: Path) -> None:
    """A Mac decomposes letters, and web pages hold spaces of no width, or such as do not break."""
    rows = ("a.jpg,R\u00f6cke,M\u00fcller A", "b.jpg,Ro\u0308cke,Mu\u0308ller\u00a0 A", "c.jpg,R\u00f6cke\u200b,")
    make_table(tmp_path, "\n".join(["image,label,group", *rows]))
    dataset = load_dataset(tmp_path, labels=["Ro\u0308cke"])
    assert dataset.labels == ("R\u00f6cke",)
    assert [record.group for record in dataset.records] == ["M\u00fcller A", "M\u00fcller A", None]


def test_parts_of_a_split_may_be_called_as_people_call_them(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label,split\na.jpg,Hat,Train\nb.jpg,Hat,val\nc.jpg,Hat,TEST\n")
    assert [record.split for record in load_dataset(tmp_path).records] == ["train", "validation", "test"]


def test_names_that_begin_with_the_folder_of_images_are_explained(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label\na.jpg,Hat\nimages/b.jpg,Hat\n")
    (bad,) = load_dataset(tmp_path).bad_rows
    assert bad.reason.endswith("images/images/b.jpg; names are of files in images/: write 'b.jpg'")


def test_a_column_in_other_letters_is_explained(tmp_path: Path) -> None:
    make_table(tmp_path, "Image,label\na.jpg,Hat\n")
    with pytest.raises(DatasetError, match=r"no column 'image' .*; rename 'Image' to 'image'$"):
        load_dataset(tmp_path)


def test_a_row_again_with_its_label_in_other_case_disputes_nothing(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label\na.jpg,Hat\na.jpg,hat\n")
    (again,) = load_dataset(tmp_path).bad_rows
    assert (again.reason, again.disputes) == ("'a.jpg' stands in row 2 already", None)


def test_columns_without_a_name_are_left_alone(tmp_path: Path) -> None:
    make_table(tmp_path, "image,label,,\na.jpg,Hat,,x\n")
    (record,) = load_dataset(tmp_path).records
    assert record.extra == {}


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
        ("image;label\na.jpg;Hat\n", "(its cells are separated by semicolons: save it with commas)"),
        ("image\tlabel\na.jpg\tHat\n", "(its cells are separated by tabs: save it with commas)"),
        ("image,label\n", "no usable row (0 bad, 0 blank in a column that you named)"),
        ("image,label\ngone.jpg,Hat\n", "no usable row (1 bad, 0 blank in a column that you named); first: "),
        ("image,label,note,note\na.jpg,Hat,,\n", "the column 'note' stands twice in the header"),
        ("image,label,image\na.jpg,Hat,b.jpg\n", "the column 'image' stands twice in the header"),
        (
            'image,label\na.jpg,Hat\nb.jpg,"Shoes\nc.jpg,Hat\n',
            "row 3: the table can't be read (unexpected end of data)",
        ),
        ('image,label\na.jpg,"Hat" or so\n', "row 2: the table can't be read"),
    ],
)
def test_what_is_no_usable_table_is_refused_in_one_line(table: str, message: str, tmp_path: Path) -> None:
    make_table(tmp_path, table)
    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("image", ["a\0.jpg", "a\0b/c.jpg", "\0"])
def test_null_bytes_make_a_bad_row(image: str, tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, f"image,label\n{image},Hat\nb.jpg,Hat\n"))
    assert names(dataset) == ["b.jpg"]
    assert str(dataset.bad_rows[0]).isprintable()


def test_a_bad_row_is_one_line_whatever_its_cells_hold(tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, 'image,label\n"x\ny\x1b[31m.jpg",Hat\nb.jpg,Hat\n'))
    assert str(dataset.bad_rows[0]).isprintable()
    assert dataset.bad_rows[0].row == 2


@pytest.mark.parametrize("again", ["./a.jpg", ".//a.jpg", "././a.jpg"])
def test_another_spelling_of_a_path_is_the_same_path(again: str, tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, f"image,label\na.jpg,Hat\n{again},Hat\n"))
    assert reasons(dataset) == {3: f"'{again}' stands in row 2 already"}


def test_equal_names_in_two_folders_are_two_images(tmp_path: Path) -> None:
    images = ["a.jpg", "x/a.jpg", "y/a.jpg"]
    dataset = load_dataset(make_table(tmp_path, "image,label\n" + "".join(f"{i},Hat\n" for i in images), images))
    assert names(dataset) == images
    assert dataset.records[1].source == tmp_path / "images" / "x" / "a.jpg"


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


def test_100_000_rows_load(tmp_path: Path) -> None:
    files = [f"shop/north/{i}.jpg" for i in range(50)]
    rows = [*files, *(f"shop/north/gone-{i}.jpg" for i in range(50, 100_000))]
    table = "image,label,group,split\n" + "".join(f"{row},Hat,{i % 5000},train\n" for i, row in enumerate(rows))
    dataset = load_dataset(make_table(tmp_path, table, files))
    assert len(dataset.records) == 50
    assert len(dataset.bad_rows) == 99_950
    assert (dataset.bad_rows[-1].row, dataset.bad_rows[-1].image) == (100_001, "shop/north/gone-99999.jpg")


def test_an_image_counts_as_listed_only_where_its_row_was_of_use(tmp_path: Path) -> None:
    dataset = load_dataset(make_table(tmp_path, "image,label\na.jpg,\na.jpg,Hat\na.jpg,Hat\n"))
    assert names(dataset) == ["a.jpg"]
    assert reasons(dataset) == {2: "the column 'label' is empty", 4: "'a.jpg' stands in row 3 already"}


def test_labels_that_differ_by_case_alone_are_pointed_out(tmp_path: Path) -> None:
    root = make_table(tmp_path, "image,label\na.jpg,Hat\nb.jpg,HAT\nc.jpg,Shoes\n")
    assert load_dataset(root).notes == (
        "the labels 'HAT' and 'Hat' differ by case alone and count as 2: write them alike",
    )
    assert names(load_dataset(root, labels=["Hat"])) == ["a.jpg"]
    assert len(load_dataset(root, labels=["Hat"]).notes) == 1
