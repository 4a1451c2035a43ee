"""Smaller and faster: `compress`."""

from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli.common import Data, Format, Output, app, finish, log, needs, print_json, teacher_weights


@app.command(epilog="Example: clothing compress runs/mine --data mine --strategy prune:0.5+quantize --out smaller")
def compress(
    run: Annotated[str, typer.Argument(help="Run folder of 'clothing train', or a bundle with weights.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder to write: candidates and compress.json.")],
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="prune[:SHARE of MACs], narrow[:WIDTH], smaller-input[:PX], quantize, distil; A+B does both; may be "
            "repeated. Default: each alone."
        ),
    ] = None,
    max_drop: Annotated[
        float, typer.Option(help="Points of accuracy that the drop must be 90% sure not to exceed.")
    ] = 1.0,
    epochs: Annotated[int, typer.Option(min=0, help="Fine-tuning of each candidate; 0: none.")] = 5,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help="Run or shipped model whose answers distil learns; may be repeated. Default: the run itself."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the search in --out.")] = False,
    format: Output = Format.table,
) -> None:
    """Try smaller networks. Each is fine-tuned, exported, judged on validation and timed beside its parent."""
    with needs("train"):
        from clothing_classifier import compression

    wanted = compression.Search(tuple(strategy or ()), max_drop / 100, epochs, tuple(teacher_weights(teacher or ())))
    report = compression.search(run, data, out, wanted, resume, log)
    if format is Format.json:
        print_json(report)
    else:
        from clothing_classifier.report.terminal import show
        from clothing_classifier.report.terminal_compression import compression_table

        show(*compression_table(report))
        accepted = [entry for entry in report["candidates"] if entry["accepted"]]
        if accepted:
            best = min(accepted, key=lambda entry: float(entry["macs"]))
            print(f"least work among the accepted: {best['bundle']}")
        else:
            print("none accepted; the parent stays")
    finish(report["failures"])
