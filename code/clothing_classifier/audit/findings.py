"""A finding: what is wrong with which photo, how bad that is, and what to do; and the file that lists them."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from enum import IntEnum
from pathlib import Path

from clothing_classifier.utils import atomic_path, csv_line, one_line


class Severity(IntEnum):
    """`error` spoils a training or its figures, `warning` is worth a look, `note` is good to know."""

    error = 0
    warning = 1
    note = 2


KINDS = {
    "bad-row": "rows of the table that can't be used",
    "unreadable": "files that can't be decoded, or only in part",
    "split-leak": "copies on two sides of a split",
    "group-leak": "groups on two sides of a split",
    "label-conflict": "copies that disagree in label",
    "exact-duplicate": "pairs of the same pixels",
    "near-duplicate": "pairs of one picture, re-encoded, resized, mirrored, cropped or re-lit",
    "suspect-label": "labels that the other photos contradict",
    "small-class": "classes that a part has too few photos of, to learn or to measure",
    "blank": "pictures of nothing",
    "tiny": "pictures of a few pixels",
    "extreme-aspect": "strips",
    "wrong-extension": "files whose name says another format than their content",
}
"""What is looked for, the gravest first, in words."""


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
