"""Photos in, labels out: `predict` here, `serve` over HTTP, `score` for large collections."""

import sys
from dataclasses import replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from clothing_classifier.cli.common import Format, Model, Output, app, finish, log, needs, print_json


class PredictFormat(StrEnum):
    """How predictions are printed."""

    table = "table"
    json = "json"
    csv = "csv"


class Engine(StrEnum):
    """Where photos are scored."""

    local = "local"
    ray = "ray"


@app.command(epilog="Example: clothing predict photo.jpg wardrobe/ --min-precision 0.97 --format json")
def predict(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...|-", help="Photos, folders, or - for paths on stdin.")],
    model: Model = "wardrobe",
    top: Annotated[int, typer.Option(help="Candidates listed for each photo.")] = 3,
    min_precision: Annotated[float | None, typer.Option(help="Abstain where this precision is not kept.")] = None,
    format: Annotated[PredictFormat, typer.Option(help="How predictions are printed.")] = PredictFormat.table,
    truth: Annotated[Path | None, typer.Option(help="Data set with the true labels, shown beside.")] = None,
    save: Annotated[Path | None, typer.Option(help="Also write the predictions to this CSV file.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Photos worked on at once. Default: processors.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Photos that a thread evaluates at once.")] = 1,
    correct_orientation: Annotated[
        bool, typer.Option(help="Classify photos that lie on their side as if they were upright.")
    ] = True,
) -> None:
    """Say what each photo shows. A photo that can't be read is named; the others are answered."""
    from clothing_classifier.inference import Classifier, files
    from clothing_classifier.report import predictions

    lines = files.PathLines(sys.stdin, log) if paths == ["-"] else None
    inputs = lines or list(files.expand(paths, log))
    classifier = Classifier.load(model, threads, batch, correct_orientation)
    known, bad_rows = files.true_labels(truth, classifier.labels) if truth else ({}, [])
    if min_precision is not None:
        point = classifier.operating_point(min_precision)
        kept = f"a precision of {point.precision:.3f} on {point.coverage:.1%} of the photos"
        log(f"abstaining below a confidence of {point.threshold:.3f}: on held-out photos, as they came, it kept {kept}")
    is_idle = lines.is_idle if lines else lambda: False
    rows = files.predict_paths(classifier, inputs, top, min_precision, is_idle)
    ood_threshold = classifier.manifest.ood_threshold
    total = len(inputs) if isinstance(inputs, list) else None
    failed = predictions.write(rows, format.value, known, save, total, ood_threshold)
    finish([*bad_rows, *failed])


@app.command(epilog="Example: clothing serve --port 8080 --model wardrobe --model my-bundle")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; one that others reach needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 has the system choose.")] = 8000,
    model: Annotated[
        list[str] | None, typer.Option(help="A model to serve; may be repeated, the first is the default.")
    ] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Ask for no token, whoever gets there.")] = False,
    queue: Annotated[int | None, typer.Option(min=1, help="Photos that may wait; over it, clients get 503.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, max=256, help="Photos evaluated at once, at most.")] = None,
    deadline: Annotated[
        float | None, typer.Option(min=0.1, max=3600, help="Seconds a request may wait for its answer.")
    ] = None,
) -> None:
    """Answer photos over HTTP, by an API and a page. Clients send the token in $CLOTHING_TOKEN, where it is set."""
    with needs("serve"):
        from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS
        from clothing_classifier.serving.run import serve as serve_models
    asked: dict[str, Any] = {"queue": queue, "batch": batch, "deadline": deadline}
    given = {name: value for name, value in asked.items() if value is not None}
    serve_models(model or (), host, port, no_auth, replace(DEFAULT_SERVICE_LIMITS, **given))


@app.command(epilog="Example: clothing score --input 's3://shop/photos/**/*.jpg' --output scores --engine ray")
def score(
    input_: Annotated[
        str, typer.Option("--input", help="Folder, glob, CSV or Parquet file, here or at a URL (s3://, https://).")
    ],
    output: Annotated[Path, typer.Option(help="Folder for Parquet files; a stopped run goes on there.")],
    model: Model = "wardrobe",
    engine: Annotated[Engine, typer.Option(help="This process, or Ray on one or many machines.")] = Engine.local,
    top: Annotated[int, typer.Option(min=1, help="Candidates listed for each photo.")] = 3,
    min_precision: Annotated[float | None, typer.Option(help="Abstain where this precision is not kept.")] = None,
    column: Annotated[
        str | None,
        typer.Option(help="Column of paths, URLs or photos. Default: image, path, uri, url, file_name or bytes."),
    ] = None,
    part_rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows of an output file.")] = 4096,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Ray's actors, at most one a processor. Default: as many.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start anew where another run's rows are.")] = False,
    format: Output = Format.table,
) -> None:
    """Label a large collection of photos into Parquet files. Run it again, and it goes on where it stopped."""
    from clothing_classifier.inference import Classifier, PredictOptions

    with needs(engine.value if engine is Engine.ray else "score"):
        from clothing_classifier.scoring.run import Job
        from clothing_classifier.scoring.run import score as score_all

        if engine is Engine.ray:
            import_module("clothing_classifier.scoring.on_ray")
    options = PredictOptions(top, min_precision)
    job = Job(input_, output, options, engine.value, column, part_rows, workers, overwrite)
    report = score_all(Classifier.load(model), job)
    if format is Format.json:
        print_json({"output": str(output), **report.to_dict()})
    else:
        from clothing_classifier.report.terminal import show
        from clothing_classifier.report.terminal_scoring import score_tables

        show(*score_tables(output, report.to_dict()))
    for failure in report.failures:
        log(failure)
    if failed := report.counts.errors.total():
        log(f"clothing: {failed} input{'s' if failed > 1 else ''} failed; their rows say why, in the column 'error'")
        raise typer.Exit(1)
