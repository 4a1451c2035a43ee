"""Which files a list of paths means, a prediction for each, and their true labels from a table."""

import codecs
import logging
import os
import select
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, tee
from pathlib import Path
from typing import IO, TypeAlias

from clothing_classifier.datasets import image_files, load_dataset, match_labels
from clothing_classifier.inference import Classifier, Prediction
from clothing_classifier.utils import one_line

logger = logging.getLogger(__name__)
_READ = 1 << 16
_SIGNAL_CHECK_SECONDS = 0.5

Row: TypeAlias = tuple[str, Prediction]


def expand(paths: Iterable[str]) -> Iterator[str]:
    """Yield each path, and for a folder the image-named files below it; an empty folder is logged."""
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - of a path that is none it says no, and does not raise
            found = map(str, image_files(Path(path)))
            if first := next(found, None):
                yield from chain([first], found)
            else:
                logger.warning("%s: no images in this folder", one_line(path))
        else:
            yield path


class PathLines(Iterator[str]):
    """`expand` of an open file's lines; who waits for the answer to one before writing the next gets it.

    Windows' mark of UTF-8 in front, and its line ends, are no part of them; names need not be UTF-8.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
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
        # A signal that comes just before a blocking read would wait for the read to end.
        while not select.select([self._file], (), (), _SIGNAL_CHECK_SECONDS)[0]:
            pass
        data = os.read(self._file.fileno(), _READ)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data:
            lines, self._ended = [self._rest], True
        if lines and not self._begun:
            lines[0], self._begun = lines[0].removeprefix(codecs.BOM_UTF8), True
        texts = (line.decode("utf-8", "surrogateescape").rstrip("\r") for line in lines)
        self._paths.extend(expand(text for text in texts if text.strip()))


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
