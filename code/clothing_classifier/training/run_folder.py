"""What a run leaves in its folder: its record, and its predictions on photos that it was not trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from clothing_classifier.errors import ConfigError
from clothing_classifier.evaluation.metrics import Floats, Integers
from clothing_classifier.evaluation.provenance import RECORD, read_any_record, read_record
from clothing_classifier.training.checkpoint import STATE, load_tensors, save_tensors
from clothing_classifier.training.data import Photos

WEIGHTS, HELD_OUT = "best.safetensors", "held_out.safetensors"
_HASHES = {"init_sha256": "the first weights", "teachers_sha256": "the teachers", "data_sha256": "the data set"}


def weights_in(path: Path) -> Path:
    """The weights of a run folder; any other path is a file of weights already."""
    return path / WEIGHTS if path.is_dir() else path


def read_resumed(out: Path, record: dict[str, Any]) -> dict[str, Any] | None:
    """The record in `out`, None where there is none; raises `ConfigError` where it is of another run than `record`."""
    if not (out / RECORD).exists():
        return None
    before = read_any_record(out)
    if difference := first_difference(before, record):
        raise ConfigError(f"{out}: can't resume the run that was stopped: {difference}")
    return before


def first_difference(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """The first setting or input in which the records of two runs differ, as words; None where none does."""
    for section in before["settings"] | now["settings"]:
        was, wanted = (record["settings"].get(section, {}) for record in (before, now))
        for key in was | wanted:
            if was.get(key) != wanted.get(key):
                return f"{section}.{key} was {was.get(key)}, and is {wanted.get(key)}"
    changed = next((words for key, words in _HASHES.items() if before.get(key) != now.get(key)), None)
    return f"{changed} changed" if changed else None


def clean(out: Path, resume: bool) -> None:
    """Remove what a killed process left half-written in `out`, and, unless it is resumed, the state of a run."""
    for unfinished in out.glob(".*.part"):
        unfinished.unlink()
    if not resume:
        (out / STATE).unlink(missing_ok=True)


def save_held_out(run: Path, logits: Floats, photos: Photos, labels: Sequence[str]) -> None:
    """Write validation's logits `(N, K)`, with the photos' targets, groups and content hashes, to the run folder."""
    tensors = {"logits": torch.from_numpy(logits).float(), "targets": torch.from_numpy(photos.targets)}
    groups = [record.group for record in photos.records]
    save_tensors(run / HELD_OUT, tensors, {"labels": list(labels), "groups": groups, "photos": list(photos.keys)})


class HeldOut(NamedTuple):
    """Predictions on photos that were not trained on: logits `(N, K) float64`, targets `(N,)`, groups `(N,)`."""

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
    hashes = [read_record(run)["data_sha256"] for run in runs]
    for run, sha256 in zip(runs, hashes, strict=True):
        if hashes.count(sha256) > 1:
            raise ConfigError(f"{run}: another of these runs holds out the same photos")
        tensors, metadata = load_tensors(run / HELD_OUT)
        if metadata.get("labels") != list(labels):
            raise ConfigError(f"{run}: its classes are not those of the run that is exported")
        photos = set(metadata["photos"])
        if photos & seen:
            raise ConfigError(f"{run}: another of these runs holds out {len(photos & seen)} of its photos, too")
        seen |= photos
        logits.append(tensors["logits"].double().numpy())
        targets.append(tensors["targets"].numpy())
        groups += metadata["groups"]
    return HeldOut(np.concatenate(logits), np.concatenate(targets), groups)
