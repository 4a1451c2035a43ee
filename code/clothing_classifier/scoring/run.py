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
from clothing_classifier.scoring.collection import list_inputs
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.scoring.listing import Listing, write_listing
from clothing_classifier.scoring.output import INPUTS, STATE, Output, claim, share_bundle, sole_writer
from clothing_classifier.scoring.rows import Counts
from clothing_classifier.utils import ProgressBar, atomic_path, progress_bar

Engine: TypeAlias = Literal["local", "ray"]
PART_ROWS = 4096
NAMED = 20
"""Failed inputs that are named on standard error; each has its reason in its row."""


@dataclass(frozen=True)
class ScoreOptions:
    """What to score and how; `column` and `workers` are chosen where None, and `workers` is for Ray alone."""

    inputs: str
    output: Path
    predict: PredictOptions = PredictOptions()  # noqa: RUF009
    engine: Engine = "local"
    column: str | None = None
    part_rows: int = PART_ROWS
    workers: int | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class ScoreReport:
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


def score(classifier: Classifier, options: ScoreOptions, watch: Callable[[int], None] | None = None) -> ScoreReport:
    """Give every input of `options` its row in the output; a run that was killed goes on where it was.

    `watch` is called with the number of rows whenever some are answered. Raises `UsageError`: no inputs, or an output
    that was begun with another model, other inputs or other options.
    """
    if options.predict.min_precision is not None:
        classifier.operating_point(options.predict.min_precision)
    if options.output.exists() and not options.output.is_dir():
        raise UsageError(f"{options.output}: this is a file; --output is a folder")
    with sole_writer(options.output):
        file = options.output / STATE / INPUTS
        with atomic_path(file) as beside:
            listing = _list(options, beside)
            content = _content(classifier, options, listing)
            claim(options.output, content, options.overwrite)
        listing = replace(listing, file=file.resolve())
        output = Output(options.output, listing, content)
        done = output.finished()
        kept, left = sum(counts.rows for counts in done.values()), sorted(set(range(listing.parts)) - set(done))
        started = time.monotonic()
        with progress_bar("scoring", listing.rows - kept) as advance:
            tables = _watched(_start(classifier, options, listing, left), advance, watch) if left else ()
            done |= {part: output.write(part, table) for part, table in assemble(tables, listing, left)}
        seconds, total = time.monotonic() - started, Counts()
        for counts in done.values():
            total.add(counts)
        failures = (error for part in sorted(done) if done[part].errors for error in output.errors(part))
        return ScoreReport(total, total.rows - kept, seconds, tuple(islice(failures, NAMED)))


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


def _list(options: ScoreOptions, file: Path) -> Listing:
    def counted() -> Iterator[Input]:
        for found in list_inputs(options.inputs, options.column, options.output):
            advance()
            yield found

    with progress_bar("listing", None) as advance:
        return write_listing(file, counted(), options.part_rows)


def _content(classifier: Classifier, options: ScoreOptions, listing: Listing) -> dict[str, Any]:
    """The manifest: all that rows depend on, and nothing else, so that a run may go on under another engine."""
    return {
        "model": {"name": classifier.manifest.name, "sha256": classifier.bundle.sha256},
        "inputs": {"rows": listing.rows, "sha256": listing.sha256},
        "options": {
            "top": options.predict.top,
            "min_precision": options.predict.min_precision,
            "column": options.column,
            "part_rows": options.part_rows,
            "preprocessing": preprocessing.VERSION,
        },
    }


def _start(classifier: Classifier, options: ScoreOptions, listing: Listing, parts: list[int]) -> Iterator[pa.Table]:
    if options.engine == "ray":
        from clothing_classifier.scoring.on_ray import score_on_ray

        bundle = share_bundle(classifier.bundle, options.output)
        return score_on_ray(bundle, listing, parts, options.predict, options.column, options.workers)
    from clothing_classifier.scoring.local import score_here

    return score_here(classifier, listing, parts, options.predict, options.column)


def _watched(
    tables: Iterable[pa.Table], advance: ProgressBar, watch: Callable[[int], None] | None
) -> Iterator[pa.Table]:
    for table in tables:
        advance(table.num_rows)
        if watch:
            watch(table.num_rows)
        yield table


def _by_part(table: pa.Table, part_rows: int) -> Iterator[tuple[int, pa.Table]]:
    parts = pc.divide(table["index"], part_rows)
    for part in pc.unique(parts).to_pylist():
        yield part, table.filter(pc.equal(parts, part))


def _sorted_once(table: pa.Table) -> pa.Table:
    table = table.sort_by("index")
    index = table["index"].to_pylist()
    first = [i for i, place in enumerate(index) if i == 0 or place != index[i - 1]]
    return table if len(first) == len(index) else table.take(first)
