"""Weights and resume state as safetensors with JSON metadata: written whole or not at all, never a pickle."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from clothing_classifier.datasets import content_sha256
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.utils import atomic_path

Tensors = dict[str, Tensor]

_KEY = "clothing_classifier"


def save_tensors(path: Path, tensors: Tensors, metadata: dict[str, Any]) -> None:
    """Write `tensors` with `metadata` as JSON under one key of the file's header; raises `OSError`."""
    with atomic_path(path) as temporary:
        try:
            save_file(
                {name: tensor.detach().contiguous() for name, tensor in tensors.items()},
                temporary,
                {_KEY: json.dumps(metadata)},
            )
        except SafetensorError as error:  # what a full disk is to it
            raise OSError(f"{path}: can't be written ({error})") from error


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


def with_prefix(prefix: str, tensors: Tensors) -> Tensors:
    """Put `prefix.` before every name."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def below(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with `prefix.`, without it."""
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """The optimizer's state by parameter index and key."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": torch.as_tensor(value) for index, slot in state.items() for key, value in slot.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what `optimizer_tensors` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


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
    """Raise `ConfigError` where the file holds what a run goes on from, and not a network's weights."""
    if "history" in metadata:
        raise ConfigError(
            f"{path}: this is the state that a run goes on from; its weights are best.safetensors beside it"
        )
