"""An audit as tables and photos: the same in the terminal and on its page."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from clothing_classifier.audit import Audit, Finding, Severity
from clothing_classifier.audit.findings import KINDS
from clothing_classifier.datasets import SPLITS, RecordSource
from clothing_classifier.report.document import Cell, Document, Gallery, Photos, Section, Table, Text, Tone
from clothing_classifier.report.html import thumbnail

_TONES: dict[Severity, Tone] = {Severity.error: "bad", Severity.warning: "warning", Severity.note: "muted"}
_MAX_PHOTOS = 60
"""Findings of one kind shown with their photos; findings.csv has them all."""
_WITHOUT_PHOTOS = {"bad-row", "small-class"}


def audit_sections(audit: Audit) -> list[Section]:
    """How many findings there are of each kind, classes, size and light, groups."""
    summary = audit.summary
    about = f"{summary['photos']:,} photos can be read, {summary['unreadable']:,} can't."
    if groups := summary.get("groups"):
        largest = f"the largest, {groups['largest']}, has {groups['largest_fraction']:.0%} of the photos"
        about += f" {groups['count']:,} groups; {largest}."
    return [
        Section("Findings", [Text(about), _findings_table(audit)]),
        Section("Classes", [_classes_table(summary)]),
        Section("Size and light", [_quantiles_table(summary)]),
    ]


def audit_document(audit: Audit, title: str) -> Document:
    """The page: the tables, then every kind of finding with its photos, pairs side by side."""
    sources = {photo.record.image: photo.record.source for photo in audit.scan.photos}
    kinds = groupby(audit.findings, key=lambda finding: finding.kind)
    serious = "Fix the errors before training: they distort it, or its metrics." if audit.is_serious else "No errors."
    found = [_findings_section(kind, list(findings), sources) for kind, findings in kinds]
    return Document(title, f"{serious} findings.csv lists every finding.", [*audit_sections(audit), *found])


def _findings_table(audit: Audit) -> Table:
    rows = []
    for kind, count in audit.counts.items():
        first = next(finding for finding in audit.findings if finding.kind == kind)
        example = first.detail if kind == "small-class" else " ".join(filter(None, (first.image, first.other)))
        rows.append([Cell(kind, _TONES[first.severity]), Cell(f"{count:,}"), Cell(KINDS[kind]), Cell(example)])
    return Table(["finding", "count", "what", "first"], rows or [["none", "0", "", ""]], [1])


def _findings_section(kind: str, findings: Sequence[Finding], sources: Mapping[str, RecordSource]) -> Section:
    title, about = f"{kind}: {len(findings):,}", f"{KINDS[kind].capitalize()}."
    if kind in _WITHOUT_PHOTOS:
        rows = [[finding.image, finding.detail, finding.action] for finding in findings]
        return Section(title, [Text(about), Table(["photo", "what", "to do"], rows)])
    shown = findings[:_MAX_PHOTOS]
    if len(shown) < len(findings):
        about += f" The first {len(shown)}."
    return Section(title, [Text(about), Gallery([_photos(finding, sources) for finding in shown])])


def _photos(finding: Finding, sources: Mapping[str, RecordSource]) -> Photos:
    names = [name for name in (finding.image, finding.other) if name]
    pictures = [thumbnail(sources[name]) if name in sources else None for name in names]
    return Photos(pictures, " and ".join(names), [finding.detail, f"to do: {finding.action}"])


def _classes_table(summary: Mapping[str, Any]) -> Table:
    classes = summary["classes"]
    splits = [split for split in SPLITS if any(split in row.get("splits", {}) for row in classes.values())]
    most = max(row["photos"] for row in classes.values())
    rows = [
        [label, Cell(f"{row['photos']:,}", fraction=row["photos"] / most),
         *(f"{row.get('splits', {}).get(split, 0):,}" for split in splits),
         f"{row['groups']:,}" if "groups" in row else "", f"{row['brightness']:.0f}"]
        for label, row in classes.items()
    ]  # fmt: skip
    columns = ["class", "photos", *splits, "groups", "brightness"]
    return Table(columns, rows, range(1, len(columns)), note="brightness: mean luma, 0 to 255")


def _quantiles_table(summary: Mapping[str, Any]) -> Table:
    kinds = ("width", "height", "brightness", "contrast")
    columns = ["quantile", *summary[kinds[0]]]
    rows = [[kind, *(f"{value:.0f}" for value in summary[kind].values())] for kind in kinds]
    note = "width and height in pixels; brightness and contrast: mean and standard deviation of luma, 0 to 255"
    return Table(columns, rows, range(1, len(columns)), note=note)
