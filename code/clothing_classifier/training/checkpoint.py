"""Weights and resume state as safetensors with JSON metadata: written whole or not at all, never a pickle."""

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from clothing_classifier.datasets import content_sha256
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.training.ema import EMA
from clothing_classifier.utils import write_bytes, write_text

STATE, HISTORY = "last.safetensors", "history.csv"
"""The file in a run folder that the run is resumed from, and the figures of its epochs."""
_COLUMNS = ("epoch", "loss", "accuracy", "macro_f1", "log_loss", "learning_rate", "images_per_second")
_KEY = "clothing_classifier"

Tensors = dict[str, Tensor]


@dataclass
class State:
    """How far a run is: the next epoch, a row of figures for each finished one, and the row of the one that is kept."""

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)


def save_tensors(path: Path, tensors: Tensors, metadata: dict[str, Any]) -> None:
    """Write `tensors` with `metadata` as JSON under one key of the file's header; raises `OSError`."""
    # Not by `save_file`, whose own temporary file would stay beside `path` where the process is killed.
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, save(contiguous, {_KEY: json.dumps(metadata)}))


def load_tensors(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read tensors and metadata (empty where a foreign file has none); raises `ConfigError` naming the file."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            metadata = json.loads((file.metadata() or {}).get(_KEY, "{}"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file of weights") from error
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise ConfigError(f"{path}: not a whole safetensors file ({error})") from error
    return tensors, metadata


def weights_sha256(path: Path) -> str:
    """SHA-256 of a file of weights; raises `ConfigError` where it can't be read."""
    try:
        return content_sha256(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: there is no such run or file of weights, nor a shipped model of that name"
        ) from error


def save_weights(path: Path, model: ImageClassifier | nn.Module, labels: tuple[str, ...]) -> None:
    """Write weights with the architecture and the labels that they belong to."""
    save_tensors(path, model.state_dict(), {"architecture": model.architecture, "labels": list(labels)})


def load_model(path: Path) -> tuple[ImageClassifier, tuple[str, ...]]:
    """Rebuild the network that `path` holds, in evaluation mode, with its labels; raises `ConfigError`."""
    tensors, metadata = load_tensors(path)
    check_is_weights(path, metadata)
    if "architecture" not in metadata:
        raise ConfigError(f"{path}: these weights name no architecture; those that 'clothing train' writes do")
    architecture, labels = metadata["architecture"], tuple(metadata["labels"])
    model = create_model(architecture["name"], len(labels), **architecture["settings"])
    model.load_state_dict(tensors)
    return model.eval(), labels


def check_is_weights(path: Path, metadata: dict[str, Any]) -> None:
    """Raise `ConfigError` where the file holds a run's resume state, and not a network's weights."""
    if "history" in metadata:
        raise ConfigError(
            f"{path}: this is the state that a run is resumed from; its weights are best.safetensors beside it"
        )


def save_state(out: Path, state: State, model: nn.Module, ema: EMA, optimizer: torch.optim.Optimizer) -> None:
    """Write `last.safetensors` and `history.csv` to the run folder `out`."""
    parts = {"model": model.state_dict(), "ema": ema.state_dict(), "optimizer": optimizer_tensors(optimizer)}
    tensors = {f"{part}.{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
    _write_history(out / HISTORY, state.history)  # first: what a kill leaves without its state is written again
    save_tensors(out / STATE, tensors, {"epoch": state.epoch, "history": state.history, "best": state.best})


def load_state(out: Path, model: nn.Module, ema: EMA, optimizer: torch.optim.Optimizer) -> State:
    """Put back what `save_state` wrote to `out`; a new `State` where it wrote nothing. Raises `ConfigError`."""
    path = out / STATE
    if not path.exists():
        return State()
    tensors, metadata = load_tensors(path)
    try:
        model.load_state_dict(below("model", tensors))
        ema.load_state_dict(below("ema", tensors))
        restore_optimizer(optimizer, below("optimizer", tensors))
    except (RuntimeError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: the state of another network; remove it to begin anew") from error
    return State(metadata["epoch"], metadata["history"], metadata["best"])


def below(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with `prefix.`, without it."""
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """The optimizer's state by parameter index and key."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": torch.as_tensor(value) for index, slot in state.items() for key, value in slot.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what `optimizer_tensors` gave."""
    state: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(path, text.getvalue())
