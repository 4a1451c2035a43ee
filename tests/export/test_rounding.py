"""Rounded weights lie on the quantizer's grid, and what rounding would shift on average the bias takes back."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from clothing_classifier.config import load_settings
from clothing_classifier.export.onnx_graph import Graph, to_onnx
from clothing_classifier.export.quantization import quantize_graph
from clothing_classifier.export.rounding import round_weights
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.data import Photos, in_order
from clothing_classifier.training.splits import decode_splits, load_splits

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def photos(settings: tuple[str, ...]) -> Photos:
    understood = load_settings(None, settings)
    _, train, validation = load_splits(DATA, understood.data)
    return decode_splits(train, validation, sorted({record.label for record in train}), understood).validation


def convolving(groups: int = 1, biased: bool = True, flat: bool = False, times: int = 1) -> onnx.ModelProto:
    """A graph of pointwise convolutions of the colours, twice over, of maps or sequences; all have the same weights."""
    random = np.random.default_rng(groups)
    constants = {"weight": random.normal(size=(6, 6 // groups, 1) if flat else (6, 6 // groups, 1, 1))}
    constants |= {"bias": random.normal(size=6)} if biased else {}
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["colours"], perm=[0, 3, 1, 2]),
        helper.make_node("Concat", ["colours", "colours"], ["maps"], axis=1),
        helper.make_node("Reshape", ["maps", "shape"], ["0"]),
        *(helper.make_node("Conv", [f"{i}", *constants], [f"{i + 1}"], group=groups) for i in range(times)),
        helper.make_node("Flatten", [f"{times}"], ["found"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 32, 32, 3])
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, ["N", 6144])
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    initializers.append(numpy_helper.from_array(np.array([0, 6, 1024] if flat else [0, 6, 32, 32]), "shape"))
    graph = helper.make_graph(nodes, "convolving", [image], [found], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def outputs(model: onnx.ModelProto, photos: Photos) -> np.ndarray:
    """`(N, 6, 1024)`."""
    session = ort.InferenceSession(model.SerializeToString())
    batches = photos.batches(in_order(len(photos), 16))
    found = [session.run(["found"], {"image": pixels.numpy()})[0] for pixels, _ in batches]
    return np.concatenate(found).reshape(-1, 6, 1024)


@pytest.mark.parametrize(
    "model",
    [convolving(), convolving(groups=3), convolving(biased=False), convolving(flat=True), convolving(times=2)],
    ids=["plain", "groups", "no-bias", "sequences", "shared"],
)
def test_outputs_keep_their_means(model: onnx.ModelProto, photos: Photos) -> None:
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    before, whole = outputs(model, photos), numpy_helper.to_array(model.graph.initializer[0])
    round_weights(model, convolutions, photos, steps=3)
    after, held = outputs(model, photos), {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    assert held.keys() == {"shape", *(name for node in convolutions for name in node.input[1:])}
    for node in convolutions:
        steps = held[node.input[1]] * 3 / np.abs(whole).max(1, keepdims=True)
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-5)
    assert np.abs(after - before).max() > 1
    np.testing.assert_allclose(after.mean((0, 2)), before.mean((0, 2)), rtol=1e-3)


def test_nothing_to_round_is_left_alone(photos: Photos) -> None:
    model = convolving()
    before = model.SerializeToString()
    round_weights(model, [], photos, steps=3)
    model.graph.node[-2].input[1] = "0"  # weights that the graph computes
    round_weights(model, [model.graph.node[-2]], photos, steps=3)
    model.graph.node[-2].input[1] = "weight"
    assert model.SerializeToString() == before


@pytest.mark.parametrize("seven_bits", [True, False])
def test_the_quantizer_finds_rounded_weights_on_its_grid(
    run: Path, photos: Photos, seven_bits: bool, tmp_path: Path
) -> None:
    model, _ = load_model(run / "best.safetensors")
    to_onnx(Graph(model).eval(), 32, tmp_path / "float.onnx")
    quantize_graph(tmp_path / "float.onnx", tmp_path / "int8.onnx", photos, seven_bits)
    rounded = constants(tmp_path / "int8.rounded.onnx")
    held = constants(tmp_path / "int8.onnx")
    quantized = [name for name in rounded if f"{name}_quantized" in held and rounded[name].ndim == 4]
    assert quantized
    for name in quantized:
        scale = held[f"{name}_scale"].reshape(-1, 1, 1, 1)
        np.testing.assert_allclose(held[f"{name}_quantized"] * scale, rounded[name], rtol=1e-5, atol=1e-7)


def constants(graph: Path) -> dict[str, np.ndarray]:
    return {item.name: numpy_helper.to_array(item) for item in onnx.load(graph).graph.initializer}
