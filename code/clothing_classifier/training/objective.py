"""What training makes small where teachers help, and how a batch is computed in parts."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from clothing_classifier.config import DistillationSettings


def distillation_loss(label_loss: Tensor, logits: Tensor, taught: Tensor, settings: DistillationSettings) -> Tensor:
    """Mix the labels' loss with that against what teachers answer, `taught` `(N, K)` probabilities.

    Gradients shrink with the square of the temperature, which is made up for (Hinton, Vinyals and Dean 2015,
    https://arxiv.org/abs/1503.02531).
    """
    softened = F.cross_entropy(logits.float() / settings.temperature, taught) * settings.temperature**2
    return torch.lerp(label_loss, softened, settings.weight)


def micro_batches(
    images: Tensor, classes: Tensor, sizes: list[int], device: torch.device, taught: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Cut a batch into parts of these sizes on `device`, channels last, with what teachers said of each."""
    answers = [None] * len(sizes) if taught is None else torch.split(taught, sizes)
    for some, wanted, told in zip(torch.split(images, sizes), torch.split(classes, sizes), answers, strict=True):
        known = None if told is None else told.to(device)
        yield some.to(device, memory_format=torch.channels_last), wanted.to(device), known
