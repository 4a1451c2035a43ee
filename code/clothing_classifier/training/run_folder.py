"""What a finished run leaves: its record, and its answers on photos that it did not learn from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from clothing_classifier.errors import ConfigError
from clothing_classifier.evaluation.metrics import Floats, Integers
from clothing_classifier.evaluation.provenance import read_record
from clothing_classifier.evaluation.recorded import recorded_settings
from clothing_classifier.training.checkpoint import load_tensors, save_tensors

WEIGHTS, HELD_OUT = "best.safetensors", "held_out.safetensors"


def weights_in(path: Path) -> Path:
    """The weights of a run folder; any other path is a file of weights already."""
    return path / WEIGHTS if path.is_dir() else path


def first_difference(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """What two records first differ in that makes them different experiments, as words, or None.

    Settings are compared as they are understood, so that a record from before a setting was added has its default.
    """
    (settings, gone), (wanted, also_gone) = (recorded_settings(record["settings"]) for record in (one, other))
    for section, values in settings.model_dump().items():
        for key, value in values.items():
            now = getattr(getattr(wanted, section), key)
            if value != (list(now) if isinstance(value, list) else now):
                return f"{section}.{key} was {value}, and is {now}"
    if gone != also_gone:
        return f"{(*gone, *also_gone)[0]} is a setting of another version"
    names = {"init_sha256": "the first weights", "teachers_sha256": "the teachers", "data_sha256": "the data set"}
    key = next((key for key in names if one.get(key) != other.get(key)), None)
    return f"{names[key]} differ" if key and names[key].endswith("s") else f"{names[key]} differs" if key else None


def check_same(first: dict[str, Any], mine: dict[str, Any]) -> None:
    """Raise `ConfigError` where the record of one process tells of another experiment than the first process's."""
    same = ("settings", "init_sha256", "teachers_sha256", "data_sha256", "device", "precision")
    key = next((key for key in same if mine[key] != first[key]), None)
    if key:
        raise ConfigError(f"'{key}' differs from that of the first process; give each the same command and files")


def save_held_out(
    run: Path,
    logits: Floats,
    targets: Integers,
    labels: Sequence[str],
    groups: Sequence[str | None],
    photos: Sequence[str],
) -> None:
    """Write validation's logits `(N, K)`, targets `(N,)`, groups and content hashes `(N,)` to the run folder."""
    tensors = {"logits": torch.from_numpy(logits).float(), "targets": torch.from_numpy(targets)}
    metadata = {"labels": list(labels), "groups": list(groups), "photos": list(photos)}
    save_tensors(run / HELD_OUT, tensors, metadata)


class HeldOut(NamedTuple):
    """Predictions on photos that were not learnt from: logits `(N, K) float64`, targets `(N,)`, groups `(N,)`.

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
    seen: set[str] = set()
    parts = [read_record(run)["data_sha256"] for run in runs]
    for run, part in zip(runs, parts, strict=True):
        if parts.count(part) > 1:
            raise ConfigError(f"{run}: another of these runs holds out the same photos")
        tensors, metadata = load_tensors(run / HELD_OUT)
        if metadata.get("labels") != list(labels):
            raise ConfigError(f"{run}: its classes are not those of the run that is exported")
        photos = set(metadata.get("photos", ()))  # runs of earlier versions did not keep them
        if photos & seen:
            raise ConfigError(f"{run}: another of these runs holds out {len(photos & seen)} of its photos, too")
        seen |= photos
        logits.append(tensors["logits"].double().numpy())
        targets.append(tensors["targets"].numpy())
        groups += metadata.get("groups") or [None] * len(targets[-1])
    return HeldOut(np.concatenate(logits), np.concatenate(targets), groups)
