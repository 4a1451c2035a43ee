"""Where the points of a chart lie; templates draw them as inline SVG, in the page's own colours and type."""

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH, HEIGHT = 460, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 14, 50
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high` with a line at each of `ticks`, all of them shares."""

    title: str
    low: float
    high: float

    @property
    def ticks(self) -> list[float]:
        """Round values, some four to eight of them."""
        step = next((step for step in _STEPS if (self.high - self.low) / step <= 8), _STEPS[-1])
        first, last = round(self.low / step), round(self.high / step)
        return [i * step for i in range(first, last + 1) if self.low - 1e-9 <= i * step <= self.high + 1e-9]

    def place(self, value: float) -> float:
        """Where on the axis a value lies, from 0 to 1; what is beyond an end lies on it."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


@dataclass(frozen=True)
class Chart:
    """Two axes on a canvas of `WIDTH` x `HEIGHT` px."""

    across: Axis
    up: Axis
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM

    def x(self, value: float) -> float:
        """Pixels from the left of a value."""
        return round(self.left + self.across.place(value) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """Pixels from the top of a value."""
        return round(self.bottom - self.up.place(value) * (self.bottom - self.top), 1)

    def line(self, points: Iterable[tuple[float, float]]) -> str:
        """The `points` attribute of a polyline."""
        return " ".join(f"{self.x(x)},{self.y(y)}" for x, y in points)


def rounded_up(value: float) -> float:
    """The end of an axis that starts at zero and has room for the share `value`."""
    return next(end for end in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0) if value <= end)
