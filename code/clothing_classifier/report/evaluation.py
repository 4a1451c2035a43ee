"""An evaluation as tables and charts: the same in the terminal, on its page and in a report."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from clothing_classifier.evaluation.metrics import takes_photos_as_independent
from clothing_classifier.report import pictures
from clothing_classifier.report.document import Bullets, Cell, Part, Picture, Section, Table, Text
from clothing_classifier.report.metrics import METRICS, write_interval

FEW = 10
"""Photos of a class below which its metrics say little."""
_CLASS_METRICS = ("precision", "recall", "f1", "auroc")
_MAX_CONFUSIONS, _MAX_VALUES = 10, 12
_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
_TOO_NARROW = "* takes photos as independent: likely too narrow"
_SLICES = "Accuracy by the values of a column. Of many intervals, one in twenty misses the true accuracy."


def evaluation_sections(figures: Mapping[str, Any]) -> list[Section]:
    """The figures of `evaluation.figures`, and of `comparison.compare` where they are among them."""
    confusion = Picture("confusion", partial(pictures.draw_confusion, figures), "confusion matrix")
    sections = [Section("Metrics", [metric_table(figures)])]
    if other := figures.get("comparison"):
        sections.append(Section(f"Compared with {other['against']}", [comparison_table(other)]))
    if "groups" in figures:
        why = "Too few groups to resample: the interval takes photos as independent, and may be too narrow."
        sections.append(Section("Groups", [Text(why), slice_table("group", figures["groups"])]))
    sections.append(
        Section("Classes", [class_table(figures), *([Bullets(weak)] if (weak := weak_classes(figures)) else [])])
    )
    sections.append(Section("Confusions", [confusion, confusion_table(figures)]))
    if slices := figures.get("slices"):
        tables = [slice_table(name, values) for name, values in slices.items()]
        sections.append(Section("Slices", [Text(_SLICES), *tables]))
    if bins := figures.get("reliability"):
        sections.append(Section("Calibration", _calibration(bins)))
    if curve := figures.get("risk_coverage"):
        sections.append(Section("Risk and coverage", _risk_coverage(curve)))
    return sections


def summary(figures: Mapping[str, Any]) -> str:
    """Accuracy with its interval, and macro-F1, in a line."""
    accuracy, f1 = METRICS["accuracy"].write(figures["accuracy"]), METRICS["macro_f1"].write(figures["macro_f1"])
    interval = f"95%: {write_interval(figures['accuracy_interval'])}; {figures['interval_method']}"
    return f"accuracy {accuracy} ({interval}), macro-F1 {f1}, on {figures['n']:,} photos"


def metric_table(figures: Mapping[str, Any]) -> Table:
    """Every metric that was measured, with its interval where it has one, and what it measures."""
    rows: list[list[str | Cell]] = [["photos", f"{figures['n']:,}", ""]]
    for key, metric in METRICS.items():
        if key in figures:
            interval = f" ({write_interval(figures['accuracy_interval'])})" if key == "accuracy" else ""
            rows.append([metric.title, metric.write(figures[key]) + interval, metric.meaning])
    if "leave_one_group_out" in figures:
        rows.append(["one group left out", write_interval(figures["leave_one_group_out"]), "range of the accuracy"])
    return Table(["metric", "value", "what it measures"], rows, note=f"95% interval: {figures['interval_method']}")


def comparison_table(figures: Mapping[str, Any]) -> Table:
    """A paired comparison with another model."""
    low, high = figures["difference_interval"]
    accuracy = METRICS["accuracy"]
    rows = [
        ["photos", f"{figures['n']:,}, {len(figures['candidates'])} classes"],
        ["accuracy", f"{accuracy.write(figures['accuracy'])} and {accuracy.write(figures['against_accuracy'])}"],
        ["difference", f"{100 * figures['difference']:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"],
        ["right alone", f"{figures['only_this_right']} and {figures['only_against_right']} photos"],
        ["both alike", f"right on {figures['both_right']}, wrong on {figures['both_wrong']}"],
        ["McNemar test", f"p = {figures['mcnemar']['p']:.3g} ({figures['mcnemar']['method']})"],
    ]  # fmt: skip
    names = ["", f"this model and {figures['against']}"]
    return Table(names, rows, note=f"95% interval: {figures['interval_method']}")


def class_table(figures: Mapping[str, Any]) -> Table:
    """The metrics of each class that occurs, the highest F1 first."""
    classes = sorted(figures["per_class"].items(), key=lambda item: -item[1]["f1"] if item[1]["support"] else 0)
    rows = [
        [label, f"{row['support']}", *(_class_metric(key, row) for key in _CLASS_METRICS)]
        for label, row in classes
        if row["support"]
    ]
    titles = [METRICS[key].title for key in _CLASS_METRICS]
    return Table(["class", "photos", *titles], rows, range(1, 6))


def _class_metric(key: str, row: Mapping[str, float]) -> Cell:
    if key not in row:
        return Cell("–")
    return Cell(METRICS[key].write(row[key]), fraction=row[key] if key == "recall" else None)


def weak_classes(figures: Mapping[str, Any]) -> list[str]:
    """Classes that are missing, have too few photos, or the lowest recall of the others."""
    support = {label: row["support"] for label, row in figures["per_class"].items()}
    absent = [label for label, count in support.items() if not count]
    few = [f"{label} ({count})" for label, count in support.items() if 0 < count < FEW]
    found = []
    if absent:
        found.append(f"No photo of {', '.join(absent)}: nothing is known about these classes.")
    if few:
        found.append(f"Fewer than {FEW} photos each, so that their metrics are uncertain: {', '.join(few)}.")
    enough = {label: figures["per_class"][label]["recall"] for label, count in support.items() if count >= FEW}
    worst = [label for label in sorted(enough, key=lambda label: enough[label])[:3] if enough[label] < 1]
    if worst:
        listed = ", ".join(f"{label} ({enough[label]:.0%})" for label in worst)
        found.append(f"Lowest recall of the classes with at least {FEW} photos: {listed}.")
    return found


def confusion_table(figures: Mapping[str, Any]) -> Table:
    """The most frequent confusions of two classes."""
    labels, matrix = figures["labels"], figures["confusion"]
    found = [
        (count, sum(row), labels[i], labels[j])
        for i, row in enumerate(matrix)
        for j, count in enumerate(row)
        if count and i != j
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1]))
    rows = [[truth, other, str(n), f"{n / total:.0%}"] for n, total, truth, other in found[:_MAX_CONFUSIONS]]
    return Table(
        ["true class", "predicted class", "photos", "of the true class"], rows or [["none", "", "", ""]], [2, 3]
    )


def slice_table(name: str, values: Mapping[str, Mapping[str, Any]]) -> Table:
    """Accuracy at each value of a column, those with the most photos, and how many more there are."""
    rows: list[list[str | Cell]] = []
    shown = list(values.items())[:_MAX_VALUES]
    for value, row in shown:
        interval = row.get("accuracy_interval")
        mark = " *" if takes_photos_as_independent(row.get("interval_method", "")) else ""
        rows.append([value, f"{row['n']:,}", Cell(METRICS["accuracy"].write(row["accuracy"]), fraction=row["accuracy"]),
                     f"{write_interval(interval)}{mark}" if interval else ""])  # fmt: skip
    rest = [row["n"] for row in list(values.values())[_MAX_VALUES:]]
    if rest:
        rows.append([Cell(f"and {len(rest)} more", "muted"), Cell(f"{sum(rest):,}", "muted"), "", ""])
    marked = any(takes_photos_as_independent(row.get("interval_method", "")) for _, row in shown)
    return Table([name, "photos", "accuracy", "95% interval"], rows, [1, 2, 3], note=_TOO_NARROW if marked else "")


def _calibration(bins: Sequence[Mapping[str, Any]]) -> list[Part]:
    rows = [
        [
            f"{part['confidence']:.3f}",
            f"{part['n']}",
            f"{part['accuracy']:.3f}",
            write_interval(part["accuracy_interval"]),
        ]
        for part in bins
    ]
    table = Table(["confidence", "photos", "accuracy", "95% (Wilson)"], rows, range(4), folded="The chart as a table")
    chart = Picture(
        "reliability", partial(pictures.draw_reliability, bins), "accuracy by confidence, with 95% intervals"
    )
    return [Text("Accuracy by confidence, a tenth of the photos each."), chart, table]


def _risk_coverage(curve: Sequence[Mapping[str, float]]) -> list[Part]:
    """The curve, and the points at which not more than some fractions of the photos are answered."""
    points = [max((p for p in curve if p["coverage"] <= most), key=lambda p: p["coverage"], default=None)
              for most in _COVERAGES]  # fmt: skip
    rows = [
        [f"{coverage:.1%}", f"{risk:.1%}", f"{threshold:.3f}"]
        for coverage, risk, threshold in dict.fromkeys(tuple(point.values()) for point in points if point)
    ]
    table = Table(
        ["photos answered", "wrong among them", "least confidence"], rows, range(3), folded="The chart as a table"
    )
    chart = Picture("risk-coverage", partial(pictures.draw_risk_coverage, curve), "risk by coverage")
    return [
        Text("Errors if only the most confident photos are answered, and the rest are left to a person."),
        chart,
        table,
    ]
