"""What is no image, is missing or may not be read gets one line that names it."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.pictures import CONTRACT, SAMPLES, assert_one_line, encode, garment
from PIL import Image

from clothing_classifier import errors
from clothing_classifier.preprocessing import prepare


@pytest.mark.parametrize("data", [b"", bytearray()], ids=["bytes", "file"])
def test_a_file_without_bytes_is_empty(data: bytes) -> None:
    with pytest.raises(errors.ImageEmptyError, match="0 bytes"):
        prepare(data if isinstance(data, bytes) else io.BytesIO(), CONTRACT)


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"\n\n  <html lang=en>",
        b"\xef\xbb\xbf<!doctype HTML>",
        b"<!-- saved from url=(0014)about:internet -->\r\n<HTML>",
    ],
)
def test_an_html_page_named_jpg_is_called_so(page: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(page)
    with pytest.raises(errors.ImageFormatError, match="HTML page") as caught:
        prepare(path, CONTRACT)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"just some text",
        b"bmw,audi\n",
        b"\0",
        bytes(5000),
        b"%PDF-1.7\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"P6 2 2 255\n" + bytes(12),
        encode(garment(), "ICO"),
        encode(garment(), "TGA"),
        encode(garment(), "PCX"),
        b"\0\0\0\x1cftypavif" + bytes(40),
    ],
    ids=["text", "bm text", "one byte", "zeros", "pdf", "svg", "ppm", "ico", "tga", "pcx", "avif"],
)
def test_what_is_not_an_accepted_format_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(errors.ImageFormatError, match="not an image in an accepted format") as caught:
        prepare(data, CONTRACT)
    assert_one_line(caught.value)


def test_heic_without_its_extra_names_the_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(errors.ImageFormatError, match=r"pip install '\.\[heic\]'"):
        prepare(b"\0\0\0\x18ftypheic" + bytes(40), CONTRACT)


def test_a_missing_file_and_a_folder_are_not_found(tmp_path: Path) -> None:
    with pytest.raises(errors.ImageNotFoundError, match="no such file"):
        prepare(tmp_path / "gone.jpg", CONTRACT)
    with pytest.raises(errors.ImageNotFoundError, match="a folder"):
        prepare(str(tmp_path), CONTRACT)


def test_a_link_to_nothing_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    with pytest.raises(errors.ImageNotFoundError):
        prepare(tmp_path / "link.jpg", CONTRACT)


def test_a_link_in_a_circle_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "link.jpg")
    with pytest.raises(errors.ImageUnreadableError):
        prepare(tmp_path / "link.jpg", CONTRACT)


@pytest.mark.parametrize("name", ["a\0b.jpg", "x" * 5000])
def test_an_impossible_name_is_unreadable(name: str) -> None:
    with pytest.raises(errors.ImageUnreadableError) as caught:
        prepare(name, CONTRACT)
    assert_one_line(caught.value)


def test_a_refusal_of_the_system_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(errors.ImageUnreadableError, match="Permission denied"):
        prepare(tmp_path / "a.jpg", CONTRACT)


def test_a_file_object_that_fails_is_unreadable() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    closed = io.BytesIO(b"x")
    closed.close()
    for source, reason in ((Broken(), "Input/output error"), (closed, "closed file")):
        with pytest.raises(errors.ImageUnreadableError, match=reason):
            prepare(source, CONTRACT)


@pytest.mark.parametrize("name", ["two\nlines.jpg", "tab\there.jpg", "\x1b[31mred.jpg", "line\u2028separator.jpg"])
def test_a_name_with_control_characters_stays_on_one_line(name: str, tmp_path: Path) -> None:
    for source in (tmp_path / name, str(tmp_path / name)):
        with pytest.raises(errors.ImageNotFoundError) as caught:
            prepare(source, CONTRACT)
        assert_one_line(caught.value)


def test_a_name_that_is_not_utf_8_can_be_printed() -> None:
    with pytest.raises(errors.ImageNotFoundError) as caught:
        prepare(b"caf\xe9.jpg".decode("utf-8", "surrogateescape"), CONTRACT)
    assert str(caught.value).encode("utf-8").startswith(b"caf\\udce9.jpg")


def test_an_error_names_the_open_file_and_the_pil_image(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(SAMPLES["png"][:-60])
    with path.open("rb") as file, pytest.raises(errors.ImageCorruptError, match=r"broken\.png"):
        prepare(file, CONTRACT)
    with Image.open(path) as image, pytest.raises(errors.ImageCorruptError, match=r"broken\.png"):
        prepare(image, CONTRACT)
    with pytest.raises(errors.ImageCorruptError, match=r"^the image: "):
        prepare(path.read_bytes(), CONTRACT)
