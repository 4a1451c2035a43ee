"""The result of a trace: the network's layers in the order in which they ran."""

import dataclasses
from dataclasses import dataclass

from clothing_classifier.analysis.extent import extent_of
from clothing_classifier.analysis.field import Extent, Field


@dataclass
class Layer:
    """One call of a leaf module, its operators summed, or one operator in a container's own forward.

    `output` is the shape without batch; `bytes_moved` goes in and out of memory, once for each operator; `kind` is the
    sort of product that it makes (`compute.kind`); `unknown` names operators without a rule.
    """

    name: str
    type: str
    output: tuple[int, ...] = ()
    params: int = 0
    macs: int = 0
    flops: int = 0
    field: Field | None = None
    activation_bytes: int = 0
    bytes_moved: int = 0
    kind: str = ""
    unknown: tuple[str, ...] = ()
    parameters: set[int] = dataclasses.field(default_factory=set, repr=False)

    @property
    def extent(self) -> Extent | None:
        """The field of a unit of the output; None where the output does not depend on the image."""
        return extent_of(self.field) if self.field else None

    @property
    def sees_all(self) -> bool:
        """Whether a unit sees the whole image by some path."""
        return self.field is not None and self.field.sees_all


@dataclass
class Trace:
    """A network as it ran: its layers in order, and what each module gave."""

    input: tuple[int, ...]
    layers: list[Layer]
    modules: dict[str, "Reached"]
    params: int
    field: Field

    @property
    def macs(self) -> int:
        """Of all layers."""
        return sum(layer.macs for layer in self.layers)

    @property
    def flops(self) -> int:
        """Of all layers."""
        return sum(layer.flops for layer in self.layers)


@dataclass(frozen=True)
class Reached:
    """Where a module ends: the field of its output, and the MACs of the network up to there."""

    extent: Extent | None
    macs: int
