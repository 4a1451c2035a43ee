"""Predictions stand for the readable photos, are distributions over the model's labels, or are refused by name."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clothing_classifier.datasets import Record, RecordSource
from clothing_classifier.errors import DatasetError, ImageCorruptError, ModelOutputError
from clothing_classifier.evaluation.predictions import ProbabilityFunction, collect, match_classes

LABELS = ("Dress", "Hat", "Shirt")
RECORDS = [Record(name, Path(name), label) for name, label in (("a", "Dress"), ("b", "Hat"), ("c", "dress"))]


def giving(*outcomes: Any) -> ProbabilityFunction:
    """A predict function with these answers, whatever it is asked."""

    def predict(sources: Iterable[RecordSource]) -> Iterator[Any]:
        yield from outcomes

    return predict


GOOD = [0.7, 0.2, 0.1]


def test_answers_keep_the_places_of_their_photos() -> None:
    answers = collect(giving(GOOD, ImageCorruptError("b: damaged"), np.array(GOOD, np.float32)), RECORDS, LABELS)
    assert [record.image for record in answers.records] == ["a", "c"]
    assert answers.positions.tolist() == [0, 2]
    assert answers.targets.tolist() == [0, 0]
    assert answers.correct.tolist() == [True, True]
    assert answers.probabilities == pytest.approx(np.array([GOOD, GOOD]))
    assert answers.failures == ("b: damaged",)
    assert answers.notes == ("label 'dress' is taken as the model's 'Dress'",)


def test_progress_is_told_photo_by_photo() -> None:
    told: list[int] = []
    collect(giving(GOOD, GOOD, GOOD), RECORDS, LABELS, lambda: told.append(1))
    assert len(told) == 3


def test_classes_that_the_model_lacks_are_named() -> None:
    odd = [*RECORDS, Record("d", Path("d"), "Skip"), Record("e", Path("e"), "Other")]
    with pytest.raises(DatasetError, match=r"^the model has no class for Other,Skip; leave them out with"):
        collect(giving(), odd, LABELS)
    with pytest.raises(
        DatasetError, match=r"^model 'mine' has no class for Other,Skip; .* --exclude-labels 'Other,Skip'"
    ):
        match_classes(odd, LABELS, "model 'mine'")


def test_no_readable_photo_is_an_error() -> None:
    with pytest.raises(DatasetError, match="none of 1 photos can be read; first: a: damaged"):
        collect(giving(ImageCorruptError("a: damaged")), RECORDS[:1], LABELS)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ([0.5, 0.2, 0.1], "b: the model's probabilities sum to 0.8, not to 1; are they scores?"),
        ([0.9, 0.9, 0.9], "b: the model's probabilities sum to 2.7, not to 1; are they scores?"),
        ([3.0, -2.5, 0.5], "b: a probability of the model is -2.5 (the sum is 1); are they logits?"),
        ([np.nan, 0.5, 0.5], "b: the model's probabilities are not all finite (their sum is nan)"),
        ([np.inf, 0.0, 0.0], "b: the model's probabilities are not all finite (their sum is inf)"),
        ([0.5, 0.5], "b: the model gives an array of shape (2,) for 3 classes"),
        ([GOOD], "b: the model gives an array of shape (1, 3) for 3 classes"),
        (0.7, "b: the model gives an array of shape () for 3 classes"),
        ("Dress", "b: the model gives no numbers, but a str"),
    ],
)
def test_what_is_no_distribution_is_refused_by_the_photos_name(outcome: Any, message: str) -> None:
    with pytest.raises(ModelOutputError) as caught:
        collect(giving(GOOD, outcome, GOOD), RECORDS, LABELS)
    assert str(caught.value) == message


def test_a_predict_function_that_ends_early_is_refused() -> None:
    with pytest.raises(ModelOutputError, match=r"^c: the predict function ended before it: 2 answers for 3 photos$"):
        collect(giving(GOOD, GOOD), RECORDS, LABELS)


def test_half_precision_is_precise_enough() -> None:
    random = np.random.default_rng(0).dirichlet(np.ones(17), 200).astype(np.float16)
    labels = [f"class {i}" for i in range(17)]
    records = [Record(f"{i}", Path(f"{i}"), "class 3") for i in range(200)]
    assert collect(giving(*random), records, labels).probabilities.shape == (200, 17)


def test_candidates_share_the_probability_of_the_rest() -> None:
    answers = collect(giving(GOOD, [0.1, 0.3, 0.6], GOOD), RECORDS, LABELS, candidates=("hat", "Dress"))
    assert answers.labels == ("Dress", "Hat")
    assert answers.probabilities == pytest.approx(np.array([[7 / 9, 2 / 9], [0.25, 0.75], [7 / 9, 2 / 9]]))
    assert answers.targets.tolist() == [0, 1, 0]
    assert answers.notes[-1] == "2 of the model's 3 classes are candidates; their probabilities are rescaled"


def test_every_class_as_a_candidate_changes_nothing() -> None:
    answers = collect(giving(GOOD, GOOD, GOOD), RECORDS, LABELS, candidates=("Shirt", "Hat", "Dress"))
    assert answers.labels == LABELS
    assert answers.notes == ("label 'dress' is taken as the model's 'Dress'",)


def test_a_candidate_that_the_model_lacks_is_named() -> None:
    with pytest.raises(DatasetError, match=r"no class 'Sock' to choose from \(its classes: Dress, Hat, Shirt\)"):
        collect(giving(), RECORDS, LABELS, candidates=("Hat", "Sock"))


def test_a_photo_whose_label_is_no_candidate_is_named() -> None:
    answers = collect(giving(GOOD, GOOD, GOOD), RECORDS, LABELS)
    with pytest.raises(DatasetError, match=r"^b is labelled 'Hat', which is not among the candidates"):
        answers.restricted(["Dress", "Shirt"])


def test_candidates_that_have_no_probability_at_all_are_an_error() -> None:
    with pytest.raises(ModelOutputError, match=r"^b: the model gives every candidate the probability 0"):
        collect(giving(GOOD, [0, 0, 1], GOOD), RECORDS, LABELS, candidates=("Dress", "Hat"))


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_answers_may_be_tensors_of_torch(kind: str) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    outcome = torch.tensor([0.5, 0.25, 0.25], dtype=getattr(torch, kind), requires_grad=True)
    answers = collect(giving(outcome), RECORDS[:1], LABELS)
    assert answers.probabilities.tolist() == [[0.5, 0.25, 0.25]]
