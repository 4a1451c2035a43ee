"""`clothing train`: a network from a data set."""

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, exit_if_failed, needs, print_json, split_names, teacher_weights
from clothing_classifier.utils import is_main_process


@app.command(epilog="Example: clothing train --data mine --preset quick --init wardrobe --out runs/mine")
def train(
    data: options.Data,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    preset: Annotated[str | None, typer.Option(help="A preset's name or a TOML file.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a setting.")
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="Initial weights: a shipped model's name, a bundle with weights, a run, or a safetensors file."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out.")] = False,
    teacher: Annotated[
        list[str] | None,
        typer.Option(help="Distil from this run, file of weights or shipped model; may be repeated."),
    ] = None,
    labels: options.Labels = None,
    exclude_labels: options.ExcludeLabels = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    split_column: options.SplitColumn = None,
    format: options.Output = options.Format.table,
) -> None:
    """Train a network on your own photos. The run folder holds weights, metrics and settings."""
    from clothing_classifier.config import load_settings

    overrides = _data_overrides(labels, exclude_labels, label_column, group_column, split_column)
    settings = load_settings(preset, [*overrides, *(set_ or [])])
    with needs("train"):
        from clothing_classifier import training
    outcome = training.train(data, settings, out, _weights(init), resume, teacher_weights(teacher or []))
    if not is_main_process():
        return
    best = outcome.record["metrics"]["validation"]
    if format is options.Format.json:
        print_json(outcome.record)
    else:
        figures = f"accuracy {best['accuracy']:.3f}, macro-F1 {best['macro_f1']:.3f}"
        print(f"validation: {figures} (epoch {best['epoch']})")
        print(f"next: {shlex.join(['clothing', 'export', str(out), '--data', str(data), '--out'])} BUNDLE")
    exit_if_failed(len(outcome.failures))


def _data_overrides(
    labels: str | None, exclude: str | None, label_column: str | None, group: str | None, split: str | None
) -> list[str]:
    given: dict[str, Any] = {
        "labels": list(split_names(labels)),
        "exclude_labels": list(split_names(exclude)),
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
    return weights_in(Path(init))  # `train` reports a missing file
