"""What a finished run leaves: its record, and its answers on photos that it did not learn from."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clothing_classifier.errors import ConfigError
from clothing_classifier.metrics import Floats, Integers
from clothing_classifier.training.checkpoint import load_tensors, save_tensors

RECORD, WEIGHTS, HELD_OUT = "run.json", "best.safetensors", "held_out.safetensors"


def read_record(run: Path) -> dict[str, Any]:
    """The record of a finished run; raises `ConfigError`."""
    try:
        record: dict[str, Any] = json.loads((run / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{run}: not a run folder of 'clothing train' (no readable {RECORD})") from error
    if "metrics" not in record:
        raise ConfigError(f"{run}: this run is not finished; go on with 'clothing train --resume'")
    return record


def save_held_out(run: Path, logits: Floats, targets: Integers, labels: Sequence[str]) -> None:
    """Write validation's logits `(N, K)` and targets `(N,)` to the run folder."""
    tensors = {"logits": torch.from_numpy(logits).float(), "targets": torch.from_numpy(targets)}
    save_tensors(run / HELD_OUT, tensors, {"labels": list(labels)})


def load_held_out(runs: Sequence[Path], labels: Sequence[str]) -> tuple[Floats, Integers]:
    """Pool the logits and targets of several runs, as of the folds of one data set; raises `ConfigError`."""
    logits, targets = [], []
    for run in runs:
        tensors, metadata = load_tensors(run / HELD_OUT)
        if metadata.get("labels") != list(labels):
            raise ConfigError(f"{run}: its classes are not those of the run that is exported")
        logits.append(tensors["logits"].double().numpy())
        targets.append(tensors["targets"].numpy())
    return np.concatenate(logits), np.concatenate(targets)
