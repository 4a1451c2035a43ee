"""The page of `clothing audit`: what was found, with the pictures; pairs side by side."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from clothing_classifier.audit import Audit, Finding
from clothing_classifier.audit.findings import KINDS
from clothing_classifier.datasets import RecordSource
from clothing_classifier.report.page import thumbnail, write_page

_MOST = 60
"""Pictures shown of one kind; findings.csv has them all."""
_WITHOUT_PICTURES = {"bad-row", "small-class"}


def write(path: Path, audit: Audit, title: str) -> None:
    """Write the page to `path`, whole or not at all; raises `OSError`."""
    sources = {photo.record.image: photo.record.source for photo in audit.survey.photos}
    sections = [
        _section(kind, list(found), sources) for kind, found in groupby(audit.findings, key=lambda found: found.kind)
    ]
    summary = audit.summary
    cards = [
        ("Photos", f"{summary['photos']:,}", f"{summary['unreadable']} can't be read"),
        ("Classes", str(len(summary["classes"])), ""),
        *([("Groups", str(summary["groups"]["count"]), _largest(summary["groups"]))] if "groups" in summary else []),
        *((kind, f"{count:,}", KINDS[kind]) for kind, count in audit.counts.items()),
    ]
    write_page(path, "audit.html.j2", title=title, cards=cards, sections=sections, splits=_splits(summary),
               classes=_classes(summary), quantiles=_quantiles(summary), serious=audit.is_serious)  # fmt: skip


def _section(kind: str, found: Sequence[Finding], sources: dict[str, RecordSource]) -> dict[str, Any]:
    with_pictures = kind not in _WITHOUT_PICTURES
    shown = found[:_MOST] if with_pictures else found
    return {
        "kind": kind,
        "about": KINDS[kind],
        "count": len(found),
        "shown": len(shown),
        "pictures": with_pictures,
        "paired": any(finding.other for finding in shown),
        "rows": [_row(finding, sources, with_pictures) for finding in shown],
    }


def _row(finding: Finding, sources: dict[str, RecordSource], with_pictures: bool) -> dict[str, Any]:
    names = [name for name in (finding.image, finding.other) if name]
    pictures = [thumbnail(sources[name]) if name in sources else None for name in names] if with_pictures else []
    return {"finding": finding, "names": names, "pictures": pictures}


def _largest(groups: dict[str, Any]) -> str:
    return f"the largest, {groups['largest']}, sent {groups['largest_share']:.0%}"


def _classes(summary: dict[str, Any]) -> list[tuple[Any, ...]]:
    splits = _splits(summary)
    return [
        (label, row["photos"], *(row.get("splits", {}).get(split, 0) for split in splits), row.get("groups", ""),
         f"{row['brightness']:.0f}")
        for label, row in summary["classes"].items()
    ]  # fmt: skip


def _splits(summary: dict[str, Any]) -> list[str]:
    found = {split for row in summary["classes"].values() for split in row.get("splits", {})}
    return [split for split in ("train", "validation", "test") if split in found]


def _quantiles(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (key, *(f"{value:.0f}" for value in summary[key].values()))
        for key in ("width", "height", "brightness", "contrast")
    ]
