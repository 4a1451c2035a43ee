"""A bundle knows the photos that it learnt from, so that a figure of them is not taken for one of new photos."""

from pathlib import Path

import pytest

from clothing_classifier.datasets import Record, load_dataset
from clothing_classifier.evaluation import known_photos
from clothing_classifier.inference.bundle import load_bundle

DATA = Path(__file__).parents[2] / "data"


def said(bundle: Path, records: tuple[Record, ...], split: str) -> list[str]:
    return list(known_photos(load_bundle(bundle).manifest.known_photos, records, split))


def test_photos_that_the_model_knows_are_counted(bundle: Path) -> None:
    dataset = load_dataset(DATA)
    learnt, judged = len(dataset.part("train")), len(dataset.part("validation"))
    [note] = said(bundle, dataset.records, "all")
    assert note.startswith(
        f"the model learnt from {learnt} and was chosen and calibrated by {judged} of these {len(dataset.records)} "
    )
    [note] = said(bundle, dataset.part("train")[:7], "test")  # as after a split that was made anew
    assert note.startswith("the model learnt from 7 of these 7 photos; ")


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_what_was_asked_for_by_name_needs_no_note(bundle: Path, split: str) -> None:
    assert said(bundle, load_dataset(DATA).part(split), split) == []


def test_photos_that_cannot_be_read_are_left_to_the_model(bundle: Path, tmp_path: Path) -> None:
    assert said(bundle, (Record("gone.jpg", tmp_path / "gone.jpg", "hat"),), "all") == []
