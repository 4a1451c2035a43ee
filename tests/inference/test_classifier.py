"""`Classifier` on the shipped model: what it answers, in which order, and what it refuses."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from clothing_classifier import Classifier, Prediction
from clothing_classifier.errors import ImageCorruptError, ImageNotFoundError, UsageError
from clothing_classifier.inference import PredictOptions
from clothing_classifier.inference.bundle import shipped
from clothing_classifier.preprocessing import prepare

IMAGES = sorted((Path(__file__).parents[2] / "data" / "images").iterdir())


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def test_the_default_is_the_shipped_wardrobe(classifier: Classifier) -> None:
    assert classifier.manifest.name == "wardrobe"
    assert "wardrobe" in shipped()
    assert len(classifier.labels) == 17


def test_a_prediction_lists_candidates_from_the_best_down(classifier: Classifier) -> None:
    prediction = classifier.predict(IMAGES[0], top=5)
    confidences = [candidate.confidence for candidate in prediction.top]
    assert len(confidences) == 5
    assert confidences == sorted(confidences, reverse=True)
    assert (prediction.label, prediction.confidence) == (prediction.top[0].label, prediction.top[0].confidence)
    assert prediction.error is None
    assert not prediction.abstained


@pytest.mark.parametrize("top", [17, 18, 1000])
def test_top_at_or_above_the_number_of_classes_gives_all(classifier: Classifier, top: int) -> None:
    prediction = classifier.predict(IMAGES[0], top=top)
    assert sorted(candidate.label for candidate in prediction.top) == sorted(classifier.labels)
    assert sum(candidate.confidence for candidate in prediction.top) == pytest.approx(1, abs=1e-4)


def test_every_kind_of_source_gives_the_same_answer(classifier: Classifier) -> None:
    path = IMAGES[3]
    data = path.read_bytes()
    array = np.asarray(Image.open(path))
    answers = [classifier.predict(source) for source in (path, str(path), data, io.BytesIO(data))]
    assert all(answer == answers[0] for answer in answers)
    assert classifier.predict(array) == classifier.predict(Image.fromarray(array))


def test_many_come_in_input_order_with_failures_in_place(classifier: Classifier, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(IMAGES[0].read_bytes()[:2000])
    sources = [*IMAGES[:37], broken, *IMAGES[37:60]]
    predictions = list(classifier.predict_many(sources))
    assert [prediction.error is None for prediction in predictions] == [source != broken for source in sources]
    assert predictions[37] == Prediction(None, None, False, (), predictions[37].error)
    assert predictions[37].error is not None
    assert predictions[37].error.startswith(f"{broken}: the image is truncated or damaged")
    assert [p.label for p in predictions if p.label] == [classifier.predict(path).label for path in IMAGES[:60]]


def test_many_reads_an_endless_source_as_it_goes(classifier: Classifier) -> None:
    def endless() -> object:
        while True:
            yield IMAGES[0]

    answers = classifier.predict_many(endless())
    assert next(answers) == next(answers)
    answers.close()


@pytest.mark.parametrize(("threads", "batch"), [(1, 1), (3, 1), (2, 5), (1, 64)])
def test_threads_and_batch_change_neither_order_nor_answers(threads: int, batch: int, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    sources = [*IMAGES[:7], broken, *IMAGES[7:40]]
    chosen = Classifier.load(threads=threads, batch=batch)
    found = [(p.label, p.error is None) for p in chosen.predict_many(sources)]
    assert found == [(p.label, p.error is None) for p in Classifier.load().predict_many(sources)]


def test_a_slow_photo_in_front_does_not_hold_the_others_back(classifier: Classifier) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            waited.append(later_taken.wait(60))
            return super().read(size)

    def sources() -> Iterator[io.BytesIO]:
        yield Slow(IMAGES[0].read_bytes())
        for path in IMAGES[1:12]:
            yield io.BytesIO(path.read_bytes())
        later_taken.set()

    later_taken, waited = Event(), list[bool]()
    labels = [p.label for p in Classifier(classifier.bundle, threads=2).predict_many(sources())]
    assert labels == [classifier.predict(path).label for path in IMAGES[:12]]
    assert waited and all(waited)


@pytest.mark.parametrize("options", [{"threads": 0}, {"batch": 0}])
def test_no_threads_and_no_batch_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="each is at least 1"):
        Classifier.load(**options)


def test_no_photos_give_no_answers(classifier: Classifier) -> None:
    assert list(classifier.predict_many([])) == []


def test_an_unreadable_photo_raises_by_name(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(ImageNotFoundError, match=r"nope\.jpg: there is no such file"):
        classifier.predict("nope.jpg")
    (tmp_path / "half.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageCorruptError, match=r"half\.png"):
        classifier.predict(tmp_path / "half.png")


def test_abstention_grows_with_the_precision_asked_for_and_keeps_the_best_guess(classifier: Classifier) -> None:
    best = max(point.precision for point in classifier.bundle.curve)
    counts = []
    for precision in (None, 0.5, 0.9, best):
        abstained = [p for p in classifier.predict_many(IMAGES[::4], min_precision=precision) if p.abstained]
        counts.append(len(abstained))
        assert all(p.label == p.top[0].label for p in abstained)
    assert counts[0] == 0 < counts[-1]
    assert counts == sorted(counts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": 0}, "ask for at least 1 candidate"),
        ({"min_precision": 0.0}, "a fraction between 0 and 1"),
        ({"min_precision": 97.0}, "a fraction between 0 and 1"),
        ({"min_precision": float("nan")}, "a fraction between 0 and 1"),
    ],
)
def test_options_out_of_range_are_refused(classifier: Classifier, options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        classifier.predict(IMAGES[0], **options)


def test_threads_may_share_a_classifier(classifier: Classifier) -> None:
    expected = [classifier.predict(path) for path in IMAGES[:24]]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(classifier.predict, IMAGES[:24])) == expected


def test_prepared_photos_are_answered_each_as_asked(classifier: Classifier) -> None:
    pixels = np.stack([prepare(path, classifier.bundle.contract) for path in IMAGES[:6]])
    asked = [PredictOptions(top=1 + index, min_precision=0.97 if index % 2 else None) for index in range(6)]
    expected = [classifier.predict(path, one.top, one.min_precision) for path, one in zip(IMAGES, asked, strict=False)]
    for prediction, alone in zip(classifier.predict_pixels(pixels, asked), expected, strict=True):
        assert (prediction.label, prediction.abstained) == (alone.label, alone.abstained)
        assert len(prediction.top) == len(alone.top)
    with pytest.raises(UsageError):
        classifier.predict_pixels(pixels[:1], [PredictOptions(top=0)])


def test_class_map_and_features_have_the_contracts_shapes(classifier: Classifier) -> None:
    size = classifier.manifest.preprocessing.size
    pixels = np.zeros((2, size, size, 3), np.uint8)
    features, class_map = classifier.run(pixels, "features"), classifier.run(pixels, "class_map")
    assert features.shape[0] == class_map.shape[0] == 2
    assert class_map.shape[1] == 17
    assert class_map.ndim == 4


def test_the_real_validation_photos_are_read_better_than_the_issue_of_a_first_model_asks(
    classifier: Classifier, shared: Path
) -> None:
    """The recorded validation figure is reproduced from the photos themselves."""
    from clothing_classifier.datasets import load_dataset
    from clothing_classifier.datasets.manifest import load_manifest
    from clothing_classifier.evaluation import evaluate

    table = {row.split(",")[0]: row.split(",")[-1] for row in load_manifest("clothing").table.splitlines()}
    records = [
        record
        for record in load_dataset(shared / "data" / "clothing").records
        if table[record.image] == "validation" and record.label in classifier.labels
    ]
    report = evaluate(classifier.probabilities, records, classifier.labels)
    assert report.figures["n"] == classifier.manifest.validation["n"]
    assert report.figures["accuracy"] == pytest.approx(classifier.manifest.validation["accuracy"], abs=0.006)
    assert report.figures["accuracy"] > 0.85
