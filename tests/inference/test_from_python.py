"""The package as an application uses it: what it exports, hands out, pickles, and says of what is no photo."""

import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

import clothing_classifier
from clothing_classifier import BundleError, Classifier, ImageError
from clothing_classifier.datasets import load_dataset
from clothing_classifier.errors import MissingExtraError
from clothing_classifier.inference.bundle import find

DATA = Path(__file__).parents[2] / "data"
PHOTO = DATA / "images" / "dress-00-a.jpg"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load("wardrobe-tiny", threads=1)


def test_what_is_exported_is_listed_before_it_is_loaded() -> None:
    code = "import clothing_classifier as c, sys; print({*c.__all__} <= {*dir(c)}, 'onnxruntime' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.split() == ["True", "False"]
    assert all(getattr(clothing_classifier, name) for name in clothing_classifier.__all__)


def test_the_labels_handed_out_are_the_callers_own(classifier: Classifier) -> None:
    before = classifier.predict(PHOTO)
    classifier.labels.reverse()
    assert classifier.predict(PHOTO) == before


def test_a_pickled_classifier_answers_alike(classifier: Classifier) -> None:
    again = pickle.loads(pickle.dumps(classifier))
    assert again.predict(PHOTO) == classifier.predict(PHOTO)
    assert (again.threads, again.correct_orientation) == (1, True)


def test_what_is_shown_of_a_classifier_fits_a_line_of_a_log(classifier: Classifier) -> None:
    assert repr(classifier) == f"<Classifier wardrobe-tiny of {classifier.bundle.path}>"
    assert len(repr(classifier.bundle)) < 200_000


@pytest.mark.parametrize("error", [MissingExtraError("torch", "train")])
def test_errors_come_back_from_another_process_as_they_were(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_of_any_kind_are_a_photo(classifier: Classifier, make: Callable[[bytes], Any]) -> None:
    assert classifier.predict(make(PHOTO.read_bytes())) == classifier.predict(PHOTO)


class _OfBytes:
    def __fspath__(self) -> bytes:
        return os.fsencode(PHOTO)


def test_a_path_may_be_of_bytes(classifier: Classifier) -> None:
    assert classifier.predict(_OfBytes()) == classifier.predict(PHOTO)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, [], 3, object()])
def test_what_is_no_photo_is_said(classifier: Classifier, source: Any) -> None:
    with pytest.raises(TypeError, match="a photo is a path, bytes, a binary file, an array or a PIL image, not"):
        classifier.predict(source)
    with pytest.raises(TypeError, match="a photo is a path"):
        list(classifier.predict_many([source]))


def test_a_file_opened_as_text_is_said(classifier: Classifier) -> None:
    with pytest.raises(TypeError, match="opened as a binary one"):
        classifier.predict(io.StringIO("no photo"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("", "the empty path: there is no such file"),
        (io.BytesIO(), "the file is empty"),
        (io.BytesIO(PHOTO.read_bytes()), "the file was read to its end before"),
    ],
)
def test_nothing_to_read_is_said(classifier: Classifier, source: Any, line: str) -> None:
    if source:
        source.read()
    with pytest.raises(ImageError, match=line):
        classifier.predict(source)


@pytest.mark.parametrize("sources", [str(PHOTO), PHOTO.read_bytes()])
def test_one_photo_is_not_many(classifier: Classifier, sources: Any) -> None:
    with pytest.raises(TypeError, match="for a single one there is `predict`"):
        list(classifier.predict_many(sources))


def test_photos_in_front_of_what_fails_get_their_answers(classifier: Classifier) -> None:
    def sources() -> Iterator[Path]:
        yield from [PHOTO, PHOTO]
        raise ConnectionError("the queue is gone")

    answers: list[str | None] = []
    with pytest.raises(ConnectionError, match="the queue is gone"):
        answers.extend(answer.label for answer in classifier.predict_many(sources()))
    assert answers == [classifier.predict(PHOTO).label] * 2


def test_a_path_is_never_taken_for_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copytree(find("wardrobe-tiny"), tmp_path / "wardrobe")
    monkeypatch.chdir(tmp_path)
    assert find(Path("wardrobe")) == Path("wardrobe")
    assert find("wardrobe") != Path("wardrobe")


def test_a_bundle_that_may_not_be_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)  # whoever runs the tests may look at everything
    with pytest.raises(BundleError, match=r"locked: can't be read \(Permission denied\)"):
        find("locked")


def test_a_data_set_is_named_by_a_string_too() -> None:
    assert len(load_dataset(str(DATA)).records) == 240
