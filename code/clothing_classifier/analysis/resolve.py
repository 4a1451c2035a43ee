"""Build the network that a user names: a registered name, a bundle, `timm:NAME`, or `module:callable`."""

import importlib
import sys
import tomllib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clothing_classifier.errors import AnalysisError, ConfigError
from clothing_classifier.inference import bundle
from clothing_classifier.models import ARCHITECTURES, create_model
from clothing_classifier.utils import reason_of

_CLASSES = 1000
"""Outputs of a registered architecture: those of ImageNet, which published figures count."""


def resolve(text: str) -> nn.Module:
    """Build the network that `text` names; raises `AnalysisError` or another `UsageError`.

    A registered name may be followed by settings, as in `mobilenet_v2:width=0.5,batch_norm=false`. A bundle is rebuilt
    from its architecture, with its weights where its folder holds them. A callable is called without arguments.
    Random weights are the same each time, so that effective fields are too.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _build(text)


def _build(text: str) -> nn.Module:
    name, colon, rest = text.partition(":")
    if name in ARCHITECTURES:
        return create_model(name, _CLASSES, **_settings(text, rest))
    if name == "timm" and colon:
        return create_model(text, _CLASSES)
    if _is_bundle(text):
        return _from_bundle(text)
    if colon and name and rest:
        return _call(name, rest)
    known = ", ".join([*ARCHITECTURES, *bundle.shipped()])
    raise AnalysisError(f"model '{text}': neither of {known}, nor a bundle's path, timm:NAME or module:callable")


def default_input(text: str) -> tuple[int, int, int] | None:
    """The image that a bundle reads, `(3, H, W)`; None for any other model."""
    if not _is_bundle(text):
        return None
    size = bundle.load_bundle(text).manifest.preprocessing.size
    return 3, size, size


def has_random_weights(text: str) -> bool:
    """Whether `resolve` gives the network weights that nothing was learnt with; of a callable's own it can't tell."""
    if _is_bundle(text):
        return not _holds_weights(bundle.load_bundle(text))
    return _is_registered(text)


def _is_registered(text: str) -> bool:
    name, colon, _ = text.partition(":")
    return name in ARCHITECTURES or bool(name == "timm" and colon)


def _is_bundle(text: str) -> bool:
    """Whether a bundle is meant: not where a folder is called as an architecture is."""
    return not _is_registered(text) and (text in bundle.shipped() or Path(text).exists())


def _holds_weights(loaded: bundle.Bundle) -> bool:
    return bundle.WEIGHTS in loaded.manifest.hashes and loaded.path.is_dir()


def _settings(text: str, rest: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        try:
            settings[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"model '{text}': write settings as name:width=0.5,batch_norm=false") from error
    return settings


def _from_bundle(text: str) -> nn.Module:
    loaded = bundle.load_bundle(text)
    architecture = loaded.manifest.architecture
    try:
        model = create_model(architecture["name"], len(loaded.manifest.labels), **architecture["settings"])
    except (KeyError, TypeError) as error:  # a bundle that another tool made
        raise AnalysisError(f"{loaded.path}: the bundle's architecture is none that this package builds") from error
    if _holds_weights(loaded):
        from safetensors.torch import load_file

        model.load_state_dict({name: tensor.float() for name, tensor in load_file(bundle.weights_of(text)).items()})
    return model


def _call(module: str, name: str) -> nn.Module:
    if "" not in sys.path:
        sys.path.insert(0, "")  # the working directory, as for `python -m`
    subject = f"model '{module}:{name}'"
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise AnalysisError(f"{subject}: {module} has no '{name}'") from error
    except (Exception, SystemExit) as error:  # any error of a foreign module is reported in one line
        raise AnalysisError(f"{subject}: importing {module} failed: {_reason(error)}") from error
    if not callable(found):
        raise AnalysisError(f"{subject}: not a callable, but {type(found).__name__}")
    try:
        model = found() if not isinstance(found, nn.Module) else found
    except (Exception, SystemExit) as error:
        raise AnalysisError(f"{subject}: it does not build when called without arguments: {_reason(error)}") from error
    if not isinstance(model, nn.Module):
        raise AnalysisError(f"{subject}: gives {type(model).__name__}, not a torch.nn.Module")
    return model


def _reason(error: BaseException) -> str:
    kind, reason = type(error).__name__, reason_of(error)
    return kind if reason == kind else f"{kind}: {reason}"
