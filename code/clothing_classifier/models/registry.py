"""The registered architectures, and `create_model`, which builds one by name and settings."""

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from clothing_classifier.errors import ConfigError
from clothing_classifier.models.base import ImageClassifier
from clothing_classifier.models.mobilenet_v2 import mobilenet_v2
from clothing_classifier.models.resnet import resnet_small
from clothing_classifier.models.timm_adapter import timm_model
from clothing_classifier.utils import reason_of

ARCHITECTURES: dict[str, Callable[..., ImageClassifier]] = {"mobilenet_v2": mobilenet_v2, "resnet_small": resnet_small}


def create_model(name: str, num_classes: int, dropout: float = 0.0, /, **settings: Any) -> ImageClassifier:
    """Build a registered architecture, or `timm:NAME`, with random weights.

    `settings` are the architecture's own (as `width`); an unknown name or setting raises `ConfigError`.
    """
    if name.startswith("timm:"):
        return timm_model(name.removeprefix("timm:"), num_classes, dropout, **settings)
    if name not in ARCHITECTURES:
        raise ConfigError(f"model '{name}': unknown; use {', '.join(ARCHITECTURES)} or timm:NAME")
    build = ARCHITECTURES[name]
    known = dict(list(inspect.signature(build).parameters.items())[2:])
    for key, value in settings.items():
        if key not in known:
            raise ConfigError(f"model {name} has no setting '{key}' (settings: {', '.join(known)})")
        _check(f"model {name}, setting '{key}'", value, known[key])
    try:
        return build(num_classes, dropout, **settings)
    except RuntimeError as error:  # more than the memory there is
        raise ConfigError(f"model {name}: can't be built with {settings} ({reason_of(error)})") from error


def _check(subject: str, value: Any, parameter: inspect.Parameter) -> None:
    kind = parameter.annotation
    if kind is bool:
        if not isinstance(value, bool):
            raise ConfigError(f"{subject}: {value!r} is neither true nor false")
        return
    if kind == Sequence[int]:
        if not isinstance(value, list | tuple) or not all(type(item) is int and item > 0 for item in value):
            raise ConfigError(f"{subject}: {value!r} is not a list of whole numbers above 0")
        return
    allowed = (int,) if kind is int else (int, float)
    if not isinstance(value, allowed) or isinstance(value, bool) or not math.isfinite(value):
        raise ConfigError(f"{subject}: {value!r} is not a {'whole ' if kind is int else ''}number")
    if value < 0 or (value == 0 and parameter.default != 0):
        raise ConfigError(f"{subject}: {value} is not above 0")
