"""Which photos: where they come from, classes and counts, groups, the split, and what is done to them."""

from collections import Counter, defaultdict
from functools import partial
from typing import Any

from clothing_classifier.datasets import SPLITS, Dataset
from clothing_classifier.report import charts, tables
from clothing_classifier.report.document import Chart, Part, Section, Text
from clothing_classifier.report.subject import Subject


def collection(subject: Subject) -> Section:
    """Source, counts, groups and augmentation."""
    parts: list[Part] = [Text(_trained_on(subject))]
    if subject.dataset is None:
        parts.append(Text(f"Classes: {', '.join(subject.labels)}."))
    else:
        parts += _counts(subject, subject.dataset)
    parts += [Text("Augmentation of training photos:"), tables.settings_table(subject.settings, "augmentation")]
    return Section("Approach: Data Collection", parts)


def _trained_on(subject: Subject) -> str:
    photos, fingerprint = subject.record["n"], subject.record["data_sha256"]
    counts = f"trained on {photos['train']:,} photos and validated on {photos['validation']:,}"
    return f"The model was {counts}. SHA-256 over files, labels and splits: {fingerprint[:12]}."


def _counts(subject: Subject, dataset: Dataset) -> list[Part]:
    counts = class_counts(dataset)
    splits = [name for name in (*SPLITS, "no split") if any(name in row for row in counts.values())]
    known = f"{len(counts)} of the model's {len(subject.labels)} classes"
    about = [f"The data set '{dataset.root.resolve().name}' has {len(dataset.records):,} photos of {known}."]
    if subject.unknown:
        listed = ", ".join(f"{label} ({count})" for label, count in sorted(subject.unknown.items()))
        about.append(f"Photos of classes that the model does not know are left out here: {listed}.")
    if dataset.bad_rows:
        about.append(f"{len(dataset.bad_rows)} rows can't be used; 'clothing audit' names them.")
    if dataset.set_aside:
        about.append(f"{dataset.set_aside} rows are blank in a named column.")
    groups = Counter(record.group for record in dataset.records if record.group)
    if groups:
        about.append(f"They come from {len(groups):,} groups; the largest has {max(groups.values()):,} photos.")
    chart = Chart("classes", partial(charts.draw_classes, counts), "photos of each class")
    return [Text(" ".join(about)), chart, tables.count_table(counts, splits)]


def class_counts(dataset: Dataset) -> dict[str, Counter[str]]:
    """Photos of each class by split."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in dataset.records:
        counts[record.label][record.split or "no split"] += 1
    return dict(counts)


_FITS = {
    "pad": "fitted by its long side and padded with its edge pixels, so that nothing is cropped",
    "crop": "fitted by its short side and cropped at the centre",
    "squash": "stretched to a square",
}


def preprocessing(subject: Subject) -> Section:
    """From a file to the network's input, and how the splits were kept apart."""
    text = (
        f"Each photo is rotated as its EXIF orientation says, converted to RGB, and {_FITS[subject.contract.fit]}: "
        f"{subject.size} x {subject.size} px, by bilinear interpolation with antialiasing. Training, export, "
        "evaluation and prediction use the same function. Pixels are normalised inside the network."
    )
    parts: list[Part] = [Text(text), Text(_split(subject.settings.data))]
    if subject.dataset and (leaks := _leaks(subject.dataset)):
        parts.append(Text(leaks))
    return Section("Approach: Data Preprocessing", parts)


def _split(settings: Any) -> str:
    apart = (
        f"Photos of one group ('{settings.group_column}') were kept on one side of the split: they are similar, and "
        "validation would otherwise overestimate the accuracy on new groups."
        if settings.group_column
        else "No group column was named: groups are those of the table's column 'group', if it has one."
    )
    if settings.folds:
        return f"{apart} The run held out fold {settings.fold} of {settings.folds} of the train split."
    return apart


def _leaks(dataset: Dataset) -> str | None:
    """Whether groups of the table are in several splits; None where it has no groups or no split."""
    pairs = {(record.group, record.split) for record in dataset.records if record.group and record.split}
    splits = Counter(group for group, _ in pairs)
    if not splits:
        return None
    if leaks := sum(count > 1 for count in splits.values()):
        return f"{leaks} of {len(splits)} groups are in more than one split: metrics on them can be too high."
    return f"None of the {len(splits)} groups of this table is in more than one split."
