"""Compression strategies: chains of steps, written `prune:0.5+smaller-input:160+quantize`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from clothing_classifier.errors import ConfigError

DEFAULTS = ("quantize", "smaller-input", "prune", "narrow", "distil")
FRACTIONS = {"prune": (0.7, 0.5), "narrow": (0.75, 0.5), "smaller-input": (0.75, 0.5)}
"""Tried where a step has no value: fraction of MACs, width, and fraction of the input's side."""
_SIDE = 32
"""Sides come in multiples of the network's stride."""


@dataclass(frozen=True)
class Strategy:
    """How to make one smaller network. None keeps what the parent has.

    `size` is the input's side in px, `width` the multiplier of all channels, `share` the fraction of the MACs that
    pruning leaves at that size and width.
    """

    size: int | None = None
    share: float | None = None
    width: float | None = None
    distil: bool = False
    quantize: bool = False

    @property
    def name(self) -> str:
        """The steps joined by `+`, in the order in which they are applied."""
        return "+".join([*self._trained_steps, *(["quantize"] if self.quantize else [])])

    @property
    def trained(self) -> str:
        """The steps that change weights; strategies that agree in them reuse one training. Empty for none."""
        return "+".join(self._trained_steps)

    @property
    def _trained_steps(self) -> list[str]:
        values = {"narrow": self.width, "smaller-input": self.size, "prune": self.share}
        steps = [f"{step}:{value:.12g}" for step, value in values.items() if value is not None]
        return [*steps, *(["distil"] if self.distil else [])]


def default_strategies(architecture: Mapping[str, Any], size: int, epochs: int) -> tuple[str, ...]:
    """The single-step strategies that apply to a parent of this architecture and `size`, with `epochs` to train."""
    widens = architecture["name"] == "mobilenet_v2"
    can = {
        "smaller-input": bool(_smaller_sides(size)), "prune": widens,
        "narrow": widens and "hidden" not in architecture["settings"], "distil": epochs > 0,
    }  # fmt: skip
    return tuple(step for step in DEFAULTS if can.get(step, True))


def parse_strategies(texts: Sequence[str], size: int) -> list[Strategy]:
    """The strategies in `texts`, without duplicates, for a parent of `size` px; raises `ConfigError`.

    Of two that differ in their fraction of MACs alone the larger comes first, since the smaller starts from it.
    """
    found = {strategy: None for text in texts for strategy in _parse(text, size)}
    return sorted(found, key=lambda s: (s.size or size, s.width or 1.0, s.share or 1.0), reverse=True)


def _parse(text: str, size: int) -> list[Strategy]:
    options = [_values(step.strip(), text, size) for step in text.split("+")]
    names = [option[0][0] for option in options]
    if len(set(names)) < len(names):
        raise ConfigError(f"strategy '{text}': each step can be given once")
    return [Strategy(**dict(choice)) for choice in product(*options)]  # type: ignore[arg-type] # keys and values agree


def _values(step: str, text: str, size: int) -> list[tuple[str, float | int | bool]]:
    name, colon, value = step.partition(":")
    if name in ("quantize", "distil"):
        if colon:
            raise ConfigError(f"strategy '{text}': {name} takes no value")
        return [(name, True)]
    if name not in FRACTIONS:
        known = "prune, narrow, smaller-input, quantize, distil"
        raise ConfigError(f"strategy '{text}': '{name}' is not a step; the steps are {known}, joined by +")
    numbers = [_number(value, text)] if colon else list(FRACTIONS[name])
    if name == "smaller-input":
        sides = numbers if colon else _smaller_sides(size)
        if not sides or any(n % 1 or not 8 <= n <= size for n in sides):
            raise ConfigError(f"strategy '{text}': the side is a whole number of pixels from 8 to the parent's {size}")
        return [("size", int(side)) for side in sides]
    if any(not 0 < n < 1 for n in numbers):
        raise ConfigError(f"strategy '{text}': {name} takes a fraction between 0 and 1, as in {name}:0.5")
    return [("share" if name == "prune" else "width", n) for n in numbers]


def _smaller_sides(size: int) -> list[float]:
    sides = (round(fraction * size / _SIDE) * _SIDE for fraction in FRACTIONS["smaller-input"])
    return [side for side in sides if 0 < side < size]


def _number(value: str, text: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"strategy '{text}': '{value}' is not a number")
    return number
