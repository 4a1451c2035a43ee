"""`clothing report`: a model described in one document."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, needs, print_json, report_failures
from clothing_classifier.errors import UsageError

logger = logging.getLogger(__name__)


@app.command(epilog="Example: clothing report my-bundle --run runs/mine --data mine --slice kids --out report")
def report(
    model: Annotated[
        str, typer.Argument(metavar="RUN_OR_BUNDLE", help="A run folder, or a bundle: its name, folder or zip.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for report.md with its figures, and report.html.")],
    data: Annotated[Path | None, typer.Option(help="Data set to describe, and to measure a bundle on.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run that the bundle was exported from: adds its history.")] = None,
    split: Annotated[
        str | None, typer.Option(help="train, validation, test or all. Default: the data set's test, else validation.")
    ] = None,
    slice_: options.Slices = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    split_column: options.SplitColumn = None,
    format: options.Output = options.Format.table,
) -> None:
    """Write a report on a model. Data, preprocessing, network, training, results, cost and model card.

    Columns default to those that the model was trained with, where the table has them.
    """
    with needs("report"):
        import_module("matplotlib")
        from clothing_classifier.report import model_report
    from clothing_classifier.datasets import Columns
    from clothing_classifier.inference import Classifier
    from clothing_classifier.report import subject as subjects
    from clothing_classifier.utils import progress_bar

    subject = subjects.read_subject(model, run)
    if (split or slice_) and (data is None or subject.bundle is None):
        raise UsageError("--split and --slice need a bundle and --data")
    if data is None and (label_column or group_column or split_column):
        raise UsageError("column options need --data")
    if data is None:
        subject = subject.without("counts of classes and groups, and results on photos of your own: give --data")
    else:
        subject = subjects.with_data(subject, data, Columns(label_column, group_column, split_column))
    if subject.bundle and subject.dataset:
        split, records = subjects.choose_split(subject.dataset, split)
        classifier = Classifier(subject.bundle)
        with progress_bar("evaluating", len(records)) as advance:
            subject = subjects.with_measurement(
                subject, classifier.probabilities, split, records, slice_ or (), advance
            )
    subject = subjects.with_analysis(subject)
    for line in subject.missing:
        logger.info("left out: %s", line)
    written = model_report.write(model_report.build(subject), out)
    if format is options.Format.json:
        print_json({"name": subject.name, "written": list(map(str, written)), "left_out": list(subject.missing)})
    else:
        print(f"written: {', '.join(map(str, written))}")
    bad_rows = subject.dataset.bad_rows if subject.dataset else ()
    report_failures([*map(str, bad_rows), *subject.failures])
