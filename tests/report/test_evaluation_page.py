"""The page shows what the report holds, as text, whatever labels and names hold."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jinja2", reason="needs the extra 'report'")

from helpers.reading import read_page

from clothing_classifier.datasets import Record, RecordSource
from clothing_classifier.errors import ImageCorruptError, ImageNotFoundError
from clothing_classifier.evaluation import Evaluation, evaluate, with_comparison
from clothing_classifier.evaluation.predictions import collect
from clothing_classifier.inference import Classifier
from clothing_classifier.report.document import Document
from clothing_classifier.report.evaluation import evaluation_sections
from clothing_classifier.report.html import render
from clothing_classifier.report.mistakes import Explanation, explain_with, mistakes_section, overlay

LABELS = ("<script>alert(1)</script>", "Hat", "\"Shirt'$x$&")
ROOT = Path(__file__).parents[2]


def photo(shade: int) -> np.ndarray:
    return np.full((30, 20, 3), shade, np.uint8)


def records(n: int = 40) -> list[Record]:
    return [
        Record(f"<img src=http://x>{i}\n.jpg", photo(i), LABELS[i % 3], f"g{i % 7}", extra={"<b>kids": "<i>yes"})
        for i in range(n)
    ]


def predict(sources: Iterable[RecordSource]) -> Iterator[object]:
    for source in sources:
        shade = int(np.asarray(source)[0, 0, 0])
        if shade == 5:
            yield ImageCorruptError("<u>5: damaged")
        else:
            yield np.roll([0.6 + shade / 200, 0.3 - shade / 200, 0.1], shade % 3 + (shade % 4 == 0))


def measured() -> Evaluation:
    some = records()
    slices = {"<b>kids": lambda record: record.extra["<b>kids"], "image": lambda record: record.image}
    report = evaluate(predict, some, LABELS, slices=slices)
    return with_comparison(report, collect(predict, some, LABELS), "<em>other")


def page(evaluation: Evaluation, explain: Explanation | None = None, title: str = "title") -> str:
    sections = evaluation_sections(evaluation.figures)
    return render(Document(title, "", [*sections, mistakes_section(evaluation, explain)]))


def test_the_page_is_whole_fetches_nothing_and_escapes_everything() -> None:
    text = page(measured(), title="<s>title")
    tags = read_page(text)
    assert not {"script", "em", "s"} & set(tags.names)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    for raw in ("<script", "<img src=http", "<b>kids", "<i>yes", "<u>5", "<em>other", "<s>title"):
        assert raw not in text
    photos = [link for link in tags.links if link.startswith("data:image/jpeg;base64,")]
    assert len(photos) == 10
    assert all(link.startswith(("data:image/", "#")) for link in tags.links)
    assert "url(" not in text.replace("url(#", "")
    assert "This model gives no class activation maps" in text
    assert "Too few groups to resample" in text


def test_the_worst_mistakes_come_first_with_maps_where_there_are_some() -> None:
    asked: list[str] = []

    def explain(source: RecordSource, label: str) -> tuple[np.ndarray, np.ndarray]:
        asked.append(label)
        if len(asked) == 2:
            raise ImageNotFoundError("gone")
        return np.asarray(source), np.eye(4)

    report = measured()
    text = page(report, explain)
    tags = read_page(text)
    answers = report.predictions
    wrong = np.flatnonzero(~answers.correct)
    worst = wrong[np.argsort(-answers.probabilities.max(1)[wrong], kind="stable")]
    assert asked == [LABELS[answers.probabilities[i].argmax()] for i in worst]
    assert sum(link.startswith("data:image/jpeg") for link in tags.links) == 2 * (len(wrong) - 1)
    assert text.count("can't be shown") + text.count("can&#39;t be shown") == 2


def test_a_report_without_mistakes_or_slices_is_a_page_too() -> None:
    def right(sources: Iterable[RecordSource]) -> Iterator[object]:
        yield from np.eye(3)[[0, 1, 2, 0]]

    text = page(evaluate(right, records(4), LABELS))
    assert "None: every prediction is right." in text


def test_a_bundle_explains_with_its_own_class_map() -> None:
    classifier = Classifier.load()
    explain = explain_with(classifier)
    assert explain is not None
    pixels, class_map = explain(ROOT / "data" / "images" / "hat-00-a.jpg", "Hat")
    size = classifier.manifest.preprocessing.size
    assert pixels.shape == (size, size, 3)
    assert class_map.shape == (size // 32, size // 32)
    assert class_map.max() > 0


def test_what_spoke_for_the_class_is_brighter_than_what_spoke_against_it() -> None:
    class_map = np.array([[4.0, -9.0], [0.0, 0.0]])
    shown = overlay(np.full((40, 60, 3), 128, np.uint8), class_map).astype(int).sum(2)
    assert shown.shape == (40, 60)
    assert shown[:10, :10].min() > shown[:10, -10:].max()
    flat = overlay(np.full((40, 60, 3), 128, np.uint8), -np.ones((2, 2)))
    assert (flat == flat[0, 0]).all()
