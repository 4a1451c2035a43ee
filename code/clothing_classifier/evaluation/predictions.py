"""A model's predictions on labelled photos: collected from any predict function, and checked."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clothing_classifier.datasets import Record, RecordSource, match_labels
from clothing_classifier.errors import DatasetError, ImageError, ModelOutputError
from clothing_classifier.evaluation import metrics
from clothing_classifier.utils import csv_line, one_line

ProbabilityFunction = Callable[[Iterable[RecordSource]], Iterator[Any]]
"""Takes sources and yields for each, in order, `(K,) float` probabilities or an `ImageError`."""

_SUM_TOLERANCE = 1e-3
"""Probabilities of half precision sum to one within this."""
_END = object()


@dataclass(frozen=True)
class Predictions:
    """A model's predictions on the photos that it can read.

    `records` are those photos and `positions` `(N,) int` their places among all records; `probabilities` is
    `(N, K) float64` over `labels` and `targets` `(N,) int` are the true ones. `failures` names the photos left out,
    `notes` says how labels were matched and candidates restricted.
    """

    records: tuple[Record, ...]
    positions: metrics.Integers
    targets: metrics.Integers
    probabilities: metrics.Floats
    labels: tuple[str, ...]
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> list[str | None]:
        """The group of each photo."""
        return [record.group for record in self.records]

    @property
    def correct(self) -> metrics.Booleans:
        """Whether the most probable class is the true one, `(N,)`."""
        found: metrics.Booleans = self.probabilities.argmax(1) == self.targets
        return found

    def restricted(self, candidates: Sequence[str]) -> "Predictions":
        """These predictions with `candidates`, some of `labels`, as the only classes, their probabilities renormalised.

        Raises `DatasetError` where a photo's label is no candidate, `ModelOutputError` where a photo gives none of
        them any probability.
        """
        chosen = [self.labels.index(label) for label in candidates]
        places = {index: place for place, index in enumerate(chosen)}
        for record, target in zip(self.records, self.targets, strict=True):
            if target not in places:
                raise DatasetError(
                    f"{one_line(record.image)} is labelled '{record.label}', which is not among the candidates"
                )
        kept = self.probabilities[:, chosen]
        totals = kept.sum(1, keepdims=True)
        if not totals.all():
            image = one_line(self.records[int(np.argmin(totals))].image)
            raise ModelOutputError(f"{image}: the model gives every candidate the probability 0: none can be chosen")
        targets = np.array([places[target] for target in self.targets])
        return replace(self, targets=targets, probabilities=kept / totals, labels=tuple(candidates))


def collect(
    predict: ProbabilityFunction,
    records: Sequence[Record],
    labels: Sequence[str],
    advance: Callable[[], object] = lambda: None,
    candidates: Sequence[str] = (),
) -> Predictions:
    """Collect the outputs of `predict`, whose columns stand for `labels`, on `records`.

    Labels of the records are matched to the model's as `datasets.match_labels` does. With `candidates` the other
    classes are excluded (`Predictions.restricted`). Raises `DatasetError` where the model lacks a class, or where no
    photo can be read, and `ModelOutputError` where an output is no distribution over `labels`.
    """
    matches = match_classes(records, labels)
    chosen = _match_candidates(candidates, labels)
    kept, rows, failures = [], [], []
    outcomes = iter(predict(record.source for record in records))
    for position, record in enumerate(records):
        outcome = next(outcomes, _END)
        if outcome is _END:
            counts = f"{position} predictions for {len(records)} photos"
            raise ModelOutputError(f"{one_line(record.image)}: the predict function ended before it: {counts}")
        advance()
        if isinstance(outcome, ImageError):
            failures.append(str(outcome))
        else:
            rows.append(check_distribution(outcome, one_line(record.image), len(labels)))
            kept.append(position)
    if not kept:
        raise DatasetError(
            f"none of {len(records)} photos can be read; first: {failures[0] if failures else 'no rows'}"
        )
    readable = tuple(records[position] for position in kept)
    targets = np.array([labels.index(matches[record.label]) for record in readable])
    notes = [f"label '{label}' is taken as the model's '{match}'" for label, match in matches.items() if label != match]
    predictions = Predictions(
        readable, np.array(kept), targets, np.stack(rows), tuple(labels), tuple(failures), tuple(notes)
    )
    if len(chosen) in (0, len(labels)):
        return predictions
    notes.append(f"{len(chosen)} of the model's {len(labels)} classes are candidates; their probabilities are rescaled")
    if len(chosen) == 1:
        notes.append("with one candidate every photo of its class is right by construction")
    return replace(predictions.restricted(chosen), notes=tuple(notes))


def match_classes(records: Iterable[Record], labels: Sequence[str], model: str = "the model") -> dict[str, str]:
    """Map each label of the records to the model's; raises `DatasetError`, which names `model`, where it lacks some."""
    wanted = sorted({record.label for record in records})
    matches = match_labels(wanted, labels)
    missing = [label for label in wanted if label not in matches]
    if missing == wanted:
        listing = ", ".join(map(one_line, wanted))
        raise DatasetError(f"{model} has none of the classes {listing}; it has {', '.join(map(one_line, labels))}")
    if missing:
        listing = one_line(csv_line(missing).strip())
        raise DatasetError(f"{model} has no class for {listing}; leave them out with --exclude-labels '{listing}'")
    return matches


def _match_candidates(candidates: Sequence[str], labels: Sequence[str]) -> list[str]:
    matches = match_labels(candidates, labels)
    for name in candidates:
        if name not in matches:
            raise DatasetError(f"the model has no class '{name}' to choose from (its classes: {', '.join(labels)})")
    return [label for label in labels if label in matches.values()]


def check_distribution(outcome: Any, image: str, classes: int) -> metrics.Floats:
    """A model's output for `image` as probabilities `(K,) float64`; raises `ModelOutputError` where they are none."""
    if hasattr(outcome, "detach"):  # a tensor of torch: numpy takes none with a gradient, in bf16 or on a GPU
        outcome = outcome.detach().float().cpu()
    try:
        values: metrics.Floats = np.asarray(outcome).astype(float)
    except (TypeError, ValueError) as error:
        raise ModelOutputError(f"{image}: the model gives no numbers, but a {type(outcome).__name__}") from error
    if values.shape != (classes,):
        raise ModelOutputError(f"{image}: the model gives an array of shape {values.shape} for {classes} classes")
    total = values.sum()
    if not np.isfinite(values).all():
        raise ModelOutputError(f"{image}: the model's probabilities are not all finite (their sum is {total})")
    if values.min() < 0:
        raise ModelOutputError(
            f"{image}: a probability of the model is {values.min():.4g} (the sum is {total:.4g}); are they logits?"
        )
    if abs(total - 1) > _SUM_TOLERANCE:
        raise ModelOutputError(f"{image}: the model's probabilities sum to {total:.4g}, not to 1; are they scores?")
    return values
