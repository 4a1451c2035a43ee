"""How good the model is, how sure that is, and where it fails."""

from typing import Any

from clothing_classifier.report import tables
from clothing_classifier.report.document import Bullets, Heading, Part, Section, Table, Text
from clothing_classifier.report.evaluation import evaluation_sections, summary
from clothing_classifier.report.metrics import METRICS, write_interval
from clothing_classifier.report.subject import Measured, Subject


def metrics(subject: Subject) -> Section | None:
    """What is measured; None where nothing was."""
    if not subject.measured:
        return None
    known = {key for measured in subject.measured for key in measured.figures}
    rows = [[metric.title, metric.meaning, "higher" if metric.higher_is_better else "lower"]
            for key, metric in METRICS.items() if key in known]  # fmt: skip
    text = (
        "Accuracy follows the frequent classes; balanced accuracy and macro-F1 count rare classes as much. Where every "
        "photo has a group and there are enough groups, intervals resample whole groups, since photos of one group are "
        "not independent."
    )
    return Section("Approach: Evaluation Metrics", [Text(text), Table(["metric", "what it measures", "better"], rows)])


def results(subject: Subject) -> Section | None:
    """The tables and charts of the first measurement, the calibration, and a line on the other measurements."""
    if not subject.measured:
        return None
    first, *others = subject.measured
    parts: list[Part] = [_headline(first)]
    for section in evaluation_sections(first.figures):
        parts += [Heading(section.title), *section.parts]
    if subject.bundle:
        parts += _confidence(subject.bundle.manifest)
    if others:
        parts += [Heading("Other measurements"), *map(_headline, others)]
    return Section("Approach: Results", parts)


def _headline(measured: Measured) -> Text | Bullets:
    lines = [
        f"On {measured.on}: {summary(measured.figures)}.",
        *(f"{note[:1].upper()}{note[1:]}." for note in measured.notes),
    ]
    return Text(lines[0]) if len(lines) == 1 else Bullets(lines)


def _confidence(manifest: Any) -> list[Part]:
    parts: list[Part] = [Heading("Confidence and abstention")]
    if found := manifest.calibration:
        perfect = f"{found.perfect_mean:.1%} ({write_interval(found.perfect_range)})"
        text = (
            f"Confidence is calibrated by a temperature of {manifest.temperature:.3f}, fitted on {found.n:,} held-out "
            f"photos. Cross-fitted, the calibration error is {found.ece:.1%} ({write_interval(found.interval)}); a "
            f"perfectly calibrated model would show {perfect} on as many photos."
        )
        parts.append(Text(text))
    table = tables.abstention_table([point.model_dump() for point in manifest.precision_curve])
    if not table.rows:
        return [*parts, Text("No threshold of confidence reached a precision of 90% on enough photos of validation.")]
    return [*parts, Text("Thresholds that kept a precision on validation:"), table]
