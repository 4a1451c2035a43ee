"""Tables of an audit: what was found, and what the photos are like."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from clothing_classifier.audit import Audit, Severity
from clothing_classifier.audit.findings import KINDS
from clothing_classifier.rendering import bar
from clothing_classifier.utils import one_line

_STYLES = {Severity.error: "red", Severity.warning: "yellow", Severity.note: "dim"}


def audit_tables(audit: Audit) -> list[RenderableType]:
    """How many findings of each kind with the first of them, then the classes."""
    return [_findings_table(audit), Text(), _classes_table(audit.summary)]


def _findings_table(audit: Audit) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("found")
    table.add_column("", justify="right")
    table.add_column("what")
    table.add_column("the first", overflow="fold")
    for kind, count in audit.counts.items():
        first = next(finding for finding in audit.findings if finding.kind == kind)
        names = first.detail if kind == "small-class" else " ".join(filter(None, (first.image, first.other)))
        table.add_row(Text(kind, _STYLES[first.severity]), str(count), KINDS[kind], Text(one_line(names)))
    if not audit.counts:
        table.add_row("nothing", "", f"{audit.summary['photos']} photos are in order", "")
    return table


def _classes_table(summary: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class")
    table.add_column("photos", justify="right")
    table.add_column("")
    most = max(row["photos"] for row in summary["classes"].values())
    for label, row in summary["classes"].items():
        table.add_row(Text(one_line(label)), str(row["photos"]), Text(bar(row["photos"] / most), "cyan"))
    return table
