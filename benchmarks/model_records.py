"""The records of a model: its runs (training.json), and what it is worth on each split (evaluation.json)."""

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, mean_and_spread
from benchmarks.jobs import WEIGHTS
from clothing_classifier.datasets import Columns, Record, content_sha256, fingerprint, load_dataset
from clothing_classifier.datasets.splits import cut_fold
from clothing_classifier.evaluation import evaluate, with_comparison
from clothing_classifier.evaluation.provenance import provenance, read_record
from clothing_classifier.inference import Classifier
from clothing_classifier.utils import write_text

DRAWN = ROOT / "data"
_LINE = 120
_RUN_KEYS = (
    "command", "revision", "dirty", "machine", "seed", "init_sha256", "teachers_sha256", "metrics",
)  # fmt: skip
_DROPPED = ("risk_coverage", "slices")
"""A point for each photo, and what is always empty."""
_OF_WHOLE_SPLITS = ("labels", "confusion", "reliability", "groups")


def merit(run: Path) -> tuple[float, float]:
    """What the better of two runs has more of: accuracy on validation, then less log loss."""
    metrics = read_record(run)["metrics"]["validation"]
    return metrics["accuracy"], -metrics["log_loss"]


def training_record(recipe: Mapping[str, Any], steps: Mapping[str, Sequence[Path]], chosen: Path) -> dict[str, Any]:
    """The runs of each step with their validation metrics, and mean and spread over the seeds."""
    named = {run.name: run for runs in steps.values() for run in runs}
    records = {name: read_record(run) for name, run in named.items()}
    shipped = records[chosen.name]
    return {
        **provenance(),
        "recipe": recipe, "n": shipped["n"], "data_sha256": shipped["data_sha256"], "chosen": chosen.name,
        "settings": shipped["settings"],
        "runs": {name: _run(run, records[name]) for name, run in named.items()},
        "summary": {
            step: _summary([records[run.name]["metrics"]["validation"] for run in runs]) for step, runs in steps.items()
        },
    }  # fmt: skip


def evaluation_record(bundle: Path, splits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The metrics of every split and subset (as `evaluate_split` gives them), and what the model costs."""
    from clothing_classifier.analysis.tracing import trace
    from clothing_classifier.models import create_model

    classifier = Classifier.load(bundle)
    manifest, size = classifier.manifest, classifier.manifest.preprocessing.size
    architecture = manifest.architecture
    network = create_model(architecture["name"], len(classifier.labels), **architecture["settings"])
    cost = trace(network, (3, size, size))
    about = {
        "name": manifest.name, "sha256": classifier.bundle.sha256, "architecture": architecture,
        "precision": manifest.precision, "views": manifest.views,
        "parameters": cost.params, "macs": manifest.views * cost.macs,
    }  # fmt: skip
    return {**provenance(), "model": about, **{name: part for split in splits for name, part in split.items()}}


def evaluate_split(
    bundle: Path, data: Path, split: str, subsets: Mapping[str, Mapping[str, Sequence[str]]], rivals: Sequence[Path]
) -> dict[str, Any]:
    """Metrics of a bundle on `validation` (as its run had it), `test` or `drawn`, and on subsets of its photos.

    `subsets` names columns and the values that belong to them. On validation the bundle is compared with a rival.
    """
    classifier = Classifier.load(bundle)
    settings = classifier.manifest.provenance["settings"]["data"]
    if split == "drawn":
        records, learned_from = load_dataset(DRAWN).records, set[str | None]()
    else:
        records, learned_from = _split_of(data, settings, split, classifier.labels)
    found = {split: _metrics(classifier, records, rivals if split == "validation" else ())}
    if learned_from:
        found[split]["senders_seen"] = {"photos": sum(record.group in learned_from for record in records)}
    for name, wanted in subsets.items() if split != "drawn" else ():
        some = tuple(record for record in records if _belongs(record, wanted))
        if 0 < len(some) < len(records):
            part = _metrics(classifier, some)
            found[f"{split}, {name}"] = {key: value for key, value in part.items() if key not in _OF_WHOLE_SPLITS}
    return found


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all, each list and object on one line where it fits.

    Floats have five significant digits: no metric here is known more exactly.
    """
    write_text(path, _json(_rounded(record)) + "\n")


def install(bundle: Path, records: Mapping[str, Path], root: Path) -> None:
    """Put a bundle, beside its model card, and its records into the repository at `root`."""
    target = root / "code" / "clothing_classifier" / "bundles" / bundle.name
    part, old = target.with_name(f".{bundle.name}.part"), target.with_name(f".{bundle.name}.old")
    for left in (part, old):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(bundle, part)
    if (target / "README.md").exists():
        shutil.copy(target / "README.md", part)
    if target.exists():
        target.rename(old)
    part.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    for kind, record in records.items():
        write_text(root / "results" / f"{bundle.name}-{kind}.json", record.read_text(encoding="utf-8"))


def _split_of(
    data: Path, settings: Mapping[str, Any], split: str, labels: Sequence[str]
) -> tuple[tuple[Record, ...], set[str | None]]:
    """The photos of a split as the run cut it, and the groups that the run learned from."""
    columns = Columns(settings["label_column"], settings["group_column"], settings["split_column"])
    dataset = load_dataset(data, columns, labels)
    train, held_out = dataset.part("train"), tuple[Record, ...]()
    if settings["folds"]:
        train, held_out = cut_fold(train, settings["folds"], settings["fold"], settings["seed"])
    records = held_out if held_out and split == "validation" else dataset.part(split)
    return records, {record.group for record in train} - {None}


def _belongs(record: Record, wanted: Mapping[str, Sequence[str]]) -> bool:
    return all((record.label if key == "label" else record.extra.get(key)) in some for key, some in wanted.items())


def _metrics(classifier: Classifier, records: Sequence[Record], rivals: Sequence[Path] = ()) -> dict[str, Any]:
    report = evaluate(classifier.probabilities, records, classifier.labels)
    for rival in map(Classifier.load, rivals):
        others = evaluate(rival.probabilities, records, rival.labels).predictions
        report = with_comparison(report, others, rival.manifest.name)
    found = {key: value for key, value in report.figures.items() if key not in _DROPPED}
    return {"data_sha256": fingerprint(records, [content_sha256(record.source) for record in records]), **found}


def _run(folder: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        seconds = sum(record["n"]["train"] / float(row["images_per_second"]) for row in csv.DictReader(file))
    kept = {key: record[key] for key in _RUN_KEYS if key in record}
    return {**kept, "weights_sha256": content_sha256(folder / WEIGHTS), "training_seconds": seconds}


def _summary(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {"runs": len(runs), **{key: mean_and_spread([run[key] for run in runs]) for key in ("accuracy", "macro_f1")}}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {key: _rounded(some) for key, some in value.items()}
    return [_rounded(some) for some in value] if isinstance(value, list | tuple) else value


def _json(value: Any, indent: str = "") -> str:
    line, deeper = json.dumps(value, ensure_ascii=False, allow_nan=False), f"{indent} "
    if len(indent + line) <= _LINE or not isinstance(value, Mapping | list):
        return line
    if isinstance(value, list):
        start, lines, end = "[", [_json(some, deeper) for some in value], "]"
    else:
        start, lines, end = "{", [f"{json.dumps(key)}: {_json(some, deeper)}" for key, some in value.items()], "}"
    return f",\n{deeper}".join(lines).join((f"{start}\n{deeper}", f"\n{indent}{end}"))
