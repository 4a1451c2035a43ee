"""What a channel is worth: the rise of the loss when it is replaced by its mean."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier.compression.channels import Group, find_groups
from clothing_classifier.models import ImageClassifier


@dataclass(frozen=True)
class ChannelImportance:
    """Mean activation and importance of the channels of each group, `(C,) float32`, by group."""

    means: dict[str, Tensor]
    importance: dict[str, Tensor]


def measure_importance(model: ImageClassifier, batches: Callable[[], Iterable[Tensor]], seed: int) -> ChannelImportance:
    """Measure `model` on images `(N, 3, H, W) float32 in [0, 1]`, which are gone through twice.

    Importance is half the mean square of the loss's derivative to a gate between a channel and its mean: the Fisher
    information of the gate, which is the loss's rise to second order (Theis et al. 2018,
    https://arxiv.org/abs/1801.05787). Labels are drawn from the network's own answers, so that photos need none.
    """
    groups = find_groups(model.eval())
    means = _mean_activations(model, groups, batches())
    generator = torch.Generator().manual_seed(seed)
    squares = {group.name: torch.zeros(group.channels) for group in groups}
    count = 0
    for images in batches():
        with _captured(model, groups) as seen:
            logits = model(images)
        drawn = torch.multinomial(logits.detach().softmax(1), 1, generator=generator)[:, 0]
        loss = F.cross_entropy(logits, drawn, reduction="sum")
        gradients = torch.autograd.grad(loss, [seen[group.name] for group in groups])
        for group, gradient in zip(groups, gradients, strict=True):
            centred = seen[group.name].detach() - means[group.name][:, None, None]
            squares[group.name] += (centred * gradient).sum(dim=(2, 3)).square().sum(0) / 2
        count += len(images)
    return ChannelImportance(means, {name: total / count for name, total in squares.items()})


@torch.no_grad()
def _mean_activations(model: ImageClassifier, groups: list[Group], batches: Iterable[Tensor]) -> dict[str, Tensor]:
    sums = {group.name: torch.zeros(group.channels) for group in groups}
    count = 0
    for images in batches:
        with _captured(model, groups) as seen:
            model(images)
        for name, activation in seen.items():
            sums[name] += activation.mean(dim=(2, 3)).sum(0)
        count += len(images)
    return {name: total / count for name, total in sums.items()}


@contextmanager
def _captured(model: ImageClassifier, groups: list[Group]) -> Iterator[dict[str, Tensor]]:
    """Keep what each group's `watched` module gives while the block lasts."""
    modules, seen = dict(model.named_modules()), {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen[name] = output

        return hook

    hooks = [modules[group.watched].register_forward_hook(keep(group.name)) for group in groups]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
