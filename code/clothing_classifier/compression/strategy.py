"""What to try: a candidate is a chain of steps, written `prune:0.5+smaller-input:160+quantize`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from clothing_classifier.errors import ConfigError

DEFAULTS = ("quantize", "smaller-input", "prune", "narrow", "distil")
SHARES = {"prune": (0.7, 0.5), "narrow": (0.75, 0.5), "smaller-input": (0.75, 0.5)}
"""Tried where a step has no value: share of MACs, width, and share of the input's side."""
_SIDE = 32
"""Sides come in multiples of the network's stride."""


@dataclass(frozen=True)
class Candidate:
    """A network to try: at `size` px, pruned to `share` of the MACs that it has there, at `width`; in int8; distilled.

    None leaves what the parent has.
    """

    size: int | None = None
    share: float | None = None
    width: float | None = None
    distil: bool = False
    quantize: bool = False

    @property
    def name(self) -> str:
        """As it is written; steps in the order in which they are done."""
        return "+".join([*self._trained_steps, *(["quantize"] if self.quantize else [])])

    @property
    def trained(self) -> str:
        """The steps that weights come from: candidates of the same ones share a training. Empty for the parent's."""
        return "+".join(self._trained_steps)

    @property
    def _trained_steps(self) -> list[str]:
        values = {"narrow": self.width, "smaller-input": self.size, "prune": self.share}
        steps = [f"{step}:{value:.12g}" for step, value in values.items() if value is not None]
        return [*steps, *(["distil"] if self.distil else [])]


def default_strategies(architecture: Mapping[str, Any], size: int, epochs: int) -> tuple[str, ...]:
    """Each strategy alone that a parent of this architecture and of `size` px can take, with `epochs` to learn in."""
    widens = architecture["name"] == "mobilenet_v2"
    can = {
        "smaller-input": bool(_smaller_sides(size)), "prune": widens,
        "narrow": widens and "hidden" not in architecture["settings"], "distil": epochs > 0,
    }  # fmt: skip
    return tuple(step for step in DEFAULTS if can.get(step, True))


def parse_strategies(texts: Sequence[str], size: int) -> list[Candidate]:
    """The candidates of `texts`, each once, for a parent of `size` px; raises `ConfigError`.

    Of those that differ in their share alone the larger comes first, since the smaller starts from it.
    """
    found = {candidate: None for text in texts for candidate in _parse(text, size)}
    return sorted(found, key=lambda c: (c.size or size, c.width or 1.0, c.share or 1.0), reverse=True)


def _parse(text: str, size: int) -> list[Candidate]:
    options = [_values(step.strip(), text, size) for step in text.split("+")]
    names = [option[0][0] for option in options]
    if len(set(names)) < len(names):
        raise ConfigError(f"strategy '{text}': a step stands there twice")
    return [Candidate(**dict(choice)) for choice in product(*options)]  # type: ignore[arg-type] # keys and values agree


def _values(step: str, text: str, size: int) -> list[tuple[str, float | int | bool]]:
    name, colon, value = step.partition(":")
    if name in ("quantize", "distil"):
        if colon:
            raise ConfigError(f"strategy '{text}': {name} takes no value")
        return [(name, True)]
    if name not in SHARES:
        known = "prune, narrow, smaller-input, quantize, distil"
        raise ConfigError(f"strategy '{text}': '{name}' is none of {known}; join several by +")
    numbers = [_number(value, text)] if colon else list(SHARES[name])
    if name == "smaller-input":
        sides = numbers if colon else _smaller_sides(size)
        if not sides or any(n % 1 or not 8 <= n <= size for n in sides):
            raise ConfigError(f"strategy '{text}': the side is a whole number of pixels from 8 to the parent's {size}")
        return [("size", int(side)) for side in sides]
    if any(not 0 < n < 1 for n in numbers):
        raise ConfigError(f"strategy '{text}': {name} takes a share between 0 and 1, as in {name}:0.5")
    return [("share" if name == "prune" else "width", n) for n in numbers]


def _smaller_sides(size: int) -> list[float]:
    sides = (round(share * size / _SIDE) * _SIDE for share in SHARES["smaller-input"])
    return [side for side in sides if 0 < side < size]


def _number(value: str, text: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"strategy '{text}': '{value}' is no number")
    return number
