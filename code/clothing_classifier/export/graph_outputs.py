"""Outputs that are computed from others, added to an exported graph behind what it has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier.evaluation import ood
from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.inference import orientation

FLOAT = 1
"""ONNX's number for float32."""


def add_output(
    graph: Path,
    output: str,
    nodes: Sequence[Any],
    constants: Mapping[str, Any],
    shape: Sequence[str | int],
    inputs: Sequence[str] = ("features",),
) -> None:
    """Give the graph's file the float32 output `output` of `shape`, which `nodes` compute from the outputs `inputs`.

    Nodes name `inputs`, `output`, `constants` and each other's results; all but the first two get `output/` before
    their name, so that they meet nothing that the graph has.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(graph)
    for node in nodes:
        node.name = f"{output}/{node.output[0]}"
        for names in (node.input, node.output):
            names[:] = [name if name in (*inputs, output) else f"{output}/{name}" for name in names]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), f"{output}/{name}") for name, value in constants.items()
    )
    model.graph.output.append(helper.make_tensor_value_info(output, FLOAT, shape))
    onnx.save(model, graph)


def hide_output(graph: Path, output: str) -> None:
    """Have the graph's file compute `output` for its other outputs alone."""
    import onnx

    model = onnx.load(graph)
    kept = [each for each in model.graph.output if each.name != output]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    onnx.save(model, graph)


def add_orientation(graph: Path, weight: Floats, bias: Floats) -> None:
    """Give the graph's file, which has the output `features`, the output `orientation` `(N, 4) float32`.

    `weight` `(D, 4)` and `bias` `(4,)` are of a linear head; half precision is kept of the weight, as it is enough.
    """
    from onnx import helper

    constants: dict[str, Floats] = {"weight": weight.astype(np.float16), "bias": bias.astype(np.float32)}
    nodes = (
        helper.make_node("Cast", ["weight"], ["wide"], to=FLOAT),
        helper.make_node("MatMul", ["features", "wide"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], [orientation.OUTPUT], axis=1),
    )
    add_output(graph, orientation.OUTPUT, nodes, constants, ["N", orientation.ROTATIONS])


def add_ood_score(graph: Path, directions: Mapping[str, Floats]) -> None:
    """Give the graph's file the output `ood_score` `(N,) float32`: the mean over the outputs with `directions`."""
    from onnx import helper

    constants = {"one": np.float32(1), "tiny": np.float32(1e-12), "across": np.array([1], np.int64)}
    nodes = []
    for level, columns in directions.items():
        constants[f"{level}/directions"] = columns
        nodes += [
            helper.make_node("Cast", [f"{level}/directions"], [f"{level}/wide"], to=FLOAT),
            helper.make_node("MatMul", [level, f"{level}/wide"], [f"{level}/along"]),
            helper.make_node("ReduceSumSquare", [f"{level}/along", "across"], [f"{level}/inside"], keepdims=0),
            helper.make_node("ReduceSumSquare", [level, "across"], [f"{level}/whole"], keepdims=0),
            helper.make_node("Max", [f"{level}/whole", "tiny"], [f"{level}/length"]),
            helper.make_node("Div", [f"{level}/inside", f"{level}/length"], [f"{level}/share"]),
            helper.make_node("Sub", ["one", f"{level}/share"], [f"{level}/rest"]),
            helper.make_node("Relu", [f"{level}/rest"], [f"{level}/outside"]),
            helper.make_node("Sqrt", [f"{level}/outside"], [f"{level}/sine"]),
        ]
    nodes.append(helper.make_node("Mean", [f"{level}/sine" for level in directions], [ood.OUTPUT]))
    add_output(graph, ood.OUTPUT, nodes, constants, ["N"], tuple(directions))
    hide_output(graph, ood.MIDDLE)
