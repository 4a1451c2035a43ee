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
from clothing_classifier.training.parts import decode_parts, load_parts

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def photos(settings: tuple[str, ...]) -> Photos:
    understood = load_settings(None, settings)
    _, train, validation = load_parts(DATA, understood.data)
    return decode_parts(train, validation, sorted({record.label for record in train}), understood)[1]


def pointwise(groups: int, biased: bool) -> onnx.ModelProto:
    """A graph of one convolution of the colours."""
    random = np.random.default_rng(groups)
    weight = random.normal(size=(6, 3 // groups, 1, 1)).astype(np.float32)
    constants = {"weight": weight} | ({"bias": random.normal(size=6).astype(np.float32)} if biased else {})
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", *constants], ["found"], group=groups),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 32, 32, 3])
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, ["N", 6, 32, 32])
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "pointwise", [image], [found], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("biased", [True, False])
def test_outputs_keep_their_means(groups: int, biased: bool, photos: Photos) -> None:
    def outputs(model: onnx.ModelProto) -> np.ndarray:
        session = ort.InferenceSession(model.SerializeToString())
        batches = photos.batches(in_order(len(photos), 16))
        return np.concatenate([session.run(["found"], {"image": pixels.numpy()})[0] for pixels, _ in batches])

    model = pointwise(groups, biased)
    before, whole = outputs(model), numpy_helper.to_array(model.graph.initializer[0])
    round_weights(model, [model.graph.node[-1]], photos, steps=3)
    after, rounded = outputs(model), numpy_helper.to_array(model.graph.initializer[0])
    steps = rounded * 3 / np.abs(whole).max(1, keepdims=True)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-5)
    if groups == 1:  # one weight a channel is its own largest, and stays as it is
        assert np.abs(after - before).max() > 1
    np.testing.assert_allclose(after.mean((0, 2, 3)), before.mean((0, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize("seven_bits", [True, False])
def test_the_quantizer_finds_rounded_weights_on_its_grid(
    run: Path, photos: Photos, seven_bits: bool, tmp_path: Path
) -> None:
    model, _ = load_model(run / "best.safetensors")
    to_onnx(Graph(model).eval(), 32, tmp_path / "float.onnx")
    quantize_graph(tmp_path / "float.onnx", tmp_path / "int8.onnx", photos, seven_bits)
    rounded = constants(tmp_path / "int8.prepared.onnx")
    held = constants(tmp_path / "int8.onnx")
    quantized = [name for name in rounded if f"{name}_quantized" in held and rounded[name].ndim == 4]
    assert quantized
    for name in quantized:
        scale = held[f"{name}_scale"].reshape(-1, 1, 1, 1)
        np.testing.assert_allclose(held[f"{name}_quantized"] * scale, rounded[name], rtol=1e-5, atol=1e-7)


def constants(graph: Path) -> dict[str, np.ndarray]:
    return {item.name: numpy_helper.to_array(item) for item in onnx.load(graph).graph.initializer}
