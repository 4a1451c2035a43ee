"""From what was seen to findings: each function looks for one sort of fault."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from clothing_classifier.audit.duplicates import FLAT, DuplicateCluster
from clothing_classifier.audit.findings import Finding, Severity
from clothing_classifier.audit.labels import Suspect
from clothing_classifier.audit.scan import MIN_SIDE, ScannedPhoto, ScannedPhotos
from clothing_classifier.datasets import SPLITS, BadRow, Record

MAX_ASPECT = 3.0
TO_LEARN, TO_MEASURE = 30, 10
"""Photos of a class below which training learns it badly, and below which a recall says little (95%: +-0.3)."""
_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"}, "MPO": {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}, "PNG": {".png"},
    "WEBP": {".webp"}, "GIF": {".gif"}, "BMP": {".bmp"}, "TIFF": {".tif", ".tiff"}, "HEIF": {".heic", ".heif"},
}  # fmt: skip


def bad_rows(rows: Sequence[BadRow]) -> Iterator[Finding]:
    """Rows of the table that can't be used."""
    for row in rows:
        action = f"drop this row and row {row.disputes}, or mend them" if row.disputes else "drop the row, or mend it"
        yield Finding("bad-row", Severity.error, row.image, "", str(row), action)


def file_faults(scan: ScannedPhotos) -> Iterator[Finding]:
    """Unreadable and damaged files, wrong names, and pictures that show too little."""
    for record, error in scan.failures:
        yield Finding("unreadable", Severity.error, record.image, "", str(error), "drop the row")
    for photo, deviation in zip(scan.photos, scan.deviations.tolist(), strict=True):
        yield from _picture_faults(photo, deviation, scan.shows_detail)


def _picture_faults(photo: ScannedPhoto, contrast: float, others_are_larger: bool) -> Iterator[Finding]:
    name, size = photo.record.image, f"{photo.width} x {photo.height} px"
    if photo.damage:
        what = f"a part of the picture seems to be made up: the file is damaged ({photo.damage})"
        yield Finding("unreadable", Severity.warning, name, "", what, "look at it; get the file again")
    suffix = PurePosixPath(name).suffix.lower()
    if photo.form and suffix not in _SUFFIXES.get(photo.form, {suffix}):
        what = f"the content is {photo.form}, the name says {suffix or 'nothing'}"
        yield Finding("wrong-extension", Severity.note, name, "", what, "rename the file and its row")
    if contrast < FLAT:
        what = f"one even colour (grey {photo.brightness:.0f} of 255, deviation {contrast:.1f})"
        yield Finding("blank", Severity.warning, name, "", what, "drop the row")
    if others_are_larger and min(photo.width, photo.height) < MIN_SIDE:
        yield Finding("tiny", Severity.warning, name, "", size, "get a larger picture, or drop the row")
    if max(photo.width, photo.height) >= MAX_ASPECT * min(photo.width, photo.height):
        yield Finding("extreme-aspect", Severity.warning, name, "", size, "crop it to the garment, or drop the row")


def duplicate_faults(scan: ScannedPhotos, clusters: Sequence[DuplicateCluster], dropped: set[int]) -> Iterator[Finding]:
    """Every pair of duplicates; those that cross a split or disagree in label get a second row that says so."""
    for cluster in clusters:
        for i, j, exact in cluster.pairs():
            one, other = scan.photos[i].record, scan.photos[j].record
            kind, what = ("exact-duplicate", "the same pixels") if exact else ("near-duplicate", "the same picture")
            names, action = (one.image, other.image), _action(scan, (i, j), dropped)
            yield Finding(kind, Severity.warning, *names, what, action)
            if one.split and other.split and one.split != other.split:
                yield Finding("split-leak", Severity.error, *names, f"{what} in {one.split} and {other.split}", action)
            if one.label.casefold() != other.label.casefold():
                labels = f"{what}, labelled '{one.label}' and '{other.label}'"
                yield Finding("label-conflict", Severity.error, *names, labels, action)


def _action(scan: ScannedPhotos, pair: tuple[int, int], dropped: set[int]) -> str:
    gone = [scan.photos[i].record.image for i in pair if i in dropped]
    return f"drop {' and '.join(gone)}" if gone else "keep both, on one side of a split"


def group_leaks(records: Sequence[Record]) -> Iterator[Finding]:
    """Groups with photos on more than one side of the split: one row for each group and pair of sides."""
    members: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        if record.group and record.split:
            members[record.group][record.split].append(record.image)
    for group, by_split in members.items():
        sides = [split for split in SPLITS if split in by_split]
        for n, one in enumerate(sides):
            for other in sides[n + 1 :]:
                counts = f"{one} ({len(by_split[one])} photos) and {other} ({len(by_split[other])})"
                what = f"group '{group}' stands in {counts}"
                yield Finding("group-leak", Severity.error, by_split[one][0], by_split[other][0], what,
                              "split again by group: clothing split --group-column")  # fmt: skip


def small_classes(records: Sequence[Record]) -> Iterator[Finding]:
    """Classes with too few photos to learn (train, or all where there is no split) or to measure (the other parts)."""
    split = any(record.split for record in records)
    counts = Counter((record.split if split else "train", record.label) for record in records)
    first = {record.label: record.image for record in reversed(records)}
    parts = {part for part, _ in counts} & set(SPLITS)
    for label in sorted(first):
        for part in SPLITS:
            least, purpose = (TO_LEARN, "learn") if part == "train" else (TO_MEASURE, "measure")
            if part in parts and counts[part, label] < least:
                where = f" in {part}" if split else ""
                what = f"class '{label}' has {counts[part, label]} photos{where}; {least} are few to {purpose} it"
                yield Finding("small-class", Severity.warning, first[label], "", what, "find more, or merge the class")


def suspect_labels(scan: ScannedPhotos, suspects: Sequence[Suspect], labels: Sequence[str]) -> Iterator[Finding]:
    """The labels in doubt, the most suspect first."""
    for suspect in suspects:
        given, likely = labels[suspect.given], labels[suspect.likely]
        what = f"labelled '{given}' ({suspect.of_given:.2f}), looks like '{likely}' ({suspect.of_likely:.2f})"
        name = scan.photos[suspect.index].record.image
        severity = Severity.warning if suspect.is_confident else Severity.note
        yield Finding("suspect-label", severity, name, "", what, "look at it and mend the label")
