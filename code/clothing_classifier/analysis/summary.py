"""A trace as plain data: what `clothing analyze --format json` prints and every table and figure is drawn from."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from clothing_classifier.analysis.extent import extent_of
from clothing_classifier.analysis.field import Extent
from clothing_classifier.analysis.layers import Layer, Trace


def summarise(name: str, trace: Trace, seconds: Sequence[float | None] | None = None) -> dict[str, Any]:
    """Model, input, layers and totals; `seconds` are those of each layer, where they were measured."""
    layers = [describe_layer(layer) for layer in trace.layers]
    for row, measured in zip(layers, seconds or [None] * len(layers), strict=True):
        if seconds is not None:
            row["seconds"] = measured
    unknown = sorted({operator for layer in trace.layers for operator in layer.unknown})
    return {
        "model": name,
        "input": list(trace.input),
        "layers": layers,
        "totals": {
            "params": trace.params,
            "macs": trace.macs,
            "flops": trace.flops,
            **describe_extent(extent_of(trace.field)),
            "global": trace.field.sees_all,
            **({"seconds": sum(s for s in seconds if s)} if seconds is not None else {}),
        },
        "operators_without_a_rule": unknown,
    }


def describe_layer(layer: Layer) -> dict[str, Any]:
    """One row."""
    return {
        "name": layer.name,
        "type": layer.type,
        "kind": layer.kind,
        "output": list(layer.output),
        "params": layer.params,
        "macs": layer.macs,
        "flops": layer.flops,
        **describe_extent(layer.extent),
        "global": layer.sees_all,
        "activation_bytes": layer.activation_bytes,
        "arithmetic_intensity": layer.flops / layer.bytes_moved if layer.bytes_moved else 0.0,
        **({"operators_without_a_rule": list(layer.unknown)} if layer.unknown else {}),
    }


def describe_extent(extent: Extent | None) -> dict[str, Any]:
    """Receptive field, stride and start, each `[rows, columns]`; zeros where the image is not seen."""
    if extent is None:
        return {"receptive_field": [0, 0], "stride": [0, 0], "start": [0, 0]}
    return {
        "receptive_field": list(extent.size),
        "stride": [_number(stride) for stride in extent.stride],
        "start": list(extent.start),
    }


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
