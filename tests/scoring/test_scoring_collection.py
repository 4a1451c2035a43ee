"""What is scored, and in which order: folders, globs, tables."""

import os
import shutil
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clothing_classifier.datasets import image_files
from clothing_classifier.errors import UsageError
from clothing_classifier.scoring.collection import list_inputs
from clothing_classifier.scoring.listing import write_listing
from clothing_classifier.scoring.tables import _Names

DATA = Path(__file__).parents[2] / "data"


def paths(where: object, column: str | None = None) -> list[str]:
    return [entry.path for entry in list_inputs(str(where), column)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a-b/2.JPG", "a/1.png", "a/deep/3.webp", "a/notes.txt", "z.txt"):
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "tree"


def test_a_folder_is_listed_as_predict_lists_it(tree: Path) -> None:
    (tree / "a" / "loop").symlink_to(tree)
    (tree / "elsewhere.jpg").symlink_to(tree / "b.jpg")
    (tree / "a" / "._1.png").touch()
    shutil.copytree(tree / "a-b", tree / "__MACOSX" / "a-b")
    assert paths(tree) == [str(path) for path in image_files(tree)]
    assert len(paths(tree)) == 5
    below = tree / "__MACOSX" / "a-b"
    assert paths(below) == [str(path) for path in image_files(below)] == [f"{below}/2.JPG"]


def test_a_link_that_leads_nowhere_hides_no_other_photo(tree: Path) -> None:
    (tree / "a" / "loop.jpg").symlink_to("loop.jpg")
    assert paths(tree) == [str(path) for path in image_files(tree)]
    assert len(paths(tree)) == 5


def test_a_folder_that_can_not_be_listed_fails_by_name(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(folder: str) -> object:
        if folder == str(tree / "a"):
            raise PermissionError(13, "Permission denied", folder)
        return listed(folder)

    listed = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    assert paths(tree) == [f"{tree}/a/", f"{tree}/a-b/2.JPG", f"{tree}/b.jpg"]
    assert paths(f"{tree}/**/*.jpg") == [f"{tree}/a/", f"{tree}/b.jpg"]


def test_globs_match_while_walking(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert paths("*.jpg") == ["b.jpg"]
    assert paths("a*/*") == ["a/1.png", "a/notes.txt", "a-b/2.JPG"]
    assert paths(f"{tree}/**/[123].*") == [f"{tree}/a/1.png", f"{tree}/a/deep/3.webp", f"{tree}/a-b/2.JPG"]
    (tree / "odd[1].jpg").touch()
    assert paths("odd[1].jpg") == ["odd[1].jpg"]


@pytest.mark.parametrize("where", ["nowhere", "*.tiff", "empty", "nothing://x/y.jpg", "list.txt"])
def test_nothing_to_score_is_one_line(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").touch()
    with pytest.raises(UsageError, match=where.partition(":")[0].replace("*", r"\*")) as caught:
        list(list_inputs(where))
    assert "\n" not in str(caught.value)


def test_rows_of_a_table_are_named_as_written(tmp_path: Path) -> None:
    found = list(list_inputs(str(DATA / "dataset.csv")))
    assert len(found) == 240
    assert found[0].path == Path(found[0].source or "").name
    assert Path(found[0].source or "").is_file()
    table = tmp_path / "list.csv"
    table.write_text("name,path\n1,a.jpg\n2,\n3,/b/c.jpg\n4,s3://bucket/d.jpg\n")
    sources = [entry.source for entry in list_inputs(str(table))]
    assert sources == [f"{tmp_path}/a.jpg", None, "/b/c.jpg", "s3://bucket/d.jpg"]
    assert [entry.fault for entry in list_inputs(str(table))][1] == f"{table}, row 3: no photo is named"


def test_a_name_in_a_bucket_may_hold_a_question_mark(tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    for name in ("a.jpg", "what?.jpg", "notes.txt?.md"):
        store.pipe(f"/marked/{name}", b"x")
    assert paths("memory://marked") == ["memory:///marked/a.jpg", "memory:///marked/what?.jpg"]


def test_a_run_does_not_score_its_own_output(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["a.jpg"]}), tmp_path / "list.parquet")
    (tmp_path / "out").mkdir()
    pq.write_table(pa.table({"path": ["b.jpg"]}), tmp_path / "out" / "part-000000.parquet")
    found = list_inputs(str(tmp_path), None, tmp_path / "out")
    assert [entry.path for entry in found] == ["a.jpg"]


def test_names_in_a_table_of_the_root_are_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _Names("/list.csv").read("a.jpg", 1).source == "/a.jpg"


def test_no_path_of_a_data_set_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    table = tmp_path / "dataset.csv"
    table.write_text("image\n../secret.jpg\n/etc/passwd\nfine.jpg\n")
    found = list(list_inputs(str(table)))
    assert [entry.fault is None for entry in found] == [False, False, True]
    assert found[0].fault == f"{table}, row 2: the path '../secret.jpg' leaves the folder images/"


def test_columns_are_chosen_or_named(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": [1, 2], "link": ["a.jpg", "b.jpg"]}), table)
    assert paths(table, "link") == ["a.jpg", "b.jpg"]
    for column, said in ((None, "name it: --column"), ("other", "no column 'other'"), ("n", "neither text nor bytes")):
        with pytest.raises(UsageError, match=said):
            paths(table, column)


def test_photos_in_parquet_are_rows_of_it(tmp_path: Path) -> None:
    for name, kind in (("plain", pa.binary()), ("hub", pa.struct({"bytes": pa.binary(), "path": pa.string()}))):
        cells = [b"1", b"2", b"3"] if name == "plain" else [{"bytes": b"1", "path": "x"}] * 3
        pq.write_table(pa.table({"image": pa.array(cells, kind)}), tmp_path / f"{name}.parquet", row_group_size=2)
    found = list(list_inputs(str(tmp_path)))  # a folder without photos: its tables, sorted
    assert [(entry.group, entry.row) for entry in found] == [(0, 0), (0, 1), (1, 0)] * 2
    assert found[5].path == f"{tmp_path}/plain.parquet#2"


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.csv", b"path\n\xff\xfe\n"), ("t.csv", b'path\n"a\n'), ("t.parquet", b"no"), ("t.csv", b"")],
)
def test_a_damaged_table_is_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=name):
        list(list_inputs(str(tmp_path / name)))


def test_the_list_holds_any_name_and_tells_lists_apart(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for name in (b"a\xff.jpg", "b\u00e9\n.jpg".encode(), b"c.jpg"):
        shutil.copy(DATA / "images" / "hat-00-a.jpg", os.path.join(os.fsencode(folder), name))  # noqa: PTH118
    listing = write_listing(tmp_path / "list.parquet", list_inputs(str(folder)), 2)
    assert (listing.rows, listing.parts, listing.size(1)) == (3, 2, 1)
    first, second = listing.read(0)
    assert first.path.endswith("a\\xff.jpg")
    assert os.path.exists(first.source or "")  # noqa: PTH110
    assert second.path.endswith("b\u00e9\n.jpg")
    assert listing.read(0, 1, 5) == [second]
    (folder / "d.jpg").touch()
    assert write_listing(tmp_path / "other.parquet", list_inputs(str(folder)), 2).sha256 != listing.sha256


def test_a_table_of_another_size_is_another_input(tmp_path: Path) -> None:
    def listed(photo: bytes) -> str:
        pq.write_table(pa.table({"image": [photo]}), tmp_path / "t.parquet")
        return write_listing(tmp_path / "list", list_inputs(str(tmp_path / "t.parquet")), 10).sha256

    assert listed(b"1") == listed(b"1") != listed(os.urandom(100))
