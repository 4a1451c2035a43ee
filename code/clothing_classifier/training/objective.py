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
    images: Tensor, classes: Tensor, parts: int, device: torch.device, taught: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Cut a batch into at most `parts` parts on `device`, channels last in memory, with what teachers said of each."""
    answers = [None] * parts if taught is None else taught.chunk(parts)
    for some, wanted, told in zip(images.chunk(parts), classes.chunk(parts), answers, strict=False):
        known = None if told is None else told.to(device)
        yield some.to(device, memory_format=torch.channels_last), wanted.to(device), known
