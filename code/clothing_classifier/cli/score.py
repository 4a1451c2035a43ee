"""`clothing score`: labels for large collections."""

import logging
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, exit_if_failed, needs, print_json

logger = logging.getLogger(__name__)


class Engine(StrEnum):
    """Where photos are scored."""

    local = "local"
    ray = "ray"


@app.command(epilog="Example: clothing score --input 's3://shop/photos/**/*.jpg' --output scores --engine ray")
def score(
    input_: Annotated[
        str, typer.Option("--input", help="Folder, glob, CSV or Parquet file, local or at a URL (s3://, https://).")
    ],
    output: Annotated[Path, typer.Option(help="Folder for Parquet files; an interrupted run is resumed.")],
    model: options.Model = "wardrobe",
    engine: Annotated[Engine, typer.Option(help="This process, or Ray on one or many machines.")] = Engine.local,
    top: Annotated[int, typer.Option(min=1, help="Number of classes listed for each photo.")] = 3,
    min_precision: options.MinPrecision = None,
    column: Annotated[
        str | None,
        typer.Option(help="Column of paths, URLs or photos. Default: image, path, uri, url, file_name or bytes."),
    ] = None,
    part_rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows of an output file.")] = 4096,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Ray actors, at most one a CPU. Default: one a CPU.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output of another run.")] = False,
    format: options.Output = options.Format.table,
) -> None:
    """Classify a large collection of photos into Parquet files. Run it again to resume an interrupted run."""
    from clothing_classifier.inference import Classifier, PredictOptions

    with needs(engine.value if engine is Engine.ray else "score"):
        from clothing_classifier.scoring.run import Job
        from clothing_classifier.scoring.run import score as score_all

        if engine is Engine.ray:
            import_module("clothing_classifier.scoring.on_ray")
    job = Job(input_, output, PredictOptions(top, min_precision), engine.value, column, part_rows, workers, overwrite)
    report = score_all(Classifier.load(model), job)
    if format is options.Format.json:
        print_json({"output": str(output), **report.to_dict()})
    else:
        from clothing_classifier.report import tables, terminal

        terminal.show(*tables.score_parts(output, report.to_dict()))
    for failure in report.failures:
        logger.warning(failure)
    exit_if_failed(report.counts.errors.total(), "the column 'error' says why")
