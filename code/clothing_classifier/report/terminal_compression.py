"""What a search for a smaller network found, as a table."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text


def compression_table(report: Mapping[str, Any]) -> list[RenderableType]:
    """The parent, then each candidate: accuracy, paired drop, cost, speed beside the parent, and the verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("candidate", overflow="fold")
    for title in ("accuracy", "drop", "at most", "MACs", "params", "MB", "latency", "batch"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    table.add_row("parent", f"{report['parent']['accuracy']:.1%}", "", "", *_sizes(report["parent"]), "1x", "1x", "")
    for entry in report["candidates"]:
        drops = (f"{100 * entry['drop']:.1f}", f"{100 * entry['drop_upper']:.1f}")
        speeds = (f"{entry['speedup'][case]:.2g}x" for case in ("latency", "batch"))
        style = "green" if entry["accepted"] else "red"
        table.add_row(
            entry["name"], f"{entry['accuracy']:.1%}", *drops, *_sizes(entry), *speeds, Text(entry["verdict"], style)
        )
    limit = f"{100 * report['max_drop']:.1f}"
    photos = f"{report['parent']['n']} validation photos"
    note = f"drop: points of accuracy on {photos}, paired; at most: 90% sure, one-sided."
    return [table, Text(), Text(f"{note} Accepted: at most {limit}. Speed: on one thread, as a ratio.", "dim")]


def _sizes(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{entry['macs'] / 1e6:.0f}M", f"{entry['params'] / 1e6:.2f}M", f"{entry['bytes'] / 1e6:.2f}"
