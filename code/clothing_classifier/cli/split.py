"""`clothing split`: train, validation and test."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, log_ignored, print_json, report_failures, split_names

logger = logging.getLogger(__name__)


@app.command(epilog="Example: clothing split --data mine --group-column sender_id --validation 0.15 --test 0.15")
def split(
    data: options.Data,
    validation: Annotated[float, typer.Option(help="Fraction of the photos for validation.")] = 0.15,
    test: Annotated[float, typer.Option(help="Fraction of the photos for test.")] = 0.15,
    hold_out: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=VALUE", help="Put every group with such a row into test; --test is a fraction of the rest."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the random split.")] = 0,
    labels: options.Labels = None,
    exclude_labels: options.ExcludeLabels = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    out: Annotated[Path | None, typer.Option(help="Table to write. Default: dataset.csv itself.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing split column.")] = False,
    format: options.Output = options.Format.table,
) -> None:
    """Split a table into train, validation and test. Stratified by label; groups stay whole."""
    from clothing_classifier.datasets import Columns
    from clothing_classifier.datasets.splits import split_table

    target = out or data / "dataset.csv"
    columns = Columns(label_column, group_column)
    classes = split_names(labels), split_names(exclude_labels)
    result = split_table(data, target, columns, validation, test, seed, hold_out, overwrite, *classes)
    log_ignored(result.set_aside)
    for warning in result.warnings:
        logger.warning("warning: %s", warning)
    if format is options.Format.json:
        print_json({"table": str(target), "seed": seed, "parts": result.parts, "warnings": list(result.warnings)})
    else:
        for name, part in result.parts.items():
            print(f"{name:10} {part['photos']:6} photos  {part['groups']:6} groups")
        print(f"written to {target}")
    report_failures(result.failures)
