"""Which photos: where they come from, classes and counts, groups, the split, and what is done to them."""

from collections import Counter
from typing import Any

from clothing_classifier.datasets import SPLITS, Dataset
from clothing_classifier.report import pictures, tables
from clothing_classifier.report.document import Bullets, Part, Picture, Section, Text
from clothing_classifier.report.subject import Subject


def collection(subject: Subject) -> Section:
    """Source, counts, groups and augmentation."""
    parts: list[Part] = [Text(_learnt_from(subject))]
    if subject.dataset is None:
        parts.append(Text(f"Classes: {', '.join(subject.labels)}."))
    else:
        parts += _counts(subject, subject.dataset)
    if subject.settings:
        parts += [Text("Augmentation: each time that a photo is learnt from it is changed at random, by"),
                  Bullets(tables.augmentation_list(subject.settings))]  # fmt: skip
    return Section("Approach: Data Collection", parts)


def _learnt_from(subject: Subject) -> str:
    photos, fingerprint = subject.record.get("n"), subject.record.get("data_sha256")
    if not photos:
        return "What the model learnt from is not recorded."
    named = f" They are named by the SHA-256 {fingerprint[:12]} over files, labels and splits." if fingerprint else ""
    return f"The model learnt from {photos['train']:,} photos and was validated on {photos['validation']:,}.{named}"


def _counts(subject: Subject, dataset: Dataset) -> list[Part]:
    counts = class_counts(dataset)
    parts = [name for name in (*SPLITS, "no split") if any(name in row for row in counts.values())]
    known = f"{len(counts)} of the model's {len(subject.labels)} classes"
    about = [f"The data set '{dataset.root.resolve().name}' has {len(dataset.records):,} photos of {known}."]
    if subject.unknown:
        listed = ", ".join(f"{label} ({count})" for label, count in sorted(subject.unknown.items()))
        about.append(f"Further photos are of classes that the model does not know, and are left out here: {listed}.")
    if dataset.bad_rows:
        about.append(f"{len(dataset.bad_rows)} rows can't be used; 'clothing audit' names them.")
    if dataset.set_aside:
        about.append(f"{dataset.set_aside} rows are blank in a column that was asked for.")
    groups = Counter(record.group for record in dataset.records if record.group)
    if groups:
        about.append(f"They come from {len(groups):,} groups; the largest has {max(groups.values()):,} photos.")
    table = tables.count_table(counts, parts)
    return [Text(" ".join(about)), Picture("classes", pictures.draw_classes(counts), "photos of each class"), table]


def class_counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Photos of each class by part of the split."""
    counts: dict[str, dict[str, int]] = {}
    for record in dataset.records:
        row = counts.setdefault(record.label, {})
        part = record.split or "no split"
        row[part] = row.get(part, 0) + 1
    return counts


_FITS = {
    "pad": "fitted by its long side, the edge pixels repeated over the rest, so that nothing is cut off",
    "crop": "fitted by its short side and cropped in the middle",
    "squash": "stretched to a square",
}


def preprocessing(subject: Subject) -> Section:
    """From a file to the network's input, and how the parts were kept apart."""
    text = (
        f"Each photo is turned upright, converted to RGB, and {_FITS[subject.contract.fit]}: {subject.size} x "
        f"{subject.size} px, by bilinear interpolation with antialiasing. Training, export, evaluation and prediction "
        "share the one function that does it. Pixels are normalised inside the network."
    )
    parts: list[Part] = [Text(text)]
    if subject.settings:
        parts.append(Text(_split(subject.settings.data)))
    if subject.dataset and (leaks := _leaks(subject.dataset)):
        parts.append(Text(leaks))
    return Section("Approach: Data Preprocessing", parts)


def _split(settings: Any) -> str:
    apart = (
        f"Photos of one group ('{settings.group_column}') were kept on one side of the split, since they resemble each "
        "other: otherwise validation would reward knowing the sender again."
        if settings.group_column
        else "The run was given no group column: groups are those of the table's own column, if it has one."
    )
    if settings.folds:
        return f"{apart} The run held out fold {settings.fold} of {settings.folds} of the train part."
    return apart


def _leaks(dataset: Dataset) -> str | None:
    """What the groups of the table itself say of its split; None where there is nothing to say."""
    parts: dict[str, set[str]] = {}
    for record in dataset.records:
        if record.group and record.split:
            parts.setdefault(record.group, set()).add(record.split)
    if not parts:
        return None
    torn = [group for group, found in parts.items() if len(found) > 1]
    if torn:
        return f"{len(torn)} of {len(parts)} groups stand in more than one part: figures on them can read high."
    return f"In this table none of the {len(parts)} groups stands in more than one part."
