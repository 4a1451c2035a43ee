"""A folder in place of a host is copied, checked and gone on with; what is in the way is not overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.lying_host import BYTES, COMPLETE, HALF, A, Host, files_in, make_source, manifest_of

from clothing_classifier.datasets.fetch import fetch
from clothing_classifier.errors import DownloadError, UsageError


def test_folder_is_copied(tmp_path: Path) -> None:
    source, out = make_source(tmp_path / "source"), tmp_path / "out"
    assert fetch(manifest_of(BYTES), out, str(source)).fetched == 2
    assert files_in(out) == COMPLETE
    assert (out / "images" / "a.jpg").stat().st_nlink == 1


def test_folder_copy_goes_on_from_a_part(tmp_path: Path) -> None:
    source, out = make_source(tmp_path / "source"), tmp_path / "out"
    (out / "images").mkdir(parents=True)
    (out / "images" / "a.jpg.part").write_bytes(A[:HALF])
    fetch(manifest_of(BYTES), out, str(source))
    assert files_in(out) == COMPLETE


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, r"a\.jpg: No such file or directory"),
        (A[:-1], f"ended after {len(A) - 1} of {len(A)} bytes"),
        (A[::-1], "has another SHA-256 than expected"),
    ],
    ids=["missing", "short", "wrong"],
)
def test_folder_with_a_bad_file(tmp_path: Path, body: bytes | None, reason: str) -> None:
    source, out = make_source(tmp_path / "source"), tmp_path / "out"
    (source / "images" / "a.jpg").unlink()
    if body is not None:
        (source / "images" / "a.jpg").write_bytes(body)
    with pytest.raises(DownloadError, match=rf"1 of 2 files of tiny could .* such as images/a\.jpg \(.*{reason}\)"):
        fetch(manifest_of(BYTES), out, str(source))
    assert {path for path in files_in(out) if not path.endswith(".part")} == {"images/b #1%20.jpg"}


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("no/such/folder", DownloadError, "no/such/folder: there is no such folder"),
        ("s3://bucket/photos", UsageError, "only a folder, or an http:// or https:// address"),
        ("http://[half", UsageError, "half"),
    ],
)
def test_source_that_can_not_be_used(tmp_path: Path, source: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fetch(manifest_of(BYTES), tmp_path / "out", source)
    assert not (tmp_path / "out").exists()


def test_connections_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        fetch(manifest_of(BYTES), tmp_path, str(tmp_path), connections=0)


def test_another_table_is_not_overwritten(host: Host, tmp_path: Path) -> None:
    (tmp_path / "dataset.csv").write_text("image,label\nmine.jpg,Hat\n")
    with pytest.raises(DownloadError, match=r"dataset\.csv exists and is not tiny's table: move it away"):
        fetch(manifest_of(BYTES), tmp_path, host.url)
    assert host.asked == []
    assert files_in(tmp_path) == {"dataset.csv": b"image,label\nmine.jpg,Hat\n"}


def test_without_a_table_none_is_written(host: Host, tmp_path: Path) -> None:
    host.files = {"train.gz": b"digits", "empty.gz": b""}
    fetch(manifest_of(host.files, table=""), tmp_path, host.url)
    assert files_in(tmp_path) == host.files


@pytest.mark.parametrize("place", ["out", "out/images", "out/images/a.jpg.part"])
def test_place_that_can_not_be_written(host: Host, tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.mkdir()
    else:
        path.write_bytes(b"in the way")
    with pytest.raises(DownloadError, match=r"out.*: can't be written: "):
        fetch(manifest_of(BYTES), tmp_path / "out", host.url)
