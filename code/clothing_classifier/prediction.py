"""From paths to rows: which files are meant, what each shows, and the rows as table, JSON lines or CSV."""

import codecs
import json
import os
import select
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, tee
from pathlib import Path
from typing import IO, TypeAlias

from clothing_classifier.dataset import image_files, load_dataset, match_labels
from clothing_classifier.errors import UsageError
from clothing_classifier.inference import Classifier, Prediction
from clothing_classifier.utils import atomic_path, csv_line, one_line, progress_bar

_READ = 1 << 16

Row: TypeAlias = tuple[str, Prediction]
CSV_HEADER = ("path", "label", "confidence", "abstained", "top", "error", "unfamiliarity", "turn")


def expand(paths: Iterable[str], say: Callable[[str], object] = lambda line: None) -> Iterator[str]:
    """Yield each path, and for a folder the image-named files below it; of a folder of none a line is said."""
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - of a path that is none it says no, and does not raise
            found = map(str, image_files(Path(path)))
            if first := next(found, None):
                yield from chain([first], found)
            else:
                say(f"{one_line(path)}: no images in this folder")
        else:
            yield path


class PathLines(Iterator[str]):
    """`expand` of an open file's lines; who waits for the answer to one before writing the next gets it.

    Windows' mark of UTF-8 in front, and its line ends, are no part of them; names need not be UTF-8.
    """

    def __init__(self, file: IO[str], say: Callable[[str], object] = lambda line: None) -> None:
        self._file, self._say = file, say
        self._paths, self._rest = deque[str](), b""
        self._begun = self._ended = False

    def __next__(self) -> str:
        while not self._paths and not self._ended:
            self._read()
        if not self._paths:
            raise StopIteration
        return self._paths.popleft()

    def is_idle(self) -> bool:
        """Whether there is nothing to read at this moment."""
        return not self._paths and not self._ended and not select.select([self._file], (), (), 0)[0]

    def _read(self) -> None:
        data = os.read(self._file.fileno(), _READ)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data:
            lines, self._ended = [self._rest], True
        if lines and not self._begun:
            lines[0], self._begun = lines[0].removeprefix(codecs.BOM_UTF8), True
        texts = (line.decode("utf-8", "surrogateescape").rstrip("\r") for line in lines)
        self._paths.extend(expand((text for text in texts if text.strip()), self._say))


def predict_paths(
    classifier: Classifier,
    paths: Iterable[str],
    top: int,
    min_precision: float | None,
    is_idle: Callable[[], bool] = lambda: False,
) -> Iterator[Row]:
    """Yield each path with its prediction, in order; `paths` may be endless. See `Classifier.predict_many`."""
    named, read = tee(paths)
    yield from zip(named, classifier.predict_many(read, top, min_precision, is_idle), strict=True)


def true_labels(root: Path, known: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The labels of a data set by the real path of the photo, in the spelling of `known`, and its bad rows."""
    dataset = load_dataset(root)
    spelling = match_labels(dataset.labels, known)
    labels = {
        os.path.realpath(record.source): spelling.get(record.label, record.label)
        for record in dataset.records
        if isinstance(record.source, Path)
    }
    return labels, list(map(str, dataset.bad_rows))


def write(
    rows: Iterable[Row],
    form: str,
    truth: Mapping[str, str],
    save: Path | None,
    total: int | None = None,
    strange: float | None = None,
) -> list[str]:
    """Print `rows` as `table`, `json` or `csv`, and to the file `save` as CSV; return the errors of the failed ones.

    JSON lines and CSV are printed as they come, in a pipe too, the table at the end. `truth` is what `true_labels`
    gave, or empty; `total` the number of rows, where it is known; the table marks photos of an unfamiliarity above
    `strange`.
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
        _print_table(table, truth, save, strange)
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
        cells += [prediction.unfamiliarity, prediction.turn]
        line = csv_line([*cells, _true_label(path, truth)] if truth else cells)
        print(line, end="", file=file, flush=file is sys.stdout)

    return write_row


def _truth_of(path: str, truth: Mapping[str, str]) -> dict[str, str | None]:
    return {"true_label": _true_label(path, truth)} if truth else {}


def _true_label(path: str, truth: Mapping[str, str]) -> str | None:
    return truth.get(os.path.realpath(path)) if truth and "\0" not in path else None


def _print_table(table: list[Row], truth: Mapping[str, str], save: Path | None, strange: float | None) -> None:
    from clothing_classifier.rendering import predictions_table, show

    rows = [(path, prediction, _true_label(path, truth)) for path, prediction in table]
    show(predictions_table(rows, bool(truth), strange))
    known = [(prediction.label, label) for _, prediction, label in rows if label is not None and prediction.label]
    if known:
        right = sum(found == label for found, label in known)
        print(f"\naccuracy {right / len(known):.3f}: {right} of {len(known)} images have the label of the table")
    if save:
        print(f"predictions written to {save}")
