"""tools/draw_garments.py draws the same pictures again, and data/ holds what it draws."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import draw_garments

DATA = Path(__file__).resolve().parents[2] / "data"
SEED = 0


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (DATA / "dataset.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_draws_the_same_picture() -> None:
    first, second = draw_garments.pictures()[0], draw_garments.pictures()[-1]
    once = np.asarray(draw_garments.draw(first, SEED))
    draw_garments.draw(second, SEED)
    assert np.array_equal(once, np.asarray(draw_garments.draw(first, SEED)))


def test_another_seed_draws_another_picture() -> None:
    picture = draw_garments.pictures()[0]
    one, other = draw_garments.draw(picture, SEED), draw_garments.draw(picture, SEED + 1)
    assert one.size != other.size or not np.array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("index", [3, 64, 171, 238])
def test_the_data_folder_holds_what_the_tool_draws(index: int, tmp_path: Path) -> None:
    picture = draw_garments.pictures()[index]
    fresh = tmp_path / picture.image
    draw_garments.save(draw_garments.draw(picture, SEED), fresh)
    with Image.open(fresh) as drawn, Image.open(DATA / "images" / picture.image) as kept:
        assert drawn.size == kept.size
        difference = np.abs(np.asarray(drawn, np.float32) - np.asarray(kept, np.float32))
    assert difference.mean() < 2


def test_the_table_is_the_one_the_tool_writes(rows: list[dict[str, str]]) -> None:
    assert [tuple(row.values()) for row in rows] == [picture.row for picture in draw_garments.pictures()]
    assert list(rows[0]) == ["image", "label", "group", "split"]
    assert [row["image"] for row in rows] == sorted(row["image"] for row in rows)


def test_every_label_has_twenty_pictures_and_all_splits(rows: list[dict[str, str]]) -> None:
    counts = Counter(row["label"] for row in rows)
    assert len(counts) >= 10
    assert min(counts.values()) >= 20
    for label in counts:
        assert {row["split"] for row in rows if row["label"] == label} == {"train", "validation", "test"}


def test_no_garment_is_in_two_splits(rows: list[dict[str, str]]) -> None:
    splits = defaultdict(set)
    for row in rows:
        splits[row["group"]].add((row["split"], row["label"]))
    assert all(len(found) == 1 for found in splits.values())


def test_pictures_are_small_and_listed_once(rows: list[dict[str, str]]) -> None:
    files = {path.name: path for path in (DATA / "images").iterdir()}
    assert set(files) == {row["image"] for row in rows}
    assert len(rows) == len(files)
    assert sum(path.stat().st_size for path in files.values()) < 4_000_000
    for path in files.values():
        with Image.open(path) as image:
            assert (image.format, image.mode, max(image.size)) == ("JPEG", "RGB", 256)


def test_the_tool_writes_every_picture_and_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_garments, "draw", lambda picture, seed: Image.new("RGB", (192, 256)))
    draw_garments.main(["--out", str(tmp_path), "--seed", "3"])
    drawn = {picture.image for picture in draw_garments.pictures()}
    assert {path.name for path in (tmp_path / "images").iterdir()} == drawn
    assert (tmp_path / "dataset.csv").read_bytes() == (DATA / "dataset.csv").read_bytes()
