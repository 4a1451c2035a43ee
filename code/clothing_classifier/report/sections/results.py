"""How good the model is, how sure that is, and where it fails."""

from typing import Any

from clothing_classifier.report import pictures, tables
from clothing_classifier.report.document import Bullets, Part, Picture, Section, Table, Text
from clothing_classifier.report.subject import Measured, Subject

FEW = 10
"""Photos of a class below which its figures say little."""
_SLICES = (
    "Accuracy by the values of a column. Among many values, one interval in twenty misses; those with * take photos as "
    "independent, and are likely too narrow."
)


def metrics(subject: Subject) -> Section | None:
    """What is measured, and what each figure answers; None where nothing was."""
    if not subject.measured:
        return None
    known = {key for measured in subject.measured for key in measured.figures}
    rows = [list(tables.METRICS[key]) for key in tables.METRICS if key in known]
    text = (
        "No single figure is enough: accuracy follows the frequent classes, and a mistake in a rare one "
        "costs its owner as much. Where every photo has a group and there are enough of them, intervals resample whole "
        "groups, since photos of one group are no independent evidence."
    )
    return Section("Approach: Evaluation Metrics", [Text(text), Table(["figure", "what it says"], rows)])


def results(subject: Subject) -> Section | None:
    """Headline figures, classes, confusion, calibration, slices: of the first measurement, the others below it."""
    if not subject.measured:
        return None
    first, *others = subject.measured
    parts = [_headline(first), *_where_it_fails(first.figures), *_calibration(subject, first.figures)]
    if slices := first.figures.get("slices"):
        parts.append(Text(_SLICES))
        parts += [tables.slice_table(name, values) for name, values in slices.items()]
    for measured in others:
        parts.append(_headline(measured))
    return Section("Approach: Results", parts)


def summary(figures: dict[str, Any]) -> str:
    """Accuracy with its interval, in a line."""
    return (
        f"accuracy {figures['accuracy']:.1%} (95%: {tables.span(figures['accuracy_interval'])}; "
        f"{figures['interval_method']}), macro-F1 {figures['macro_f1']:.3f}, on {figures['n']:,} photos"
    )


def weak_classes(figures: dict[str, Any]) -> list[str]:
    """What the figures say of the classes: too few photos, the weakest of the others."""
    support = {label: row["support"] for label, row in figures["per_class"].items()}
    absent = [label for label, count in support.items() if not count]
    few = [f"{label} ({count})" for label, count in support.items() if 0 < count < FEW]
    found = []
    if absent:
        found.append(f"No photo is of the class {', '.join(absent)}: nothing is known of how well they are told.")
    if few:
        found.append(f"Fewer than {FEW} photos each: {', '.join(few)}. Their figures can be luck, good or bad.")
    enough = {label: figures["per_class"][label]["recall"] for label, count in support.items() if count >= FEW}
    if min(enough.values(), default=1) < 1:
        worst = [label for label in sorted(enough, key=lambda label: enough[label])[:3] if enough[label] < 1]
        listed = ", ".join(f"{label} ({enough[label]:.0%})" for label in worst)
        found.append(f"Of the classes with at least {FEW} photos, the least is found of {listed}.")
    return found


def _headline(measured: Measured) -> Text | Bullets:
    lines = [f"On {measured.on}: {summary(measured.figures)}.", *(f"{note}." for note in measured.notes)]
    return Text(lines[0]) if len(lines) == 1 else Bullets(lines)


def _where_it_fails(figures: dict[str, Any]) -> list[Part]:
    confusions = tables.confusion_table(figures)
    parts: list[Part] = [tables.metric_table(figures), Bullets(weak_classes(figures)), tables.class_table(figures),
                         Picture("confusion", pictures.draw_confusion(figures), "confusion matrix")]  # fmt: skip
    if confusions.rows:
        parts += [Text("What is taken for what most often:"), confusions]
    return parts


def _calibration(subject: Subject, figures: dict[str, Any]) -> list[Part]:
    parts: list[Part] = []
    manifest = subject.bundle.manifest if subject.bundle else None
    if manifest and (found := manifest.calibration):
        perfect = f"{found.perfect_mean:.1%} ({tables.span(found.perfect_range)})"
        text = (
            f"Confidence is calibrated by a temperature of {manifest.temperature:.3f}, found on {found.n:,} held-out "
            f"photos. Judged by photos that did not find it, its error is {found.ece:.1%} "
            f"({tables.span(found.interval)}); a perfectly calibrated model would show {perfect} on so many photos."
        )
        parts.append(Text(text))
    if bins := figures.get("reliability"):
        alt = "accuracy by confidence, a tenth of the photos a point, with 95% intervals"
        parts.append(Picture("reliability", pictures.draw_reliability(bins), alt))
    if manifest:
        parts += _abstention([point.model_dump() for point in manifest.precision_curve])
    return parts


def _abstention(curve: list[dict[str, float]]) -> list[Part]:
    table = tables.abstention_table(curve)
    if not table.rows:
        return [Text("No confidence was right often enough, on enough photos of validation, to abstain below it.")]
    return [Text("Where the model may say that it is not sure, on validation:"), table]
