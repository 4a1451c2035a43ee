"""Receptive field and cost of a network's stages, as every bundle carries them.

The field is not derived but measured: with positive weights and linear activations nothing cancels, so the support of
one unit's gradient is the field itself (Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural
Networks", Distill 2019, give the definitions).
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from clothing_classifier.models import ImageClassifier

_PERIOD = 32
"""Sides that agree modulo the largest stride are padded alike at every layer."""
_LONG = 1600
"""Input rows that hold the field of every registered network twice over."""


def describe_stages(model: ImageClassifier, size: int) -> list[dict[str, Any]]:
    """For each stage: `name`, `receptive_field`, `stride` and `start` (each `[rows, columns]`, px) and `macs`.

    `start` is the first input row and column that unit (0, 0) sees, negative inside the padding. `macs` are those of a
    photo of `size` x `size` px, all convolutions of the stage. Networks without named stages give an empty list.
    """
    if not model.stages:
        return []
    linear = _positive_and_linear(model)
    rows = _measure(linear, size, axis=0)
    columns = _measure(linear, size, axis=1)
    macs = _macs_by_stage(model, size)
    return [
        {"name": name, **{key: [rows[name][key], columns[name][key]] for key in rows[name]}, "macs": macs[name]}
        for name in model.stages
    ]


def _measure(model: ImageClassifier, size: int, axis: int) -> dict[str, dict[str, int]]:
    """Extent, stride and start along one axis, from the gradient of the middle unit of each stage."""
    length = size + -(-_LONG // _PERIOD) * _PERIOD
    narrow = size % _PERIOD + _PERIOD
    shape = [1, 3, length, narrow] if axis == 0 else [1, 3, narrow, length]
    image = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    found = {}
    with _outputs(model) as outputs:
        model.feature_map(image)
        for name in model.stages:
            units = outputs[name].sum(dim=(0, 1, 3 - axis))
            middle = len(units) // 2
            (gradient,) = torch.autograd.grad(units[middle], image, retain_graph=True)
            seen = gradient.sum(dim=(0, 1, 3 - axis)).nonzero().flatten()
            first, last = int(seen[0]), int(seen[-1])
            stride = length // len(units)
            found[name] = {"receptive_field": last - first + 1, "stride": stride, "start": first - middle * stride}
    return found


def _positive_and_linear(model: ImageClassifier) -> ImageClassifier:
    model = copy.deepcopy(model).double().eval()
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.ReLU | nn.ReLU6):
            model.set_submodule(name, nn.Identity())
        elif isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.reset_parameters()
    return model


@contextmanager
def _outputs(model: ImageClassifier) -> Iterator[dict[str, Tensor]]:
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda module, inputs, output: outputs.__setitem__(name, output)

    hooks = [model.extractor.get_submodule(name).register_forward_hook(keep(name)) for name in model.stages]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


@torch.inference_mode()
def _macs_by_stage(model: ImageClassifier, size: int) -> dict[str, int]:
    """Sum each convolution's MACs into the first stage that ends after it has run."""
    macs, pending = {}, 0

    def count(module: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal pending
        pending += output[0].numel() * module.weight[0].numel()

    def close(name: str) -> Any:
        def end(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            nonlocal pending
            macs[name], pending = pending, 0

        return end

    convolutions = [module for module in model.extractor.modules() if isinstance(module, nn.Conv2d)]
    hooks = [module.register_forward_hook(count) for module in convolutions]
    hooks += [model.extractor.get_submodule(name).register_forward_hook(close(name)) for name in model.stages]
    model.eval().feature_map(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return macs
