"""Measured time of each layer, and the peak arithmetic rate and memory bandwidth of this machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from clothing_classifier.analysis.layers import Trace
from clothing_classifier.analysis.running import run
from clothing_classifier.utils import keep_large_blocks, progress_bar

_ROUNDS, _WARM_UP, _MACHINE_ROUNDS = 10, 2, 5


@torch.inference_mode()
def time_layers(model: nn.Module, trace: Trace) -> list[float | None]:
    """Median seconds of each layer of `trace`, float32, one image; None for operators outside leaf modules.

    Measured in the middle of the running network, with torch's threads as they are set.
    """
    keep_large_blocks()  # else the first stages mostly wait for the kernel to map memory
    was_training = model.training
    model.eval()
    known = {(layer.name, layer.type) for layer in trace.layers}  # an operator may be called as a module is
    leaves = [
        (name, module)
        for name, module in model.named_modules()
        if (name, type(module).__name__) in known and not list(module.children())
    ]
    calls: list[tuple[str, float]] = []
    started: list[float] = []
    handles: list[Any] = []
    for name, module in leaves:
        handles.append(module.register_forward_pre_hook(lambda m, args: started.append(time.perf_counter())))
        handles.append(module.register_forward_hook(
            lambda m, args, output, n=name: calls.append((n, time.perf_counter() - started.pop()))))  # fmt: skip
    image = torch.zeros(1, *trace.input)
    measured: list[list[tuple[str, float]]] = []
    try:
        with progress_bar("timing", _WARM_UP + _ROUNDS) as advance:
            for number in range(_WARM_UP + _ROUNDS):
                calls.clear()
                run(model, image)
                advance()
                if number >= _WARM_UP:
                    measured.append(list(calls))
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    # Calls end in the order of the leaf layers of the trace, since leaves do not nest.
    medians = iter([statistics.median(once[i][1] for once in measured) for i in range(len(measured[0]))])
    names = {(name, type(module).__name__) for name, module in leaves}
    return [next(medians) if (layer.name, layer.type) in names else None for layer in trace.layers]


@dataclass(frozen=True)
class Machine:
    """What this machine can: float32 operations a second in a large matrix product, and bytes a second copied."""

    flops_per_second: float
    bytes_per_second: float


def measure_machine() -> Machine:
    """Measure both roofs, with torch's threads as they are set; the best of several rounds."""
    side, copied = 1024, 32 * 2**20
    matrix, block = torch.rand(side, side), torch.rand(copied)
    product = _best(lambda: matrix @ matrix)
    copy = _best(lambda: block.clone())
    return Machine(2 * side**3 / product, 2 * block.numel() * block.element_size() / copy)


def _best(action: Callable[[], object]) -> float:
    times = []
    for _ in range(_MACHINE_ROUNDS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)
