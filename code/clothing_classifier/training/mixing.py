"""Photos mixed in pairs with their targets, which keeps a small data set from being learnt by heart."""

import math

import torch
from torch import Generator, Tensor

_MIXUP_ALPHA = 0.4
"""Beta(0.4, 0.4): most pairs are close to one of the two photos (Zhang et al. 2018 take 0.1 to 0.4 on ImageNet)."""


def mix(images: Tensor, targets: Tensor, probability: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """With `probability`, mix each photo with another of the batch, by mixup or by CutMix with even odds.

    `images` are `(N, 3, H, W)`, `targets` `(N, K)` probabilities; both come back in the same shape.
    """
    if _uniform(generator) >= probability:
        return images, targets
    partners = torch.randperm(len(images), generator=generator)
    way = mixup if _uniform(generator) < 0.5 else cutmix
    return way(images, targets, partners, generator)


def mixup(images: Tensor, targets: Tensor, partners: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Fade each photo into its partner (Zhang et al. 2018, https://arxiv.org/abs/1710.09412)."""
    share = _beta(_MIXUP_ALPHA, generator)
    return torch.lerp(images[partners], images, share), torch.lerp(targets[partners], targets, share)


def cutmix(images: Tensor, targets: Tensor, partners: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of the partner; targets mix by area (Yun et al. 2019, https://arxiv.org/abs/1905.04899)."""
    height, width = images.shape[2:]
    side = math.sqrt(_uniform(generator))  # the area is uniform, as Beta(1, 1) is
    top, bottom = _interval(height, side, generator)
    left, right = _interval(width, side, generator)
    images = images.clone()
    images[:, :, top:bottom, left:right] = images[partners, :, top:bottom, left:right]
    share = 1 - (bottom - top) * (right - left) / (height * width)
    return images, torch.lerp(targets[partners], targets, share)


def _interval(length: int, share: float, generator: Generator) -> tuple[int, int]:
    centre, half = _uniform(generator) * length, share * length / 2
    return max(0, round(centre - half)), min(length, round(centre + half))


def _beta(alpha: float, generator: Generator) -> float:
    """Draw from Beta(alpha, alpha), alpha at most 1, by Johnk's method: torch's own takes no generator."""
    while True:
        a, b = (math.pow(_uniform(generator), 1 / alpha) for _ in range(2))
        if 0 < a + b <= 1:
            return a / (a + b)


def _uniform(generator: Generator) -> float:
    return float(torch.rand((), generator=generator))
