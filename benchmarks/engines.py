"""Would another engine or JPEG decoder make `predict` faster, and would it still say the same?

On the same validation photos, one thread, in turn: the time of each decoder with resizing and padding, and of
each engine's evaluation, as ratios to what ships; the share of labels that stay, and the largest difference in a
probability, against what ships. The example of docs/javascript.md is asked for its answers, too.

    pip install --no-deps --target build/engines openvino openvino-telemetry opencv-python-headless 'PyTurboJPEG<2'
    apt-get install libturbojpeg0                               # what PyTurboJPEG calls; 2.0 asks for a newer one
    (cd examples/javascript && ONNXRUNTIME_NODE_INSTALL=skip npm ci)
    PYTHONPATH=build/engines python benchmarks/engines.py --data datasets/clothing

Each is left out, with the reason, where it is not installed. Writes results/engines.json.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from decoders import DECODERS  # type: ignore[import-not-found]
from peers import installed_bytes  # type: ignore[import-not-found]

from clothing_classifier.datasets import Columns, load_dataset
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import WEIGHTS, Bundle
from clothing_classifier.preprocessing import Pixels
from clothing_classifier.utils import write_json

Probabilities = npt.NDArray[np.float32]
Evaluate = Callable[[Pixels], Probabilities]

ENGINE = "ONNX Runtime, int8 (ours)"
DECODER = next(iter(DECODERS))
EXAMPLE = Path(__file__).parents[1] / "examples" / "javascript" / "classify.mjs"
WARM_UP, CHUNK = 10, 10


def main() -> None:
    """Measure decoders, then engines, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--model", default="wardrobe", help="a bundle with its weights, for the graph in float")
    parser.add_argument("--photos", type=int, default=400, help="validation photos, at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/engines.json"))
    options = parser.parse_args()
    record, load = provenance(), os.getloadavg()[0]
    classifier = Classifier.load(options.model, threads=1)
    paths = _photos(options.data, classifier, options.photos)
    files = [Path(path).read_bytes() for path in paths]
    squares = list(map(DECODERS[DECODER][1](classifier.bundle.contract), files))
    shipped = _answers(classifier.run, squares)
    decoders, left_out = _decoders(classifier)
    engines, more = _engines(classifier.bundle)
    result: dict[str, Any] = {
        "load_average_before": load,
        "n": len(files),
        "rounds": options.rounds,
        "model": {"name": classifier.manifest.name, "sha256": classifier.bundle.sha256},
        "decoders": _measure(decoders, files, DECODER, options.rounds),
        "engines": _measure(engines, [square[None] for square in squares], ENGINE, options.rounds),
    }
    for name, decode in decoders.items():
        result["decoders"][name] |= _agreement(_answers(classifier.run, list(map(decode, files))), shipped)
        result["decoders"][name] |= _installed(DECODERS[name][0])
    for name, evaluate in engines.items():
        result["engines"][name] |= _agreement(_answers(evaluate, squares), shipped)
        result["engines"][name] |= _installed("openvino" if "OpenVINO" in name else "onnxruntime")
    javascript = _javascript(classifier, paths)
    if isinstance(javascript, str):
        left_out["JavaScript"] = javascript
    else:
        result["javascript"] = _agreement(javascript, shipped)
    write_json(options.out, record | result | {"left_out": left_out | more})
    _print_table(result)


def _photos(data: Path, classifier: Classifier, most: int) -> list[str]:
    """Validation photos, spread evenly; JPEG ones that lie upright, since not every decoder turns them."""
    records = load_dataset(data, Columns(group="sender_id"), classifier.labels).part("validation")
    paths = sorted(str(record.source) for record in records if str(record.source).endswith(".jpg"))
    return [paths[i * len(paths) // min(most, len(paths))] for i in range(min(most, len(paths)))]


def _decoders(classifier: Classifier) -> tuple[dict[str, Callable[[bytes], Pixels]], dict[str, str]]:
    made, left_out = {}, {}
    for name, (_, make) in DECODERS.items():
        try:
            made[name] = make(classifier.bundle.contract)
        except (ImportError, RuntimeError) as error:
            left_out[name] = str(error).splitlines()[0]
    return made, left_out


def _engines(bundle: Bundle) -> tuple[dict[str, Evaluate], dict[str, str]]:
    """ONNX Runtime and OpenVINO on the shipped graph and on the float one; the latter at two precisions."""
    whole = _float_graph(bundle)
    made = {ENGINE: _onnx_runtime(bundle.graph), "ONNX Runtime, float": _onnx_runtime(whole)}
    try:
        made["OpenVINO, int8"] = _openvino(bundle.graph, "f32")
    except ImportError as error:
        return made, {"OpenVINO": str(error)}
    made["OpenVINO, float"] = _openvino(whole, "f32")
    made["OpenVINO, int8, rest in bfloat16"] = _openvino(bundle.graph, "bf16")
    made["OpenVINO, bfloat16"] = _openvino(whole, "bf16")
    return made, {}


def _float_graph(bundle: Bundle) -> bytes:
    from clothing_classifier.export.onnx_graph import Graph, set_temperature, to_onnx
    from clothing_classifier.training.checkpoint import load_model

    model, _ = load_model(bundle.path / WEIGHTS)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "float.onnx"
        to_onnx(Graph(model.float()).eval(), bundle.contract.size, path)
        set_temperature(path, bundle.manifest.temperature)
        return path.read_bytes()


def _onnx_runtime(graph: bytes) -> Evaluate:
    """As `Classifier` has it, for one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def evaluate(pixels: Pixels) -> Probabilities:
        found: Probabilities = session.run(["probabilities"], {"image": pixels})[0]
        return found

    return evaluate


def _openvino(graph: bytes, precision: str) -> Evaluate:
    import openvino

    core = openvino.Core()
    whole = core.read_model(graph)
    # Alone what ONNX Runtime is asked for; else this engine computes every output.
    model = openvino.Model([whole.output("probabilities")], whole.get_parameters())
    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def evaluate(pixels: Pixels) -> Probabilities:
        found: Probabilities = request.infer([pixels], share_inputs=True)[0]
        return found

    return evaluate


def _measure(
    sides: Mapping[str, Callable[[Any], Any]], inputs: Sequence[Any], base: str, rounds: int
) -> dict[str, dict[str, Any]]:
    """Seconds an input of each side, some inputs in turn, and the ratio to `base` in the same round.

    Of the processor, in all threads (OpenVINO evaluates in one of its own), and of the clock, which other work on the
    machine disturbs.
    """
    clocks = {"processor": time.process_time, "clock": time.perf_counter}
    seconds: dict[str, dict[str, list[float]]] = {name: {clock: [] for clock in clocks} for name in sides}
    for call in sides.values():
        for item in inputs[:WARM_UP]:
            call(item)
    for _ in range(rounds):
        total = {name: dict.fromkeys(clocks, 0.0) for name in sides}
        for start in range(0, len(inputs), CHUNK):
            for name, call in sides.items():
                started = {clock: read() for clock, read in clocks.items()}
                for item in inputs[start : start + CHUNK]:
                    call(item)
                for clock, read in clocks.items():
                    total[name][clock] += read() - started[clock]
        for name in sides:
            for clock in clocks:
                seconds[name][clock].append(total[name][clock] / len(inputs))
    return {
        name: {
            "seconds": each,
            "of_ours": {clock: _median_ratio(each[clock], seconds[base][clock]) for clock in clocks},
        }
        for name, each in seconds.items()
    }


def _median_ratio(side: Sequence[float], ours: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(side, ours, strict=True))


def _answers(evaluate: Callable[[Pixels], Probabilities], squares: Sequence[Pixels]) -> Probabilities:
    return np.concatenate([evaluate(pixels[None]) for pixels in squares])


def _agreement(found: Probabilities, shipped: Probabilities) -> dict[str, float]:
    return {
        "same_label": float(np.mean(found.argmax(1) == shipped.argmax(1))),
        "max_probability_difference": float(np.abs(found - shipped).max()),
    }


def _javascript(classifier: Classifier, paths: Sequence[str]) -> Probabilities | str:
    """What the example answers; or why it can't be asked."""
    if not shutil.which("node"):
        return "Node is not installed"
    command = ["node", str(EXAMPLE), str(classifier.bundle.path), *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return next(line for line in done.stderr.splitlines() if line.startswith("Error"))
    rows = [{c["label"]: c["confidence"] for c in json.loads(line)["top"]} for line in done.stdout.splitlines()]
    return np.array([[row[label] for label in classifier.labels] for row in rows], np.float32)


def _installed(name: str) -> dict[str, Any]:
    """Version of a distribution, and megabytes that it adds to an environment with numpy."""
    return {
        "version": metadata.version(name),
        "installed_mb": (installed_bytes([name, "numpy"]) - installed_bytes(["numpy"])) / 1e6,
    }


def _print_table(result: Mapping[str, Any]) -> None:
    for kind in ("decoders", "engines"):
        for name, about in result[kind].items():
            times = " ".join(f"{ratio:.2f} {clock}" for clock, ratio in about["of_ours"].items())
            agreement = f"{about['same_label']:.1%} of labels, {about['max_probability_difference']:.3f}"
            print(f"{name:34}{1e3 * statistics.median(about['seconds']['processor']):6.2f} ms  {times}  {agreement}")
    print(f"JavaScript: {result.get('javascript')}", file=sys.stderr)


if __name__ == "__main__":
    main()
