"""Manifests name files inside the folder only; those of the package are whole; the tool makes them."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import io
from collections import Counter
from pathlib import Path

import pytest
from helpers.lying_host import TABLE, A, files_in, make_source

import make_manifest
from clothing_classifier.datasets.fetch import fetch
from clothing_classifier.datasets.manifest import DATA_SETS, RemoteFile, load_manifest
from clothing_classifier.errors import DownloadError, UsageError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.jpg", "images/../../a.jpg", "C:a.jpg", "images\\..\\..\\a", ""])
def test_path_outside_the_folder_is_refused(path: str) -> None:
    with pytest.raises(DownloadError, match="outside the data set's folder"):
        RemoteFile(path, 1, "")


def test_unknown_data_set() -> None:
    with pytest.raises(UsageError, match="'mnist' to fetch: choose clothing or fashion-mnist"):
        load_manifest("mnist")


def test_manifests_of_the_package() -> None:
    clothing, fashion = (load_manifest(name) for name in DATA_SETS)
    rows = list(csv.DictReader(io.StringIO(clothing.table)))
    assert clothing.source.endswith("/alexeygrigorev/clothing-dataset/7ed86a9cc56763b6acb35e41cb35184e43a5d218")
    assert [file.path for file in clothing.files] == [f"images/{row['image']}" for row in rows]
    assert (len(rows), Counter(row["benchmark_split"] for row in rows)["test"]) == (4779, 372)
    assert fashion.source.endswith("/zalandoresearch/fashion-mnist/master/data/fashion")
    assert [file.path for file in fashion.files] == [
        f"{part}-{kind}-idx{rank}-ubyte.gz"
        for part in ("t10k", "train")
        for kind, rank in (("images", 3), ("labels", 1))
    ]
    assert fashion.table == ""
    assert all(len(file.sha256) == 64 and file.size > 0 for file in clothing.files + fashion.files)


@pytest.mark.skipif(not (DATA / "clothing").is_dir(), reason="shared/data/clothing is not there")
def test_clothing_from_the_real_folder(tmp_path: Path) -> None:
    source, manifest = DATA / "clothing", load_manifest("clothing")
    assert {file.path: file.size for file in manifest.files} == {
        path.relative_to(source).as_posix(): path.stat().st_size for path in (source / "images").iterdir()
    }
    some = dataclasses.replace(manifest, files=manifest.files[::20])
    assert fetch(some, tmp_path, str(source)).fetched == len(some.files)
    assert all((tmp_path / file.path).read_bytes() == (source / file.path).read_bytes() for file in some.files)
    with (source / "dataset.csv").open(newline="") as theirs, (tmp_path / "dataset.csv").open(newline="") as ours:
        expected, found = list(csv.DictReader(theirs)), list(csv.DictReader(ours))
    assert [{column: row[column] for column in expected[0]} for row in found] == expected


@pytest.mark.skipif(not (DATA / "fashion-mnist").is_dir(), reason="shared/data/fashion-mnist is not there")
def test_fashion_mnist_from_the_real_folder(tmp_path: Path) -> None:
    assert fetch(load_manifest("fashion-mnist"), tmp_path, str(DATA / "fashion-mnist")).fetched == 4
    labels = gzip.decompress((tmp_path / "t10k-labels-idx1-ubyte.gz").read_bytes())
    assert len(labels) == 8 + 10_000
    assert len(files_in(tmp_path)) == 4


def test_make_manifest_of_a_table(tmp_path: Path) -> None:
    folder = make_source(tmp_path / "source")
    (folder / "dataset.csv").write_text(TABLE)
    first, second = tmp_path / "first.csv.gz", tmp_path / "second.csv.gz"
    assert make_manifest.main([str(folder), str(first)]) == make_manifest.main([str(folder), str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    digest = hashlib.sha256(A).hexdigest()
    lines = gzip.decompress(first.read_bytes()).decode().splitlines()
    assert lines[:2] == ["image,size,sha256,label,split", f"a.jpg,{len(A)},{digest},Hat,train"]


def test_make_manifest_takes_another_table(tmp_path: Path) -> None:
    folder, table = make_source(tmp_path / "source"), tmp_path / "other.csv"
    table.write_text('image,note\nb #1%20.jpg,"left, right"\n')
    assert make_manifest.main([str(folder), str(tmp_path / "out.csv"), "--table", str(table)]) == 0
    header, row = csv.reader((tmp_path / "out.csv").read_text().splitlines())
    assert (header[-1], row[0], row[1], row[3]) == ("note", "b #1%20.jpg", "5000", "left, right")


def test_make_manifest_of_archives(tmp_path: Path) -> None:
    (tmp_path / "b.gz").write_bytes(b"bb")
    (tmp_path / "a.gz").write_bytes(b"a")
    assert make_manifest.main([str(tmp_path), str(tmp_path / "out.csv")]) == 0
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[0] for line in lines] == ["name,size", "a.gz,1", "b.gz,2"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "holds neither dataset.csv nor"),
        ("name,label\na.jpg,Hat\n", "first column must be 'image'"),
        ("image,size\na.jpg,3\n", "none may be called size or sha256"),
        ("image,label\na.jpg\n", "1 rows have not 2 columns"),
        ("image,label\na.jpg,Hat\na.jpg,Shoes\n", "more than one row"),
        ("image,label\nz.jpg,Hat\n", "z.jpg"),
        ("", "first column must be 'image'"),
    ],
)
def test_make_manifest_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str | None, message: str
) -> None:
    folder = make_source(tmp_path / "source")
    if table is not None:
        (folder / "dataset.csv").write_text(table)
    assert make_manifest.main([str(folder), str(tmp_path / "out.csv")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
