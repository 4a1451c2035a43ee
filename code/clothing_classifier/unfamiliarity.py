"""How strange a photo is to a model: the angle between its features and those that the model learnt from."""

from pathlib import Path

import numpy as np

from clothing_classifier import graph as graphs
from clothing_classifier.metrics import Floats

OUTPUT = "unfamiliarity"
_DIRECTIONS = 64


def find_directions(features: Floats) -> Floats:
    """The directions `(D, M) float16` along which the features `(N, D)` of training photos lie, orthonormal.

    They are the main components of the features' directions, through the origin: 64, and no more than a quarter of
    what `N` and `D` allow. Half precision is far finer than the score needs.
    """
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    count = max(1, min(_DIRECTIONS, len(unit) // 4, unit.shape[1] // 4))
    _, vectors = np.linalg.eigh(unit.T.astype(float) @ unit)
    result: Floats = vectors[:, ::-1][:, :count].astype(np.float16)
    return result


def measure(features: Floats, directions: Floats) -> Floats:
    """Unfamiliarity `(N,)` in [0, 1]: the share of the length of `features` `(N, D)` that is off the `directions`.

    It is the sine of the angle between a photo's features and the space in which those of training photos lie: what is
    lost when they are rebuilt from their main components (as in "ViM", Wang et al. 2022), whatever their length.
    """
    inside, whole = ((features @ directions.astype(np.float32)) ** 2).sum(1), (features**2).sum(1)
    result: Floats = np.sqrt(np.maximum(1 - inside / np.maximum(whole, 1e-12), 0))
    return result


def add_output(graph: Path, directions: Floats) -> None:
    """Give the graph's file, which has the output `features`, the output `unfamiliarity` `(N,) float32`."""
    from onnx import helper

    constants = {
        "directions": directions, "one": np.float32(1), "tiny": np.float32(1e-12), "across": np.array([1], np.int64)
    }  # fmt: skip
    nodes = (
        helper.make_node("Cast", ["directions"], ["wide"], to=graphs.FLOAT),
        helper.make_node("MatMul", ["features", "wide"], ["along"]),
        helper.make_node("ReduceSumSquare", ["along", "across"], ["inside"], keepdims=0),
        helper.make_node("ReduceSumSquare", ["features", "across"], ["whole"], keepdims=0),
        helper.make_node("Max", ["whole", "tiny"], ["length"]),
        helper.make_node("Div", ["inside", "length"], ["share"]),
        helper.make_node("Sub", ["one", "share"], ["rest"]),
        helper.make_node("Relu", ["rest"], ["outside"]),
        helper.make_node("Sqrt", ["outside"], [OUTPUT]),
    )
    graphs.add_output(graph, OUTPUT, nodes, constants, ["N"])
