"""Weights as int8 will hold them, and biases that take back what rounding adds on average.

Behind ReLU6 many channels are always on, and what rounding does to the weight of such an input is a constant: it shifts
the layer's outputs on every photo, and the shifts of all layers add up. The means of the inputs on real photos tell by
how much (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction",
https://arxiv.org/abs/1906.04721, section 4.2, with measured means instead of inferred ones).
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from clothing_classifier.export.onnx_graph import BATCH
from clothing_classifier.inference import open_session
from clothing_classifier.metrics import Floats
from clothing_classifier.training.data import Photos, in_order


def round_weights(model: onnx.ModelProto, convolutions: Sequence[onnx.NodeProto], photos: Photos, steps: int) -> None:
    """Round the weights of `convolutions`, nodes of `model`, to `steps` to either side of 0, a scale for each channel.

    A quantizer of as many steps then finds them on its grid. Convolutions without a bias get one.
    """
    means = _mean_inputs(model, [node.input[0] for node in convolutions], photos)
    constants = {constant.name: constant for constant in model.graph.initializer}
    for node in convolutions:
        weight = numpy_helper.to_array(constants[node.input[1]])
        rounded = _on_grid(weight, steps)
        constants[node.input[1]].CopyFrom(numpy_helper.from_array(rounded, node.input[1]))
        shift = _mean_output(rounded - weight, means[node.input[0]])
        if len(node.input) == 2:
            node.input.append(f"{node.output[0]}/bias")
            constants[node.input[2]] = model.graph.initializer.add()
            constants[node.input[2]].CopyFrom(numpy_helper.from_array(np.zeros_like(shift), node.input[2]))
        bias = numpy_helper.to_array(constants[node.input[2]]) - shift
        constants[node.input[2]].CopyFrom(numpy_helper.from_array(bias, node.input[2]))


def _mean_inputs(model: onnx.ModelProto, names: Sequence[str], photos: Photos) -> dict[str, Floats]:
    """The mean of each tensor over photos and places, `(C,) float32`."""
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    asked.graph.initializer.append(numpy_helper.from_array(np.array([2, 3]), "places"))
    wanted = {name: f"{name}/mean" for name in names}
    for name, mean in wanted.items():
        asked.graph.node.append(helper.make_node("ReduceMean", [name, "places"], [mean], keepdims=0))
        asked.graph.output.append(helper.make_tensor_value_info(mean, onnx.TensorProto.FLOAT, None))
    session = open_session(asked.SerializeToString(), {})
    found = [
        session.run(list(wanted.values()), {"image": pixels.numpy()})
        for pixels, _ in photos.batches(in_order(len(photos), BATCH))
    ]
    return {name: np.concatenate(each).mean(0) for name, each in zip(wanted, zip(*found, strict=True), strict=True)}


def _on_grid(weight: Floats, steps: int) -> Floats:
    largest = np.abs(weight).reshape(len(weight), -1).max(1).reshape(-1, *(1,) * (weight.ndim - 1))
    scale = np.maximum(largest, np.finfo(np.float32).tiny) / steps
    rounded: Floats = (np.round(weight / scale) * scale).astype(np.float32)
    return rounded


def _mean_output(weight: Floats, means: Floats) -> Floats:
    """What a convolution gives on average `(O,)` for inputs of these `means` `(C,)`, groups considered."""
    outputs, inputs = weight.shape[:2]
    groups = len(means) // inputs
    each = weight.sum(tuple(range(2, weight.ndim))).reshape(groups, outputs // groups, inputs)
    mean: Floats = (each * means.reshape(groups, 1, inputs)).sum(2).reshape(outputs)
    return mean
