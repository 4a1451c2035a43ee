"""Teachers: trained networks whose answers a student learns instead of the labels."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.evaluation.provenance import read_record
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.run_folder import weights_in


class Teachers(nn.Module):
    """The mean probabilities of one or several networks on the very view that the student sees.

    That teacher and student see the same crop is what Beyer et al. 2022 find to matter
    (https://arxiv.org/abs/2106.05237).
    """

    def __init__(self, networks: Sequence[ImageClassifier], temperature: float) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.temperature = temperature
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # no stub

    def forward(self, images: Tensor) -> Tensor:
        """`(N, 3, H, W) float32 in [0, 1]` to probabilities `(N, K) float32`."""
        with torch.no_grad():
            answers = [(network(images).float() / self.temperature).softmax(1) for network in self.networks]
        return torch.stack(answers).mean(0)


def load_teachers(paths: Sequence[Path], labels: Sequence[str], data: str, temperature: float) -> Teachers | None:
    """Read teachers, given as run folders or as files of weights; None where there are none.

    Raises `ConfigError` where one knows other classes, or its record says that it learnt from other photos than those
    of the hash `data`: a teacher that saw what the student is validated on would leak it.
    """
    networks = []
    for path in paths:
        network, known = load_model(weights_in(path))
        if list(known) != list(labels):
            raise ConfigError(f"{path}: a teacher of {len(known)} classes that are not the {len(labels)} of this run")
        if path.is_dir() and read_record(path)["data_sha256"] != data:
            raise ConfigError(f"{path}: a teacher of other photos, or of another split, than those of this run")
        networks.append(network)
    return Teachers(networks, temperature) if networks else None
