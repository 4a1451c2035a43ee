"""Gives a bundle exported before they existed the outputs `unfamiliarity` and `orientation`, and what is known of them.

    python tools/complete_bundle.py wardrobe --data datasets/clothing
    python tools/complete_bundle.py wardrobe-tiny --data datasets/clothing --again

With --again `unfamiliarity` is made anew, as networks exported now have it. Nothing else that the graph answers
changes: each output is added behind `features`, from the training photos, as `clothing export` does; thresholds, the
calibration error and what setting photos upright brings come from the validation photos. Where the temperature was not
fitted on validation, the calibration error is left out. The shipped bundle itself is rewritten.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization.shape_inference import quant_pre_process

from clothing_classifier import bundle, orientation, unfamiliarity
from clothing_classifier import graph as graphs
from clothing_classifier.calibration import measure_calibration
from clothing_classifier.dataset import Columns, Record, load_dataset
from clothing_classifier.export.onnx_graph import Graph, to_onnx
from clothing_classifier.inference import Classifier
from clothing_classifier.metrics import Floats
from clothing_classifier.models import create_model
from clothing_classifier.preprocessing import prepare
from clothing_classifier.splits import group_names
from clothing_classifier.training.orientation import fit_orientation
from clothing_classifier.utils import available_cpus, progress_bar

COLUMNS = {
    **dict.fromkeys(("wardrobe", "wardrobe-small", "wardrobe-tiny"), Columns(group="sender_id")),
    "benchmark-10": Columns("benchmark_label", "sender_id", "benchmark_split"),
}
FAMILIAR, TURNED, SHARE = 1024, 4096, 0.95


def main() -> None:
    """Complete the shipped bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(COLUMNS))
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--again", action="store_true", help="make unfamiliarity anew")
    options = parser.parse_args()
    folder = bundle.find(options.name)
    manifest = bundle.load_bundle(options.name).manifest
    if options.again:
        take_out(folder / bundle.MODEL, manifest.architecture, len(manifest.labels), manifest.preprocessing.size)
        write_manifest(folder)
    classifier = Classifier.load(options.name)
    content: dict[str, Any] = json.loads((folder / bundle.MANIFEST).read_text(encoding="utf-8"))
    del content["hashes"], content["format"]
    dataset = load_dataset(options.data, COLUMNS[options.name])
    known = {label.casefold(): i for i, label in enumerate(classifier.labels)}
    train, validation = (
        [record for record in dataset.part(part) if record.label.casefold() in known]
        for part in ("train", "validation")
    )
    order = np.random.default_rng(classifier.manifest.provenance["seed"]).permutation(len(train))
    train = [train[i] for i in order[:TURNED]]
    targets = np.array([known[record.label.casefold()] for record in validation])
    levels = tuple(name for name in (unfamiliarity.FEATURES, unfamiliarity.MIDDLE) if name in classifier.outputs)
    logits, *told = run(classifier, validation, ("logits", *levels))
    learnt_from = run(classifier, train, levels)
    if unfamiliarity.OUTPUT not in classifier.outputs:
        directions = [unfamiliarity.find_directions(some[:FAMILIAR, 0]) for some in learnt_from]
        sines = [unfamiliarity.measure(some[:, 0], axes) for some, axes in zip(told, directions, strict=True)]
        content["unfamiliarity_threshold"] = float(np.quantile(np.mean(sines, 0), SHARE))
        if content["provenance"]["calibration"]["runs"] == 1:
            error = measure_calibration(logits[:, 0].astype(float), targets, group_names(validation))
            content["calibration"] = asdict(error)
        unfamiliarity.add_output(folder / bundle.MODEL, dict(zip(levels, directions, strict=True)))
    if orientation.OUTPUT not in classifier.outputs:
        weight, bias = fit_orientation(learnt_from[0])
        found = orientation.measure(told[0] @ weight + bias, logits, targets)
        print(found)
        if found.pays:
            content["orientation"] = asdict(found)
            orientation.add_output(folder / bundle.MODEL, weight, bias)
    bundle.write_manifest(folder, content)


def take_out(graph: Path, architecture: dict[str, Any], classes: int, size: int) -> None:
    """Take `unfamiliarity` out of the graph's file; give it the output `middle` where networks exported now have it."""
    model = onnx.load(graph)
    for part in (model.graph.node, model.graph.output, model.graph.initializer):
        for item in [item for item in part if item.name.startswith(unfamiliarity.OUTPUT)]:
            part.remove(item)
    network = create_model(architecture["name"], classes, **architecture["settings"])
    computed = Graph(network).eval()
    if computed.middle:
        with tempfile.TemporaryDirectory() as folder:
            example = Path(folder) / "example.onnx"
            to_onnx(computed, size, example)
            quant_pre_process(example, example, skip_symbolic_shape=True)
            nodes = onnx.load(example).graph.node
        pooled = next(node for node in nodes if node.output[0] == unfamiliarity.MIDDLE)
        # The exporter names tensors by their place in the network; int8 has each written and read back.
        pooled.input[0] = f"{pooled.input[0]}_DequantizeLinear_Output"
        axes = next(node for node in model.graph.node if node.output[0] == unfamiliarity.FEATURES).input[1]
        pooled.input[1] = axes
        model.graph.node.append(pooled)
        model.graph.output.append(onnx.helper.make_tensor_value_info(unfamiliarity.MIDDLE, graphs.FLOAT, ["N", None]))
    onnx.checker.check_model(model)
    onnx.save(model, graph)


def write_manifest(folder: Path) -> None:
    """Write the manifest of a bundle whose graph has changed."""
    content: dict[str, Any] = json.loads((folder / bundle.MANIFEST).read_text(encoding="utf-8"))
    del content["hashes"], content["format"]
    bundle.write_manifest(folder, content)


def run(classifier: Classifier, records: Sequence[Record], outputs: Sequence[str]) -> list[Floats]:
    """Outputs of the graph for each photo turned all four ways, `(N, 4, ...)`."""

    def one(record: Record) -> list[Floats]:
        photo = prepare(record.source, classifier.bundle.contract)
        views = np.stack([orientation.turned(photo, quarters) for quarters in range(orientation.TURNS)])
        found: list[Floats] = classifier.session.run(list(outputs), {"image": views})
        return found

    with ThreadPoolExecutor(available_cpus()) as pool, progress_bar("turning", len(records)) as advance:
        rows = []
        for row in pool.map(one, records):
            rows.append(row)
            advance()
    return [np.stack(column) for column in zip(*rows, strict=True)]


if __name__ == "__main__":
    main()
