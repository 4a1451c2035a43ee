"""What a finished run leaves: its record, and its answers on photos that it did not learn from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from clothing_classifier.config import recorded_settings
from clothing_classifier.errors import ConfigError
from clothing_classifier.metrics import Floats, Integers
from clothing_classifier.provenance import read_record
from clothing_classifier.training.checkpoint import load_tensors, save_tensors

WEIGHTS, HELD_OUT = "best.safetensors", "held_out.safetensors"


def weights_in(path: Path) -> Path:
    """The weights of a run folder; any other path is a file of weights already."""
    return path / WEIGHTS if path.is_dir() else path


def first_difference(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """The first key in which two records are of different experiments, or None.

    Settings are compared as they are understood, so that a record from before a setting was added has its default.
    """
    if recorded_settings(one["settings"]) != recorded_settings(other["settings"]):
        return "settings"
    hashes = ("init_sha256", "teachers_sha256", "data_sha256")
    return next((key for key in hashes if one.get(key) != other.get(key)), None)


def check_same(first: dict[str, Any], mine: dict[str, Any]) -> None:
    """Raise `ConfigError` where the record of one process tells of another experiment than the first process's."""
    same = ("settings", "init_sha256", "teachers_sha256", "data_sha256", "device", "precision")
    key = next((key for key in same if mine[key] != first[key]), None)
    if key:
        raise ConfigError(f"'{key}' differs from that of the first process; give each the same command and files")


def save_held_out(
    run: Path, logits: Floats, targets: Integers, labels: Sequence[str], groups: Sequence[str | None]
) -> None:
    """Write validation's logits `(N, K)`, targets `(N,)` and groups `(N,)` to the run folder."""
    tensors = {"logits": torch.from_numpy(logits).float(), "targets": torch.from_numpy(targets)}
    save_tensors(run / HELD_OUT, tensors, {"labels": list(labels), "groups": list(groups)})


class HeldOut(NamedTuple):
    """Answers on photos that were not learnt from: logits `(N, K) float64`, targets `(N,)`, groups `(N,)`.

    The groups of runs from before groups were kept are None.
    """

    logits: Floats
    targets: Integers
    groups: list[str | None]


def load_held_out(runs: Sequence[Path], labels: Sequence[str]) -> HeldOut:
    """Pool what several finished runs held out, as of the folds of one data set; raises `ConfigError`.

    No two runs may hold out the same photos, which would count twice.
    """
    logits, targets = [], []
    groups: list[str | None] = []
    parts = [read_record(run)["data_sha256"] for run in runs]
    for run, part in zip(runs, parts, strict=True):
        if parts.count(part) > 1:
            raise ConfigError(f"{run}: another of these runs holds out the same photos")
        tensors, metadata = load_tensors(run / HELD_OUT)
        if metadata.get("labels") != list(labels):
            raise ConfigError(f"{run}: its classes are not those of the run that is exported")
        logits.append(tensors["logits"].double().numpy())
        targets.append(tensors["targets"].numpy())
        groups += metadata.get("groups") or [None] * len(targets[-1])
    return HeldOut(np.concatenate(logits), np.concatenate(targets), groups)
