"""Teachers: trained networks whose predictions a student learns instead of the labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.evaluation.provenance import read_record
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.data import Indices
from clothing_classifier.training.run_folder import weights_in


class TeacherPredictions(Protocol):
    """What the training loop asks of teachers."""

    def predict(self, images: Tensor, indices: Indices, view: int) -> Tensor:
        """Probabilities `(N, K) float32` on `images` `(N, 3, H, W)`: number `view` of the views of photos `indices`."""


class Teachers(nn.Module):
    """The mean probabilities of one or several networks on the very view that the student sees.

    That teacher and student see the same crop is what Beyer et al. 2022 find to matter
    (https://arxiv.org/abs/2106.05237).
    """

    def __init__(self, networks: Sequence[ImageClassifier]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # no stub

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """`(N, 3, H, W) float32 in [0, 1]` to probabilities `(N, K) float32`."""
        return torch.stack([network(images).float().softmax(1) for network in self.networks]).mean(0)

    def predict(self, images: Tensor, indices: Indices, view: int) -> Tensor:
        """Probabilities on `images`, whichever they are."""
        probabilities: Tensor = self(images)
        return probabilities


def load_teachers(paths: Sequence[Path], labels: Sequence[str], data: str) -> Teachers | None:
    """Read teachers, given as run folders or as files of weights; None where there are none.

    Raises `ConfigError` where one knows other classes, or its record says that it was trained on other photos than
    those of the hash `data`: a teacher that saw what the student is validated on would leak it.
    """
    networks = []
    for path in paths:
        network, known = load_model(weights_in(path))
        if list(known) != list(labels):
            raise ConfigError(f"{path}: a teacher of {len(known)} classes that are not the {len(labels)} of this run")
        if path.is_dir() and read_record(path)["data_sha256"] != data:
            raise ConfigError(f"{path}: a teacher of other photos, or of another split, than those of this run")
        networks.append(network)
    return Teachers(networks) if networks else None
