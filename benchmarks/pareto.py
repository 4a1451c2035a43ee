"""What do smaller networks cost and what do they lose?

Two searches of `clothing compress` from the shipped weights: without training, and with two epochs on the model's own
predictions; then the shipped models. Accuracy is on validation; latency (batch 1) and throughput (batch 32), with one
and two threads, are measured beside the float parent.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, Data, figure_beside, log, recording, run_clothing
from clothing_classifier.config import load_settings
from clothing_classifier.datasets import Columns, load_dataset
from clothing_classifier.evaluation.metrics import accuracy_interval
from clothing_classifier.evaluation.predictions import collect
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import DEFAULT, load_bundle, shipped

MAX_DROP = 0.01
UNTRAINED = (
    "quantize",
    "smaller-input:192+quantize",
    "smaller-input:160",
    "smaller-input:160+quantize",
    "smaller-input:128",
    "smaller-input:128+quantize",
    "smaller-input:96+quantize",
)
TRAINED = (
    "smaller-input:128+distil",
    "smaller-input:128+distil+quantize",
    "smaller-input:96+distil+quantize",
    "smaller-input:160+prune:0.65+distil+quantize",
    "smaller-input:128+prune:0.5+distil+quantize",
    "smaller-input:160+narrow:0.75+distil+quantize",
)
SHOWN = {
    "name", "shipped", "epochs", "steps", "precision", "size", "n", "accuracy", "accuracy_interval", "drop",
    "drop_upper", "accepted", "macs", "params", "bytes", "milliseconds", "speedup",
}  # fmt: skip
Point = dict[str, Any]


def pareto(
    data: Data,
    epochs: Annotated[int, typer.Option(help="Of the search that trains; 0 leaves it out.")] = 2,
    strategy: Annotated[list[str] | None, typer.Option(help="In place of the untrained candidates.")] = None,
    runs: Annotated[Path, typer.Option(help="Searches are kept here.")] = Path("runs/pareto"),
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "pareto.json",
) -> None:
    """Compress the shipped model in many ways; accuracy, cost and time of each, beside the shipped models."""
    from benchmarks import figures

    with recording(out) as record:
        parent, points = _search(data, runs.resolve(), 0, strategy or UNTRAINED)
        if epochs:
            points += _search(data, runs.resolve(), epochs, TRAINED)[1]
        points = [parent, *points, *_shipped_points(parent, data)]
        points = [{key: value for key, value in point.items() if key in SHOWN} for point in points]
        points.sort(key=lambda point: -point["macs"])
        record.update({"n": parent["n"], "max_drop": MAX_DROP, "points": points})
    figures.draw_pareto(points, figure_beside(out, "pareto.png"))


def _search(data: Path, runs: Path, epochs: int, strategies: tuple[str, ...] | list[str]) -> tuple[Point, list[Point]]:
    """Search, or take what is there; the parent in float, and the candidates."""
    out = runs / f"epochs-{epochs}"
    run_clothing("compress", DEFAULT, "--data", data.resolve(), "--out", out, "--epochs", str(epochs),
                 "--max-drop", str(100 * MAX_DROP), "--resume",
                 *(word for strategy in strategies for word in ("--strategy", strategy)), accepted=(0, 1))  # fmt: skip
    report = json.loads((out / "compress.json").read_text(encoding="utf-8"))
    points = [
        {**entry, "epochs": epochs if "distil" in entry["name"] else 0, "milliseconds": _own(entry["milliseconds"])}
        for entry in report["candidates"]
    ]
    bundle = out / "parent" / "bundle"
    parent = {**report["parent"], "name": f"{DEFAULT}, float", "epochs": 0, "drop": 0.0, "drop_upper": 0.0,
              "accepted": True, "bundle": bundle, **_times(bundle, None)}  # fmt: skip
    return parent, points


def _shipped_points(parent: Point, data: Path) -> list[Point]:
    """The shipped models of the same classes, each judged against the float parent."""
    from clothing_classifier.analysis import trace
    from clothing_classifier.compression.gate import judge
    from clothing_classifier.models import create_model

    wanted = load_settings(DEFAULT).data
    columns = Columns(wanted.label_column, wanted.group_column, wanted.split_column)
    records = load_dataset(data, columns, wanted.labels, wanted.exclude_labels).part("validation")
    found: list[Point] = []
    for name in shipped():
        bundle = load_bundle(name)
        if bundle.manifest.labels != load_bundle(DEFAULT).manifest.labels:
            continue
        classifier, about = Classifier(bundle), bundle.manifest.architecture
        network = create_model(about["name"], len(classifier.labels), **about["settings"])
        traced = trace(network, (3, bundle.contract.size, bundle.contract.size))
        predictions = collect(classifier.probabilities, records, classifier.labels)
        verdict = judge(np.array(parent["right"]), predictions.correct, predictions.groups, MAX_DROP)
        interval, method = accuracy_interval(predictions.correct, predictions.groups)
        found.append({
            "name": name, "shipped": True, **_times(name, parent["bundle"]), "size": bundle.contract.size,
            "precision": bundle.manifest.precision,
            "n": len(predictions.records), "right": predictions.correct.tolist(),
            "accuracy": float(predictions.correct.mean()),
            "accuracy_interval": list(interval), "interval_method": method,
            "macs": traced.macs, "params": traced.params, "bytes": len(bundle.graph),
            "epochs": bundle.manifest.provenance["settings"]["optimization"]["epochs"],
            "drop": verdict.drop, "drop_upper": verdict.upper, "accepted": verdict.accepted,
        })  # fmt: skip
    return found


def _times(bundle: str | Path, parent: str | Path | None) -> dict[str, Any]:
    """Milliseconds in each case, and the speed-up over the parent in turn."""
    from clothing_classifier.compression.timing import time_bundles

    log(f"timing {bundle}")
    times = time_bundles({"parent": load_bundle(parent or bundle), "candidate": load_bundle(bundle)})
    speedup = {case: ms["parent"] / ms["candidate"] for case, ms in times.items()}
    return {"milliseconds": _own(times), "speedup": speedup if parent else dict.fromkeys(speedup, 1.0)}


def _own(times: dict[str, dict[str, float]]) -> dict[str, float]:
    return {case: ms["candidate"] for case, ms in times.items()}
