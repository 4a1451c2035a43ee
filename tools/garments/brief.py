"""What a garment painter is told: which garment of its class, its two sources of chance, and whether it hangs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Brief:
    """`design` decides what stays the same in every view of a garment, `pose` what changes between views."""

    number: int
    design: np.random.Generator
    pose: np.random.Generator
    hang: bool = False

    def style(self, *names: str) -> str:
        """One of the styles in turn, so that every class shows all of them."""
        return names[self.number % len(names)]

    def chance(self, share: float) -> bool:
        """A property of the garment that this share of garments has."""
        return bool(self.design.random() < share)

    def size(self, low: float, high: float) -> float:
        """A measure of the garment."""
        return float(self.design.uniform(low, high))
