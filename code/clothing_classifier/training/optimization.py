"""What moves the weights: the optimizer's groups, the learning rate at each step, and the average that is shipped."""

import math

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from clothing_classifier.config import OptimizationSettings


def make_optimizer(model: nn.Module, settings: OptimizationSettings) -> torch.optim.AdamW:
    """AdamW that decays matrices and kernels only, not biases and norms (as in the ResNet recipe of He et al. 2019)."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate)


def learning_rate(progress: float, settings: OptimizationSettings) -> float:
    """Linear warm-up, then half a cosine to zero (Loshchilov and Hutter 2017); `progress` in epochs."""
    if progress < settings.warmup_epochs:
        return settings.learning_rate * progress / settings.warmup_epochs
    rest = (progress - settings.warmup_epochs) / max(settings.epochs - settings.warmup_epochs, 1e-9)
    return settings.learning_rate * (1 + math.cos(math.pi * min(rest, 1.0))) / 2


def make_average(model: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of weights and buffers that follows closely at first, as TensorFlow's does."""

    def follow(average: torch.Tensor, current: torch.Tensor, steps: torch.Tensor | int) -> torch.Tensor:
        if not average.is_floating_point():
            return current
        rate = min(decay, (1 + float(steps)) / (10 + float(steps)))
        return torch.lerp(current, average, rate)

    return AveragedModel(model, avg_fn=follow, use_buffers=True)
