"""Tables of an audit: what was found, and what the photos are like."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from clothing_classifier.audit import Audit, Severity
from clothing_classifier.audit.findings import KINDS
from clothing_classifier.report.terminal import bar
from clothing_classifier.utils import one_line

_STYLES = {Severity.error: "red", Severity.warning: "yellow", Severity.note: "dim"}


def audit_tables(audit: Audit) -> list[RenderableType]:
    """How many findings of each kind with the first of them, then the classes, size and light, and the groups."""
    classes, quantiles = _classes_table(audit.summary), _quantiles_table(audit.summary)
    parts: list[RenderableType] = [_findings_table(audit), Text(), classes, Text(), quantiles]
    if groups := audit.summary.get("groups"):
        largest = f"the largest, {one_line(groups['largest'])}, has {groups['largest_share']:.0%} of the photos"
        parts += [Text(), Text(f"{groups['count']} groups; {largest}")]
    return parts


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


def _quantiles_table(summary: Mapping[str, Any]) -> Table:
    kinds = ("width", "height", "brightness", "contrast")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("of the photos")
    for share in summary[kinds[0]]:
        table.add_column({"0%": "least", "50%": "median", "100%": "most"}.get(share, share), justify="right")
    for kind in kinds:
        table.add_row(kind, *(f"{value:.0f}" for value in summary[kind].values()))
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
