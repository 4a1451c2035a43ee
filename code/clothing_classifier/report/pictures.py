"""Pictures of a report, as PNG: class counts, a confusion matrix, reliability, a network's overview."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from clothing_classifier.report.figure import BLUE, GREEN, GREY, ORANGE, make_figure, to_png

_PARTS = {"train": BLUE, "validation": ORANGE, "test": GREEN}
_MOST_NAMES = 40
"""Classes beyond which the cells of a matrix are too small for numbers."""


def draw_classes(counts: Mapping[str, Mapping[str, int]]) -> bytes:
    """Photos of each class by part, the most frequent first."""
    ordered = sorted(counts, key=lambda label: sum(counts[label].values()))
    figure = make_figure(7.5, 0.9 + 0.24 * len(ordered))
    axes = figure.subplots()
    left = np.zeros(len(ordered))
    parts = dict.fromkeys(part for row in counts.values() for part in row)
    for part in sorted(parts, key=lambda part: list(_PARTS).index(part) if part in _PARTS else len(_PARTS)):
        values = np.array([counts[label].get(part, 0) for label in ordered], float)
        axes.barh(ordered, values, left=left, color=_PARTS.get(part, GREY), label=part, height=0.75)
        left += values
    for place, total in enumerate(left):
        axes.text(total, place, f" {total:.0f}", va="center", fontsize=8, color="#444444")
    axes.set(xlabel="photos")
    axes.margins(x=0.08, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(parts))
    return to_png(figure)


def draw_confusion(figures: Mapping[str, Any]) -> bytes:
    """True classes down, predicted ones across; colour is the share of the row: blue where right, orange where not."""
    matrix = np.array(figures["confusion"])
    used = np.flatnonzero(matrix.sum(0) + matrix.sum(1))
    matrix, labels = matrix[np.ix_(used, used)], [figures["labels"][i] for i in used]
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    wrong = np.where(np.eye(len(used), dtype=bool), np.nan, shares)
    side = 2.2 + 0.34 * len(used)
    figure = make_figure(side, side)
    axes = figure.subplots()
    axes.imshow(np.where(np.eye(len(used), dtype=bool), shares, np.nan), cmap="Blues", vmin=0, vmax=1.3)
    axes.imshow(np.where(wrong > 0, wrong, np.nan), cmap="Oranges", vmin=0, vmax=0.7)
    if len(used) <= _MOST_NAMES:
        for i, j in np.argwhere(matrix):
            colour = "white" if shares[i, j] > 0.6 else "black"
            axes.text(j, i, str(matrix[i, j]), ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(used)), labels, rotation=90)
    axes.set_yticks(range(len(used)), labels)
    axes.set(xlabel="taken for", ylabel="labelled")
    axes.spines[:].set_visible(False)
    return to_png(figure)


def draw_reliability(bins: Sequence[Mapping[str, Any]]) -> bytes:
    """Accuracy by confidence with 95% bars; on the line, confidence is what it says."""
    confidence, accuracy = ([part[key] for part in bins] for key in ("confidence", "accuracy"))
    reach = np.array([part["accuracy_interval"] for part in bins]).T
    figure = make_figure(4.6, 4.4)
    axes = figure.subplots()
    lowest = max(0.0, min(min(confidence), float(reach.min())) - 0.02)
    axes.plot([lowest, 1], [lowest, 1], "--", color=GREY, linewidth=1, label="as it says")
    axes.errorbar(
        confidence, accuracy, yerr=np.abs(reach - accuracy), fmt="o-", color=BLUE, capsize=2, label="measured"
    )
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(lowest, 1.01), ylim=(lowest, 1.01))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper left")
    return to_png(figure)


def draw_network(
    stages: Sequence[Mapping[str, Any]], size: int, classes: int, channels: Mapping[str, int] | None = None
) -> bytes:
    """The way of a photo of `size` px: each stage as tall as its map and as wide as its channels, and what it costs."""
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
            axes.add_patch(Rectangle((place - 0.35, -0.68), 0.7, 0.055, color="#e4e4e4", linewidth=0))
            axes.add_patch(Rectangle((place - 0.35, -0.68), 0.7 * share, 0.055, color=ORANGE, linewidth=0))
            axes.text(place, -0.71, f"{share:.0%} MACs", ha="center", va="top", fontsize=9.5)
    axes.set(xlim=(-0.6, len(blocks) - 0.4), ylim=(-0.85, 1.25))
    axes.set_axis_off()
    return to_png(figure)
