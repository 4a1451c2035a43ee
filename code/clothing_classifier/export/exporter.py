"""torch -> ONNX -> int8, behind gates: a graph leaves here only when it agrees with the network on real photos."""

import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clothing_classifier.analysis.stages import describe_stages
from clothing_classifier.config import TrainSettings, parse_settings
from clothing_classifier.datasets import Record, abbreviate
from clothing_classifier.errors import ConfigError, ExportError
from clothing_classifier.evaluation import figures, metrics, ood
from clothing_classifier.evaluation.calibration import fit_temperature, measure_calibration, precision_curve, softmax
from clothing_classifier.evaluation.parity import MIN_GATE_PHOTOS, MORE_VALIDATION
from clothing_classifier.evaluation.provenance import read_record
from clothing_classifier.export import graph_outputs
from clothing_classifier.export.onnx_graph import BATCH, Graph, check_against_torch, run_graph, set_temperature, to_onnx
from clothing_classifier.export.orientation import fit_orientation
from clothing_classifier.export.quantization import int8_or_float
from clothing_classifier.inference import bundle, orientation
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training.checkpoint import load_model, save_tensors
from clothing_classifier.training.data import Photos, in_order, prepare_photos
from clothing_classifier.training.run_folder import WEIGHTS, HeldOut, load_held_out
from clothing_classifier.training.splits import decode_splits, load_splits

logger = logging.getLogger(__name__)

CALIBRATION_PHOTOS, _OOD_PHOTOS, _ORIENTATION_PHOTOS = 512, 1024, 4096
_OOD_QUANTILE = 0.95


@dataclass(frozen=True)
class _RunPhotos:
    """The photos of a run: training records in random order, validation photos, and what can't be used."""

    labels: tuple[str, ...]
    train: Sequence[Record]
    validation: Photos
    known: dict[str, str]
    failures: tuple[str, ...]

    def sample(self, count: int, why: str) -> Photos:
        """`count` of the training photos."""
        return prepare_photos(self.train[:count], self.labels, self.validation.cache, why)


def export_bundle(
    run: Path,
    data: Path,
    out: Path,
    name: str,
    quantize: bool = True,
    keep_weights: bool = False,
    calibration: Sequence[Path] = (),
    mirrored: bool = False,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Turn the run folder `run`, trained on `data`, into a bundle at `out`.

    Returns the manifest's content, and the rows and photos that could not be used.

    The float graph must agree with torch on validation photos to 1e-4 in probability and on every label. The int8
    graph replaces it where it loses at most 0.5 points of validation accuracy. The orientation output is added where
    upright validation photos lose no accuracy by it. Temperature and precision curve are fitted on validation to the
    graph that ships; or, where `calibration` names run folders, as of the folds of the same training photos, on what
    those runs hold out. `keep_weights` adds half-precision weights to start training from. `mirrored` has the
    graph read each photo and its mirror image, where validation gains by that.
    """
    if out.exists():
        raise ConfigError(f"{out}: exists already; remove it or choose another --out")
    if mirrored and calibration:
        raise ConfigError(
            "the runs of --calibration predicted without mirror images; leave out --calibration or --mirror"
        )
    record = read_record(run)
    model, labels = load_model(run / WEIGHTS)
    settings = parse_settings(record["settings"])
    pooled = load_held_out(calibration, labels) if calibration else None
    photos_of_run = _read_photos(run, data, record, labels, settings)
    photos = photos_of_run.validation
    mirrored = mirrored and _mirror_pays(model, photos)
    with tempfile.TemporaryDirectory() as scratch:
        computed, graph = Graph(model, mirrored).eval(), Path(scratch) / "float.onnx"
        to_onnx(computed, settings.image.size, graph)
        gate = check_against_torch(computed, graph, photos)
        logger.info(f"float graph: {gate['max_probability_difference']:.1e} from torch at most, on {gate['n']} photos")
        precision, options = "fp32", dict[str, str]()
        if quantize:
            samples = photos_of_run.sample(CALIBRATION_PHOTOS, "decoding for calibration")
            graph, precision, options = int8_or_float(graph, photos, samples)
        sample = photos_of_run.sample(_OOD_PHOTOS, "decoding for the OOD score")
        levels = (ood.FEATURES, *((ood.MIDDLE,) if computed.middle else ()))
        found = {level: run_graph(graph, sample, options, level) for level in levels}
        directions = {level: ood.find_directions(features) for level, features in found.items()}
        graph_outputs.add_ood_score(graph, directions)
        sample = photos_of_run.sample(_ORIENTATION_PHOTOS, "decoding for orientation")
        gain = _add_orientation(graph, sample, photos, options)
        logits = run_graph(graph, photos, options)
        groups = [photo.group for photo in photos.records]
        answers = pooled or HeldOut(logits, photos.targets, groups)
        temperature = fit_temperature(answers.logits, answers.targets)
        set_temperature(graph, temperature)
        curve = precision_curve(softmax(answers.logits, temperature), answers.targets)
        ood_scores = run_graph(graph, photos, options, ood.OUTPUT)
        content = {
            "name": name,
            "labels": list(labels),
            "preprocessing": bundle.Preprocessing(size=settings.image.size, fit=settings.image.fit).model_dump(),
            "temperature": temperature,
            "calibration": _calibration(answers),
            "ood_threshold": float(np.quantile(ood_scores, _OOD_QUANTILE)),
            "orientation": gain,
            "precision_curve": [asdict(point) for point in curve],
            "precision": precision,
            "session_options": options,
            "architecture": model.architecture,
            "stages": describe_stages(model, settings.image.size),
            "views": 2 if mirrored else 1,
            "known_photos": photos_of_run.known,
            "validation": figures(photos.targets, softmax(logits, temperature), labels, groups),
            "provenance": record
            | {"export_gate": gate, "calibration": {"runs": len(calibration) or 1, "n": len(answers.targets)}},
        }
        _write(out, graph, content, model if keep_weights else None)
    return content, photos_of_run.failures


def _read_photos(
    run: Path, data: Path, record: dict[str, Any], labels: tuple[str, ...], settings: TrainSettings
) -> _RunPhotos:
    """The photos that the run learnt from and validated on.

    Raises `ConfigError` where `data` holds others, and `ExportError` where there are too few to judge by.
    """
    dataset, train, validation = load_splits(data, settings.data)
    if {photo.label for photo in train} != set(labels):
        raise ConfigError(f"{data}: its classes are not those that {run} was trained on")
    splits = decode_splits(train, validation, labels, settings)
    learnt, photos = splits.train, splits.validation
    if len(photos) < MIN_GATE_PHOTOS:
        few = f"{len(photos)} validation photos; the export gate needs at least {MIN_GATE_PHOTOS}"
        if photos.failures:
            few += f" ({len(photos.failures)} can't be read; first: {photos.failures[0]})"
        raise ExportError(f"{data}: {few}: {MORE_VALIDATION}")
    if splits.sha256 != record["data_sha256"]:
        raise ConfigError(f"{data}: not the data set that {run} was trained on: photos, labels or splits differ")
    order = np.random.default_rng(settings.runtime.seed).permutation(len(learnt))
    failures = tuple(map(str, (*dataset.bad_rows, *learnt.failures, *photos.failures)))
    known = {"train": abbreviate(learnt.keys), "validation": abbreviate(photos.keys)}
    return _RunPhotos(labels, [learnt.records[i] for i in order], photos, known, failures)


def _calibration(answers: HeldOut) -> dict[str, Any]:
    error = measure_calibration(*answers)
    logger.info(
        f"calibration error {error.ece:.1%} ({error.interval[0]:.1%} to {error.interval[1]:.1%}); a perfect model "
        f"would show {error.perfect_mean:.1%} ({error.perfect_range[0]:.1%} to {error.perfect_range[1]:.1%})"
    )
    return asdict(error)


@torch.inference_mode()
def _mirror_pays(model: ImageClassifier, photos: Photos) -> bool:
    def accuracy(graph: Graph) -> float:
        batches = photos.batches(in_order(len(photos), BATCH))
        return metrics.accuracy(photos.targets, np.concatenate([graph(pixels)[1].argmax(1) for pixels, _ in batches]))

    alone, both = accuracy(Graph(model).eval()), accuracy(Graph(model, mirrored=True).eval())
    verdict = "accepted" if both > alone else "refused"
    logger.info(f"with the mirror image: validation accuracy {both:.4f} ({alone:.4f} without), {verdict}")
    return both > alone


def _add_orientation(graph: Path, train: Photos, photos: Photos, options: dict[str, str]) -> dict[str, Any] | None:
    """Give the graph the output `orientation`, fitted on `train`; none where upright `photos` would lose."""

    def on_all_views(some: Photos, output: str) -> metrics.Floats:
        views = [run_graph(graph, some, options, output, turns) for turns in range(orientation.ROTATIONS)]
        return np.stack(views, 1)

    logits, features = (on_all_views(photos, output) for output in ("logits", "features"))
    weight, bias = fit_orientation(on_all_views(train, "features"))
    gain = orientation.measure_gain(features @ weight + bias, logits, photos.targets)
    before, after = (f"{np.mean(accuracies[1:]):.1%}" for accuracies in (gain.uncorrected, gain.corrected))
    why = "upright photos would lose" if gain.costs else "rotated photos gain nothing"
    verdict = "accepted" if gain.pays else f"refused, since {why}"
    logger.info(
        f"orientation correction of rotated photos: validation accuracy {before} without, {after} with, {verdict}"
    )
    if not gain.pays:
        return None
    graph_outputs.add_orientation(graph, weight, bias)
    return asdict(gain)


def _write(out: Path, graph: Path, content: dict[str, Any], weights: ImageClassifier | None) -> None:
    """Fill a folder beside `out`, then rename it, so that no half-written bundle is ever seen."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        shutil.copyfile(graph, folder / bundle.MODEL)
        if weights is not None:
            tensors = {name: t.half() if t.is_floating_point() else t for name, t in weights.state_dict().items()}
            metadata = {"architecture": weights.architecture, "labels": content["labels"]}
            save_tensors(folder / bundle.WEIGHTS, tensors, metadata)
        bundle.write_manifest(folder, content)
        folder.rename(out)
