"""tools/draw_strangers.py draws the same pictures again, and each kind varies."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import draw_strangers


@pytest.mark.parametrize("kind", draw_strangers.KINDS)
def test_the_same_seed_draws_the_same_picture_and_another_another(kind: str) -> None:
    once = draw_strangers.draw(kind, 3, seed=0)
    draw_strangers.draw(kind, 4, seed=0)
    assert np.array_equal(np.asarray(once), np.asarray(draw_strangers.draw(kind, 3, seed=0)))
    other = draw_strangers.draw(kind, 3, seed=1)
    assert once.size != other.size or not np.array_equal(np.asarray(once), np.asarray(other))


@pytest.mark.parametrize("kind", draw_strangers.KINDS)
def test_pictures_of_a_kind_differ_in_shape_and_colour_and_none_is_blank(kind: str) -> None:
    pictures = list(draw_strangers.draw_many(kind, 6, seed=2))
    assert len({picture.size for picture in pictures}) > 3
    means = np.array([np.asarray(picture).mean((0, 1)) for picture in pictures])
    assert means.std(0).max() > 5
    for picture in pictures:
        assert picture.mode == "RGB"
        assert 240 <= max(picture.size) <= 400
        assert np.asarray(picture, np.float32).std((0, 1)).max() > 1


def test_files_are_jpegs_in_a_folder_of_their_kind(tmp_path: Path) -> None:
    draw_strangers.main(["--out", str(tmp_path), "--count", "2", "--kind", "cartoons", "--kind", "noise"])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jpg")) == [
        "cartoons/0000.jpg", "cartoons/0001.jpg", "noise/0000.jpg", "noise/0001.jpg"
    ]  # fmt: skip
    with Image.open(tmp_path / "noise" / "0001.jpg") as image:
        assert image.format == "JPEG"
