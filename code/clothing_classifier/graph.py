"""Outputs that are computed from `features`, added to an exported graph behind what it has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FLOAT = 1
"""ONNX's number for float32."""


def add_output(
    graph: Path, output: str, nodes: Sequence[Any], constants: Mapping[str, Any], shape: Sequence[str | int]
) -> None:
    """Give the graph's file the float32 output `output` of `shape`, which `nodes` compute from `features`.

    Nodes name `features`, `output`, `constants` and each other's results; all but the first two get `output/` before
    their name, so that they meet nothing that the graph has.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(graph)
    for node in nodes:
        node.name = f"{output}/{node.output[0]}"
        for names in (node.input, node.output):
            names[:] = [name if name in ("features", output) else f"{output}/{name}" for name in names]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), f"{output}/{name}") for name, value in constants.items()
    )
    model.graph.output.append(helper.make_tensor_value_info(output, FLOAT, shape))
    onnx.save(model, graph)
