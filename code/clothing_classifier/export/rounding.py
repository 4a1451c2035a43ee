"""Weights as int8 will hold them, and biases that take back what rounding adds on average.

Behind ReLU and ReLU6 many channels are always on, and what rounding does to the weight of such an input is a constant:
it shifts the layer's outputs on every photo, and the shifts of all layers add up. The means of the inputs on real
photos tell by how much (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction",
https://arxiv.org/abs/1906.04721, section 4.2, with measured means instead of inferred ones).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.export.onnx_graph import BATCH
from clothing_classifier.inference.session import open_session
from clothing_classifier.training.data import Photos, in_order


def round_weights(model: onnx.ModelProto, convolutions: Sequence[onnx.NodeProto], photos: Photos, steps: int) -> None:
    """Round the weights of `convolutions`, nodes of `model`, to `steps` to either side of 0, a scale for each channel.

    A quantizer of as many steps then finds them on its grid. Each convolution gets weights and a bias of its own; those
    whose weights are computed are left as they are. That borders see zeros, not inputs, is left out of account.
    """
    constants = {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}
    convolutions = [node for node in convolutions if constants.keys() >= set(node.input[1:])]
    if not convolutions:
        return
    places = {node.input[0]: constants[node.input[1]].ndim - 2 for node in convolutions}
    means = _mean_inputs(model, places, photos)
    for node in convolutions:
        weight = constants[node.input[1]]
        rounded = _on_grid(weight, steps)
        bias = -_mean_output(rounded - weight, means[node.input[0]])
        bias += constants[node.input[2]] if len(node.input) > 2 else 0
        del node.input[1:]
        for what, value in (("weight", rounded), ("bias", bias)):
            node.input.append(f"{node.output[0]}/{what}")
            model.graph.initializer.append(numpy_helper.from_array(value, node.input[-1]))
    used = {name for node in model.graph.node for name in node.input}
    for constant in [constant for constant in model.graph.initializer if constant.name not in used]:
        model.graph.initializer.remove(constant)


def _mean_inputs(model: onnx.ModelProto, places: Mapping[str, int], photos: Photos) -> dict[str, Floats]:
    """The mean of each tensor `(N, C, ...)` over photos and its `places`, so many dimensions, `(C,) float32`."""
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    for name, dimensions in places.items():
        axes = numpy_helper.from_array(np.arange(2, 2 + dimensions), f"{name}/places")
        asked.graph.initializer.append(axes)
        asked.graph.node.append(helper.make_node("ReduceMean", [name, axes.name], [f"{name}/mean"], keepdims=0))
        asked.graph.output.append(helper.make_tensor_value_info(f"{name}/mean", onnx.TensorProto.FLOAT, None))
    session = open_session(asked.SerializeToString(), {})
    found = [
        session.run([f"{name}/mean" for name in places], {"image": pixels.numpy()})
        for pixels, _ in photos.batches(in_order(len(photos), BATCH))
    ]
    return {name: np.concatenate(each).mean(0) for name, each in zip(places, zip(*found, strict=True), strict=True)}


def _on_grid(weight: Floats, steps: int) -> Floats:
    largest = np.abs(weight).reshape(len(weight), -1).max(1).reshape(-1, *(1,) * (weight.ndim - 1))
    scale = np.where(largest > 0, largest, 1) / steps
    rounded: Floats = (np.round(weight / scale) * scale).astype(np.float32)
    return rounded


def _mean_output(weight: Floats, means: Floats) -> Floats:
    """What a convolution gives on average `(O,)` for inputs of these `means` `(C,)`, groups considered."""
    outputs, inputs = weight.shape[:2]
    groups = len(means) // inputs
    each = weight.sum(tuple(range(2, weight.ndim))).reshape(groups, outputs // groups, inputs)
    mean: Floats = (each * means.reshape(groups, 1, inputs)).sum(2).reshape(outputs)
    return mean
