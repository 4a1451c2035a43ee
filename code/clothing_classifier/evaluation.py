"""How good a model is on labelled photos: a predict function and records in, a report out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clothing_classifier import metrics
from clothing_classifier.dataset import Record, RecordSource, match_labels
from clothing_classifier.errors import DatasetError, ImageError

ProbabilityFunction = Callable[[Iterable[RecordSource]], Iterator[Any]]
"""Takes sources and yields for each, in order, `(K,) float` probabilities or an `ImageError`."""


@dataclass(frozen=True)
class Report:
    """The figures of an evaluation (as in `clothing evaluate --format json`).

    `failures` names the photos that can't be read, `notes` says which labels were matched without regard to case.
    """

    figures: dict[str, Any]
    failures: tuple[str, ...]
    notes: tuple[str, ...]


def evaluate(
    predict: ProbabilityFunction,
    records: Sequence[Record],
    labels: Sequence[str],
    advance: Callable[[], object] = lambda: None,
) -> Report:
    """Measure `predict`, whose outputs stand for `labels`, on `records`.

    Labels of the records are matched to the model's as `dataset.match_labels` does. Raises `DatasetError` where the
    model lacks one, or where no photo can be read.
    """
    matches = _match(records, labels)
    index = {label: labels.index(match) for label, match in matches.items()}
    targets, probabilities, groups, failures = [], [], [], []
    for record, outcome in zip(records, predict(record.source for record in records), strict=True):
        advance()
        if isinstance(outcome, ImageError):
            failures.append(str(outcome))
            continue
        targets.append(index[record.label])
        probabilities.append(outcome)
        groups.append(record.group)
    if not targets:
        raise DatasetError(
            f"none of {len(records)} photos can be read; first: {failures[0] if failures else 'no rows'}"
        )
    notes = (f"label '{label}' is taken as the model's '{match}'" for label, match in matches.items() if label != match)
    return Report(figures(np.array(targets), np.stack(probabilities), labels, groups), tuple(failures), tuple(notes))


def figures(
    targets: metrics.Integers, probabilities: metrics.Floats, labels: Sequence[str], groups: Sequence[str | None]
) -> dict[str, Any]:
    """Every figure of a report, from targets `(N,)` and probabilities `(N, K)`, as plain data."""
    predicted = probabilities.argmax(1)
    confusion = metrics.confusion_matrix(targets, predicted, len(labels))
    interval, method = metrics.accuracy_interval(targets == predicted, groups)
    per_class = zip(*metrics.precision_recall_f1(confusion), strict=True)
    return {
        "n": len(targets),
        "accuracy": metrics.accuracy(targets, predicted),
        "accuracy_interval": list(interval),
        "interval_method": method,
        "balanced_accuracy": metrics.balanced_accuracy(confusion),
        "macro_f1": metrics.macro_f1(confusion),
        "top3": metrics.top_k_accuracy(targets, probabilities, 3),
        "log_loss": metrics.log_loss(targets, probabilities),
        "brier": metrics.brier_score(targets, probabilities),
        "ece": metrics.expected_calibration_error(targets, probabilities),
        "labels": list(labels),
        "confusion": confusion.tolist(),
        "per_class": {
            label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
            for label, (p, r, f, s) in zip(labels, per_class, strict=True)
        },
    }


def _match(records: Sequence[Record], labels: Sequence[str]) -> dict[str, str]:
    wanted = sorted({record.label for record in records})
    matches = match_labels(wanted, labels)
    missing = [label for label in wanted if label not in matches]
    if missing:
        listing = ",".join(missing)
        raise DatasetError(f"the model has no class for {listing}; leave them out with --exclude-labels '{listing}'")
    return matches
