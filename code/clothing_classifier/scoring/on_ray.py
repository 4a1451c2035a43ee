"""The engine for many machines: Ray Data reads and fetches in tasks, and a pool of actors holds the model and answers.

Every node must see the output's folder, which holds the list of inputs and the model, and photos given by path, under
the same names.
"""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import ray

from clothing_classifier.datasets.download import reason
from clothing_classifier.errors import ClothingError, ImageError, UsageError
from clothing_classifier.inference import Classifier, Prediction, PredictOptions
from clothing_classifier.preprocessing import Pixels, prepare
from clothing_classifier.scoring import photos
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.scoring.listing import MOST_TASKS, Listing, task_rows
from clothing_classifier.scoring.photos import LazyPhoto
from clothing_classifier.scoring.rows import rows_table, runs

ACTOR_CPUS, READ_CPUS = 0.75, 0.25
"""Actors that took whole processors would leave none to the tasks that read for them, and all would wait for ever."""
_TABLE_ROWS = 64
_BATCH = 8
_BLOCK_BYTES = 8_000_000
_LOADED = pa.schema(
    {
        "index": pa.int64(),
        "path": pa.string(),
        "source": pa.binary(),
        "fault": pa.string(),
        "data": pa.large_binary(),
        "error": pa.string(),
    }
)


def score_on_ray(
    bundle: Path,
    listing: Listing,
    parts: Sequence[int],
    options: PredictOptions,
    column: str | None,
    workers: int | None,
) -> Iterator[pa.Table]:
    """Yield the rows of `parts` in any order, `rows.WITH_PLACE`, as `workers` actors answer them.

    Runs on the cluster that the process is connected to, on that of $RAY_ADDRESS or 'ray start', or on one of its own
    on this machine. Ray runs what a lost worker or node had again. Raises `UsageError` where it gives up.
    """
    # What Ray tells of its nodes it prints among the results.
    with redirect_stdout(sys.stderr), _cluster(), _one_line_errors():
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        size = min(workers or cpus, cpus)  # more would take what readers need
        tasks = _tasks(listing, parts)
        _configure()
        data = ray.data.from_items(tasks, override_num_blocks=min(len(tasks), MOST_TASKS)).map_batches(
            _Reader(listing, column, str(Path.cwd())), batch_size=1, batch_format="pyarrow", num_cpus=READ_CPUS
        )
        answered = data.map_batches(
            _Worker,
            fn_constructor_args=(str(bundle), options, str(Path.cwd())),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=ACTOR_CPUS,
            compute=ray.data.ActorPoolStrategy(size=size),
        )
        yield from answered.iter_batches(batch_size=None, batch_format="pyarrow")


class _Reader:
    """Turns a task, a stretch of a part, into tables of `_LOADED`: remote photos with their bytes, others by name."""

    def __init__(self, listing: Listing, column: str | None, folder: str) -> None:
        self.listing, self.column, self.folder = listing, column, folder

    def __call__(self, tasks: pa.Table) -> Iterator[pa.Table]:
        _enter(self.folder)
        for task in tasks.to_pylist():
            inputs = self.listing.read(task["part"], task["start"], task["count"])
            index = task["part"] * self.listing.part_rows + task["start"]
            loaded = zip(inputs, photos.load(inputs, self.column), strict=True)
            while some := list(islice(loaded, _TABLE_ROWS)):
                rows = [_load(*pair) for pair in some]
                yield pa.Table.from_pylist([row | {"index": index + i} for i, row in enumerate(rows)], _LOADED)
                index += len(rows)


class _Worker:
    """Holds the model, and answers tables of `_LOADED` on one processor.

    It gets the bundle as a path: of an argument as large as the bundle itself, Ray may lose its copy with a node, and
    then can't start the actor again.
    """

    def __init__(self, bundle: str, options: PredictOptions, folder: str) -> None:
        self.classifier, self.options = Classifier.load(bundle), options
        _enter(folder)

    def __call__(self, loaded: pa.Table) -> Iterator[pa.Table]:
        rows = loaded.to_pylist()
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            inputs = [Input(row["path"], _path(row["source"]), fault=row["fault"]) for row in some]
            predictions = self._predict([self._prepare(*pair) for pair in zip(inputs, some, strict=True)])
            places = [row["index"] for row in some]  # Ray may have put rows of several tasks together
            for first, stop in runs(places):
                answered = predictions[first:stop]
                yield rows_table(places[first], inputs[first:stop], answered, self.classifier.bundle.sha256)

    def _predict(self, prepared: list[Pixels | ImageError]) -> list[Prediction]:
        readable = [each for each in prepared if not isinstance(each, ImageError)]
        options = [self.options] * len(readable)
        answers = iter(self.classifier.predict_pixels(np.stack(readable), options) if readable else ())
        return [Prediction.failed(each) if isinstance(each, ImageError) else next(answers) for each in prepared]

    def _prepare(self, item: Input, row: dict[str, Any]) -> Pixels | ImageError:
        if row["error"] is not None:
            return ImageError(row["error"])
        data = row["data"]
        try:
            return prepare(
                item.name if data is None else LazyPhoto(item.name, lambda: data), self.classifier.bundle.contract
            )
        except ImageError as error:
            return error


def _enter(folder: str) -> None:
    """Have relative paths mean here what they mean to who gave them; a node without that folder fails them by name."""
    with suppress(OSError):
        os.chdir(folder)


def _load(item: Input, source: str | LazyPhoto) -> dict[str, Any]:
    name = None if item.source is None else os.fsencode(item.source)
    row = {"path": item.path, "source": name, "fault": item.fault, "data": None, "error": None}
    try:
        return row if isinstance(source, str) else row | {"data": source.read()}
    except ImageError as error:
        return row | {"error": str(error)}


def _path(source: bytes | None) -> str | None:
    return None if source is None else os.fsdecode(source)


def _tasks(listing: Listing, parts: Sequence[int]) -> list[dict[str, int]]:
    # Going into the middle of a table that holds photos is slow.
    step = listing.part_rows if listing.holds_photos else task_rows(len(parts) * listing.part_rows, listing.part_rows)
    return [
        {"part": part, "start": start, "count": min(step, listing.size(part) - start)}
        for part in parts
        for start in range(0, listing.size(part), step)
    ]


def _configure() -> None:
    context = ray.data.DataContext.get_current()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context.enable_progress_bars = False
    context.target_max_block_size = _BLOCK_BYTES


@contextmanager
def _cluster() -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves for Ray's makers unasked
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what matters of the rest comes as an exception
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"Ray can't be started or reached ({reason(error)})") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except ray.exceptions.RayError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ClothingError):
            cause = getattr(cause, "cause", None) or cause.__cause__
        said = str(cause) if cause else reason(error)
        raise UsageError(f"Ray gave up ({said}); the same command goes on where this one stopped") from error
