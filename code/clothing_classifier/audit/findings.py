"""A finding: what is wrong with a photo, how severe it is, and what to do; and the file that lists all findings."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from enum import IntEnum
from pathlib import Path

from clothing_classifier.utils import atomic_path, csv_line, one_line


class Severity(IntEnum):
    """`error` distorts training or metrics, `warning` should be looked at, `note` is for information."""

    error = 0
    warning = 1
    note = 2


KINDS = {
    "bad-row": "rows of the table that can't be used",
    "unreadable": "files that can't be decoded, or only in part",
    "split-leak": "duplicates in two splits",
    "group-leak": "groups in two splits",
    "label-conflict": "duplicates with different labels",
    "exact-duplicate": "pairs with equal pixels",
    "near-duplicate": "pairs of one picture: re-encoded, resized, mirrored, cropped or re-lit",
    "suspect-label": "labels that a classifier trained on the other photos contradicts",
    "small-class": "classes with too few photos to train on or to measure",
    "blank": "photos of one even colour",
    "tiny": "photos of few pixels",
    "extreme-aspect": "long, narrow photos",
    "wrong-extension": "file names with another format's extension",
}
"""The kinds of findings, the most severe first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of findings.csv. `image` and `other` are as written in the table; `other` is empty where one is enough."""

    kind: str
    severity: Severity
    image: str
    other: str
    detail: str
    action: str


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings.csv, in the order given."""
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="", errors="surrogateescape") as f,
    ):
        f.write(csv_line(field.name for field in fields(Finding)))
        for finding in findings:
            kind, severity, image, other, detail, action = astuple(finding)
            f.write(csv_line((kind, Severity(severity).name, image, other, one_line(detail), one_line(action))))
