"""What a finished run answers on photos that it did not learn from: what confidence is calibrated with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from clothing_classifier.errors import ConfigError
from clothing_classifier.metrics import Floats, Integers
from clothing_classifier.training.checkpoint import load_tensors, save_tensors

FILE = "held_out.safetensors"


def save_held_out(run: Path, logits: Floats, targets: Integers, labels: Sequence[str]) -> None:
    """Write validation's logits `(N, K)` and targets `(N,)` to the run folder."""
    tensors = {"logits": torch.from_numpy(logits).float(), "targets": torch.from_numpy(targets)}
    save_tensors(run / FILE, tensors, {"labels": list(labels)})


def load_held_out(runs: Sequence[Path], labels: Sequence[str]) -> tuple[Floats, Integers]:
    """Pool the logits and targets of several runs, as of the folds of one data set; raises `ConfigError`."""
    logits, targets = [], []
    for run in runs:
        tensors, metadata = load_tensors(run / FILE)
        if metadata.get("labels") != list(labels):
            raise ConfigError(f"{run}: its classes are not those of the run that is exported")
        logits.append(tensors["logits"].double().numpy())
        targets.append(tensors["targets"].numpy())
    return np.concatenate(logits), np.concatenate(targets)
