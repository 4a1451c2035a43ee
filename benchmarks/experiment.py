"""Paired experiments: variants of one training, alike in all else, compared on the same validation photos.

`benchmarks/experiments/NAME.toml` says which preset, seeds and folds, and what each variant changes. Every run is a
`clothing train` of one thread; finished runs are kept below --runs, so that a stopped experiment goes on. Writes
results/NAME.json: for each variant mean and spread of its figures over the seeds, and how far it is ahead of the base
variant, paired by photo and seed, with a 95% interval by bootstrap over groups (senders). The interval leaves out what
another seed would change, which the spread tells.
"""

import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field

from benchmarks.common import RESULTS, Data, log, mean_and_spread, recording, run_clothing, write_data_set
from benchmarks.learning_law import fit_law
from clothing_classifier.config import load_settings
from clothing_classifier.datasets import Columns, Record, load_dataset
from clothing_classifier.datasets.splits import cut_fold, group_names
from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.calibration import fit_temperature, softmax
from clothing_classifier.utils import available_cpus

FOLDER = Path(__file__).with_name("experiments")
RANDOM = "random"
_TOLERANCE = 0.1


class Section(BaseModel):
    """A part of an experiment's file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kernels(Section):
    """How the depthwise kernels of the last blocks are changed in the first weights (`benchmarks.first_weights`)."""

    change: Literal["sum", "shuffle"]
    blocks: int


class Variant(Section):
    """What one variant changes."""

    set: list[str] = []
    """As `clothing train --set`."""
    init: str | None = None
    """First weights, in place of --init; `random` for none."""
    photos: int | float | None = None
    """Learn from so many photos at random, or from this fraction, of whole groups; none: from all."""
    seeds: list[int] | None = None
    """In place of the experiment's, where one run has to do."""
    against: str | None = None
    """The variant that it is compared with, in place of the base."""
    kernels: Kernels | None = None


class Experiment(Section):
    """The file of an experiment."""

    preset: str
    base: str
    """The variant that the others are compared with."""
    set: list[str]
    """Of every variant."""
    variants: dict[str, Variant]
    seeds: list[int] = [0]
    init: str | None = None
    """First weights of all variants where the command line names none."""
    teachers: list[str] = []
    split: Literal["train", "validation"] = "train"
    """Photos that folds are cut from."""
    folds: int = 0
    """Validate on folds of `split`, by whole groups; 0: on the validation split."""
    use_folds: list[int] = []
    """Only these folds; empty: all."""
    labels: dict[str, list[str]] = {}
    """Coarser labels, each for some of the data set's; photos of the rest are left out."""
    report: list[Literal["classes", "corruptions"]] = []
    law: list[str] = []
    """Fit error = a n^-b to these variants."""
    figure: str | None = Field(None, pattern=r".*\.png")


@dataclass(frozen=True)
class Run:
    """One training: its variant, seed and fold, and the folder of its data set and its run."""

    name: str
    variant: Variant
    seed: int
    fold: int
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """A variant with one seed: what it got right of all folds' photos `(N,)`, their classes and groups, figures."""

    right: metrics.Floats
    targets: metrics.Integers
    groups: list[str]
    labels: list[str]
    figures: dict[str, float]
    photos: float


def experiment(
    name: Annotated[str, typer.Argument(help="A file of benchmarks/experiments, or the path of another.")],
    data: Data,
    init: Annotated[
        str | None, typer.Option(help="First weights: a shipped model, a run, or a safetensors file.")
    ] = None,
    teacher: Annotated[list[str] | None, typer.Option(help="In place of the file's teachers.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting of every variant.")] = None,
    seeds: Annotated[list[int] | None, typer.Option("--seed", help="In place of the file's seeds.")] = None,
    runs: Annotated[Path, typer.Option(help="Finished runs are kept below it.")] = Path("runs"),
    jobs: Annotated[int, typer.Option(help="Trainings at a time.")] = available_cpus(),
    out: Annotated[Path | None, typer.Option(help="Record to write. Default: results/NAME.json.")] = None,
) -> None:
    """Train the variants of an experiment and compare them."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    plan = Experiment.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    plan = plan.model_copy(update={
        "set": [*plan.set, *(set_ or [])], "seeds": seeds or plan.seeds,
        "init": init or plan.init, "teachers": teacher or plan.teachers,
    })  # fmt: skip
    with recording(out or RESULTS / f"{path.stem}.json") as record:
        planned = plan_runs(plan, runs.resolve() / path.stem)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda run: train(plan, run, data), planned))
        record.update(compare(plan, planned))
    if plan.figure:
        from benchmarks import figures

        figures.draw(path.stem, record, plan.figure)


def plan_runs(plan: Experiment, folder: Path) -> list[Run]:
    """Every run, seed by seed, so that an experiment that is stopped has whole seeds."""
    folds = plan.use_folds or list(range(plan.folds)) or [0]
    return [
        Run(name, variant, seed, fold, folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}-{fold}")
        for seed in plan.seeds for fold in folds for name, variant in plan.variants.items()
        if seed in (variant.seeds or plan.seeds)
    ]  # fmt: skip


def train(plan: Experiment, run: Run, source: Path) -> None:
    """Write the run's data set and train on it, or go on; a finished run is checked to be this very one."""
    settings = [*plan.set, *run.variant.set]
    columns = load_settings(plan.preset, settings).data
    header = (columns.label_column or "label", columns.group_column or "group")
    learnt, held_out = choose_photos(plan, run, source, settings)
    data = write_data_set(run.folder / "data", source, {"train": learnt, "validation": held_out}, header)
    init = run.variant.init or plan.init or RANDOM
    if changed := run.variant.kernels:
        from benchmarks.first_weights import change_kernels

        change_kernels(Path(init), run.folder / "first.safetensors", changed.change == "shuffle", changed.blocks)
        init = str(run.folder / "first.safetensors")
    settings += [
        f"data.label_column={header[0]}", f"data.group_column={header[1]}", "data.split_column=split", "data.folds=0",
        "data.labels=[]", "data.exclude_labels=[]", f"runtime.seed={run.seed}", "runtime.threads=1",
    ]  # fmt: skip
    printed = run_clothing(
        "train", "--data", data, "--preset", plan.preset, "--out", run.folder / "run", "--resume",
        *([] if init == RANDOM else ["--init", _resolved(init)]),
        *(word for teacher in plan.teachers for word in ("--teacher", _resolved(teacher))),
        *(word for change in settings for word in ("--set", change)),
    )  # fmt: skip
    log(f"{run.folder.name}: {printed.splitlines()[0]}")


def choose_photos(
    plan: Experiment, run: Run, source: Path, settings: Sequence[str]
) -> tuple[Sequence[Record], Sequence[Record]]:
    """The photos that a run learns from and those that it is validated on."""
    wanted = load_settings(plan.preset, settings).data
    columns = Columns(wanted.label_column, wanted.group_column, wanted.split_column)
    coarse = {label: name for name, labels in plan.labels.items() for label in labels}
    dataset = load_dataset(source, columns, tuple(coarse) or wanted.labels, wanted.exclude_labels)
    if plan.folds:
        photos = dataset.part(plan.split) if any(record.split for record in dataset.records) else dataset.records
        splits = cut_fold(photos, plan.folds, run.fold, seed=0)
    else:
        splits = dataset.part("train"), dataset.part("validation")
    learnt, held_out = ([replace(r, label=coarse.get(r.label, r.label)) for r in some] for some in splits)
    if run.variant.photos is not None:
        learnt = draw(learnt, run.variant.photos, run.seed + run.fold)
    return learnt, held_out


def draw(records: Sequence[Record], amount: int | float, seed: int) -> list[Record]:
    """So many photos at random, or a fraction of them of whole groups (to a tenth), with every class among them."""
    whole_groups = isinstance(amount, float)
    wanted = round(amount * len(records)) if whole_groups else int(amount)
    names = group_names(records) if whole_groups else list(map(str, range(len(records))))
    groups, index, sizes = np.unique(names, return_inverse=True, return_counts=True)
    random = np.random.default_rng([seed, wanted])
    for _ in range(1000):
        chosen, size = np.zeros(len(groups), bool), 0
        for group in random.permutation(len(groups)):
            if size < wanted and size + sizes[group] <= wanted * (1 + _TOLERANCE):
                chosen[group] = True
                size += sizes[group]
        drawn = [record for record, inside in zip(records, chosen[index], strict=True) if inside]
        enough = size >= wanted * (1 - _TOLERANCE)
        if enough and {record.label for record in drawn} == {record.label for record in records}:
            return drawn
    raise SystemExit(f"no {amount} photos of {len(records)} have every class")


def compare(plan: Experiment, runs: Sequence[Run]) -> dict[str, Any]:
    """The record: every variant's figures, and how far it is ahead of the one that it is compared with."""
    outcomes: dict[str, dict[int, Outcome]] = {name: {} for name in plan.variants}
    for run in runs:
        folders = [one.folder for one in runs if (one.name, one.seed) == (run.name, run.seed)]
        outcomes[run.name][run.seed] = measure(folders)
    one = next(iter(outcomes[plan.base].values()))
    for name, own in outcomes.items():
        if any((other.targets != one.targets).any() or other.groups != one.groups for other in own.values()):
            raise SystemExit(f"{name}: its validation photos are not those of {plan.base}")
    variants = {}
    for name, variant in plan.variants.items():
        against = variant.against or plan.base
        variants[name] = {"set": variant.set, "against": against, **summarise(outcomes[name], outcomes[against])}
        if "classes" in plan.report:
            variants[name]["per_class"] = recall_by_class(list(outcomes[name].values()))
    record: dict[str, Any] = {
        **plan.model_dump(include={"preset", "base", "set", "seeds", "folds", "use_folds"}),
        "labels": one.labels, "n": len(one.groups), "groups": len(set(one.groups)),
        "interval_method": "bootstrap over groups", "variants": variants,
    }  # fmt: skip
    if plan.law:
        right = {name: np.stack([other.right for other in outcomes[name].values()]) for name in plan.law}
        record["law"] = fit_law(right, {name: variants[name]["photos"] for name in plan.law}, one.groups)
    if "corruptions" in plan.report:
        from benchmarks.robustness import compare_variants

        folders_of = {name: [run.folder for run in runs if run.name == name] for name in plan.variants}
        record["corruptions"] = compare_variants(folders_of, plan.base, one.groups)
    return record


def measure(folders: Sequence[Path]) -> Outcome:
    """Pool what the folds of a variant hold out; log loss is at the temperature that suits these very photos best.

    So a variant is not blamed for a confidence that calibration mends.
    """
    from clothing_classifier.evaluation.provenance import read_record
    from clothing_classifier.training.run_folder import load_held_out

    runs = [folder / "run" for folder in folders]
    labels = list(read_record(runs[0])["labels"])
    logits, targets, groups = load_held_out(runs, labels)
    probabilities = softmax(logits, fit_temperature(logits, targets))
    predicted = probabilities.argmax(1)
    figures = {
        "accuracy": metrics.accuracy(targets, predicted),
        "macro_f1": metrics.macro_f1(metrics.confusion_matrix(targets, predicted, len(labels))),
        "log_loss": metrics.log_loss(targets, probabilities),
    }
    photos = float(np.mean([read_record(run)["n"]["train"] for run in runs]))
    names = [group or f"photo {i}" for i, group in enumerate(groups)]
    return Outcome((predicted == targets).astype(float), targets, names, labels, figures, photos)


def summarise(own: dict[int, Outcome], base: dict[int, Outcome]) -> dict[str, Any]:
    """Mean and spread over seeds; the distance to another with the same seed, or to its mean where it lacks one."""
    groups = next(iter(own.values())).groups
    figures = [one.figures for one in own.values()]
    found = {
        "runs": len(own), "photos": float(np.mean([one.photos for one in own.values()])),
        **{key: mean_and_spread([row[key] for row in figures]) for key in figures[0]},
        "interval": metrics.grouped_interval(np.mean([one.right for one in own.values()], axis=0), groups),
    }  # fmt: skip
    if own is base:
        return found
    of_base = np.mean([one.right for one in base.values()], axis=0)
    ahead = np.mean([one.right - (base[s].right if s in base else of_base) for s, one in own.items()], axis=0)
    return found | {"ahead": float(ahead.mean()), "ahead_interval": metrics.grouped_interval(ahead, groups)}


def recall_by_class(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Recall of each class that is there, over the seeds, with its interval."""
    one, right = outcomes[0], np.mean([outcome.right for outcome in outcomes], axis=0)
    found = {}
    for index, label in enumerate(one.labels):
        inside = one.targets == index
        if inside.any():
            groups = [group for group, there in zip(one.groups, inside, strict=True) if there]
            found[label] = {
                "support": int(inside.sum()), "recall": float(right[inside].mean()),
                "interval": metrics.grouped_interval(right[inside], groups),
            }  # fmt: skip
    return found


def _resolved(weights: str) -> str:
    return str(Path(weights).resolve()) if Path(weights).exists() else weights
