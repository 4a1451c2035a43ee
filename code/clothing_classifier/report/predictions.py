"""Predictions of files as a table, JSON lines or CSV, printed as they come and saved."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TypeAlias

from clothing_classifier.errors import UsageError
from clothing_classifier.inference import Prediction
from clothing_classifier.inference.files import Row
from clothing_classifier.report.document import Cell, Table
from clothing_classifier.report.terminal import show
from clothing_classifier.utils import atomic_path, csv_line, progress_bar

CSV_HEADER = ("path", "label", "confidence", "abstained", "top", "error", "ood_score", "rotation")

Writer: TypeAlias = Callable[[Row], object]


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
        writers = [_writer(form, table, truth)]
        if save:
            path = stack.enter_context(atomic_path(save))
            file = stack.enter_context(path.open("w", encoding="utf-8", errors="surrogateescape", newline=""))
            writers.append(_csv_writer(file, truth))
        # On one terminal, lines that are printed as they come are progress enough, and a bar would run into them.
        quiet = form != "table" and sys.stdout.isatty()
        advance = stack.enter_context(progress_bar("predicting", total, quiet))
        some = False
        for row in rows:
            some = True
            advance()
            for write_row in writers:
                write_row(row)
            if row[1].error:
                failed.append(row[1].error)
        if not some:
            raise UsageError("no images: give photos, folders that hold some, or - and one path a line")
    if form == "table":
        _print_table(table, truth, save, ood_threshold)
    return failed


def predictions_table(
    rows: Sequence[tuple[str, Prediction, str | None]], with_truth: bool, ood_threshold: float | None = None
) -> Table:
    """One row an image: path, label, confidence, and the true label where there is a table of them.

    Images with an OOD score above `ood_threshold` are marked, and those that were rotated.
    """
    cells: list[list[str | Cell]] = [
        [path, _label(prediction, ood_threshold), _confidence(prediction),
         _truth(prediction, truth) if with_truth else _other_classes(prediction)]
        for path, prediction, truth in rows
    ]  # fmt: skip
    return Table(["image", "label", "confidence", "true label" if with_truth else "other classes"], cells, [2])


def _writer(form: str, table: list[Row], truth: Mapping[str, str]) -> Writer:
    def print_json(row: Row) -> None:
        path, prediction = row
        more = {"true_label": _true_label(path, truth)} if truth else {}
        print(json.dumps({"path": path, **prediction.to_dict(), **more}), flush=True)

    if form == "json":
        return print_json
    return table.append if form == "table" else _csv_writer(sys.stdout, truth)


def _csv_writer(file: IO[str], truth: Mapping[str, str]) -> Writer:
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


def _label(prediction: Prediction, ood_threshold: float | None) -> Cell:
    if prediction.label is None:
        return Cell("can't be read", "bad")
    marks = []
    if ood_threshold is not None and prediction.ood_score is not None and prediction.ood_score > ood_threshold:
        marks.append("out of distribution")
    if prediction.rotation:
        marks.append(f"rotated by {prediction.rotation}°")
    label = f"not sure ({prediction.label})" if prediction.abstained else prediction.label
    return Cell(", ".join([label, *marks]), "warning" if prediction.abstained or marks else "strong")


def _confidence(prediction: Prediction) -> Cell:
    if prediction.confidence is None:
        return Cell("")
    return Cell(f"{prediction.confidence:.0%}", fraction=prediction.confidence)


def _truth(prediction: Prediction, truth: str | None) -> Cell:
    if truth is None:
        return Cell("?", "muted")
    right = prediction.label == truth
    return Cell(f"{truth} {'✓' if right else '✗'}", "good" if right else "bad")


def _other_classes(prediction: Prediction) -> Cell:
    if prediction.error:
        return Cell(prediction.error, "bad")
    return Cell(", ".join(f"{other.label} {other.confidence:.0%}" for other in prediction.top[1:]), "muted")
