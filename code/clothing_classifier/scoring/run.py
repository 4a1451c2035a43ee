"""`score`: list the inputs, leave out what is done, have an engine answer the rest, and write it part by part."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from clothing_classifier import preprocessing
from clothing_classifier.errors import UsageError
from clothing_classifier.inference import Classifier, PredictOptions
from clothing_classifier.scoring.collection import entries
from clothing_classifier.scoring.listing import Listing, write_listing
from clothing_classifier.scoring.output import INPUTS, STATE, Output, claim, share_bundle, sole_writer
from clothing_classifier.scoring.rows import Counts
from clothing_classifier.utils import ProgressBar, atomic_path, progress_bar

Engine: TypeAlias = Literal["local", "ray"]
PART_ROWS = 4096
NAMED = 20
"""Failed inputs that are named on standard error; each has its reason in its row."""


@dataclass(frozen=True)
class Job:
    """What to score and how; `column` and `workers` are chosen where None, and `workers` is for Ray alone."""

    inputs: str
    output: Path
    options: PredictOptions = PredictOptions()  # noqa: RUF009
    engine: Engine = "local"
    column: str | None = None
    part_rows: int = PART_ROWS
    workers: int | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Report:
    """What is in the output now, how much of it this run scored, in how many seconds, and the first that failed."""

    counts: Counts
    scored: int
    seconds: float
    failures: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `kept` are the rows of earlier runs."""
        rate = self.scored / self.seconds if self.scored else None
        made = {"scored": self.scored, "kept": self.counts.rows - self.scored}
        speed = {"seconds": round(self.seconds, 3), "rows_per_second": rate and round(rate, 1)}
        return {**self.counts.to_dict(), "failed": self.counts.errors.total(), **made, **speed}


def score(classifier: Classifier, job: Job, watch: Callable[[int], None] | None = None) -> Report:
    """Give every input of `job` its row in the output; a run that was killed goes on where it was.

    `watch` is called with the number of rows whenever some are answered. Raises `UsageError`: no inputs, or an output
    that was begun with another model, other inputs or other options.
    """
    if job.options.min_precision is not None:
        classifier.operating_point(job.options.min_precision)
    if job.output.exists() and not job.output.is_dir():
        raise UsageError(f"{job.output}: this is a file; --output is a folder")
    with sole_writer(job.output):
        file = job.output / STATE / INPUTS
        with atomic_path(file) as beside:
            listing = _list(job, beside)
            content = _content(classifier, job, listing)
            claim(job.output, content, job.overwrite)
        listing = replace(listing, file=file.resolve())
        output = Output(job.output, listing, content)
        done = output.finished()
        total, left = Counts(), [part for part in range(listing.parts) if part not in done]
        started, failures = time.monotonic(), list[str]()
        for part, counts in done.items():
            total.add(counts)
            if counts.errors and len(failures) < NAMED:
                failures.extend(output.errors(part)[: NAMED - len(failures)])
        with progress_bar("scoring", listing.rows - total.rows) as advance:
            answered = _watched(_start(classifier, job, listing, left), advance, watch, failures) if left else ()
            scored = _write(output, answered, left)
        total.add(scored)
        return Report(total, scored.rows, time.monotonic() - started, tuple(failures))


def assemble(tables: Iterable[pa.Table], listing: Listing, parts: Collection[int]) -> Iterator[tuple[int, pa.Table]]:
    """Yield each of `parts` once all of its rows have come, sorted by position; a row that comes twice counts once.

    Raises `UsageError` where a part is not complete in the end.
    """
    pending: dict[int, list[pa.Table]] = {}
    done: set[int] = set()
    for table in tables:
        for part, rows in _by_part(table, listing.part_rows):
            if part in done:
                continue
            pending.setdefault(part, []).append(rows)
            if sum(piece.num_rows for piece in pending[part]) >= listing.size(part):
                whole = _sorted_once(pa.concat_tables(pending[part]))
                if whole.num_rows == listing.size(part):
                    del pending[part]
                    done.add(part)
                    yield part, whole
    if missing := set(parts) - done:
        raise UsageError(f"{len(missing)} parts are incomplete: the engine lost rows; run the same command again")


def _list(job: Job, file: Path) -> Listing:
    with progress_bar("listing", None) as advance:
        return write_listing(file, _counted(entries(job.inputs, job.column, job.output), advance), job.part_rows)


def _counted(found: Iterable[Any], advance: ProgressBar) -> Iterator[Any]:
    for entry in found:
        advance()
        yield entry


def _content(classifier: Classifier, job: Job, listing: Listing) -> dict[str, Any]:
    """The manifest: all that rows depend on, and nothing else, so that a run may go on under another engine."""
    return {
        "model": {"name": classifier.manifest.name, "sha256": classifier.bundle.sha256},
        "inputs": {"rows": listing.rows, "sha256": listing.sha256},
        "options": {
            "top": job.options.top,
            "min_precision": job.options.min_precision,
            "column": job.column,
            "part_rows": job.part_rows,
            "preprocessing": preprocessing.VERSION,
        },
    }


def _start(classifier: Classifier, job: Job, listing: Listing, parts: list[int]) -> Iterator[pa.Table]:
    if job.engine == "ray":
        from clothing_classifier.scoring.on_ray import score_on_ray

        bundle = share_bundle(classifier.bundle, job.output)
        return score_on_ray(bundle, listing, parts, job.options, job.column, job.workers)
    from clothing_classifier.scoring.local import score_here

    return score_here(classifier, listing, parts, job.options, job.column)


def _watched(
    tables: Iterable[pa.Table], advance: ProgressBar, watch: Callable[[int], None] | None, failures: list[str]
) -> Iterator[pa.Table]:
    for table in tables:
        advance(table.num_rows)
        if watch:
            watch(table.num_rows)
        if len(failures) < NAMED:
            failures.extend(islice(table["error"].drop_null().to_pylist(), NAMED - len(failures)))
        yield table


def _write(output: Output, tables: Iterable[pa.Table], parts: Collection[int]) -> Counts:
    scored = Counts()
    for part, table in assemble(tables, output.listing, parts):
        scored.add(output.write(part, table))
    return scored


def _by_part(table: pa.Table, part_rows: int) -> Iterator[tuple[int, pa.Table]]:
    parts = pc.divide(table["index"], part_rows)
    for part in pc.unique(parts).to_pylist():
        yield part, table.filter(pc.equal(parts, part))


def _sorted_once(table: pa.Table) -> pa.Table:
    table = table.sort_by("index")
    index = table["index"].to_pylist()
    first = [i for i, place in enumerate(index) if i == 0 or place != index[i - 1]]
    return table if len(first) == len(index) else table.take(first)
