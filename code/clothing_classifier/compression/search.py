"""Compression search: train, export, evaluate and time each candidate against its parent."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier import export
from clothing_classifier.compression.candidates import SearchContext, check_prunable, train_candidate
from clothing_classifier.compression.gate import judge
from clothing_classifier.compression.parent import find_parent, write_run
from clothing_classifier.compression.pruning import cost
from clothing_classifier.compression.strategy import DEFAULTS, Strategy, default_strategies, parse_strategies
from clothing_classifier.compression.timing import time_bundles
from clothing_classifier.config import TrainSettings
from clothing_classifier.datasets import Record, content_if_readable, fingerprint
from clothing_classifier.errors import ConfigError, DatasetError
from clothing_classifier.evaluation.metrics import accuracy_interval
from clothing_classifier.evaluation.predictions import Predictions, collect
from clothing_classifier.evaluation.provenance import provenance, read_any_record
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import Bundle, load_bundle
from clothing_classifier.training.checkpoint import load_model, weights_sha256
from clothing_classifier.training.run_folder import WEIGHTS, weights_in
from clothing_classifier.training.splits import load_splits
from clothing_classifier.utils import progress_bar, write_json

logger = logging.getLogger(__name__)

REPORT, PARENT, _ENTRY = "compress.json", "parent", "entry.json"


@dataclass(frozen=True)
class Search:
    """Options of a search: `strategies` as `parse_strategies` reads them, or none for `default_strategies`.

    `max_drop` is a fraction of the photos.
    """

    strategies: tuple[str, ...] = ()
    max_drop: float = 0.01
    epochs: int = 5
    teachers: tuple[Path, ...] = ()


def search(model: str, data: Path, out: Path, wanted: Search, resume: bool = False) -> dict[str, Any]:
    """Try each candidate of `wanted` on `model`, a run folder or a bundle with weights; returns the report.

    The report is written to `out` after each candidate, `compress.json`; a bundle of each lies below `candidates`.
    With `resume` a search goes on; candidates that are done are kept, and stand first. Raises `UsageError`s.
    """
    if not 0 <= wanted.max_drop < 1:
        raise ConfigError(f"max-drop {100 * wanted.max_drop:g}: give points of accuracy from 0 to below 100")
    if (out / REPORT).exists() and not resume:
        raise ConfigError(f"{out}: already holds a search; continue it with --resume or choose another --out")
    record, weights = find_parent(model)
    of_parent = {"model": model, "weights_sha256": weights_sha256(weights)}
    context = SearchContext(out / PARENT / "run", record, data, wanted.epochs, wanted.teachers)
    candidates = _candidates(wanted, weights, context.settings)
    try:
        dataset, train, validation = load_splits(data, context.settings.data)
    except DatasetError as error:
        raise DatasetError(f"{error}; use the data set that the model was trained on") from error
    report = _start_report(of_parent, train, validation, out, wanted)
    write_run(context.parent, record, weights)
    parent = _parent(context, out / PARENT, validation)
    report["failures"] = [*map(str, dataset.bad_rows), *parent.predictions.failures]
    found = {entry["name"]: entry | _judged(parent, entry, wanted.max_drop) for entry in _finished(out)}
    started = time.monotonic()
    for number, candidate in enumerate(candidates, start=1):
        logger.info(f"[{number}/{len(candidates)}] {candidate.name}{_time_left(started, number - 1, len(candidates))}")
        entry = _try(candidate, context, parent, out, wanted.max_drop)
        found = {name: other for name, other in found.items() if name != candidate.name} | {candidate.name: entry}
        report |= {"parent": parent.entry, "candidates": list(found.values())}
        write_json(out / REPORT, report)
        logger.info(f"    accuracy {entry['accuracy']:.3f}, {entry['verdict']}")
    return report


@dataclass(frozen=True)
class _Parent:
    bundle: Bundle
    predictions: Predictions
    entry: dict[str, Any]

    @property
    def records(self) -> tuple[Record, ...]:
        """The readable validation photos, on which candidates are evaluated."""
        return self.predictions.records


def _candidates(wanted: Search, weights: Path, settings: TrainSettings) -> list[Strategy]:
    texts, size = wanted.strategies, settings.image.size
    if not texts:
        architecture = load_model(weights)[0].architecture
        texts = default_strategies(architecture, size, wanted.epochs)
        if left := [step for step in DEFAULTS if step not in texts]:
            logger.info(
                f"not tried: {', '.join(left)}; not for {architecture['name']} at {size} px and {wanted.epochs} epochs"
            )
    found = parse_strategies(texts, size)
    distils = any(candidate.distil for candidate in found)
    if distils and not wanted.epochs:
        raise ConfigError("the step distil needs training: set --epochs to 1 or more")
    if settings.augmentation.shift and any(candidate.distil and candidate.size for candidate in found):
        raise ConfigError(
            "distil with a smaller input: teacher and student see one crop, and the parent's augmentation.shift is in "
            "pixels of one size; remove distil or smaller-input"
        )
    if wanted.teachers and not distils:
        raise ConfigError("--teacher needs a strategy with the step distil")
    if pruned := [candidate for candidate in found if candidate.share is not None]:
        model, _ = load_model(weights)
        for candidate in pruned:
            check_prunable(candidate, model, size)
    return found


def _start_report(
    parent: dict[str, Any], train: Sequence[Record], validation: Sequence[Record], out: Path, wanted: Search
) -> dict[str, Any]:
    """Write the report's header, or check that the one in `out` is of the same search; raises `ConfigError`."""
    identity = {
        **parent,
        "epochs": wanted.epochs,
        "teachers_sha256": [weights_sha256(weights_in(path)) for path in wanted.teachers],
        "train_sha256": _fingerprint(train),
        "validation_sha256": _fingerprint(validation),
    }
    if (out / REPORT).exists():
        try:
            before = json.loads((out / REPORT).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(f"{out / REPORT}: damaged ({error}); choose another --out") from error
        for key, value in identity.items():
            if before.get(key) != value:
                raise ConfigError(
                    f"{out}: can't resume: {key} was {before.get(key)}, and now is {value}; choose another --out"
                )
    elif (out / PARENT).exists():
        raise ConfigError(f"{out}: holds an incomplete search without its {REPORT}; choose another --out")
    report: dict[str, Any] = {**provenance(), **identity, "max_drop": wanted.max_drop}
    if not (out / REPORT).exists():
        write_json(out / REPORT, report | {"candidates": []})
    return report


def _finished(out: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted((out / "candidates").glob(f"*/{_ENTRY}"))]


def _fingerprint(records: Sequence[Record]) -> str:
    return fingerprint(records, (content_if_readable(record.source) or "unreadable" for record in records))


def _parent(context: SearchContext, folder: Path, validation: Sequence[Record]) -> _Parent:
    logger.info("the parent, in float")
    bundle = _export(context.parent, context.data, folder / "bundle", PARENT, False)
    predictions = _predict(bundle, validation)
    return _Parent(bundle, predictions, _describe(context.parent, bundle, predictions))


def _try(candidate: Strategy, context: SearchContext, parent: _Parent, out: Path, max_drop: float) -> dict[str, Any]:
    folder = out / "candidates" / candidate.name
    if (folder / _ENTRY).exists():
        entry: dict[str, Any] = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
        return entry | _judged(parent, entry, max_drop)
    run = context.parent
    if candidate.trained:
        run = out / "trained" / candidate.trained
        train_candidate(candidate, context, _start_run(candidate, context, out), run)
    bundle = _export(run, context.data, folder / "bundle", candidate.name, candidate.quantize)
    times = time_bundles({"parent": parent.bundle, "candidate": bundle})
    description = _describe(run, bundle, _predict(bundle, parent.records))
    speedup = {case: ms["parent"] / ms["candidate"] for case, ms in times.items()}
    entry = {"name": candidate.name, "steps": asdict(candidate), **description,
             "bundle": str(folder / "bundle"), "milliseconds": times, "speedup": speedup}  # fmt: skip
    write_json(folder / _ENTRY, entry)
    return entry | _judged(parent, entry, max_drop)


def _judged(parent: _Parent, entry: dict[str, Any], max_drop: float) -> dict[str, Any]:
    verdict = judge(parent.predictions.correct, np.array(entry["right"]), parent.predictions.groups, max_drop)
    accepted, reason = verdict.accepted, verdict.reason
    if entry["steps"]["quantize"] and entry["precision"] != "int8":
        accepted, reason = False, "int8 loses more than 0.5 points, so export kept the float graph"
    return {"accepted": accepted, "drop": verdict.drop, "drop_upper": verdict.upper, "verdict": reason}


def _start_run(candidate: Strategy, context: SearchContext, out: Path) -> Path:
    """The run to prune from: that of the same steps at the next larger fraction of MACs, else the parent."""
    if candidate.share is None:
        return context.parent
    done = {}
    for run in (path.parent for path in (out / "trained").glob("*/run.json")):
        share, rest = _split_fraction(run.name)
        if "metrics" not in read_any_record(run):
            continue
        if share and share > candidate.share and rest == _split_fraction(candidate.trained)[1]:
            done[share] = run
    return done[min(done)] if done else context.parent


def _split_fraction(trained: str) -> tuple[float | None, list[str]]:
    steps = trained.split("+")
    fractions = [float(step.removeprefix("prune:")) for step in steps if step.startswith("prune:")]
    return (fractions[0] if fractions else None), [step for step in steps if not step.startswith("prune:")]


def _export(run: Path, data: Path, out: Path, name: str, quantize: bool) -> Bundle:
    if not out.exists():
        export.export_bundle(run, data, out, name, quantize)
    return load_bundle(out)


def _predict(bundle: Bundle, records: Sequence[Record]) -> Predictions:
    classifier = Classifier(bundle)
    with progress_bar("validating", len(records)) as advance:
        return collect(classifier.probabilities, records, classifier.labels, advance)


def _describe(run: Path, bundle: Bundle, predictions: Predictions) -> dict[str, Any]:
    model, _ = load_model(run / WEIGHTS)
    size = bundle.contract.size
    macs, params = cost(model, size)
    interval, method = accuracy_interval(predictions.correct, predictions.groups)
    return {
        "precision": bundle.manifest.precision,
        "size": size,
        "architecture": model.architecture,
        "n": len(predictions.records),
        "accuracy": float(predictions.correct.mean()),
        "accuracy_interval": list(interval),
        "interval_method": method,
        "macs": macs,
        "params": params,
        "bytes": len(bundle.graph),
        "right": predictions.correct.tolist(),
    }


def _time_left(started: float, done: int, total: int) -> str:
    if not done:
        return ""
    minutes = (time.monotonic() - started) / done * (total - done) / 60
    return f", about {minutes:.0f} min left"
