"""One call of an ATen operator: what a rule receives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clothing_classifier.analysis.field import Field, nowhere


class NoRule(Exception):
    """The rule of an operator does not cover these arguments."""


@dataclass(frozen=True)
class Call:
    """One operator at work: its name, its arguments by name, the fields of its tensor inputs, and its first output."""

    operator: torch._ops.OpOverload
    arguments: dict[str, Any]
    field_of: Callable[[Any], Field | None]
    output: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first output."""
        return tuple(self.output.shape)

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def field(self, name: str = "self") -> Field:
        """What the elements of an input see; a constant sees nothing."""
        tensor = self.arguments[name]
        return self.field_of(tensor) or nowhere(tuple(tensor.shape))

    def dims(self, name: str = "dim") -> list[int]:
        """A dimension argument as non-negative numbers: one, several, or all where it is absent."""
        count, given = self.arguments["self"].ndim, self.arguments.get(name)
        if given is None or given == []:
            return list(range(count))
        return [dim % max(count, 1) for dim in (given if isinstance(given, list | tuple) else [given])]

    @property
    def seeing(self) -> list[Field]:
        """The fields of all tensor inputs that have one, those in lists too."""
        flat = torch.utils._pytree.tree_leaves(list(self.arguments.values()))
        return [field for field in map(self.field_of, flat) if field is not None]


Rule = Callable[[Call], "Field | list[Field]"]
"""Gives the field of the first output, or of each where an operator gives a list of tensors."""
