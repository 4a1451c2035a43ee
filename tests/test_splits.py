"""Splits: no group on two sides, near the asked shares, the same for a seed, and the rest of the table as it was."""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clothing_classifier.dataset import SPLITS, Columns, Record, load_dataset
from clothing_classifier.errors import DatasetError, MissingExtraError
from clothing_classifier.splits import (
    SplitResult,
    assign_splits,
    classes_with_few_groups,
    cut_fold,
    group_names,
    missing_classes,
    split_table,
)

pytest.importorskip("sklearn", reason="needs the extra 'train'")


def make_records(
    photos: int = 600, groups: int | None = 120, labels: Sequence[str] = ("Hat", "Shoes", "Skirt"), seed: int = 0
) -> list[Record]:
    """Records of random labels in groups of uneven size; `groups=None` gives none a group."""
    random = np.random.default_rng(seed)
    senders = [None] * photos if groups is None else [f"g{int(groups * share**2)}" for share in random.random(photos)]
    chosen = random.choice(labels, photos)
    return [
        Record(f"{i}.jpg", Path(f"{i}.jpg"), str(label), sender, row=i + 2)
        for i, (label, sender) in enumerate(zip(chosen, senders, strict=True))
    ]


def parts(records: Sequence[Record]) -> dict[str, float]:
    counts = Counter(record.split or "" for record in records)
    return {name: counts[name] / len(records) for name in SPLITS}


def crossing_groups(records: Sequence[Record]) -> set[str]:
    sides = defaultdict(set)
    for record, group in zip(records, group_names(records), strict=True):
        sides[group].add(record.split)
    return {group for group, splits in sides.items() if len(splits) > 1}


# --- assigning -------------------------------------------------------------------------------------------------------

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


@settings(max_examples=40, deadline=None, database=None)
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
    with pytest.raises(DatasetError, match="1 groups"):
        assign_splits(make_records(50, 1), 0.2, 0.2, 0)


def test_classes_smaller_than_the_number_of_folds_are_split_all_the_same() -> None:
    assigned = assign_splits(make_records(12, None, labels=("a", "b", "c")), 0.15, 0, seed=0)
    assert 1 <= Counter(record.split for record in assigned)["validation"] <= 4


def test_photos_that_are_each_a_class_are_refused_not_crashed_on() -> None:
    records = [Record(f"{i}.jpg", Path("x"), f"label {i}") for i in range(10)]
    with pytest.raises(DatasetError, match="1 photos of the largest class"):
        assign_splits(records, 0.2, 0, 0)


def test_many_classes_of_two_are_split_without_a_warning() -> None:
    records = [Record(f"{i}.jpg", Path("x"), f"label {i % 10}") for i in range(19)]
    assert "validation" in {record.split for record in assign_splits(records, 0.5, 0, 0)}


def test_without_scikit_learn_the_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[train\]'"):
        assign_splits(make_records(50), 0.2, 0, 0)


def test_a_class_with_fewer_groups_than_parts_is_named() -> None:
    records = [Record("x", Path("x"), "Hat", f"g{i}", split) for i, split in enumerate(SPLITS)]
    records += [Record("x", Path("x"), "Shoes", group, "train") for group in ("g0", "g0", "g7")]
    assert classes_with_few_groups(records) == {"Shoes": 2}
    assert missing_classes(records) == {"test": ["Shoes"], "validation": ["Shoes"]}


# --- a table ---------------------------------------------------------------------------------------------------------


def make_table(root: Path, text: str | bytes, images: Sequence[str] = ()) -> Path:
    (root / "images").mkdir()
    (root / "dataset.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    for image in images:
        (root / "images" / image).touch()
    return root


def big_table(root: Path, header: str = "image,label,sender", more: str = "") -> Path:
    rows = [f"{i}.jpg,{('Hat', 'Shoes')[i % 2]},s{i % 20}" for i in range(100)]
    return make_table(root, "\n".join([header, *rows, more]), [f"{i}.jpg" for i in range(100)])


def split(root: Path, out: Path | None = None, **options: object) -> SplitResult:
    arguments = {"columns": Columns(group="sender"), "validation": 0.2, "test": 0.2, "seed": 0} | options
    return split_table(root, out or root / "dataset.csv", **arguments)  # type: ignore[arg-type]


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [cells for cells in csv.reader(file) if cells]


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
    # Rows are read with the group column that is there, not one that was mapped, so that none is set aside.
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
    with pytest.raises(DatasetError, match="--overwrite"):
        split(root, seed=1)
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
    rows = [f"{i}.jpg,{'ab'[i % 2]},s{i // 4},{'north' if i in (0, 9) else 'south'}" for i in range(80)]
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
