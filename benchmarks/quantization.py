"""What int8 costs a shipped model, against its float parent on validation, and what the correction of biases brings.

Agreement is the fraction of validation photos on which both give the same label.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, Data, log, recording, spread_evenly
from clothing_classifier.config import load_settings
from clothing_classifier.datasets import Columns, Record, load_dataset
from clothing_classifier.evaluation import metrics
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import SHIPPED, WEIGHTS
from clothing_classifier.inference.session import NO_OVERFLOW

MAX_DROP = 0.005


def quantization(
    names: Annotated[list[str], typer.Argument(help="Shipped models; those not named keep what they have.")],
    data: Data,
    weights: Annotated[
        list[Path] | None, typer.Option(help="Of each model whose bundle has none: best.safetensors.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many photos, to try the command.")] = None,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "quantization.json",
) -> None:
    """int8 beside its float parent: agreement, paired drop, the correction of biases."""
    given = iter(weights or [])
    models = json.loads(out.read_text(encoding="utf-8"))["models"] if out.exists() else {}
    with recording(out) as record:
        about = dict(record)
        for name in names:
            own = SHIPPED / name / WEIGHTS
            models[name] = {**about, **measure(name, own if own.exists() else next(given), data, limit)}
            log(f"{name}: {models[name]['agreement']:.1%} of labels stay")
        record.clear()
        record.update({"models": models})


def measure(name: str, weights: Path, data: Path, limit: int | None) -> dict[str, Any]:
    """Agreement, paired drop with its intervals, and what the correction of biases brings."""
    from clothing_classifier.compression.gate import judge
    from clothing_classifier.export.exporter import CALIBRATION_PHOTOS
    from clothing_classifier.export.onnx_graph import Graph, run_graph, to_onnx
    from clothing_classifier.training.checkpoint import load_model

    shipped = Classifier.load(name)
    manifest, contract = shipped.manifest, shipped.bundle.contract
    model, labels = load_model(weights)
    train, validation = _records(name, data)
    held_out, some = (
        _photos(records, labels, contract)
        for records in (validation[:limit], spread_evenly(train, limit or CALIBRATION_PHOTOS))
    )
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "float.onnx"
        to_onnx(Graph(model.float()).eval(), contract.size, graph)
        logits = run_graph(graph, held_out, {})
        ways = corrections(graph, some, held_out, logits)
    int8 = np.concatenate([shipped.run(pixels, "logits") for pixels in _batches(held_out)]).argmax(1)
    groups = [record.group for record in held_out.records]
    right, kept = logits.argmax(1) == held_out.targets, int8 == held_out.targets
    same = logits.argmax(1) == int8
    verdict = judge(right, kept, groups, MAX_DROP)
    interval, method = metrics.difference_interval(right, kept, groups)
    return {
        "precision": manifest.precision, "session_options": manifest.session_options, "n": len(held_out),
        "float_accuracy": float(right.mean()), "int8_accuracy": float(kept.mean()),
        "agreement": float(same.mean()), "agreement_interval": list(metrics.accuracy_interval(same, groups)[0]),
        "drop": verdict.drop, "drop_upper": verdict.upper, "drop_interval": list(interval), "interval_method": method,
        "corrections": ways,
    }  # fmt: skip


def corrections(graph: Path, photos: Any, held_out: Any, logits: metrics.Floats) -> list[dict[str, Any]]:
    """What is left of a float graph's `logits` in int8, by bits of the weights, with their biases corrected or not."""
    from clothing_classifier.export.onnx_graph import run_graph
    from clothing_classifier.export.quantization import quantize_graph

    signal, ways = _centred(logits), []
    for bits, name in ((7, "seven.onnx"), (8, "eight.onnx")):
        int8 = graph.with_name(name)
        for corrected in (False, True):
            quantize_graph(graph, int8, photos, reduce_range=bits == 7, correct_biases=corrected)
            found = run_graph(int8, held_out, {} if bits == 7 else {NO_OVERFLOW: "1"})
            noise, changed = _centred(found) - signal, found.argmax(1) != logits.argmax(1)
            ways.append({
                "bits": bits, "corrected": corrected, "agreement": float(1 - changed.mean()),
                "accuracy": float((found.argmax(1) == held_out.targets).mean()),
                "decibel": float(10 * np.log10((signal**2).sum() / (noise**2).sum())),
            })  # fmt: skip
    return ways


def _records(name: str, data: Path) -> tuple[Sequence[Record], Sequence[Record]]:
    wanted = load_settings(name).data
    columns = Columns(wanted.label_column, wanted.group_column, wanted.split_column)
    dataset = load_dataset(data, columns, wanted.labels, wanted.exclude_labels)
    return dataset.part("train"), dataset.part("validation")


def _photos(records: Sequence[Record], labels: Sequence[str], contract: Any) -> Any:
    from clothing_classifier.training.cache import PixelCache, default_cache
    from clothing_classifier.training.data import prepare_photos

    return prepare_photos(records, labels, PixelCache(default_cache(), contract), "decoding")


def _batches(photos: Any) -> list[Any]:
    from clothing_classifier.training.data import in_order

    return [pixels.numpy() for pixels, _ in photos.batches(in_order(len(photos), 16))]


def _centred(logits: metrics.Floats) -> metrics.Floats:
    """Logits less each photo's mean, which no probability depends on."""
    less: metrics.Floats = logits - logits.mean(1, keepdims=True)
    return less
