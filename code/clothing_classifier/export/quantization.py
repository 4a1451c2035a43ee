"""The float graph in int8, behind the gate of validation accuracy."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from torch import Tensor

from clothing_classifier.export.onnx_graph import OUTPUTS, run_graph
from clothing_classifier.export.rounding import round_weights
from clothing_classifier.inference.session import NO_OVERFLOW
from clothing_classifier.training.data import Photos, in_order

logger = logging.getLogger(__name__)

MAX_INT8_DROP = 0.005
"""Largest fall of validation accuracy that int8 may cost."""
_FLOAT_CONVOLUTIONS = 3
_EXTREMES_OF = 32
"""Photos whose extremes are one sample of a range. Another number gives other int8 graphs."""


def int8_or_float(graph: Path, photos: Photos, samples: Photos) -> tuple[Path, str, dict[str, str]]:
    """The int8 graph that any processor computes right, else one that needs a slower kernel, else the float graph.

    Seven-bit weights can't overflow the 16-bit sums of processors without VNNI; where they cost too much accuracy,
    eight bits go with a session option that makes ONNX Runtime avoid those sums.
    """

    def hits(graph: Path, options: dict[str, str]) -> int:
        return int((run_graph(graph, photos, options).argmax(1) == photos.targets).sum())

    n, parent = len(photos), hits(graph, {})
    for bits, options in ((7, {}), (8, {NO_OVERFLOW: "1"})):
        candidate = graph.with_name(f"int8-{bits}.onnx")
        quantize_graph(graph, candidate, samples, reduce_range=bits == 7)
        child = hits(candidate, options)
        accepted = (parent - child) / n <= MAX_INT8_DROP
        verdict = "accepted" if accepted else "refused"
        logger.info(
            f"int8, {bits}-bit weights: validation accuracy {child / n:.4f} (float {parent / n:.4f}), {verdict}"
        )
        if accepted:
            return candidate, "int8", options
    logger.info("the float graph is kept")
    return graph, "fp32", {}


def quantize_graph(graph: Path, out: Path, samples: Photos, reduce_range: bool, correct_biases: bool = True) -> None:
    """Write `graph` with uint8 activations and int8 weights per channel, ranges from `samples` (static quantization).

    The head stays in float, since it is a thousandth of the work and confidence hangs on it; the first convolutions
    too: on few channels the int8 kernel is the slower one, and their error goes through every layer after them.
    `correct_biases` takes back what rounding the weights adds on average.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, rounded = out.with_suffix(".prepared.onnx"), out.with_suffix(".rounded.onnx")
    quant_pre_process(graph, prepared, skip_symbolic_shape=True)
    model = onnx.load(prepared)
    head = [node.name for node in model.graph.node if set(node.output) & set(OUTPUTS)]
    convolutions = [node for node in model.graph.node if node.op_type == "Conv" and node.name not in head]
    first = [node.name for node in convolutions[:_FLOAT_CONVOLUTIONS]]
    if correct_biases:
        round_weights(model, convolutions[_FLOAT_CONVOLUTIONS:], samples, steps=64 if reduce_range else 127)
    onnx.save(model, rounded)
    quantize_static(
        rounded,
        out,
        _Samples(samples),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Add", "Clip"],
        nodes_to_exclude=[*first, *head],
        per_channel=True,
        reduce_range=reduce_range,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        # Of each batch the extremes, then their means: the one photo that goes furthest would coarsen all others.
        extra_options={"CalibMovingAverage": True},
    )


class _Samples:
    """Feeds calibration photos to ONNX Runtime's quantizer."""

    def __init__(self, photos: Photos) -> None:
        self.batches: Iterator[tuple[Tensor, Tensor]] = photos.batches(in_order(len(photos), _EXTREMES_OF))

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self.batches, None)
        return None if batch is None else {"image": batch[0].numpy()}
