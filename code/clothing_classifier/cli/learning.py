"""From a table to a model: `train`, `export`, `convert`, `evaluate`."""

import json
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from clothing_classifier.cli.common import (
    Data,
    ExcludeLabels,
    Format,
    GroupColumn,
    LabelColumn,
    Labels,
    Model,
    Output,
    SplitColumn,
    app,
    finish,
    log,
    names,
    needs,
    print_json,
    say_set_aside,
    teacher_weights,
)
from clothing_classifier.utils import is_main_process


class Target(StrEnum):
    """A format that bundles are converted to."""

    openvino = "openvino"


@app.command(epilog="Example: clothing train --data mine --preset quick --init wardrobe --out runs/mine")
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    preset: Annotated[str | None, typer.Option(help="A preset's name or a TOML file.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a setting.")
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="First weights: a shipped model's name, a bundle with weights, a run, or a safetensors file."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    teacher: Annotated[
        list[str] | None,
        typer.Option(help="Distil from this run, file of weights or shipped model; may be repeated."),
    ] = None,
    labels: Labels = None,
    exclude_labels: ExcludeLabels = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    split_column: SplitColumn = None,
    format: Output = Format.table,
) -> None:
    """Train a network on your own table. The run folder keeps the weights, their figures and how they were made."""
    from clothing_classifier.config import load_settings

    overrides = _data_overrides(labels, exclude_labels, label_column, group_column, split_column)
    settings = load_settings(preset, [*overrides, *(set_ or [])])
    with needs("train"):
        from clothing_classifier import training
    outcome = training.train(data, settings, out, _weights(init), resume, teacher_weights(teacher or []))
    if not is_main_process():
        return
    best = outcome.record["metrics"]["validation"]
    if format is Format.json:
        print_json(outcome.record)
    else:
        figures = f"accuracy {best['accuracy']:.3f}, macro-F1 {best['macro_f1']:.3f}"
        print(f"validation: {figures} (epoch {best['epoch']})")
        print(f"next: {shlex.join(['clothing', 'export', str(out), '--data', str(data), '--out'])} BUNDLE")
    finish(outcome.failures, named=True)


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
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Read each photo and its mirror image, at twice the work.")
    ] = False,
    format: Output = Format.table,
) -> None:
    """Turn a run into a model to ship. A bundle of ONNX and JSON, behind gates on real validation photos."""
    with needs("train"):
        from clothing_classifier.export import export_bundle

    content, failures = export_bundle(
        run, data, out, name or out.name, not float_, weights, calibration or [], mirror, log
    )
    figures = content["validation"]
    if format is Format.json:
        print_json({key: content[key] for key in ("name", "precision", "temperature", "calibration", "validation")})
    else:
        came = f"validation accuracy {figures['accuracy']:.3f} on {figures['n']} photos as they came"
        gain = content["orientation"]
        corrected = f", {gain['corrected'][0]:.3f} with orientation correction" if gain else ""
        print(f"{out}: {content['precision']}, {came}{corrected}")
    finish(failures)


@app.command(epilog="Example: clothing convert wardrobe photos/ --to openvino --out wardrobe-openvino")
def convert(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a bundle's folder or zip file.")],
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos or folders for the gate: 32 or more.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write: the bundle, and the other format beside.")],
    to: Annotated[Target, typer.Option(help="The other format.")] = Target.openvino,
    format: Output = Format.table,
) -> None:
    """Add another engine's format to a bundle. Only if that engine agrees with ONNX Runtime on your photos."""
    from clothing_classifier.export import openvino as conversion
    from clothing_classifier.inference import Classifier, files

    with needs(to.value):
        record, failures = conversion.to_openvino(Classifier.load(model), list(files.expand(photos)), out)
    parity = record["parity"]
    if format is Format.json:
        print_json(record)
    else:
        difference = f"{parity['max_probability_difference']:.1e} in probability at most"
        print(f"{out}: {conversion.IR} says the same label as ONNX Runtime", end=" ")
        print(f"on {parity['n'] - parity['disagreeing_labels']} of {parity['n']} photos ({difference})")
    finish(failures)


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
    """Measure a model on labelled photos. How good, where it fails, how sure, and against another model."""
    from clothing_classifier import evaluation
    from clothing_classifier.datasets import Columns, load_dataset
    from clothing_classifier.evaluation.predictions import collect, match_classes
    from clothing_classifier.inference import Classifier
    from clothing_classifier.utils import progress_bar

    if html:
        with needs("report"):
            from clothing_classifier.report import evaluation_page
    columns, candidates = Columns(label_column, group_column, split_column), names(labels)
    dataset = load_dataset(data, columns, candidates, names(exclude_labels))
    records = dataset.part_or_all(split)
    slices = {name: evaluation.column_reader(name, dataset.records, columns) for name in slice_ or ()}
    classifier, rival = Classifier.load(model), Classifier.load(against) if against else None
    if rival:
        match_classes(records, rival.labels, f"model '{against}'")  # a fault is said before the long work, not after
    with progress_bar("evaluating", len(records) * (2 if rival else 1)) as advance:
        report = evaluation.evaluate(classifier.probabilities, records, classifier.labels, advance, candidates, slices)
        if rival and against:
            answers = collect(rival.probabilities, records, rival.labels, advance)
            report = evaluation.with_comparison(report, answers, against)
    say_set_aside(dataset.set_aside)
    unused = evaluation.unused_columns(classifier.manifest.provenance, dataset.records, columns)
    known = evaluation.known_photos(classifier.manifest.known_photos, records, split)
    for note in (*dataset.notes, *report.notes, *unused, *known):
        log(note)
    if format is Format.json:
        print_json(report.figures)
    else:
        from clothing_classifier.report.terminal import show
        from clothing_classifier.report.terminal_evaluation import evaluation_tables

        show(*evaluation_tables(report.figures))
    if html:
        title = f"{classifier.manifest.name} on {data.resolve().name}, {split}"
        evaluation_page.write(html, report, title, evaluation_page.explain_with(classifier))
    finish([*map(str, dataset.bad_rows), *report.failures])


def _data_overrides(
    labels: str | None, exclude: str | None, label_column: str | None, group: str | None, split: str | None
) -> list[str]:
    given: dict[str, Any] = {
        "labels": list(names(labels)),
        "exclude_labels": list(names(exclude)),
        "label_column": label_column,
        "group_column": group,
        "split_column": split,
    }
    # JSON's strings and lists of strings are TOML's too.
    return [f"data.{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items() if value]


def _weights(init: str | None) -> Path | None:
    from clothing_classifier.inference import bundle
    from clothing_classifier.training.run_folder import weights_in

    if init is None:
        return None
    if init in bundle.shipped() or (Path(init) / bundle.MANIFEST).exists() or init.endswith(".zip"):
        return bundle.weights_of(init)
    return weights_in(Path(init))
