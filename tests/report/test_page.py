"""A page is one file that fetches nothing, and what it shows of names and labels is text."""

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("jinja2", reason="needs the extra 'report'")

from helpers.reading import read_page

from clothing_classifier.report import pictures
from clothing_classifier.report.document import (
    Bullets,
    Cell,
    Code,
    Document,
    Gallery,
    Heading,
    Photos,
    Picture,
    Section,
    Table,
    Text,
)  # fmt: skip
from clothing_classifier.report.html import data_uri, render, thumbnail

HOSTILE = "<script>alert(1)</script>\"'&\n\udce9.jpg"


def test_texts_are_escaped_whatever_they_hold_and_nothing_is_fetched() -> None:
    photo = data_uri(np.zeros((8, 8, 3), np.uint8))
    chart = Picture("chart", lambda: pictures.draw_classes({HOSTILE: {"train": 1}, "$x$ $\\frac{$": {}}), HOSTILE)
    parts = [
        Heading(HOSTILE), Text(HOSTILE), Bullets([HOSTILE]), Code(HOSTILE), chart,
        Table([HOSTILE], [[Cell(HOSTILE, "bad", 0.5)]], [0], frozenset({0}), HOSTILE, HOSTILE),
        Gallery([Photos([photo, None], HOSTILE, [HOSTILE])]),
    ]  # fmt: skip
    text = render(Document(HOSTILE, HOSTILE, [Section(HOSTILE, parts)]))
    text.encode()  # a name that is no UTF-8 is one now
    tags = read_page(text)
    assert "script" not in tags.names
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 14
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text.replace("url(#", "")
    assert [link for link in tags.links if not link.startswith("#")] == [photo]
    assert text.count("can't be shown") == 1


def test_a_thumbnail_keeps_the_shape_of_its_photo_and_turns_it_upright() -> None:
    photo, exif = Image.new("RGB", (400, 200), "red"), Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    photo.save(buffer, "JPEG", exif=exif)
    uri = thumbnail(buffer.getvalue(), 100)
    assert uri is not None
    assert Image.open(BytesIO(base64.b64decode(uri.split(",")[1]))).size == (50, 100)


def test_a_photo_that_can_not_be_read_has_no_thumbnail(tmp_path: Path) -> None:
    assert thumbnail(tmp_path / "nope.jpg") is None
