"""The smaller tables: data sets, training runs, compression, scoring, abstention."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clothing_classifier.config import TrainSettings
from clothing_classifier.evaluation.calibration import PrecisionPoint, point_that_kept
from clothing_classifier.report.document import Cell, Part, Table, Text

_PRECISIONS = (0.9, 0.95, 0.97, 0.99)


def compression_table(report: Mapping[str, Any]) -> Table:
    """The parent, then each candidate: accuracy, paired drop, cost, speed relative to the parent, and the verdict."""
    parent = report["parent"]
    rows: list[list[str | Cell]] = [["parent", f"{parent['accuracy']:.1%}", "", "", *_sizes(parent), "1x", "1x", ""]]
    for entry in report["candidates"]:
        drops = (f"{100 * entry['drop']:.1f}", f"{100 * entry['drop_upper']:.1f}")
        speeds = (f"{entry['speedup'][case]:.2g}x" for case in ("latency", "batch"))
        verdict = Cell(entry["verdict"], "good" if entry["accepted"] else "bad")
        rows.append([entry["name"], f"{entry['accuracy']:.1%}", *drops, *_sizes(entry), *speeds, verdict])
    columns = ["candidate", "accuracy", "drop", "at most", "MACs", "params", "MB", "latency", "batch", "verdict"]
    note = (
        f"drop: points of accuracy, paired, on {parent['n']} validation photos; at most: its one-sided 90% bound, "
        f"accepted up to {100 * report['max_drop']:.1f}; latency and batch: speed-up on one thread"
    )
    return Table(columns, rows, range(1, 9), note=note)


def _sizes(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{entry['macs'] / 1e6:.0f}M", f"{entry['params'] / 1e6:.2f}M", f"{entry['bytes'] / 1e6:.2f}"


def score_parts(output: Path, report: Mapping[str, Any]) -> list[Part]:
    """A scored collection: its labels, its errors, and what this run did."""
    tables = [
        _frequency_table(name, report[key], report["rows"]) for name, key in (("label", "labels"), ("error", "errors"))
    ]
    done = [f"{output}: {report['rows']:,} rows"]
    if report["abstained"]:
        done.append(f"{report['abstained']:,} abstained")
    if report["kept"]:
        done.append(f"{report['kept']:,} of them from earlier runs")
    if report["scored"]:
        done.append(f"{report['scored']:,} in {report['seconds']:.1f} s, {report['rows_per_second']:.0f} a second")
    return [*(table for table in tables if table.rows), Text("; ".join(done))]


def _frequency_table(name: str, counts: Mapping[str, int], total: int) -> Table:
    rows: list[list[str | Cell]] = [
        [key, f"{n:,}", Cell(f"{n / total:.1%}", fraction=n / total)] for key, n in counts.items()
    ]
    return Table([name, "photos", "fraction"], rows, [1, 2])


def abstention_table(curve: Sequence[Mapping[str, float]]) -> Table:
    """For each precision that was reached on validation, its threshold and the fraction of photos above it."""
    points = [PrecisionPoint(**point) for point in curve]
    rows = [
        [f"{wanted:g}", f"{point.threshold:.3f}", f"{point.coverage:.1%}"]
        for wanted in _PRECISIONS
        if (point := point_that_kept(points, wanted))
    ]
    return Table(["--min-precision", "confidence from", "photos answered"], rows, [0, 1, 2])


def count_table(counts: Mapping[str, Mapping[str, int]], splits: Sequence[str]) -> Table:
    """Photos of each class, in all and in each split, the most frequent class first, and their sums."""
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    numbers = [[sum(row.values()), *(row.get(split, 0) for split in splits)] for _, row in ordered]
    names = [*(label for label, _ in ordered), "all"]
    numbers.append([sum(column) for column in zip(*numbers, strict=True)])
    rows = [[name, *(f"{number:,}" for number in row)] for name, row in zip(names, numbers, strict=True)]
    return Table(["class", "photos", *splits], rows, range(1, 2 + len(splits)), frozenset({len(rows) - 1}))


def run_table(record: Mapping[str, Any]) -> Table:
    """What a run was trained on and from."""
    photos, revision = record["n"], record["revision"] or ""
    init = f"{record['init']} (SHA-256 {record['init_sha256'][:12]})" if record.get("init") else "random"
    rows = [
        ["photos", f"{photos['train']:,} for training, {photos['validation']:,} for validation"],
        ["initial weights", init],
        ["teachers", str(len(record.get("teachers_sha256", [])))],
        ["revision", f"{revision[:12]}{' with changes' if record['dirty'] else ''}"],
    ]
    return Table(["", ""], rows)


def settings_table(settings: TrainSettings, *sections: str) -> Table:
    """Settings of a run as `clothing train --set` takes them; bold are those that differ from the defaults."""
    rows: list[list[str]] = []
    marked = set()
    for section in sections:
        defaults = getattr(TrainSettings(), section)
        for key, value in getattr(settings, section):
            if value != getattr(defaults, key):
                marked.add(len(rows))
            rows.append([f"{section}.{key}", json.dumps(value)])
    return Table(["setting", "value"], rows, marked=frozenset(marked), note="Bold: not the default.")
