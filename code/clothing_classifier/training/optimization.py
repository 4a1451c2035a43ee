"""What moves the weights: the optimizer's groups, the learning rate at each step, and the average that is shipped."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from clothing_classifier.config import OptimizationSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier

_MOMENTUM = 0.9

Tensors = tuple[torch.Tensor, ...] | list[torch.Tensor]


def freeze(model: ImageClassifier, stages: int) -> None:
    """Let the first `stages` stages keep their weights; nothing is computed backward through them."""
    if stages > len(model.stages):
        raise ConfigError(f"setting optimization.frozen_stages: {stages}, and the network has {len(model.stages)}")
    for name, parameter in model.extractor.named_parameters():
        parameter.requires_grad_(stage_of(name, model) >= stages)


def towards(start: Mapping[str, torch.Tensor], model: nn.Module, share: float) -> nn.Module:
    """A network whose weights lie by `share` of the way from `model`'s to those of `start`; 0: `model` itself."""
    if not share:
        return model
    mixed = deepcopy(model)
    with torch.no_grad():
        for name, tensor in mixed.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(start[name], share)
    return mixed


def set_train_mode(model: nn.Module) -> None:
    """Set training mode, but for batch norms that are frozen: their statistics stay too."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()


def make_optimizer(model: ImageClassifier, settings: OptimizationSettings) -> torch.optim.Optimizer:
    """AdamW or SGD; matrices and kernels decay, biases and norms do not (as in the ResNet recipe of He et al. 2019)."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    kinds = ((settings.weight_decay, lambda p: p.ndim > 1), (0.0, lambda p: p.ndim <= 1))
    groups = [{"params": list(filter(belongs, learning)), "weight_decay": decay} for decay, belongs in kinds]
    groups = [group for group in groups if group["params"]]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=_MOMENTUM, nesterov=True)
    return torch.optim.AdamW(groups, lr=settings.learning_rate)


def stage_of(name: str, model: ImageClassifier) -> int:
    """The index in `model.stages` of the stage that the extractor's parameter `name` belongs to.

    A stage ends with the part that names it, so what comes before that part, and after the stage before, is in it too.
    The classifier comes after the last.
    """
    names = [parameter for parameter, _ in model.extractor.named_parameters()]
    ends = [max(i for i, known in enumerate(names) if known.startswith(f"{stage}.")) for stage in model.stages]
    return bisect_left(ends, names.index(name)) if name in names else len(model.stages)


def learning_rate(progress: float, settings: OptimizationSettings) -> float:
    """Linear warm-up, then half a cosine to zero (Loshchilov and Hutter 2017); `progress` in epochs."""
    if progress < settings.warmup_epochs:
        return settings.learning_rate * progress / settings.warmup_epochs
    rest = (progress - settings.warmup_epochs) / max(settings.epochs - settings.warmup_epochs, 1e-9)
    return settings.learning_rate * (1 + math.cos(math.pi * min(rest, 1.0))) / 2


def make_average(model: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of weights and buffers that follows closely at first, as TensorFlow's does."""

    def follow(averages: Tensors, currents: Tensors, steps: torch.Tensor | int) -> None:
        if averages[0].is_floating_point():
            rate = min(decay, (1 + int(steps)) / (10 + int(steps)))
            get_ema_multi_avg_fn(rate)(averages, currents, steps)  # type: ignore[no-untyped-call] # torch's stub
        else:
            for average, current in zip(averages, currents, strict=True):
                average.copy_(current)

    return AveragedModel(model, multi_avg_fn=follow, use_buffers=True)
