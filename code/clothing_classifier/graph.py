"""Outputs that are computed from others, added to an exported graph behind what it has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
