"""Charts of photos, an evaluation, a run and a network's stages, by matplotlib."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clothing_classifier.report.figure import BLUE, GREEN, GREY, INK, ORANGE, make_figure
from clothing_classifier.utils import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPLITS = {"train": BLUE, "validation": ORANGE, "test": GREEN}
_MAX_NUMBERS = 40
"""Classes beyond which the cells of a matrix are too small for numbers."""


def draw_classes(counts: Mapping[str, Mapping[str, int]]) -> "Figure":
    """Photos of each class by split, the most frequent first."""
    ordered = sorted(counts, key=lambda label: sum(counts[label].values()))
    figure = make_figure(7.5, 0.9 + 0.24 * len(ordered))
    axes = figure.subplots()
    left = np.zeros(len(ordered))
    splits = dict.fromkeys(split for row in counts.values() for split in row)
    for split in sorted(splits, key=lambda split: list(_SPLITS).index(split) if split in _SPLITS else len(_SPLITS)):
        values = np.array([counts[label].get(split, 0) for label in ordered], float)
        axes.barh(range(len(ordered)), values, left=left, color=_SPLITS.get(split, GREY), label=split, height=0.75)
        left += values
    axes.set_yticks(range(len(ordered)), [one_line(label) for label in ordered], parse_math=False)
    for place, total in enumerate(left):
        axes.text(total, place, f" {total:.0f}", va="center", fontsize=8)
    axes.set(xlabel="photos")
    axes.margins(x=0.08, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(splits))
    return figure


def draw_confusion(figures: Mapping[str, Any]) -> "Figure":
    """True classes by predicted ones; colour is the fraction of the row: blue where right, orange where wrong."""
    matrix = np.array(figures["confusion"])
    used = np.flatnonzero(matrix.sum(0) + matrix.sum(1))
    matrix, labels = matrix[np.ix_(used, used)], [one_line(figures["labels"][i]) for i in used]
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    right = np.eye(len(used), dtype=bool)
    side = 2.2 + 0.34 * len(used)
    figure = make_figure(side, side)
    axes = figure.subplots()
    axes.imshow(np.where(right & (shares > 0), shares, np.nan), cmap="Blues", vmin=0, vmax=1.3)
    axes.imshow(np.where(~right & (shares > 0), shares, np.nan), cmap="Oranges", vmin=0, vmax=0.7)
    if len(used) <= _MAX_NUMBERS:
        for i, j in np.argwhere(matrix):
            colour = "white" if shares[i, j] > 0.6 else INK
            axes.text(j, i, str(matrix[i, j]), ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(used)), labels, rotation=90, parse_math=False)
    axes.set_yticks(range(len(used)), labels, parse_math=False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.spines[:].set_visible(False)
    return figure


def draw_reliability(bins: Sequence[Mapping[str, Any]]) -> "Figure":
    """Accuracy by confidence with 95% bars; on the dashed line, confidence equals accuracy."""
    confidence, accuracy = ([part[key] for part in bins] for key in ("confidence", "accuracy"))
    reach = np.array([part["accuracy_interval"] for part in bins]).T
    figure = make_figure(4.6, 4.4)
    axes = figure.subplots()
    lowest = max(0.0, min(min(confidence), float(reach.min())) - 0.02)
    axes.plot([lowest, 1], [lowest, 1], "--", color=GREY, linewidth=1, label="calibrated")
    axes.errorbar(
        confidence, accuracy, yerr=np.abs(reach - accuracy), fmt="o-", color=BLUE, capsize=2, label="measured"
    )
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(lowest, 1.01), ylim=(lowest, 1.01))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper left")
    return figure


def draw_risk_coverage(curve: Sequence[Mapping[str, float]]) -> "Figure":
    """Fraction of wrong predictions among the most confident photos, by the fraction of photos that are answered."""
    figure = make_figure(4.6, 4.4)
    axes = figure.subplots()
    axes.plot([100 * point["coverage"] for point in curve], [100 * point["risk"] for point in curve], color=BLUE)
    axes.set(xlabel="coverage: photos answered, %", ylabel="risk: wrong among them, %", xlim=(0, 101))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    return figure


def draw_history(path: Path) -> "Figure":
    """Loss, validation metrics and learning rate by epoch, from a run's `history.csv`."""
    with path.open(encoding="utf-8", newline="") as file:
        history = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    epochs = [row["epoch"] for row in history]
    figure = make_figure(11, 3.6)
    panels = (
        ("loss", {"training: augmented photos, soft targets": "loss", "validation: log loss": "log_loss"}),
        ("validation", {"accuracy": "accuracy", "macro-F1": "macro_f1"}),
        ("learning rate", {"at the end of the epoch": "learning_rate"}),
    )
    for axes, (title, curves) in zip(figure.subplots(1, 3), panels, strict=True):
        for (name, key), colour in zip(curves.items(), (BLUE, ORANGE), strict=False):
            axes.plot(epochs, [row[key] for row in history], marker="o", markersize=3, label=name, color=colour)
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def draw_network(
    stages: Sequence[Mapping[str, Any]], size: int, classes: int, channels: Mapping[str, int] | None = None
) -> "Figure":
    """The stages of a network for photos of `size` px: as tall as the map, as wide as its channels, with their MACs."""
    from matplotlib.patches import Rectangle

    channels = channels or {}
    total = max(sum(stage["macs"] for stage in stages), 1)
    figure = make_figure(1.02 * (len(stages) + 2), 4.1)
    axes = figure.subplots()
    blocks = [("photo", f"{size} x {size}\n3 channels", "", size, 3, GREY, 0.0)]
    for stage in stages:
        stride, depth = stage["stride"][0], channels.get(stage["name"])
        side = round(size / stride) if stride else 1
        shape = f"{side} x {side}" + (f"\n{depth} channels" if depth else "")
        share = stage["macs"] / total
        blocks.append((stage["name"], shape, f"sees {stage['receptive_field'][0]} px", side, depth or 0, BLUE, share))
    blocks.append(("mean, linear", f"{classes} classes", "sees all", 1, classes, GREEN, 0.0))
    for place, (name, shape, field, side, depth, colour, share) in enumerate(blocks):
        tall, wide = 0.12 + 0.88 * (side / size) ** 0.5, 0.12 + 0.6 * min(1.0, depth / 1280) ** 0.5
        axes.add_patch(Rectangle((place - wide / 2, (1 - tall) / 2), wide, tall, color=colour, alpha=0.85, linewidth=0))
        axes.text(place, 1.08, name, ha="center", va="bottom", fontsize=10, weight="bold")
        axes.text(place, -0.07, f"{shape}\n{field}", ha="center", va="top", fontsize=9.5, linespacing=1.4)
        if share:
            axes.add_patch(Rectangle((place - 0.35, -0.68), 0.7, 0.055, color=GREY, alpha=0.3, linewidth=0))
            axes.add_patch(Rectangle((place - 0.35, -0.68), 0.7 * share, 0.055, color=ORANGE, linewidth=0))
            axes.text(place, -0.71, f"{share:.0%} MACs", ha="center", va="top", fontsize=9.5)
    axes.set(xlim=(-0.6, len(blocks) - 0.4), ylim=(-0.85, 1.25))
    axes.set_axis_off()
    return figure
