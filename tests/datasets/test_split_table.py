"""A split is written back as a column, and the rest of the table stays as it was."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.drawn_records import crossing_groups, split

from clothing_classifier.datasets import SPLITS, Columns, load_dataset
from clothing_classifier.datasets.splits import split_table
from clothing_classifier.errors import DatasetError

pytest.importorskip("sklearn", reason="needs the extra 'train'")


def make_table(root: Path, text: str | bytes, images: Sequence[str] = ()) -> Path:
    (root / "images").mkdir()
    (root / "dataset.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    for image in images:
        (root / "images" / image).touch()
    return root


def big_table(root: Path, header: str = "image,label,sender", more: str = "") -> Path:
    rows = [f"{i}.jpg,{('Hat', 'Shoes')[i % 2]},s{i % 20}" for i in range(100)]
    return make_table(root, "\n".join([header, *rows, more]), [f"{i}.jpg" for i in range(100)])


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [cells for cells in csv.reader(file) if cells]


NASTY = [
    "plain",
    " spaces around ",
    'a "quoted" word',
    "comma, and; more",
    "two\nlines",
    "two\r\nlines",
    "a lone \r return",
    "\t",
    "Größe 42 – 👕",
    "'=1+1",
    "007",
    "",
    "null\0byte",
    "line\u2028separator",
]


def test_the_split_is_written_back_as_a_column_that_loads(tmp_path: Path) -> None:
    root = big_table(tmp_path)
    result = split(root)
    records = load_dataset(root, Columns(group="sender")).records
    assert crossing_groups(records) == set()
    counts = Counter(record.split for record in records)
    assert {name: part["photos"] for name, part in result.parts.items()} == counts
    assert sum(part["groups"] for part in result.parts.values()) == 20
    assert set(counts) == set(SPLITS)
    assert (result.warnings, result.failures, result.set_aside) == ((), (), 0)


def test_the_table_keeps_its_mark_and_who_may_read_it(tmp_path: Path) -> None:
    table = big_table(tmp_path) / "dataset.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    table.chmod(0o600)
    split(tmp_path, out=table)
    written = table.read_bytes()
    assert written.startswith(b"\xef\xbb\xbfimage,")
    assert written.count(b"\r\n") == written.count(b"\n") == 101
    assert table.stat().st_mode & 0o777 == 0o600


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    root = big_table(tmp_path)
    for name in ("one.csv", "two.csv"):
        split(root, root / name)
    assert (root / "one.csv").read_bytes() == (root / "two.csv").read_bytes()
    split(root, root / "three.csv", seed=1)
    assert (root / "three.csv").read_bytes() != (root / "one.csv").read_bytes()


def test_writing_elsewhere_leaves_the_table_and_nothing_half_written(tmp_path: Path) -> None:
    root = big_table(tmp_path)
    before = (root / "dataset.csv").read_bytes()
    split(root, root / "new" / "split.csv")
    assert (root / "dataset.csv").read_bytes() == before
    assert [path.name for path in (root / "new").iterdir()] == ["split.csv"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_cells_stay_as_they_were_whatever_they_hold(overwrite: bool, tmp_path: Path) -> None:
    header = ["note", *(["split"] if overwrite else []), "image", "label", "sender"]
    rows = [
        [NASTY[i % len(NASTY)], *(["train"] if overwrite else []), f"{i}.jpg", "ab"[i % 2], f"s{i}"] for i in range(60)
    ]
    make_table(tmp_path, "", [f"{i}.jpg" for i in range(60)])
    with (tmp_path / "dataset.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    split(tmp_path, overwrite=overwrite)
    written = read(tmp_path / "dataset.csv")
    index = header.index("split") if overwrite else len(header)
    assert written[0][index] == "split"
    assert {cells[index] for cells in written[1:]} == set(SPLITS)
    plain = [cells[:index] + cells[index + 1 :] for cells in written]
    expected = [cells[:index] + cells[index + 1 :] for cells in [header, *rows]]
    assert plain == expected


def test_bad_rows_are_kept_as_they_are_and_reported(tmp_path: Path) -> None:
    bad = ["gone.jpg,Hat,s1", "0.jpg,Hat,s1", "1.jpg,,s1", "short.jpg,Hat", "long.jpg,Hat,s1,x,y", "../a.jpg,Hat,s2"]
    root = big_table(tmp_path, more="\n".join(bad))
    # Rows are read with the group column that is there, not one that was mapped, so that none is ignored.
    result = split(root, columns=Columns())
    written = read(root / "dataset.csv")[101:]
    assert written == [
        ["gone.jpg", "Hat", "s1", ""],
        ["0.jpg", "Hat", "s1", ""],
        ["1.jpg", "", "s1", ""],
        ["short.jpg", "Hat", ""],
        ["long.jpg", "Hat", "s1", "x", "y", ""],
        ["../a.jpg", "Hat", "s2", ""],
    ]
    assert len(result.failures) == 6
    assert "row 102: there is no file" in result.failures[0]
    assert len(load_dataset(root).bad_rows) == 6


def test_bad_rows_stay_bad_when_a_split_is_replaced(tmp_path: Path) -> None:
    rows = [f"{i}.jpg,Hat,train,s{i}" for i in range(20)]
    bad = ["short.jpg", "short.jpg,Hat", "short.jpg,Hat,test", "long.jpg,Hat,test,s1,x"]
    text = "\n".join(["image,label,split,sender", *rows, *bad])
    make_table(tmp_path, text, [*(f"{i}.jpg" for i in range(20)), "short.jpg", "long.jpg"])
    split(tmp_path, overwrite=True)
    assert read(tmp_path / "dataset.csv")[21:] == [
        ["short.jpg"],
        ["short.jpg", "Hat"],
        ["short.jpg", "Hat", ""],
        ["long.jpg", "Hat", "", "s1", "x"],
    ]
    assert len(load_dataset(tmp_path, Columns(group="sender")).bad_rows) == 4


def test_rows_set_aside_are_kept_with_a_blank_split_and_counted(tmp_path: Path) -> None:
    root = big_table(tmp_path, more="extra.jpg,Hat,")
    (root / "images" / "extra.jpg").touch()
    assert split(root).set_aside == 1
    assert read(root / "dataset.csv")[-1] == ["extra.jpg", "Hat", "", ""]


def test_a_split_that_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    root = big_table(tmp_path)
    split(root)
    first = (root / "dataset.csv").read_bytes()
    for out in (root / "dataset.csv", root / "other.csv"):
        with pytest.raises(DatasetError, match="--overwrite"):
            split(root, out, seed=1)
    assert not (root / "other.csv").exists()
    assert (root / "dataset.csv").read_bytes() == first
    split(root, seed=1, overwrite=True)
    assert (root / "dataset.csv").read_bytes() != first
    split(root, seed=0, overwrite=True)
    assert (root / "dataset.csv").read_bytes() == first


def test_a_split_column_with_unknown_names_can_be_replaced(tmp_path: Path) -> None:
    rows = [f"{i}.jpg,{'ab'[i % 2]},fold {i % 3}" for i in range(30)]
    make_table(tmp_path, "\n".join(["image,label,split", *rows]), [f"{i}.jpg" for i in range(30)])
    result = split(tmp_path, columns=Columns(), overwrite=True)
    assert result.failures == ()
    assert sum(part["photos"] for part in result.parts.values()) == 30


def test_hold_out_sends_whole_groups_to_test(tmp_path: Path) -> None:
    shops = {0: "north", 9: " north "}
    rows = [f"{i}.jpg,{'ab'[i % 2]},s{i // 4},{shops.get(i, 'south')}" for i in range(80)]
    make_table(tmp_path, "\n".join(["image,label,sender,shop", *rows]), [f"{i}.jpg" for i in range(80)])
    split(tmp_path, test=0, hold_out="shop=north")
    records = load_dataset(tmp_path, Columns(group="sender")).records
    assert {record.group for record in records if record.split == "test"} == {"s0", "s2"}
    assert crossing_groups(records) == set()


def test_hold_out_without_groups_takes_the_rows_alone(tmp_path: Path) -> None:
    rows = [f"{i}.jpg,{'ab'[i % 2]},{'north' if i in (0, 9) else 'south'}" for i in range(40)]
    make_table(tmp_path, "\n".join(["image,label,shop", *rows]), [f"{i}.jpg" for i in range(40)])
    split(tmp_path, columns=Columns(), test=0, hold_out="shop=north")
    assert [record.image for record in load_dataset(tmp_path).part("test")] == ["0.jpg", "9.jpg"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("shop=north", "no column 'shop' to hold out by"),
        ("sender=nobody", "no row has 'nobody' in the column 'sender'"),
        ("sender", "COLUMN=VALUE, not 'sender'"),
        ("label=Unusable", "no usable row has label=Unusable"),
    ],
)
def test_what_can_not_be_held_out_is_refused(condition: str, message: str, tmp_path: Path) -> None:
    root = big_table(tmp_path, more="gone.jpg,Unusable,s1\n")
    before = (root / "dataset.csv").read_bytes()
    with pytest.raises(DatasetError, match=message):
        split(root, hold_out=condition)
    assert (root / "dataset.csv").read_bytes() == before


def test_classes_with_too_few_groups_and_parts_without_a_class_are_warned_of(tmp_path: Path) -> None:
    root = big_table(tmp_path, more="rare.jpg,Poncho,s3")
    (root / "images" / "rare.jpg").touch()
    result = split(root)
    assert "'Poncho' has 1 groups for 3 parts" in result.warnings
    assert sum("has no photo of Poncho" in warning for warning in result.warnings) == 2


def test_a_data_set_without_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Hat").mkdir()
    (tmp_path / "Hat" / "a.jpg").touch()
    with pytest.raises(DatasetError, match=r"no dataset\.csv to write splits to"):
        split(tmp_path)


def test_the_real_table_is_split_by_sender(shared: Path, tmp_path: Path) -> None:
    root = shared / "data" / "clothing"
    result = split_table(root, tmp_path / "split.csv", Columns(group="sender_id"), 0.15, 0.15, seed=0)
    assert (result.failures, result.set_aside) == ((), 0)
    before, after = read(root / "dataset.csv"), read(tmp_path / "split.csv")
    assert [cells[:-1] for cells in after] == before
    sides = defaultdict(set)
    for cells in after[1:]:
        sides[cells[before[0].index("sender_id")]].add(cells[-1])
    assert all(len(splits) == 1 for splits in sides.values())
    for name in ("validation", "test"):
        assert result.parts[name]["photos"] / len(before) == pytest.approx(0.15, abs=0.02)
        assert result.parts[name]["groups"] > 30
