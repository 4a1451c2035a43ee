"""Teachers: trained networks whose answers a student learns instead of the labels."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training.checkpoint import load_model


class Teachers(nn.Module):
    """The mean probabilities of one or several networks on the very view that the student sees.

    That teacher and student see the same crop, mixed alike, is what Beyer et al. 2022 find to matter
    (https://arxiv.org/abs/2106.05237).
    """

    def __init__(self, networks: Sequence[ImageClassifier], temperature: float) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.temperature = temperature
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """`(N, 3, H, W) float32 in [0, 1]` to probabilities `(N, K) float32`."""
        with torch.no_grad():
            answers = [(network(images).float() / self.temperature).softmax(1) for network in self.networks]
        return torch.stack(answers).mean(0)


def load_teachers(paths: Sequence[Path], labels: Sequence[str], temperature: float) -> Teachers:
    """Read teachers from files that `train` wrote; raises `ConfigError` where one knows other classes."""
    networks = []
    for path in paths:
        network, known = load_model(path)
        if list(known) != list(labels):
            raise ConfigError(f"{path}: a teacher of {len(known)} classes that are not the {len(labels)} of this run")
        networks.append(network)
    return Teachers(networks, temperature)
