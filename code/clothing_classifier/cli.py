"""The command `clothing`: one thin function a command, with the heavy imports inside."""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from clothing_classifier.errors import ClothingError, DownloadError, MissingExtraError, UsageError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Say what a clothing item in a photo is: offline, on a plain CPU, and trainable on your own table.",
)


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"


class PredictFormat(StrEnum):
    """How predictions are printed."""

    table = "table"
    json = "json"
    csv = "csv"


Data = Annotated[Path, typer.Option("--data", help="Data set: dataset.csv and images/, class folders, or idx files.")]
Model = Annotated[str, typer.Option("--model", help="A shipped model's name, or a bundle's folder or zip file.")]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the labels. Default: label.")]
GroupColumn = Annotated[str | None, typer.Option(help="Column whose values stay on one side of a split.")]
SplitColumn = Annotated[str | None, typer.Option(help="Column of the split. Default: split, where there is one.")]
Labels = Annotated[str | None, typer.Option("--labels", help="Keep only these classes: A,B,C.")]
ExcludeLabels = Annotated[str | None, typer.Option(help="Leave these classes out: A,B,C.")]
Output = Annotated[Format, typer.Option("--format", help="How the result is printed.")]


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
) -> None:
    """Say what each photo shows. A photo that can't be read is named; the others are answered."""
    from clothing_classifier import prediction
    from clothing_classifier.inference import Classifier

    inputs = prediction.expand(_lines_of_stdin()) if paths == ["-"] else list(prediction.expand(paths))
    classifier = Classifier.load(model, threads, batch)
    known, bad_rows = prediction.true_labels(truth, classifier.labels) if truth else ({}, [])
    if min_precision is not None:
        point = classifier.operating_point(min_precision)
        kept = f"a precision of {point.precision:.3f} on {point.coverage:.1%} of the photos"
        _log(f"abstaining below a confidence of {point.threshold:.3f}: on validation that kept {kept}")
    rows = prediction.predict_paths(classifier, inputs, top, min_precision)
    strange = classifier.manifest.unfamiliarity_threshold
    total = len(inputs) if isinstance(inputs, list) else None
    failed = prediction.write(rows, format.value, known, save, total, strange)
    _finish([*bad_rows, *failed])


@app.command(epilog="Example: clothing evaluate --data mine --split validation --slice kids --html page.html")
def evaluate(
    data: Data,
    model: Model = "wardrobe",
    split: Annotated[str, typer.Option(help="train, validation, test, or all.")] = "test",
    against: Annotated[str | None, typer.Option(metavar="MODEL", help="Compare with it on the same photos.")] = None,
    slice_: Annotated[
        list[str] | None, typer.Option("--slice", metavar="COLUMN", help="Accuracy by its values; may be repeated.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page with charts and the worst mistakes.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="Keep only these classes, A,B,C; the model chooses among them alone.")
    ] = None,
    exclude_labels: ExcludeLabels = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    split_column: SplitColumn = None,
    format: Output = Format.table,
) -> None:
    """Measure a model on labelled photos: how good, where it fails, how sure, and against another model."""
    from clothing_classifier import evaluation
    from clothing_classifier.answers import collect, match_classes
    from clothing_classifier.dataset import Columns, load_dataset
    from clothing_classifier.inference import Classifier
    from clothing_classifier.utils import progress_bar

    if html:
        with _needs("report"):
            from clothing_classifier.report import evaluation_page
    columns, candidates = Columns(label_column, group_column, split_column), _names(labels)
    dataset = load_dataset(data, columns, candidates, _names(exclude_labels))
    records = dataset.records if split == "all" else dataset.part(split)
    slices = {name: evaluation.column_reader(name, dataset.records, columns) for name in slice_ or ()}
    classifier, rival = Classifier.load(model), Classifier.load(against) if against else None
    if rival:
        match_classes(records, rival.labels, f"model '{against}'")  # a fault is said before the long work, not after
    with progress_bar("evaluating", len(records) * (2 if rival else 1)) as advance:
        report = evaluation.evaluate(classifier.probabilities, records, classifier.labels, advance, candidates, slices)
        if rival and against:
            answers = collect(rival.probabilities, records, rival.labels, advance)
            report = evaluation.with_rival(report, answers, against)
    _say_set_aside(dataset.set_aside)
    for note in (*dataset.notes, *report.notes):
        _log(note)
    if html:
        title = f"{classifier.manifest.name} on {data.resolve().name}, {split}"
        evaluation_page.write(html, report, title, evaluation_page.explain_with(classifier))
    if format is Format.json:
        _print_json(report.figures)
    else:
        from clothing_classifier.rendering import show
        from clothing_classifier.rendering.evaluation import evaluation_tables

        show(*evaluation_tables(report.figures))
    _finish([*map(str, dataset.bad_rows), *report.failures])


@app.command(epilog="Example: clothing audit --data mine --group-column sender_id --out audit --fix")
def audit(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for findings.csv and audit.html.")],
    model: Model = "wardrobe",
    fix: Annotated[bool, typer.Option("--fix", help="Write dataset.cleaned.csv, beside the old table.")] = False,
    labels: Labels = None,
    exclude_labels: ExcludeLabels = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    split_column: SplitColumn = None,
    format: Output = Format.table,
) -> None:
    """Look for what is wrong with a data set: files, copies, leaks between splits, suspect labels, small classes."""
    from clothing_classifier.dataset import Columns, load_dataset
    from clothing_classifier.inference import Classifier

    with _needs("audit"):
        from clothing_classifier import audit as auditing
        from clothing_classifier.audit import cleaning
        from clothing_classifier.report import audit_page

    columns = Columns(label_column, group_column, split_column)
    dataset = load_dataset(data, columns, _names(labels), _names(exclude_labels))
    _say_set_aside(dataset.set_aside)
    found = auditing.audit(dataset, Classifier.load(model))
    findings, page = out / "findings.csv", out / "audit.html"
    auditing.write_findings(findings, found.findings)
    audit_page.write(page, found, f"Audit of {data.resolve().name}")
    written = {"findings": str(findings), "page": str(page)}
    if fix:
        table, gone = cleaning.write_cleaned(dataset, found.survey, found.dropped)
        written |= {"table": str(table)}
        _log(f"{table}: {gone} rows fewer; look at it, then put it in the place of dataset.csv")
    if format is Format.json:
        _print_json({"counts": found.counts, "serious": found.is_serious, "summary": found.summary, **written})
    else:
        from clothing_classifier.rendering import show
        from clothing_classifier.rendering.audit import audit_tables

        show(*audit_tables(found))
        print(f"written: {', '.join(written.values())}")
    if found.is_serious:
        raise typer.Exit(1)


@app.command(epilog="Example: clothing split --data mine --group-column sender_id --validation 0.15 --test 0.15")
def split(
    data: Data,
    validation: Annotated[float, typer.Option(help="Share of the photos for validation.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the photos for test.")] = 0.15,
    hold_out: Annotated[
        str | None, typer.Option(metavar="COLUMN=VALUE", help="Groups with such a row become the test part, whole.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed splits the same way.")] = 0,
    labels: Labels = None,
    exclude_labels: ExcludeLabels = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    out: Annotated[Path | None, typer.Option(help="Write the table here instead of back to dataset.csv.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the split column that is there.")] = False,
    format: Output = Format.table,
) -> None:
    """Assign train, validation and test, stratified by label and by whole groups, and write them as a column."""
    from clothing_classifier.dataset import Columns
    from clothing_classifier.splits import split_table

    target = out or data / "dataset.csv"
    columns = Columns(label_column, group_column)
    classes = _names(labels), _names(exclude_labels)
    result = split_table(data, target, columns, validation, test, seed, hold_out, overwrite, *classes)
    _say_set_aside(result.set_aside)
    for warning in result.warnings:
        _log(f"warning: {warning}")
    if format is Format.json:
        _print_json({"table": str(target), "seed": seed, "parts": result.parts, "warnings": list(result.warnings)})
    else:
        for name, part in result.parts.items():
            print(f"{name:10} {part['photos']:6} photos  {part['groups']:6} groups")
        print(f"written to {target}")
    _finish(result.failures)


@app.command(epilog="Example: clothing train --data mine --preset quick --init wardrobe --out runs/mine")
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    preset: Annotated[str | None, typer.Option(help="A preset's name or a TOML file.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a setting.")
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="First weights: a shipped model's name or a safetensors file.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    teacher: Annotated[
        list[Path] | None, typer.Option(help="Learn from the answers of this run, or file of weights; may be repeated.")
    ] = None,
    labels: Labels = None,
    exclude_labels: ExcludeLabels = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    split_column: SplitColumn = None,
    format: Output = Format.table,
) -> None:
    """Train a network on your own table; the best weights on validation are kept in the run folder."""
    from clothing_classifier.config import load_settings

    overrides = _data_overrides(labels, exclude_labels, label_column, group_column, split_column)
    settings = load_settings(preset, [*overrides, *(set_ or [])])
    with _needs("train"):
        from clothing_classifier import training
    outcome = training.train(data, settings, out, _weights(init), resume, teacher or [], _log)
    best = outcome.record["metrics"]["validation"]
    if format is Format.json:
        _print_json(outcome.record)
    else:
        figures = f"accuracy {best['accuracy']:.3f}, macro-F1 {best['macro_f1']:.3f}"
        print(f"validation: {figures} (epoch {best['epoch']})")
        print(f"next: clothing export {out} --data {data} --out BUNDLE")
    _finish(outcome.failures, named=True)


@app.command(epilog="Example: clothing export runs/mine --data mine --out my-bundle")
def export(
    run: Annotated[Path, typer.Argument(help="Run folder of 'clothing train'.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Bundle folder to write.")],
    name: Annotated[str | None, typer.Option(help="The model's name. Default: that of the folder.")] = None,
    float_: Annotated[bool, typer.Option("--float", help="Keep 32-bit weights; do not try int8.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="Add half-precision weights for --init.")] = False,
    calibration: Annotated[
        list[Path] | None, typer.Option(help="Calibrate on what these runs (the folds) hold out, not on validation.")
    ] = None,
    format: Output = Format.table,
) -> None:
    """Turn a run into a bundle (ONNX and JSON), behind gates on real validation photos."""
    with _needs("train"):
        from clothing_classifier.export import export_bundle

    content, failures = export_bundle(run, data, out, name or out.name, not float_, weights, calibration or [], _log)
    figures = content["validation"]
    if format is Format.json:
        _print_json({key: content[key] for key in ("name", "precision", "temperature", "calibration", "validation")})
    else:
        print(f"{out}: {content['precision']}, validation accuracy {figures['accuracy']:.3f} on {figures['n']} photos")
    _finish(failures)


@app.command(epilog="Example: clothing analyze mobilenet_v2 --input 3x224x224 --compare mobilenet_v2:width=0.5")
def analyze(
    model: Annotated[
        str, typer.Argument(help="A registered name (NAME:width=0.5 sets it), a bundle, timm:NAME or module:callable.")
    ],
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="CxHxW", help="The image. Default: a bundle's, or 3x224x224."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every layer and operator, not only products.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail where an operator has no rule.")] = False,
    time_: Annotated[bool, typer.Option("--time", help="Measure each layer's time, too.")] = False,
    compare: Annotated[str | None, typer.Option(help="Another model, shown beside.")] = None,
    compare_input: Annotated[str | None, typer.Option(metavar="CxHxW", help="Its image. Default: the same.")] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for pictures: fields, growth, costs, roofline.")] = None,
    photo: Annotated[
        list[Path] | None, typer.Option(help="Photo for the effective field; may be repeated. Default: noise.")
    ] = None,
    format: Output = Format.table,
) -> None:
    """Receptive field, parameters, MACs and FLOPs of any network, layer by layer."""
    with _needs("train"):
        from clothing_classifier import analysis

    def look(name: str, size: str | None, drawn: Path | None) -> dict[str, Any]:
        report = analysis.analyze(name, _image_shape(size) if size else None, time_, drawn, photo or [])
        if operators := report["operators_without_a_rule"]:
            first = next(row["name"] for row in report["layers"] if "operators_without_a_rule" in row)
            what = f"{name}: no rule for {', '.join(operators)} (first in {first})"
            if strict:
                raise UsageError(what)
            _log(f"warning: {what}: their outputs count as seeing the whole image, their arithmetic as none")
        return report if everything else report | {"layers": [row for row in report["layers"] if row["macs"]]}

    reports = [look(model, input_, figures)]
    if compare:
        reports.append(look(compare, compare_input or input_, None))
    if format is Format.json:
        _print_json({"models": reports} if compare else reports[0])
        return
    from clothing_classifier.rendering import analysis_tables, comparison_table, show

    show(*(comparison_table(*reports) if compare else analysis_tables(reports[0])))


def _image_shape(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
        raise UsageError(f"input {text}: write channels, height and width, as in 3x224x224")
    channels, height, width = map(int, parts)
    return channels, height, width


@app.command(epilog="Example: clothing fetch clothing --out datasets/clothing")
def fetch(
    name: Annotated[str, typer.Argument(help="clothing or fashion-mnist.")],
    out: Annotated[Path, typer.Option(help="Folder to fill; a stopped fetch goes on where it was.")],
    source: Annotated[str | None, typer.Option("--from", help="Folder or URL that mirrors the files.")] = None,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Files fetched at once.")] = 8,
    format: Output = Format.table,
) -> None:
    """Get a public data set, each file checked by its SHA-256."""
    from clothing_classifier.fetch import fetch as fetch_files
    from clothing_classifier.fetch import load_manifest
    from clothing_classifier.utils import download_bar

    manifest = load_manifest(name)
    try:
        with download_bar(manifest.name, len(manifest.files), manifest.size) as progress:
            report = fetch_files(manifest, out, source, connections=connections, progress=progress)
    except DownloadError as error:
        if not error.failures:
            raise
        for line in (*error.failures, f"clothing: {error}"):
            _log(line)
        raise typer.Exit(1) from error
    if format is Format.json:
        _print_json({"folder": str(out), "fetched": report.fetched, "kept": report.kept})
    else:
        print(f"{out}: {report.fetched} files fetched, {report.kept} were there")


@app.command(epilog="Example: clothing models --path wardrobe")
def models(
    path: Annotated[str | None, typer.Option(help="Print only the folder of this shipped bundle.")] = None,
    format: Output = Format.table,
) -> None:
    """List the architectures that train builds and the bundles that predict finds by name."""
    from clothing_classifier import bundle
    from clothing_classifier.config import ARCHITECTURES

    if path is not None:
        if path not in bundle.shipped():
            raise UsageError(f"no shipped model '{path}' (shipped: {', '.join(bundle.shipped()) or 'none'})")
        print(bundle.find(path).resolve())
        return
    manifests = [bundle.load_bundle(name).manifest for name in bundle.shipped()]
    rows = [
        {"name": m.name, "classes": len(m.labels), "size": m.preprocessing.size, "precision": m.precision,
         "architecture": m.architecture, "validation_accuracy": m.validation["accuracy"]}
        for m in manifests
    ]  # fmt: skip
    if format is Format.json:
        _print_json({"architectures": [*ARCHITECTURES, "timm:NAME"], "bundles": rows})
        return
    print("architectures:", ", ".join([*ARCHITECTURES, "timm:NAME"]))
    for row in rows:
        about = f"{row['classes']} classes, {row['size']} px, {row['precision']}"
        print(f"bundle {row['name']}: {about}, validation accuracy {row['validation_accuracy']:.3f}")


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
    deadline: Annotated[float | None, typer.Option(min=0.1, help="Seconds a request may wait for its answer.")] = None,
) -> None:
    """Answer photos over HTTP, by an API and a page. Clients send the token in $CLOTHING_TOKEN, where it is set."""
    with _needs("serve"):
        from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS
        from clothing_classifier.serving.run import serve as serve_models
    asked: dict[str, Any] = {"queue": queue, "batch": batch, "deadline": deadline}
    given = {name: value for name, value in asked.items() if value is not None}
    serve_models(model or (), host, port, no_auth, replace(DEFAULT_SERVICE_LIMITS, **given))


class Engine(StrEnum):
    """Where photos are scored."""

    local = "local"
    ray = "ray"


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
        str | None, typer.Option(help="Column of paths, URLs or photos. Default: image, path, uri, url or bytes.")
    ] = None,
    part_rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows of an output file.")] = 4096,
    workers: Annotated[int | None, typer.Option(min=1, help="Ray's actors. Default: one a processor.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start anew where another run's rows are.")] = False,
    format: Output = Format.table,
) -> None:
    """Label a large collection of photos into Parquet files; run it again, and it goes on where it stopped."""
    from clothing_classifier.inference import Asked, Classifier

    with _needs("score"):
        from clothing_classifier.scoring.run import Job
        from clothing_classifier.scoring.run import score as score_all
    if engine is Engine.ray:
        with _needs("ray"):
            import_module("clothing_classifier.scoring.on_ray")
    asked = Asked(top, min_precision)
    job = Job(input_, output, asked, engine.value, column, part_rows, workers, overwrite)
    report = score_all(Classifier.load(model), job)
    if format is Format.json:
        _print_json({"output": str(output), **report.to_dict()})
    else:
        from clothing_classifier.rendering import show
        from clothing_classifier.rendering.scoring import score_tables

        show(*score_tables(output, report.to_dict()))
    for failure in report.failures:
        _log(failure)
    if failed := report.counts.errors.total():
        _log(f"clothing: {failed} input{'s' if failed > 1 else ''} failed; their rows say why, in the column 'error'")
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; every error that a user can cause is one line and exit status 2."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # a file's name need not be UTF-8, and is passed on as it is
    try:
        app()
    except (ClothingError, OSError) as error:  # OSError: a full disk, a folder that may not be written to
        _log(f"clothing: {error}")
        sys.exit(2)


def _finish(failures: Iterable[str], named: bool = False) -> None:
    """Name each failed input on standard error, unless that was done, and leave with status 1 where there is one."""
    listed = list(failures)
    if not named:
        for failure in listed:
            _log(failure)
    if listed:
        _log(f"clothing: {len(listed)} input{'s' if len(listed) > 1 else ''} failed, named above; the rest was done")
        raise typer.Exit(1)


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))


def _say_set_aside(count: int) -> None:
    if count:
        _log(f"{count} rows set aside: blank in a column that you named")


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def _lines_of_stdin() -> Iterator[str]:
    return (line.rstrip("\r\n") for line in sys.stdin if line.strip())


def _data_overrides(
    labels: str | None, exclude: str | None, label_column: str | None, group: str | None, split: str | None
) -> list[str]:
    given: dict[str, Any] = {
        "labels": list(_names(labels)),
        "exclude_labels": list(_names(exclude)),
        "label_column": label_column,
        "group_column": group,
        "split_column": split,
    }
    # JSON's strings and lists of strings are TOML's too.
    return [f"data.{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items() if value]


def _weights(init: str | None) -> Path | None:
    from clothing_classifier import bundle

    if init is None:
        return None
    if init not in bundle.shipped():
        return Path(init)
    return bundle.weights_of(init)


@contextmanager
def _needs(extra: str) -> Iterator[None]:
    """Turn a missing optional package into one line that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("clothing_classifier"):
            raise
        raise MissingExtraError(error.name or "a package", extra) from error
