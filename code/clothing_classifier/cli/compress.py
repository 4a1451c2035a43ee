"""`clothing compress`: a smaller, faster network."""

from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, needs, print_json, report_failures, teacher_weights


@app.command(epilog="Example: clothing compress runs/mine --data mine --strategy prune:0.5+quantize --out smaller")
def compress(
    run: Annotated[str, typer.Argument(help="Run folder of 'clothing train', or a bundle with weights.")],
    data: options.Data,
    out: Annotated[Path, typer.Option(help="Folder to write: candidates and compress.json.")],
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="prune[:FRACTION of MACs], narrow[:WIDTH], smaller-input[:PX], quantize, distil; A+B does both; may "
            "be repeated. Default: each alone."
        ),
    ] = None,
    max_drop: Annotated[
        float, typer.Option(help="Largest accepted drop of accuracy in points, at 90% confidence.")
    ] = 1.0,
    epochs: Annotated[int, typer.Option(min=0, help="Epochs of fine-tuning of each candidate; 0: none.")] = 5,
    teacher: Annotated[
        list[str] | None,
        typer.Option(help="Run or shipped model to distil from; may be repeated. Default: the run itself."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the search in --out.")] = False,
    format: options.Output = options.Format.table,
) -> None:
    """Search for a smaller network. Each candidate is fine-tuned, exported, measured on validation and timed."""
    with needs("train"):
        from clothing_classifier import compression

    search = compression.Search(tuple(strategy or ()), max_drop / 100, epochs, tuple(teacher_weights(teacher or ())))
    report = compression.search(run, data, out, search, resume)
    if format is options.Format.json:
        print_json(report)
    else:
        from clothing_classifier.report import tables, terminal

        terminal.show(tables.compression_table(report))
        accepted = [entry for entry in report["candidates"] if entry["accepted"]]
        if accepted:
            best = min(accepted, key=lambda entry: float(entry["macs"]))
            print(f"fewest MACs among the accepted: {best['bundle']}")
        else:
            print("none accepted")
    report_failures(report["failures"])
