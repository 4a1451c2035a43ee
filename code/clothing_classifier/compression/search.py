"""The search: every candidate made, exported, judged on validation and timed beside its parent."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier import export
from clothing_classifier.compression.gate import judge
from clothing_classifier.compression.making import Making, check_share, make
from clothing_classifier.compression.parent import find_parent, write_run
from clothing_classifier.compression.pruning import cost
from clothing_classifier.compression.strategy import DEFAULTS, Candidate, default_strategies, parse_strategies
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
    """What is searched: `strategies` as `parse_strategies` reads them, or none for `default_strategies`.

    `max_drop` is a share of the photos.
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
        raise ConfigError(f"{out}: holds a search already; go on with --resume or choose another --out")
    record, weights = find_parent(model)
    of_parent = {"model": model, "weights_sha256": weights_sha256(weights)}
    making = Making(out / PARENT / "run", record, data, wanted.epochs, wanted.teachers)
    candidates = _candidates(wanted, weights, making.settings)
    try:
        dataset, train, validation = load_splits(data, making.settings.data)
    except DatasetError as error:
        raise DatasetError(f"{error}; a model is made smaller on the data set that it learnt from") from error
    report = _begin(of_parent, train, validation, out, wanted)
    write_run(making.parent, record, weights)
    parent = _parent(making, out / PARENT, validation)
    report["failures"] = [*map(str, dataset.bad_rows), *parent.answers.failures]
    found = {entry["name"]: entry | _judged(parent, entry, wanted.max_drop) for entry in _finished(out)}
    started = time.monotonic()
    for number, candidate in enumerate(candidates, start=1):
        logger.info(f"[{number}/{len(candidates)}] {candidate.name}{_time_left(started, number - 1, len(candidates))}")
        entry = _try(candidate, making, parent, out, wanted.max_drop)
        found = {name: other for name, other in found.items() if name != candidate.name} | {candidate.name: entry}
        report |= {"parent": parent.entry, "candidates": list(found.values())}
        write_json(out / REPORT, report)
        logger.info(f"    accuracy {entry['accuracy']:.3f}, {entry['verdict']}")
    return report


@dataclass(frozen=True)
class _Parent:
    bundle: Bundle
    answers: Predictions
    entry: dict[str, Any]

    @property
    def records(self) -> tuple[Record, ...]:
        """The photos that it can read, and that candidates are asked about."""
        return self.answers.records


def _candidates(wanted: Search, weights: Path, settings: TrainSettings) -> list[Candidate]:
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
        raise ConfigError("distil is learnt: give it --epochs")
    if settings.augmentation.shift and any(candidate.distil and candidate.size for candidate in found):
        raise ConfigError(
            "distil with a smaller input: teacher and student see one crop, and the parent's augmentation.shift is in "
            "pixels of one size; leave out either step"
        )
    if wanted.teachers and not distils:
        raise ConfigError("a teacher is for the step distil, and no strategy has it")
    if pruned := [candidate for candidate in found if candidate.share is not None]:
        model, _ = load_model(weights)
        for candidate in pruned:
            check_share(candidate, model, size)
    return found


def _begin(
    parent: dict[str, Any], train: Sequence[Record], validation: Sequence[Record], out: Path, wanted: Search
) -> dict[str, Any]:
    """What the search is, written before anything is made of it, so that no other one goes on with its parts."""
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
                raise ConfigError(f"{out}: can't resume: {key} was {before.get(key)}, and is {value}")
    elif (out / PARENT).exists():
        raise ConfigError(f"{out}: holds parts of a search without its {REPORT}; choose another --out")
    report: dict[str, Any] = {**provenance(), **identity, "max_drop": wanted.max_drop}
    if not (out / REPORT).exists():
        write_json(out / REPORT, report | {"candidates": []})
    return report


def _finished(out: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted((out / "candidates").glob(f"*/{_ENTRY}"))]


def _fingerprint(records: Sequence[Record]) -> str:
    return fingerprint(records, (content_if_readable(record.source) or "unreadable" for record in records))


def _parent(making: Making, folder: Path, validation: Sequence[Record]) -> _Parent:
    logger.info("the parent, in float")
    bundle = _export(making.parent, making.data, folder / "bundle", PARENT, False)
    answers = _ask(bundle, validation)
    return _Parent(bundle, answers, _describe(making.parent, bundle, answers))


def _try(candidate: Candidate, making: Making, parent: _Parent, out: Path, max_drop: float) -> dict[str, Any]:
    folder = out / "candidates" / candidate.name
    if (folder / _ENTRY).exists():
        entry: dict[str, Any] = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
        return entry | _judged(parent, entry, max_drop)
    run = making.parent
    if candidate.trained:
        run = out / "trained" / candidate.trained
        make(candidate, making, _start(candidate, making, out), run)
    bundle = _export(run, making.data, folder / "bundle", candidate.name, candidate.quantize)
    times = time_bundles({"parent": parent.bundle, "candidate": bundle})
    entry = {"name": candidate.name, "steps": asdict(candidate), **_describe(run, bundle, _ask(bundle, parent.records)),
             "bundle": str(folder / "bundle"), "milliseconds": times,
             "speedup": {case: ms["parent"] / ms["candidate"] for case, ms in times.items()}}  # fmt: skip
    write_json(folder / _ENTRY, entry)
    return entry | _judged(parent, entry, max_drop)


def _judged(parent: _Parent, entry: dict[str, Any], max_drop: float) -> dict[str, Any]:
    verdict = judge(parent.answers.correct, np.array(entry["right"]), parent.answers.groups, max_drop)
    accepted, reason = verdict.accepted, verdict.reason
    if entry["steps"]["quantize"] and entry["precision"] != "int8":
        accepted, reason = False, "int8 costs more than 0.5 points, so that export kept floats"
    return {"accepted": accepted, "drop": verdict.drop, "drop_upper": verdict.upper, "verdict": reason}


def _start(candidate: Candidate, making: Making, out: Path) -> Path:
    """The run whose weights a candidate begins with: pruning goes on from the same steps at the next larger share."""
    if candidate.share is None:
        return making.parent
    done = {}
    for run in (path.parent for path in (out / "trained").glob("*/run.json")):
        share, rest = _split_share(run.name)
        if "metrics" not in read_any_record(run):
            continue
        if share and share > candidate.share and rest == _split_share(candidate.trained)[1]:
            done[share] = run
    return done[min(done)] if done else making.parent


def _split_share(trained: str) -> tuple[float | None, list[str]]:
    steps = trained.split("+")
    shares = [float(step.removeprefix("prune:")) for step in steps if step.startswith("prune:")]
    return (shares[0] if shares else None), [step for step in steps if not step.startswith("prune:")]


def _export(run: Path, data: Path, out: Path, name: str, quantize: bool) -> Bundle:
    if not out.exists():
        export.export_bundle(run, data, out, name, quantize)
    return load_bundle(out)


def _ask(bundle: Bundle, records: Sequence[Record]) -> Predictions:
    classifier = Classifier(bundle)
    with progress_bar("validating", len(records)) as advance:
        return collect(classifier.probabilities, records, classifier.labels, advance)


def _describe(run: Path, bundle: Bundle, answers: Predictions) -> dict[str, Any]:
    model, _ = load_model(run / WEIGHTS)
    size = bundle.contract.size
    macs, params = cost(model, size)
    interval, method = accuracy_interval(answers.correct, answers.groups)
    return {
        "precision": bundle.manifest.precision,
        "size": size,
        "architecture": model.architecture,
        "n": len(answers.records),
        "accuracy": float(answers.correct.mean()),
        "accuracy_interval": list(interval),
        "interval_method": method,
        "macs": macs,
        "params": params,
        "bytes": len(bundle.graph),
        "right": answers.correct.tolist(),
    }


def _time_left(started: float, done: int, total: int) -> str:
    if not done:
        return ""
    minutes = (time.monotonic() - started) / done * (total - done) / 60
    return f", about {minutes:.0f} min left"
