"""`clothing export`: a bundle from a run."""

from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, needs, print_json, report_failures


@app.command(epilog="Example: clothing export runs/mine --data mine --out my-bundle")
def export(
    run: Annotated[Path, typer.Argument(help="Run folder of 'clothing train'.")],
    data: options.Data,
    out: Annotated[Path, typer.Option(help="Bundle folder to write.")],
    name: Annotated[str | None, typer.Option(help="The model's name. Default: the folder's name.")] = None,
    float_: Annotated[bool, typer.Option("--float", help="Keep 32-bit weights; do not try int8.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="Add half-precision weights, for --init.")] = False,
    calibration: Annotated[
        list[Path] | None,
        typer.Option(help="Calibrate on the held-out folds of these runs instead of on validation."),
    ] = None,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Average each photo and its mirror image, at twice the cost.")
    ] = False,
    format: options.Output = options.Format.table,
) -> None:
    """Export a run as a bundle of ONNX and JSON. It must agree with torch, and keep its accuracy, on validation."""
    with needs("train"):
        from clothing_classifier.export import export_bundle

    content, failures = export_bundle(run, data, out, name or out.name, not float_, weights, calibration or [], mirror)
    figures = content["validation"]
    if format is options.Format.json:
        print_json({key: content[key] for key in ("name", "precision", "temperature", "calibration", "validation")})
    else:
        accuracy = f"validation accuracy {figures['accuracy']:.3f} on {figures['n']} photos"
        gain = content["orientation"]
        corrected = f", {gain['corrected'][0]:.3f} with orientation correction" if gain else ""
        print(f"{out}: {content['precision']}, {accuracy}{corrected}")
    report_failures(failures)
