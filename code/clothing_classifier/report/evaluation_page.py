"""The page of `clothing evaluate --html`: how good the model is, how sure that is, and its worst mistakes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier.datasets import RecordSource
from clothing_classifier.errors import ImageError
from clothing_classifier.evaluation import Evaluation
from clothing_classifier.evaluation.metrics import Floats, takes_photos_as_independent
from clothing_classifier.inference import Classifier, PredictOptions
from clothing_classifier.inference.orientation import rotate
from clothing_classifier.preprocessing import Pixels, prepare
from clothing_classifier.report.activation import overlay
from clothing_classifier.report.chart import Axis, Chart, rounded_up
from clothing_classifier.report.page import data_uri, thumbnail, write_page

Explanation = Callable[[RecordSource, str], tuple[Pixels, Floats]]
"""Takes a photo and a label; gives the pixels that the model saw, `(S, S, 3) uint8`, and the label's map `(h, w)`."""

_MISTAKES = 24
_CARDS = (
    ("balanced_accuracy", "Balanced accuracy", "mean recall, each class alike"),
    ("macro_f1", "Macro-F1", "mean F1, each class alike"),
    ("weighted_f1", "Weighted F1", "mean F1, each photo alike"),
    ("auroc", "AUROC", "one class against the rest, mean"),
    ("top3", "Top-3 accuracy", "the right class is among three"),
    ("ece", "Calibration error", "confidence against accuracy, mean gap"),
    ("aurc", "Risk over coverage", "area under the curve below"),
    ("log_loss", "Log loss", "nats a photo"),
    ("brier", "Brier score", "0 is best, 2 worst"),
)


def write(path: Path, report: Evaluation, title: str, explain: Explanation | None = None) -> None:
    """Write the page to `path`, whole or not at all.

    `explain` brings the class activation maps of the mistakes; a model without them is shown with its photos alone.
    Raises `OSError`.
    """
    figures = report.figures
    write_page(
        path,
        "evaluation.html.j2",
        title=title,
        figures=figures,
        cards=_cards(figures),
        notes=report.notes,
        failures=report.failures,
        confusion=_confusion(figures),
        reliability=_reliability(figures["reliability"]),
        risk=_risk(figures["risk_coverage"]),
        mistakes=_mistakes(report, explain),
        wrong=int((~report.predictions.correct).sum()),
        explained=explain is not None,
        independent=takes_photos_as_independent,
    )


def explain_with(classifier: Classifier) -> Explanation | None:
    """The explanations of a bundle; `None` where its graph has no class map (one that another tool made)."""
    if "class_map" not in classifier.outputs:
        return None

    def explain(source: RecordSource, label: str) -> tuple[Pixels, Floats]:
        pixels = prepare(source, classifier.bundle.contract)
        (prediction,) = classifier.predict_pixels(pixels[None], [PredictOptions()])
        pixels = rotate(pixels, prediction.rotation // 90)
        return pixels, classifier.run(pixels[None], "class_map")[0, classifier.labels.index(label)]

    return explain


def _cards(figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    low, high = figures["accuracy_interval"]
    accuracy = ("Accuracy", f"{figures['accuracy']:.1%}", f"95%: {low:.1%} to {high:.1%}")
    return [accuracy, *((name, f"{figures[key]:.3f}", note) for key, name, note in _CARDS if key in figures)]


def _confusion(figures: dict[str, Any]) -> dict[str, Any]:
    """The matrix of the classes that occur or are predicted; each cell is (count, share of its row)."""
    matrix = np.array(figures["confusion"])
    used = np.flatnonzero(matrix.sum(0) + matrix.sum(1))
    counts = matrix[np.ix_(used, used)]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    rows = [list(zip(*row, strict=True)) for row in zip(counts.tolist(), shares.tolist(), strict=True)]
    return {"labels": [figures["labels"][i] for i in used], "rows": rows}


def _reliability(bins: Sequence[dict[str, Any]]) -> dict[str, Any]:
    lowest = min(min(part["confidence"], part["accuracy_interval"][0]) for part in bins)
    start = np.floor(max(lowest, 0) * 10) / 10
    axes = Axis("confidence", float(min(start, 0.9)), 1.0), Axis("accuracy", float(min(start, 0.9)), 1.0)
    return {"chart": Chart(*axes), "bins": bins}


def _risk(curve: Sequence[dict[str, float]]) -> dict[str, Any]:
    chart = Chart(
        Axis("answered", 0.0, 1.0), Axis("wrong among the answered", 0.0, rounded_up(max(p["risk"] for p in curve)))
    )
    return {"chart": chart, "line": chart.line((point["coverage"], point["risk"]) for point in curve)}


def _mistakes(report: Evaluation, explain: Explanation | None) -> list[dict[str, Any]]:
    """The most confident wrong answers, the worst first, with photo and map."""
    answers = report.predictions
    predicted, confidence = answers.probabilities.argmax(1), answers.probabilities.max(1)
    wrong = np.flatnonzero(~answers.correct)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MISTAKES]
    return [
        {
            "image": answers.records[i].image,
            "truth": answers.records[i].label,
            "predicted": answers.labels[predicted[i]],
            "confidence": float(confidence[i]),
            "of_truth": float(answers.probabilities[i, answers.targets[i]]),
            **_pictures(answers.records[i].source, answers.labels[predicted[i]], explain),
        }
        for i in worst
    ]


def _pictures(source: RecordSource, label: str, explain: Explanation | None) -> dict[str, str | None]:
    if explain is None:
        return {"photo": thumbnail(source), "map": None}
    try:
        pixels, class_map = explain(source, label)
    except ImageError:  # gone since it was measured
        return {"photo": None, "map": None}
    return {"photo": data_uri(pixels), "map": data_uri(overlay(pixels, class_map))}
