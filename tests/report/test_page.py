"""A page is one file that fetches nothing, and what it shows of names and labels is text."""

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("jinja2", reason="needs the extra 'report'")

from helpers.reading import read_page
from jinja2 import UndefinedError

from clothing_classifier.report.page import data_uri, environment, thumbnail

HOSTILE = "<script>alert(1)</script>\"'&\n\udce9.jpg"
PAGE = """
{% extends "base.html.j2" %}
{% import "parts.html.j2" as parts %}
{% block title %}{{ name }}{% endblock %}
{% block content %}
{{ parts.cards([(name, "1", name)]) }}
{{ parts.table([name, "n"], [[name, 3]], numeric=[1]) }}
{{ parts.single(picture, name, [name]) }}
{{ parts.pair(picture, None, name, [name]) }}
{% endblock %}
"""


@pytest.fixture
def written(tmp_path: Path) -> str:
    photo = data_uri(np.zeros((8, 8, 3), np.uint8))
    text = environment().from_string(PAGE).render(name=HOSTILE, picture=photo, version="1")
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_names_are_text_whatever_they_hold(written: str) -> None:
    tags = read_page(written)
    assert "script" not in tags.names
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in written


def test_nothing_is_fetched(written: str) -> None:
    tags = read_page(written)
    assert "http" not in written.replace("http-equiv", "")
    assert tags.links
    assert all(link.startswith("data:image/jpeg;base64,") for link in tags.links)
    assert "url(" not in written


def test_a_picture_that_is_not_there_is_said(written: str) -> None:
    assert written.count("can&#39;t be shown") + written.count("can't be shown") == 1


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


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string(PAGE).render(name="x", version="1")
