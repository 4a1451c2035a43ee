"""`clothing predict`: labels for photos."""

import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, report_failures

logger = logging.getLogger(__name__)


class PredictFormat(StrEnum):
    """How predictions are printed."""

    table = "table"
    json = "json"
    csv = "csv"


@app.command(epilog="Example: clothing predict photo.jpg wardrobe/ --min-precision 0.97 --format json")
def predict(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...|-", help="Photos, folders, or - for paths on stdin.")],
    model: options.Model = "wardrobe",
    top: Annotated[int, typer.Option(help="Number of classes listed for each photo.")] = 3,
    min_precision: options.MinPrecision = None,
    format: Annotated[PredictFormat, typer.Option(help="How predictions are printed.")] = PredictFormat.table,
    truth: Annotated[Path | None, typer.Option(help="Data set with the true labels, to show beside.")] = None,
    save: Annotated[Path | None, typer.Option(help="Also write the predictions to this CSV file.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Photos processed in parallel. Default: CPUs.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Batch size of each thread.")] = 1,
    correct_orientation: Annotated[
        bool, typer.Option(help="Classify photos that lie on their side as if they were upright.")
    ] = True,
) -> None:
    """Classify photos. A photo that can't be read is reported; the others are classified."""
    from clothing_classifier.inference import Classifier, files
    from clothing_classifier.report import predictions

    lines = files.PathLines(sys.stdin) if paths == ["-"] else None
    inputs = lines or list(files.expand(paths))
    classifier = Classifier.load(model, threads, batch, correct_orientation)
    known, bad_rows = files.true_labels(truth, classifier.labels) if truth else ({}, [])
    if min_precision is not None:
        point = classifier.operating_point(min_precision)
        logger.info(
            "abstaining below a confidence of %.3f, which kept a precision of %.3f on %.1f%% of the held-out photos",
            point.threshold, point.precision, 100 * point.coverage,
        )  # fmt: skip
    is_idle = lines.is_idle if lines else lambda: False
    rows = files.predict_paths(classifier, inputs, top, min_precision, is_idle)
    total = len(inputs) if isinstance(inputs, list) else None
    failed = predictions.write(rows, format.value, known, save, total, classifier.manifest.ood_threshold)
    report_failures([*bad_rows, *failed])
