"""Evaluate a predict function on labelled photos: all metrics with intervals, by class, group and slice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clothing_classifier.datasets import Columns, Record, content_if_readable, count_known
from clothing_classifier.errors import UsageError
from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.comparison import compare
from clothing_classifier.evaluation.predictions import Predictions, ProbabilityFunction, collect

BLANK = "(blank)"
"""How an empty cell is called among the values of a slice."""
_CURVE_POINTS = 200


@dataclass(frozen=True)
class Evaluation:
    """The figures of an evaluation (as in `clothing evaluate --format json`) and the predictions behind them.

    `failures` names the photos that can't be read; `notes` says which labels were matched without regard to case, which
    candidates were left out, and which figures are undefined or mean little here.
    """

    figures: dict[str, Any]
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    predictions: Predictions


def evaluate(
    predict: ProbabilityFunction,
    records: Sequence[Record],
    labels: Sequence[str],
    advance: Callable[[], object] = lambda: None,
    candidates: Sequence[str] = (),
    slices: Mapping[str, Callable[[Record], str]] | None = None,
) -> Evaluation:
    """Measure `predict`, whose outputs stand for `labels`, on `records`.

    `candidates` and the errors are those of `predictions.collect`; `slices` gives for each column the function that
    reads a record's cell (`column_reader`).
    """
    predictions = collect(predict, records, labels, advance, candidates)
    values = {name: [read(record) for record in predictions.records] for name, read in (slices or {}).items()}
    content = figures(predictions.targets, predictions.probabilities, predictions.labels, predictions.groups, values)
    return Evaluation(
        content, predictions.failures, (*predictions.notes, *_cautions(predictions, content)), predictions
    )


def with_comparison(report: Evaluation, rival: Predictions, name: str) -> Evaluation:
    """Add a paired comparison with `rival`, the predictions of the model `name` on the same records.

    Photos that the other can't read join the failures. Raises as `comparison.compare` does.
    """
    found = compare(report.predictions, rival)
    notes = tuple(dict.fromkeys((*report.notes, *rival.notes)))
    if len(found["candidates"]) < max(len(report.predictions.labels), len(rival.labels)):
        notes += (f"compared on the {len(found['candidates'])} classes that both can choose",)
    failures = tuple(dict.fromkeys((*report.failures, *rival.failures)))
    return replace(
        report, figures=report.figures | {"comparison": {"against": name, **found}}, failures=failures, notes=notes
    )


def column_reader(name: str, records: Sequence[Record], columns: Columns) -> Callable[[Record], str]:
    """A function that gives a record's cell in the column `name`, blank cells as `BLANK`; raises `UsageError`.

    `columns` says which ones were taken for label, group and split.
    """
    further = dict.fromkeys(key for record in records for key in record.extra)
    named = {"image": "image", "label": columns.label, "group": columns.group, "split": columns.split}
    roles = {
        column or role: role
        for role, column in named.items()
        if column or any(getattr(record, role) for record in records)
    }
    if name in further:
        return lambda record: record.extra.get(name, "").strip() or BLANK
    if name in roles:
        return lambda record: getattr(record, roles[name]) or BLANK
    raise UsageError(f"no column '{name}' to slice by (columns: {', '.join((*roles, *further))})")


def unused_columns(provenance: dict[str, Any], records: Sequence[Record], columns: Columns) -> Iterator[str]:
    """A line for each column that a model of this `provenance` was split by, and that `columns` names none for.

    Photos that stand in test by another column may be those that the model learnt from.
    """
    settings = provenance.get("settings", {}).get("data", {})
    there = {key for record in records for key in record.extra}
    if not columns.split and (name := settings.get("split_column")) in there:
        yield f"the model's photos were split by '{name}', so that it may know some of these: --split-column {name}"
    if not columns.group and (name := settings.get("group_column")) in there:
        yield f"the model's photos were grouped by '{name}'; for intervals over such groups: --group-column {name}"


def known_photos(known: Mapping[str, str], records: Sequence[Record], split: str) -> Iterator[str]:
    """A line where a bundle learnt from some of `records` or was chosen by them, `known` being what it knows them by.

    What is asked for by the name of that very part says so itself.
    """
    verbs = {"train": "learnt from", "validation": "was chosen and calibrated by"}
    asked = {part: verb for part, verb in verbs.items() if part in known and part != split}
    contents = [content for record in records if (content := content_if_readable(record.source))] if asked else []
    counts = {verb: count_known(known[part], contents) for part, verb in asked.items()}
    if found := " and ".join(f"{verb} {count}" for verb, count in counts.items() if count):
        yield f"the model {found} of these {len(records)} photos; figures of photos that it knows flatter it"


def figures(
    targets: metrics.Integers,
    probabilities: metrics.Floats,
    labels: Sequence[str],
    groups: Sequence[str | None],
    slices: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Every figure of a report, from targets `(N,)` and probabilities `(N, K)`, as plain data.

    `slices` gives for each column the `N` values of its cells. A figure that is undefined here (AUROC without a photo
    of the class) is absent.
    """
    predicted = probabilities.argmax(1)
    right = targets == predicted
    confusion = metrics.confusion_matrix(targets, predicted, len(labels))
    areas = metrics.auroc(targets, probabilities)
    area = metrics.macro_auroc(areas)
    curve = metrics.risk_coverage(targets, probabilities)
    return {
        **_accuracy(right, groups),
        **_by_group(right, groups),
        "balanced_accuracy": metrics.balanced_accuracy(confusion),
        "macro_f1": metrics.macro_f1(confusion),
        "weighted_f1": metrics.weighted_f1(confusion),
        **({} if area is None else {"auroc": area}),
        "top3": metrics.top_k_accuracy(targets, probabilities, 3),
        "log_loss": metrics.log_loss(targets, probabilities),
        "brier": metrics.brier_score(targets, probabilities),
        "ece": metrics.expected_calibration_error(targets, probabilities),
        "aurc": curve.area,
        "labels": list(labels),
        "confusion": confusion.tolist(),
        "per_class": _per_class(labels, confusion, areas),
        "slices": {name: _slices(right, groups, values) for name, values in (slices or {}).items()},
        "reliability": [_bin(part) for part in metrics.reliability_bins(targets, probabilities)],
        "risk_coverage": _curve(curve),
    }


def _cautions(predictions: Predictions, content: Mapping[str, Any]) -> Iterator[str]:
    present = {predictions.labels[target] for target in predictions.targets}
    absent = [label for label in predictions.labels if label not in present]
    if len(present) == 1:
        yield f"every photo is of the class '{present.pop()}': AUROC is undefined; balanced accuracy and F1 mean little"
    elif absent:
        yield f"no photo is of the class {', '.join(absent)}: no AUROC there, and the mean is that of the other classes"
    blank = sum(not group for group in predictions.groups)
    if 0 < blank < len(predictions.groups):
        yield f"{blank} of {content['n']} photos have no group: intervals take the photos as independent"


def _accuracy(right: metrics.Booleans, groups: Sequence[str | None]) -> dict[str, Any]:
    interval, method = metrics.accuracy_interval(right, groups)
    return {
        "n": len(right),
        "accuracy": float(right.mean()),
        "accuracy_interval": list(interval),
        "interval_method": method,
    }


def _by_group(right: metrics.Booleans, groups: Sequence[str | None]) -> dict[str, Any]:
    """Accuracy of each group, and its range with one of them left out, where there are too few to resample."""
    named = [group for group in groups if group]
    if len(named) < len(right) or len(set(named)) >= metrics.MIN_GROUPS:
        return {}
    parts = {"groups": {
        name: {"n": len(rows), "accuracy": float(right[rows].mean())} for name, rows in _places(named).items()
    }}  # fmt: skip
    reach = metrics.leave_one_group_out(right, named)
    return parts if reach is None else {**parts, "leave_one_group_out": list(reach)}


def _slices(right: metrics.Booleans, groups: Sequence[str | None], values: Sequence[str]) -> dict[str, Any]:
    """Accuracy of the photos of each value, the most frequent first."""
    return {value: _accuracy(right[rows], [groups[row] for row in rows]) for value, rows in _places(values).items()}


def _places(values: Sequence[str]) -> dict[str, list[int]]:
    """Where each value stands, the most frequent first."""
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    return dict(sorted(places.items(), key=lambda item: (-len(item[1]), item[0])))


def _per_class(
    labels: Sequence[str], confusion: npt.NDArray[np.int64], areas: Sequence[float | None]
) -> dict[str, dict[str, float]]:
    rows = zip(labels, *metrics.precision_recall_f1(confusion), confusion.sum(0), areas, strict=True)
    return {
        label: {
            **({"precision": float(p)} if called else {}),
            **({"recall": float(r)} if s else {}),
            **({"f1": float(f)} if s or called else {}),
            "support": int(s),
            **({} if area is None else {"auroc": area}),
        }
        for label, p, r, f, s, called, area in rows
    }


def _bin(part: metrics.Bin) -> dict[str, Any]:
    return {
        "n": part.n,
        "confidence": part.confidence,
        "accuracy": part.right / part.n,
        "accuracy_interval": list(metrics.wilson_interval(part.right, part.n)),
    }


def _curve(curve: metrics.RiskCoverage) -> list[dict[str, float]]:
    count = len(curve.coverage)
    chosen = np.unique(np.linspace(0, count - 1, min(_CURVE_POINTS, count)).astype(int))
    points = zip(curve.coverage[chosen], curve.risk[chosen], curve.threshold[chosen], strict=True)
    return [{"coverage": float(c), "risk": float(r), "threshold": float(t)} for c, r, t in points]
