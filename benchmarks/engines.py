"""Would another engine make `predict` faster, and would it still say the same?

On the same validation photos, one thread, in turn: the time of each engine's evaluation, as a ratio to what ships; the
fraction of labels that stay and the largest difference in a probability. The example of docs/javascript.md is asked for
its predictions, too. What is not installed is left out:

    pip install --no-deps --target build/engines openvino openvino-telemetry
    (cd examples/javascript && ONNXRUNTIME_NODE_INSTALL=skip npm ci)
    PYTHONPATH=build/engines python -m benchmarks speed engines --data datasets/clothing
"""

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from benchmarks.common import (
    RESULTS,
    ROOT,
    Data,
    ProcessError,
    Rounds,
    median_ratio,
    recording,
    run_process,
    spread_evenly,
)
from benchmarks.plain.peers import installed_megabytes
from clothing_classifier.datasets import Columns, load_dataset
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import WEIGHTS, Bundle
from clothing_classifier.inference.session import open_session
from clothing_classifier.preprocessing import Pixels, prepare

Probabilities = npt.NDArray[np.float32]
Evaluate = Callable[[Pixels], Probabilities]

ENGINE = "ONNX Runtime, int8 (ours)"
EXAMPLE = ROOT / "examples" / "javascript" / "classify.mjs"
WARM_UP, CHUNK = 10, 10


def engines(
    data: Data,
    model: Annotated[str, typer.Option(help="A bundle with its weights, for the graph in float.")] = "wardrobe",
    photos: Annotated[int, typer.Option(help="Validation photos, at most.")] = 400,
    rounds: Rounds = 3,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "engines.json",
) -> None:
    """Other engines beside what ships: time, labels that stay, what they add to install."""
    with recording(out) as record:
        classifier = Classifier.load(model, threads=1)
        records = load_dataset(data, Columns(group="sender_id"), classifier.labels).part("validation")
        paths = spread_evenly(sorted(str(one.source) for one in records if str(one.source).endswith(".jpg")), photos)
        pixels = [prepare(path, classifier.bundle.contract)[None] for path in paths]
        engines, left_out = _available(classifier.bundle)
        shipped = _answers(classifier.run, pixels)
        record.update({"n": len(paths), "rounds": rounds,
                       "model": {"name": classifier.manifest.name, "sha256": classifier.bundle.sha256}})  # fmt: skip
        record["engines"] = _time(engines, pixels, rounds)
        for name, evaluate in engines.items():
            package = "openvino" if "OpenVINO" in name else "onnxruntime"
            record["engines"][name] |= _agreement(_answers(evaluate, pixels), shipped) | _installed(package)
        try:
            record["javascript"] = _agreement(_javascript(classifier, paths), shipped)
        except ProcessError as error:
            left_out["JavaScript"] = str(error)
        record["left_out"] = left_out


def _available(bundle: Bundle) -> tuple[dict[str, Evaluate], dict[str, str]]:
    """Engines by name, and why others are left out."""
    int8, whole = bundle.graph, _float_graph(bundle)
    engines = {ENGINE: _onnx_runtime(int8), "ONNX Runtime, float": _onnx_runtime(whole)}
    try:
        engines |= {
            "OpenVINO, int8": _openvino(int8, "f32"), "OpenVINO, float": _openvino(whole, "f32"),
            "OpenVINO, int8, rest in bfloat16": _openvino(int8, "bf16"), "OpenVINO, bfloat16": _openvino(whole, "bf16"),
        }  # fmt: skip
    except ImportError as error:
        return engines, {"OpenVINO": str(error)}
    return engines, {}


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
    session = open_session(graph, {}, 1)
    return lambda pixels: session.run(["probabilities"], {"image": pixels})[0]


def _openvino(graph: bytes, precision: str) -> Evaluate:
    import openvino

    core = openvino.Core()
    whole = core.read_model(graph)
    # Alone what ONNX Runtime is asked for; else this engine computes every output.
    model = openvino.Model([whole.output("probabilities")], whole.get_parameters())
    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda pixels: request.infer([pixels], share_inputs=True)[0]


def _time(sides: Mapping[str, Evaluate], inputs: Sequence[Pixels], rounds: int) -> dict[str, Any]:
    """Milliseconds a photo of each engine, some photos in turn, and the ratio to what ships in the same round.

    Of the processor, in all threads: OpenVINO evaluates in one of its own.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for call in sides.values():
        for item in inputs[:WARM_UP]:
            call(item)
    for _ in range(rounds):
        total = dict.fromkeys(sides, 0.0)
        for start in range(0, len(inputs), CHUNK):
            for name, call in sides.items():
                started = time.process_time()
                for item in inputs[start : start + CHUNK]:
                    call(item)
                total[name] += time.process_time() - started
        for name, spent in total.items():
            seconds[name].append(spent / len(inputs))
    return {
        name: {"milliseconds": 1000 * statistics.median(own), "relative": median_ratio(own, seconds[ENGINE])}
        for name, own in seconds.items()
    }


def _answers(evaluate: Evaluate, photos: Sequence[Pixels]) -> Probabilities:
    return np.concatenate([evaluate(pixels) for pixels in photos])


def _agreement(found: Probabilities, shipped: Probabilities) -> dict[str, float]:
    return {
        "same_label": float(np.mean(found.argmax(1) == shipped.argmax(1))),
        "max_probability_difference": float(np.abs(found - shipped).max()),
    }


def _javascript(classifier: Classifier, paths: Sequence[str]) -> Probabilities:
    """What the example answers; raises `ProcessError` where it can't be asked."""
    if not shutil.which("node"):
        raise ProcessError("Node is not installed")
    lines = run_process(["node", EXAMPLE, classifier.bundle.path, *paths]).lines
    rows = [{found["label"]: found["confidence"] for found in json.loads(line)["top"]} for line in lines]
    return np.array([[row[label] for label in classifier.labels] for row in rows], np.float32)


def _installed(name: str) -> dict[str, Any]:
    """Version of a distribution, and megabytes that it adds to an environment with numpy."""
    added = installed_megabytes([name, "numpy"]) - installed_megabytes(["numpy"])
    return {"version": metadata.version(name), "installed_mb": added}
