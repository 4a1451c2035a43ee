"""Predictions of files as a table, JSON lines or CSV, printed as they come and saved."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from clothing_classifier.errors import UsageError
from clothing_classifier.inference.files import Row
from clothing_classifier.report.terminal import predictions_table, show
from clothing_classifier.utils import atomic_path, csv_line, progress_bar

CSV_HEADER = ("path", "label", "confidence", "abstained", "top", "error", "ood_score", "rotation")


def write(
    rows: Iterable[Row],
    form: str,
    truth: Mapping[str, str],
    save: Path | None,
    total: int | None = None,
    ood_threshold: float | None = None,
) -> list[str]:
    """Print `rows` as `table`, `json` or `csv`, and to the file `save` as CSV; return the errors of the failed ones.

    JSON lines and CSV are printed as they come, in a pipe too, the table at the end. `truth` is what `true_labels`
    gave, or empty; `total` the number of rows, where it is known; the table marks photos of an OOD score above
    `ood_threshold`.
    """
    failed: list[str] = []
    table: list[Row] = []
    with ExitStack() as stack:
        sinks = [_printer(form, table, truth)]
        if save:
            path = stack.enter_context(atomic_path(save))
            sinks.append(
                _csv_writer(
                    stack.enter_context(path.open("w", encoding="utf-8", errors="surrogateescape", newline="")), truth
                )
            )
        # On one terminal, lines that are printed as they come are progress enough, and a bar would run into them.
        quiet = form != "table" and sys.stdout.isatty()
        advance = stack.enter_context(progress_bar("predicting", total, quiet))
        some = False
        for row in rows:
            some = True
            advance()
            for sink in sinks:
                sink(row)
            if row[1].error:
                failed.append(row[1].error)
        if not some:
            raise UsageError("no images: give photos, folders that hold some, or - and one path a line")
    if form == "table":
        _print_table(table, truth, save, ood_threshold)
    return failed


def _printer(form: str, table: list[Row], truth: Mapping[str, str]) -> Callable[[Row], None]:
    if form == "json":
        return lambda row: print(
            json.dumps({"path": row[0], **row[1].to_dict(), **_truth_of(row[0], truth)}), flush=True
        )
    return table.append if form == "table" else _csv_writer(sys.stdout, truth)


def _csv_writer(file: IO[str], truth: Mapping[str, str]) -> Callable[[Row], None]:
    file.write(csv_line([*CSV_HEADER, "true_label"] if truth else CSV_HEADER))

    def write_row(row: Row) -> None:
        path, prediction = row
        top = "; ".join(f"{candidate.label} {candidate.confidence:.4f}" for candidate in prediction.top)
        abstained = str(prediction.abstained).lower()
        cells = [path, prediction.label, prediction.confidence, abstained, top, prediction.error]
        cells += [prediction.ood_score, prediction.rotation]
        line = csv_line([*cells, _true_label(path, truth)] if truth else cells)
        print(line, end="", file=file, flush=file is sys.stdout)

    return write_row


def _truth_of(path: str, truth: Mapping[str, str]) -> dict[str, str | None]:
    return {"true_label": _true_label(path, truth)} if truth else {}


def _true_label(path: str, truth: Mapping[str, str]) -> str | None:
    return truth.get(os.path.realpath(path)) if truth and "\0" not in path else None


def _print_table(table: list[Row], truth: Mapping[str, str], save: Path | None, ood_threshold: float | None) -> None:
    rows = [(path, prediction, _true_label(path, truth)) for path, prediction in table]
    show(predictions_table(rows, bool(truth), ood_threshold))
    known = [(prediction.label, label) for _, prediction, label in rows if label is not None and prediction.label]
    if known:
        right = sum(found == label for found, label in known)
        print(f"\naccuracy {right / len(known):.3f}: {right} of {len(known)} images have the label of the table")
    if save:
        print(f"predictions written to {save}")
