"""What training makes small: cross-entropy against probabilities, of the label or of teachers."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from clothing_classifier.config import DistillationSettings
from clothing_classifier.metrics import Integers


def soft_loss(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Mean cross-entropy of `logits` `(N, K)` against probabilities `(N, K)`, smoothed (Szegedy et al. 2016)."""
    return F.cross_entropy(logits.float(), targets, label_smoothing=smoothing)


def log_shares(targets: Integers, classes: int) -> Tensor:
    """Logarithm of each class's share of the photos, `(K,) float32`.

    Added to the logits in the loss, they leave a network whose own logits treat rare classes as common ones (logit
    adjustment, Menon et al. 2021, https://arxiv.org/abs/2007.07314).
    """
    return torch.from_numpy(np.log(np.bincount(targets, minlength=classes) / len(targets))).float()


def distillation_loss(label_loss: Tensor, logits: Tensor, taught: Tensor, settings: DistillationSettings) -> Tensor:
    """Mix the labels' loss with that against what teachers answer, `taught` `(N, K)` probabilities.

    Gradients shrink with the square of the temperature, which is made up for (Hinton, Vinyals and Dean 2015,
    https://arxiv.org/abs/1503.02531).
    """
    softened = F.cross_entropy(logits.float() / settings.temperature, taught) * settings.temperature**2
    return torch.lerp(label_loss, softened, settings.weight)


def micro_batches(images: Tensor, targets: Tensor, parts: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut a batch into at most `parts` parts on `device`, channels last in memory."""
    for some, wanted in zip(images.chunk(parts), targets.chunk(parts), strict=True):
        yield some.to(device, memory_format=torch.channels_last), wanted.to(device)
