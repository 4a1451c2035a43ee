"""Tables of an evaluation: how good, where it fails, how sure, and against another model."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from clothing_classifier.evaluation.metrics import takes_photos_as_independent
from clothing_classifier.report.terminal import bar
from clothing_classifier.utils import one_line

_HEADLINES = {
    "balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1", "weighted_f1": "weighted F1",
    "auroc": "AUROC, one against the rest", "top3": "top-3 accuracy", "log_loss": "log loss", "brier": "Brier score",
    "ece": "calibration error", "aurc": "risk over coverage",
}  # fmt: skip
_MOST_VALUES = 12
_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)


def evaluation_tables(figures: Mapping[str, Any]) -> list[RenderableType]:
    """The figures of `evaluation.figures`, and of `comparison.compare` where they are among them."""
    parts: list[RenderableType] = [_headline_table(figures)]
    if "comparison" in figures:
        parts.append(_comparison_table(figures["comparison"]))
    if "groups" in figures:
        parts.append(_values_table("group", figures["groups"]))
    parts += [_class_table(figures), _confusion_table(figures)]
    parts += [_values_table(name, values) for name, values in figures["slices"].items()]
    parts += [_reliability_table(figures["reliability"]), _coverage_table(figures["risk_coverage"])]
    return [piece for part in parts for piece in (part, Text())][:-1]


def _headline_table(figures: Mapping[str, Any]) -> Table:
    table = _table(show_header=False)
    table.add_row("photos", str(figures["n"]))
    accuracy = f"{figures['accuracy']:.3f}  (95%: {_range(figures['accuracy_interval'])}; {figures['interval_method']})"
    table.add_row("accuracy", accuracy)
    if "leave_one_group_out" in figures:
        table.add_row("one group left out", f"accuracy from {_range(figures['leave_one_group_out'])}")
    for key, title in _HEADLINES.items():
        if key in figures:
            table.add_row(title, f"{figures[key]:.3f}")
    return table


def _comparison_table(figures: Mapping[str, Any]) -> Table:
    table = _table(show_header=False, title=Text(f"against {one_line(figures['against'])}, on the same photos"))
    table.title_justify = "left"
    table.add_row("photos", f"{figures['n']}, {len(figures['candidates'])} classes to choose from")
    table.add_row("accuracy", f"{figures['accuracy']:.3f} against {figures['against_accuracy']:.3f}")
    low, high = figures["difference_interval"]
    difference = f"{figures['difference']:+.3f}  (95%: {low:+.3f} to {high:+.3f}; {figures['interval_method']})"
    table.add_row("difference", difference)
    counts = f"{figures['only_this_right']}, only the other {figures['only_against_right']}"
    table.add_row("right on", f"only this model {counts}, both {figures['both_right']}, none {figures['both_wrong']}")
    table.add_row("McNemar", f"p = {figures['mcnemar']['p']:.3g} ({figures['mcnemar']['method']})")
    return table


def _class_table(figures: Mapping[str, Any]) -> Table:
    """Figures by class; a dash where there is nothing to divide by."""
    table = _table("class", "precision", "recall", "F1", "AUROC", "support")
    table.add_column("recall")
    for label, row in figures["per_class"].items():
        values = (f"{row[key]:.3f}" if key in row else "-" for key in ("precision", "recall", "f1", "auroc"))
        table.add_row(Text(one_line(label)), *values, str(row["support"]), Text(bar(row.get("recall", 0.0)), "cyan"))
    return table


def _confusion_table(figures: Mapping[str, Any]) -> Table:
    matrix, labels = figures["confusion"], [one_line(label) for label in figures["labels"]]
    used = [i for i in range(len(labels)) if sum(matrix[i]) or any(row[i] for row in matrix)]
    table = _table("", *(labels[i][:5] for i in used), title="true class (rows) as predicted (columns)")
    for i in used:
        table.add_row(Text(labels[i]), *(_cell(matrix[i][j], i == j) for j in used))
    return table


def _values_table(name: str, values: Mapping[str, Mapping[str, Any]]) -> Table:
    """Accuracy at each value of a column; of many values only those with the most photos, and the count of the rest."""
    table = _table(name, "photos", "accuracy", *(["95%"] if _have_intervals(values) else []))
    table.add_column("")
    shown = list(values.items())[:_MOST_VALUES]
    for value, row in shown:
        interval = [_range(row["accuracy_interval"]) + _mark(row)] if "accuracy_interval" in row else []
        cells = (str(row["n"]), f"{row['accuracy']:.3f}", *interval)
        table.add_row(Text(one_line(value)), *cells, Text(bar(row["accuracy"]), "cyan"))
    rest = [row["n"] for row in list(values.values())[_MOST_VALUES:]]
    if rest:
        table.add_row(Text(f"and {len(rest)} more", "dim"), Text(str(sum(rest)), "dim"))
    if any(_mark(row) for _, row in shown):
        table.caption, table.caption_justify = Text("* photos taken as independent: likely too narrow", "dim"), "left"
    return table


def _mark(row: Mapping[str, Any]) -> str:
    return " *" if takes_photos_as_independent(row.get("interval_method", "")) else ""


def _have_intervals(values: Mapping[str, Mapping[str, Any]]) -> bool:
    return any("accuracy_interval" in row for row in values.values())


def _reliability_table(bins: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("confidence", "photos", "accuracy", "95% (Wilson)", title="does confidence mean what it says?")
    for part in bins:
        cells = (str(part["n"]), f"{part['accuracy']:.3f}", _range(part["accuracy_interval"]))
        table.add_row(f"{part['confidence']:.3f}", *cells)
    return table


def _coverage_table(curve: Sequence[Mapping[str, float]]) -> Table:
    """The risk where about each of some shares of the photos is answered: the most that is not over the share."""
    table = _table(
        "answered", "wrong among them", "confidence from", title="if the least confident are left to a person"
    )
    points = [max((p for p in curve if p["coverage"] <= share), key=lambda p: p["coverage"], default=None)
              for share in _COVERAGES]  # fmt: skip
    for point in dict.fromkeys(tuple(point.values()) for point in points if point):
        coverage, risk, threshold = point
        table.add_row(f"{coverage:.1%}", f"{risk:.1%}", f"{threshold:.3f}")
    return table


def _cell(count: int, hit: bool) -> Text:
    return Text(str(count) if count else "·", "green" if hit else ("red" if count else "dim"))


def _range(interval: Sequence[float]) -> str:
    low, high = interval
    return f"{low:.3f} to {high:.3f}"


def _table(*titles: str, title: str | Text | None = None, show_header: bool = True) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, show_header=show_header)
    for i, column in enumerate(titles):
        table.add_column(Text(column), justify="right" if i else "left")
    return table
