"""`clothing evaluate`: a model measured on labelled photos."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, needs, print_json, read_dataset, report_failures, split_names

logger = logging.getLogger(__name__)


@app.command(epilog="Example: clothing evaluate --data mine --split validation --slice kids --html page.html")
def evaluate(
    data: options.Data,
    model: options.Model = "wardrobe",
    split: Annotated[str, typer.Option(help="train, validation, test, or all.")] = "test",
    against: Annotated[str | None, typer.Option(metavar="MODEL", help="Compare with it on the same photos.")] = None,
    slice_: options.Slices = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page with charts and the worst mistakes.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="Use only these classes, A,B,C; the model chooses among them alone.")
    ] = None,
    exclude_labels: options.ExcludeLabels = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    split_column: options.SplitColumn = None,
    format: options.Output = options.Format.table,
) -> None:
    """Measure a model on labelled photos. Metrics with intervals, by class and slice, and against another model."""
    from clothing_classifier import evaluation
    from clothing_classifier.datasets import Columns
    from clothing_classifier.evaluation.predictions import collect, match_classes
    from clothing_classifier.inference import Classifier
    from clothing_classifier.report import terminal
    from clothing_classifier.report.document import Document
    from clothing_classifier.report.evaluation import evaluation_sections
    from clothing_classifier.utils import progress_bar

    if html:
        with needs("report"):
            from clothing_classifier.report.html import write_page
            from clothing_classifier.report.mistakes import explain_with, mistakes_section
    columns, candidates = Columns(label_column, group_column, split_column), split_names(labels)
    dataset = read_dataset(data, columns, labels, exclude_labels)
    records = dataset.part_or_all(split)
    slices = {name: evaluation.column_reader(name, dataset.records, columns) for name in slice_ or ()}
    classifier, rival = Classifier.load(model), Classifier.load(against) if against else None
    if rival:
        match_classes(records, rival.labels, f"model '{against}'")  # fail before the long work, not after
    with progress_bar("evaluating", len(records) * (2 if rival else 1)) as advance:
        report = evaluation.evaluate(classifier.probabilities, records, classifier.labels, advance, candidates, slices)
        if rival and against:
            predictions = collect(rival.probabilities, records, rival.labels, advance)
            report = evaluation.with_comparison(report, predictions, against)
    unused = evaluation.unused_columns(classifier.manifest.provenance, dataset.records, columns)
    known = evaluation.known_photos(classifier.manifest.known_photos, records, split)
    for note in (*report.notes, *unused, *known):
        logger.info(note)
    sections = evaluation_sections(report.figures)
    if format is options.Format.json:
        print_json(report.figures)
    else:
        terminal.show(*sections)
    if html:
        title = f"{classifier.manifest.name} on {data.resolve().name}, {split}"
        sections.append(mistakes_section(report, explain_with(classifier)))
        write_page(html, Document(title, f"{report.figures['n']} photos", sections))
    report_failures([*map(str, dataset.bad_rows), *report.failures])
