"""What int8 costs a shipped model: against its float parent on validation, and layer by layer.

    python benchmarks/quantization.py wardrobe wardrobe-small --data datasets/clothing --runs runs

The float parent is the graph of the weights that the bundle was exported from: its own, or those of the run
RUNS/NAME/student. Agreement is the share of validation photos on which both give the same label; the error of a layer
is that of its output, each network having run by itself from the photo on: signal to noise in dB, on training photos.
What the correction of biases brings is measured on both widths of weights: agreement, signal to noise of logits, and
the surest photo whose label changes, by the share of photos that the floats are less sure of. Beside it, how much
longer than here eight-bit weights take in the kernels that they need on processors without VNNI.
Writes results/quantization.json, in which models that are not named keep what they have.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import qdq_loss_debug as debug

from clothing_classifier.analysis.tracing import trace
from clothing_classifier.compression.gate import judge
from clothing_classifier.config import load_settings
from clothing_classifier.datasets import Record
from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.export import CALIBRATION_PHOTOS
from clothing_classifier.export.onnx_graph import Graph, run_graph, to_onnx
from clothing_classifier.export.quantization import quantize_graph
from clothing_classifier.inference import Classifier, bundle
from clothing_classifier.inference.session import NO_OVERFLOW, open_session
from clothing_classifier.training.cache import PixelCache, default_cache
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.data import Photos, in_order, prepare_photos
from clothing_classifier.training.parts import load_parts
from clothing_classifier.training.run_folder import WEIGHTS
from clothing_classifier.utils import write_json

PHOTOS, ROUNDS = 32, 50
EIGHT = "eight.onnx"


def main() -> None:
    """Measure each model and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="shipped models")
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the runs are that models came from")
    options = parser.parse_args()
    record, path = provenance(), Path("results/quantization.json")
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"models": {}}
    about = {key: before[key] for key in record if key in before}  # of records that had it once for all models
    models = {name: {**about, **found} for name, found in before["models"].items()}
    models |= {name: {**record, **measure(name, options)} for name in options.names}
    write_json(path, {"layer_photos": PHOTOS, "models": models})


def chosen(name: str) -> str:
    """The run that became the bundle."""
    training = json.loads(Path(f"results/{name}-training.json").read_text(encoding="utf-8"))
    return str(training.get("chosen", "student"))  # records of one run did not say


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Agreement, paired drop with its intervals, and each layer's error."""
    shipped = Classifier.load(name)
    manifest, contract = shipped.manifest, shipped.bundle.contract
    own = bundle.SHIPPED / name / bundle.WEIGHTS
    model, labels = load_model(own if own.exists() else options.runs / name / chosen(name) / WEIGHTS)
    _, train, validation = load_parts(options.data, load_settings(bundle.DEFAULT).data)
    held_out, some, more = (
        prepare_photos(part, labels, PixelCache(default_cache(), contract), "decoding")
        for part in (validation, spread(train, PHOTOS), spread(train, CALIBRATION_PHOTOS))
    )
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "float.onnx"
        to_onnx(Graph(model.float()).eval(), contract.size, graph)
        logits = run_graph(graph, held_out, {})
        plain, ways = logits.argmax(1), corrections(graph, more, held_out, logits)
        slower = no_overflow_ratio(graph.with_name(EIGHT), contract.size)
        traced = trace(model, (3, contract.size, contract.size)).layers
        convolutions = [layer.name for layer in traced if layer.type in ("Conv2d", "SameConv2d")]
        seven_bits = NO_OVERFLOW not in manifest.session_options
        layers = errors(graph, more, some, convolutions, seven_bits)
    batches = held_out.batches(in_order(len(held_out), 1))
    int8 = np.concatenate([shipped.run(pixels.numpy(), "logits") for pixels, _ in batches]).argmax(1)
    groups = [record.group for record in held_out.records]
    right, kept = plain == held_out.targets, int8 == held_out.targets
    verdict = judge(right, kept, groups, 0.005)
    interval, method = metrics.difference_interval(right, kept, groups)
    return {
        "precision": manifest.precision, "session_options": manifest.session_options, "n": len(held_out),
        "float_accuracy": float(right.mean()), "int8_accuracy": float(kept.mean()),
        "agreement": float((plain == int8).mean()),
        "agreement_interval": list(metrics.accuracy_interval(plain == int8, groups)[0]),
        "drop": verdict.drop, "drop_upper": verdict.upper, "drop_interval": list(interval), "interval_method": method,
        "layers": layers, "corrections": ways, "no_overflow_ratio": slower,
    }  # fmt: skip


def spread(records: Sequence[Record], count: int) -> list[Record]:
    """`count` of the records, evenly."""
    return [records[i * len(records) // count] for i in range(count)]


def corrections(graph: Path, photos: Photos, held_out: Photos, logits: metrics.Floats) -> list[dict[str, Any]]:
    """What is left of a float graph's `logits` in int8, by bits of the weights, with their biases corrected or not."""
    signal, ways = centred(logits), []
    margins = np.sort(logits, 1)[:, -1] - np.sort(logits, 1)[:, -2]
    less_sure = margins.argsort().argsort() / len(margins)  # the share of photos of a smaller margin
    for bits, name in ((7, "seven.onnx"), (8, EIGHT)):
        int8 = graph.with_name(name)
        for corrected in (False, True):
            quantize_graph(graph, int8, photos, reduce_range=bits == 7, correct_biases=corrected)
            found = run_graph(int8, held_out, {} if bits == 7 else {NO_OVERFLOW: "1"})
            noise, changed = centred(found) - signal, found.argmax(1) != logits.argmax(1)
            ways.append({
                "bits": bits, "corrected": corrected, "agreement": float(1 - changed.mean()),
                "accuracy": float((found.argmax(1) == held_out.targets).mean()),
                "decibel": float(10 * np.log10((signal**2).sum() / (noise**2).sum())),
                "surest_changed": float(less_sure[changed].max(initial=0)),
            })  # fmt: skip
    return ways


def no_overflow_ratio(graph: Path, size: int) -> float:
    """Seconds of a photo, one thread, with kernels that can't overflow, over those of the fast ones, in turn."""
    photo = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    sessions = [open_session(graph, options, 1) for options in ({NO_OVERFLOW: "1"}, {})]
    seconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for session, taken in zip(sessions, seconds, strict=True):
            started = time.perf_counter()
            session.run(["probabilities"], {"image": photo})
            taken.append(time.perf_counter() - started)
    slow, fast = map(statistics.median, seconds)
    return slow / fast


def centred(logits: metrics.Floats) -> metrics.Floats:
    """Logits less each photo's mean, which no probability depends on."""
    less: metrics.Floats = logits - logits.mean(1, keepdims=True)
    return less


class Samples(debug.CalibrationDataReader):  # type: ignore[misc] # its module has no types
    """Photos for ONNX Runtime's tools."""

    def __init__(self, photos: Photos) -> None:
        self.batches = photos.batches(in_order(len(photos), 16))

    def get_next(self) -> dict[str, Any] | None:
        """One batch, or the end."""
        batch = next(self.batches, None)
        return None if batch is None else {"image": batch[0].numpy()}


def errors(graph: Path, samples: Photos, photos: Photos, names: list[str], seven_bits: bool) -> list[dict[str, Any]]:
    """Signal to noise of each quantized convolution's output on `photos`, dB, by the layer's name."""
    int8 = graph.with_name("int8.onnx")
    quantize_graph(graph, int8, samples, reduce_range=seven_bits)
    prepared = int8.with_suffix(".prepared.onnx")
    collected = []
    for path in (prepared, int8):
        augmented = path.with_name(f"augmented-{path.name}")
        debug.modify_model_output_intermediate_tensors(path, augmented)
        collected.append(debug.collect_activations(str(augmented), Samples(photos)))
    found = debug.compute_activation_error(debug.create_activation_matching(collected[1], collected[0]))
    nodes = onnx.load(prepared).graph.node
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    plain = {tensor.name for tensor in onnx.load(int8).graph.initializer}
    rows = []
    for name, node in zip(names, convolutions, strict=False):
        if node.input[1] in plain:  # its weights stayed floats
            continue
        clips = [after.output[0] for after in nodes if after.op_type == "Clip" and node.output[0] in after.input]
        measured = next((found[tensor] for tensor in (*clips, node.output[0]) if tensor in found), None)
        if measured and "xmodel_err" in measured:
            rows.append({"layer": name, "decibel": measured["xmodel_err"]})
    return rows


if __name__ == "__main__":
    main()
