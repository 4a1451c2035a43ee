"""Options that several commands have under one name."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"


Data = Annotated[Path, typer.Option("--data", help="Data set: dataset.csv and images/, class folders, or idx files.")]
Model = Annotated[str, typer.Option("--model", help="A shipped model's name, or a bundle's folder or zip file.")]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the labels. Default: label.")]
GroupColumn = Annotated[str | None, typer.Option(help="Column whose values stay on one side of a split.")]
SplitColumn = Annotated[str | None, typer.Option(help="Column of the split. Default: split, if there is one.")]
Labels = Annotated[str | None, typer.Option("--labels", help="Use only these classes: A,B,C.")]
ExcludeLabels = Annotated[str | None, typer.Option(help="Leave these classes out: A,B,C.")]
Slices = Annotated[
    list[str] | None, typer.Option("--slice", metavar="COLUMN", help="Accuracy by its values; may be repeated.")
]
MinPrecision = Annotated[float | None, typer.Option(help="Abstain below the confidence that kept this precision.")]
Output = Annotated[Format, typer.Option("--format", help="How the result is printed.")]
