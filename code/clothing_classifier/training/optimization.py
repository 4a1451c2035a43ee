"""Optimizer, learning-rate schedule and frozen stages."""

import math
from bisect import bisect_left

import torch
from torch import nn

from clothing_classifier.config import OptimizationSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier

_MOMENTUM = 0.9


def freeze_stages(model: ImageClassifier, stages: int) -> None:
    """Exclude the first `stages` stages from training; nothing is computed backward through them."""
    if stages > len(model.stages):
        raise ConfigError(f"setting optimization.frozen_stages: {stages}, and the network has {len(model.stages)}")
    for name, parameter in model.extractor.named_parameters():
        parameter.requires_grad_(stage_of(name, model) >= stages)


def set_train_mode(model: nn.Module) -> None:
    """Set training mode, except for frozen batch norms: their statistics stay too."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()


def check_batch_norm(model: nn.Module, smallest_batch: int) -> None:
    """Raise `ConfigError` where batch norm would normalise a batch of one photo by itself."""
    if smallest_batch < 2 and any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        raise ConfigError("setting optimization.batch_size: batch norm needs two photos or more in every batch")


def make_optimizer(model: ImageClassifier, settings: OptimizationSettings) -> torch.optim.Optimizer:
    """AdamW or SGD; matrices and kernels decay, biases and norms do not (as in the ResNet recipe of He et al. 2019)."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=_MOMENTUM, nesterov=True)
    return torch.optim.AdamW(groups, lr=settings.learning_rate)


def stage_of(name: str, model: ImageClassifier) -> int:
    """The index in `model.stages` of the stage that the extractor's parameter `name` belongs to.

    A stage ends with the module that names it: modules before that one, and after the stage before, are in it too.
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


def set_learning_rate(optimizer: torch.optim.Optimizer, progress: float, settings: OptimizationSettings) -> float:
    """Set and return the learning rate at `progress`, in epochs."""
    rate = learning_rate(progress, settings)
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate
