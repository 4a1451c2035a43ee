"""Tables of a scored collection: how often each label came, and what failed and why."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from clothing_classifier.report.terminal import bar
from clothing_classifier.utils import one_line


def score_tables(output: Path, report: Mapping[str, Any]) -> list[RenderableType]:
    """The labels, the most frequent first; the errors by kind; and what this run did."""
    tables: list[RenderableType] = [_shares("label", report["labels"], report["rows"])]
    if report["errors"]:
        tables += [Text(), _shares("error", report["errors"], report["rows"])]
    return [*tables, Text(), Text(_headline(output, report))]


def _shares(title: str, counts: Mapping[str, int], rows: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title, overflow="fold")
    table.add_column("photos", justify="right")
    table.add_column("share", justify="right")
    table.add_column("")
    for name, count in counts.items():
        share = count / rows
        table.add_row(Text(one_line(name)), f"{count:,}", f"{share:.1%}", Text(bar(share), "cyan"))
    return table


def _headline(output: Path, report: Mapping[str, Any]) -> str:
    parts = [f"{one_line(str(output))}: {report['rows']:,} rows"]
    if report["abstained"]:
        parts.append(f"{report['abstained']:,} abstained")
    if report["kept"]:
        parts.append(f"{report['kept']:,} of them from earlier runs")
    if report["scored"]:
        parts.append(f"{report['scored']:,} in {report['seconds']:.1f} s, {report['rows_per_second']:.0f} a second")
    return "; ".join(parts)
