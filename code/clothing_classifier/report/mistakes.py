"""The most confident mistakes of an evaluation, with class activation maps (Zhou et al. 2016)."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from clothing_classifier.datasets import RecordSource
from clothing_classifier.errors import ImageError
from clothing_classifier.evaluation import Evaluation
from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.inference import Classifier, PredictOptions
from clothing_classifier.inference.orientation import rotate
from clothing_classifier.preprocessing import Pixels, prepare
from clothing_classifier.report.document import Gallery, Photos, Section, Text
from clothing_classifier.report.html import data_uri, thumbnail

Explanation = Callable[[RecordSource, str], tuple[Pixels, Floats]]
"""Takes a photo and a label; gives the pixels that the model saw, `(S, S, 3) uint8`, and the label's map `(h, w)`."""

_MAX_MISTAKES = 24
_COLOURS = np.array([[24, 20, 72], [122, 30, 130], [226, 76, 62], [252, 214, 72]], float)
"""From no evidence to the most; the photo stays visible below, in grey."""


def mistakes_section(evaluation: Evaluation, explain: Explanation | None = None) -> Section:
    """The most confident wrong predictions, with class activation maps where `explain` gives them."""
    predictions = evaluation.predictions
    predicted, confidence = predictions.probabilities.argmax(1), predictions.probabilities.max(1)
    wrong = np.flatnonzero(~predictions.correct)
    if not len(wrong):
        return Section("Mistakes", [Text("None: every prediction is right.")])
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MAX_MISTAKES]
    items = []
    for i in worst:
        record, label = predictions.records[i], predictions.labels[predicted[i]]
        of_truth = predictions.probabilities[i, predictions.targets[i]]
        lines = [f"true class {record.label}: {of_truth:.1%}", record.image]
        items.append(Photos(_pictures(record.source, label, explain), f"{label}: {confidence[i]:.0%}", lines))
    text = f"The {len(items)} most confident of {len(wrong)} wrong predictions."
    if explain:
        text += " Beside each photo, as the model saw it, the evidence for the wrong class: the brighter, the more."
    else:
        text += " This model gives no class activation maps."
    return Section("Mistakes", [Text(text), Gallery(items)])


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


def overlay(pixels: Pixels, class_map: Floats) -> Pixels:
    """Colour a photo `(H, W, 3) uint8` by the evidence for a class, `(h, w)`; evidence against it counts as none.

    The most is always the brightest: maps of two photos compare in where, not in how much.
    """
    height, width = pixels.shape[:2]
    evidence = np.maximum(class_map, 0).astype(np.float32)
    peak = float(evidence.max())
    coarse = Image.fromarray(evidence / peak if peak > 0 else evidence)
    strength = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)
    stops = np.linspace(0, 1, len(_COLOURS))
    colour = np.stack([np.interp(strength, stops, channel) for channel in _COLOURS.T], 2)
    grey = np.asarray(Image.fromarray(pixels).convert("L"), float)[..., None]
    mixed: Pixels = (0.5 * grey + 0.5 * colour).round().astype(np.uint8)
    return mixed


def _pictures(source: RecordSource, label: str, explain: Explanation | None) -> list[str | None]:
    if explain is None:
        return [thumbnail(source)]
    try:
        pixels, class_map = explain(source, label)
    except ImageError:  # gone since it was measured
        return [None, None]
    return [data_uri(pixels), data_uri(overlay(pixels, class_map))]
