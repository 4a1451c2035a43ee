"""The problem statement, and the model card (Mitchell et al. 2019, https://arxiv.org/abs/1810.03993).

The card says what records and metrics show, and lists what only the model's author can add.
"""

from clothing_classifier.report.document import Bullets, Code, Part, Section, Text
from clothing_classifier.report.evaluation import summary, weak_classes
from clothing_classifier.report.subject import Subject

_FOR_THE_AUTHOR = (
    "Intended use: for whom, on which photos, and what a prediction decides.",
    "Out of scope: similar uses that are not intended.",
    "Source and licence of the photos, and whether the people who sent them agreed.",
    "Factors without a column in the table: cameras, places, seasons, whose clothes.",
    "Ethical considerations: who is harmed by a wrong prediction, and what is done about it.",
    "Contact.",
)


def problem(subject: Subject) -> Section:
    """What the model does, how well, and how to use it."""
    classes = f"{len(subject.labels)} classes: {', '.join(subject.labels)}"
    parts: list[Part] = [Text(f"{subject.name} classifies photos of clothing into {classes}.")]
    if subject.measured:
        parts.append(Text(f"On {subject.measured[0].on}: {summary(subject.measured[0].figures)}."))
    if subject.bundle:
        parts.append(Code(f"clothing predict PHOTOS --model {subject.reference}"))
    return Section("Problem Statement", parts)


def model_card(subject: Subject) -> Section:
    """Details, training and evaluation data, factors, metrics, limits, and what the author has to add."""
    parts: list[Part] = [Bullets([*_details(subject), *_data(subject)]), Text("Limits that the metrics show:")]
    parts.append(Bullets(_limits(subject)))
    parts += [Text("To be filled in by the author:"), Bullets(_FOR_THE_AUTHOR)]
    return Section("Model card", parts)


def left_out(subject: Subject) -> Section | None:
    """What is missing, and what would add it."""
    if not subject.missing:
        return None
    return Section("Left out", [Bullets(subject.missing)])


def _details(subject: Subject) -> list[str]:
    record = subject.record
    architecture = subject.architecture["name"]
    lines = [f"Model: {subject.name}, {architecture} at {subject.size} px, {len(subject.labels)} classes."]
    if subject.bundle:
        lines.append(f"SHA-256 of the bundle: {subject.bundle.sha256}.")
    if record["revision"]:
        lines.append(f"Made by revision {record['revision'][:12]} of the package.")
    if record.get("init"):
        lines.append(f"Initial weights: {record['init']}; their training data is part of this model, too.")
    return lines


def _data(subject: Subject) -> list[str]:
    lines = [f"Training data: {subject.record['n']['train']:,} photos."]
    for measured in subject.measured:
        lines.append(f"Evaluation: {measured.on}; {summary(measured.figures)}.")
        for name, values in measured.figures.get("slices", {}).items():
            spread = [f"{value} {row['accuracy']:.1%} of {row['n']}" for value, row in list(values.items())[:6]]
            lines.append(f"Factor '{name}': {', '.join(spread)}.")
    return lines


def _limits(subject: Subject) -> list[str]:
    lines = weak_classes(subject.measured[0].figures) if subject.measured else []
    if subject.unknown:
        lines.append(f"Photos of {', '.join(sorted(subject.unknown))} get one of its own classes.")
    if subject.bundle:
        threshold = subject.bundle.manifest.ood_threshold
        lines.append(f"A picture without a garment gets a label all the same; an OOD score above {threshold:.2f} "
                     "marks pictures further from the training photos than 95% of validation.")  # fmt: skip
    else:
        lines.append("A picture without a garment gets a label all the same.")
    lines.append("Metrics hold for photos like those measured: other senders, cameras or seasons can differ by "
                 "more than the interval.")  # fmt: skip
    return lines
