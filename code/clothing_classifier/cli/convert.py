"""`clothing convert`: a bundle for another inference engine."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, needs, print_json, report_failures


class Target(StrEnum):
    """A format that bundles are converted to."""

    openvino = "openvino"


@app.command(epilog="Example: clothing convert wardrobe photos/ --to openvino --out wardrobe-openvino")
def convert(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a bundle's folder or zip file.")],
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos or folders to compare on: 32 or more.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write: the bundle with the other format added.")],
    to: Annotated[Target, typer.Option(help="The other format.")] = Target.openvino,
    format: options.Output = options.Format.table,
) -> None:
    """Add another engine's format to a bundle. Its labels must agree with ONNX Runtime's on your photos."""
    from clothing_classifier.export import openvino
    from clothing_classifier.inference import Classifier, files

    with needs(to.value):
        record, failures = openvino.to_openvino(Classifier.load(model), list(files.expand(photos)), out)
    parity = record["parity"]
    if format is options.Format.json:
        print_json(record)
    else:
        same, n = parity["n"] - parity["disagreeing_labels"], parity["n"]
        difference = f"{parity['max_probability_difference']:.1e}"
        print(f"{out}: {openvino.IR} gives ONNX Runtime's label on {same} of {n} photos "
              f"(largest difference in probability: {difference})")  # fmt: skip
    report_failures(failures)
