"""The figures of the documents, drawn from the records that the benchmarks write."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import FIGURES
from clothing_classifier.report.figure import BLUE, GREEN, ORANGE, make_figure, to_png
from clothing_classifier.utils import write_bytes

SKY, BLACK = "#56B4E9", "#000000"
Series = tuple[Sequence[float], Sequence[Sequence[float]]]
"""Values, and their 95% intervals."""


def draw(kind: str, record: Mapping[str, Any], name: str) -> None:
    """Draw the record of an experiment to docs/figures/`name`."""
    figure = {"learning-curve": _learning_curve, "field-size": _field_size}[kind](record)
    _save(figure, FIGURES / name)


def draw_robustness(record: Mapping[str, Any], path: Path) -> None:
    """Accuracy with its interval, and mean confidence, against the strength of each corruption."""
    figure, clean = make_figure(12, 5.2), record["clean"]
    for axes, (name, kind) in zip(
        figure.subplots(2, 5, sharey=True).ravel(), record["corruptions"].items(), strict=True
    ):
        rows = [clean, *kind["levels"]]
        _band(axes, range(len(rows)), ([row["accuracy"] for row in rows], [row["interval"] for row in rows]))
        axes.plot([row["confidence"] for row in rows], "--", color=ORANGE, label="mean confidence")
        axes.set_xticks(range(len(rows)), ["as is", *(f"{row['strength']:g}" for row in kind["levels"])], fontsize=7)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(kind["unit"], fontsize=8)
        axes.set_ylim(0, 1)
    figure.axes[0].legend(fontsize=8, loc="lower left")
    figure.supylabel("accuracy on validation, 95% over senders", fontsize=9)
    _save(figure, path)


def draw_pareto(points: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Accuracy against MACs and against latency; full marks are int8, empty ones float."""
    figure = make_figure(13, 6)
    panels = figure.subplots(1, 2, sharey=True)
    titles = "million MACs", "latency, as a fraction of the float wardrobe's"
    for axes, title, value in zip(panels, titles, (_macs, _latency), strict=True):
        for point in points:
            colour, marker = _MARKS[_kind(point)]
            low, high = (abs(end - point["accuracy"]) for end in point["accuracy_interval"])
            axes.errorbar(
                value(point), point["accuracy"], [[low], [high]], fmt=marker, color=colour, markersize=8,
                markerfacecolor=colour if point["precision"] == "int8" else "white", elinewidth=0.5,
            )  # fmt: skip
            axes.annotate(
                _short(point), (value(point), point["accuracy"]), (6, 4), textcoords="offset points", fontsize=7
            )
        axes.set_xscale("log")
        axes.set_xlabel(title)
        axes.grid(alpha=0.3)
    for kind, (colour, marker) in _MARKS.items():
        panels[0].plot([], [], marker, color=colour, label=kind)
    panels[0].set_ylabel("accuracy on validation, 95% over senders")
    panels[0].legend(loc="lower left", title="full marks: int8, empty ones: float", fontsize=8, title_fontsize=8)
    _save(figure, path)


def _learning_curve(record: Mapping[str, Any]) -> Any:
    """Error against photos, both on logarithmic axes, with the law carried on."""
    figure = make_figure(6.5, 4.5)
    axes, law, variants = figure.subplots(), record["law"], record["variants"]
    further = law["ten_times"]
    for name, about in variants.items():
        colour = BLUE if "random" not in name else ORANGE
        _error_bar(axes, about["photos"], about["accuracy"]["mean"], about["interval"], color=colour, label=name)
    reach = np.geomspace(min(about["photos"] for about in variants.values()), further["photos"], 50)
    axes.plot(reach, law["a"] * reach ** -law["b"], "--", color=BLUE, label="error = a n^-b")
    _error_bar(axes, further["photos"], further["accuracy"], further["interval"], color=BLUE, mfc="white",
               label="ten times the photos, by the law")  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("photos learnt from")
    axes.set_ylabel("error on validation, 95% over senders")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    return figure


def _field_size(record: Mapping[str, Any]) -> Any:
    """Recall of each class, and accuracy of all, against the receptive field; without the control."""
    kept = {name: about for name, about in record["variants"].items() if "shuffled" not in name}
    fields = [int(name.partition(" ")[0]) for name in kept]
    figure, labels = make_figure(12, 7.5), record["labels"]
    titles = ["all", *(label for label in labels if all(label in about["per_class"] for about in kept.values()))]
    for axes, title in zip(figure.subplots(3, 6, sharex=True, sharey=True).ravel(), titles, strict=False):
        if title == "all":
            series = (
                [about["accuracy"]["mean"] for about in kept.values()],
                [about["interval"] for about in kept.values()],
            )
        else:
            rows = [about["per_class"][title] for about in kept.values()]
            series = [row["recall"] for row in rows], [row["interval"] for row in rows]
        _band(axes, fields, series)
        axes.set_title(title, fontsize=9)
        axes.set_xscale("log")
        axes.set_xticks(fields, map(str, fields), fontsize=6, rotation=45)
        axes.set_xticks([], minor=True)
    figure.supxlabel("receptive field, px", fontsize=9)
    figure.supylabel("recall on validation, 95% over senders", fontsize=9)
    return figure


def _band(axes: Any, at: Sequence[float] | range, series: Series) -> None:
    values, intervals = series
    axes.fill_between(at, *np.array(intervals).T, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(at, values, "o-", color=BLUE, markersize=3, label="accuracy")
    axes.grid(alpha=0.3)


def _error_bar(axes: Any, at: float, accuracy: float, interval: Sequence[float], **style: Any) -> None:
    low, high = interval
    axes.errorbar([at], [1 - accuracy], [[high - accuracy], [accuracy - low]], fmt="o", capsize=3, **style)


_MARKS = {
    "smaller input, untrained": (BLUE, "o"), "smaller input, trained": (SKY, "s"), "pruned, trained": (ORANGE, "^"),
    "narrower, trained": (GREEN, "D"), "shipped": (BLACK, "*"),
}  # fmt: skip


def _kind(point: Mapping[str, Any]) -> str:
    steps = point.get("steps") or {}
    if point.get("shipped"):
        return "shipped"
    if steps.get("share"):
        return "pruned, trained"
    if steps.get("width"):
        return "narrower, trained"
    return "smaller input, trained" if point["epochs"] else "smaller input, untrained"


def _macs(point: Mapping[str, Any]) -> float:
    return float(point["macs"]) / 1e6


def _latency(point: Mapping[str, Any]) -> float:
    return 1 / float(point["speedup"]["latency"])


def _short(point: Mapping[str, Any]) -> str:
    if point.get("shipped"):
        return str(point["name"])
    steps = point.get("steps") or {}
    cuts = [f"{name} {steps[key]:g}" for key, name in (("share", "prune"), ("width", "width")) if steps.get(key)]
    return ", ".join([f"{point['size']} px", *cuts])


def _save(figure: Any, path: Path) -> None:
    write_bytes(path, to_png(figure, dpi=110))
