"""Intervals of one axis of the image, for all elements of a tensor at once, periodic along each of its factors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
T = TypeVar("T")

NOWHERE = 2**60
"""Lower end of an interval that holds nothing; its upper end is the negative."""
_LONGEST = 2**20
"""Periods above this are cut to the elements that there are."""


@dataclass(frozen=True)
class IndexMap:
    """Which input indices each output index reads: `taps[j]` for output `j` of the first period, masked by `there`.

    Output `j + len(taps)` reads what `j` reads, moved by `step`.
    """

    taps: Ints
    step: int
    there: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Spread:
    """Intervals along one axis of the image: `lo` and `hi` with one axis a factor, as long as that factor's period."""

    lo: Ints
    hi: Ints
    shift: tuple[int, ...]

    @property
    def nowhere(self) -> bool:
        """Whether no element sees anything."""
        return bool((self.lo > self.hi).all())

    def slope(self, factor: int) -> Fraction:
        """Input pixels that an interval moves by when the factor's index grows by 1."""
        return Fraction(self.shift[factor], self.lo.shape[factor])

    def at(self, factor: int, index: Ints) -> tuple[Ints, Ints]:
        """Ends of the intervals at `index` (any shape) in the place of `factor`."""
        turns, phase = np.divmod(index, self.lo.shape[factor])
        moved = (turns * self.shift[factor]).reshape(index.shape + (1,) * (self.lo.ndim - factor - 1))
        return self.lo.take(phase, factor) + moved, self.hi.take(phase, factor) + moved

    def mapped(self, factor: int, reads: IndexMap, size: int) -> "Spread":
        """Intervals of `size` outputs that read along `factor` as `reads` says."""
        period, shift = self.lo.shape[factor], self.shift[factor]
        if period == 1 and shift == 0 and reads.there is None:
            return self
        turns = period // gcd(period, reads.step)
        steps = (np.arange(turns) * reads.step)[:, None, None]
        there = None if reads.there is None else np.tile(reads.there, (turns, 1))
        moved = shift * turns * reads.step // period
        taps = (reads.taps[None] + steps).reshape(-1, reads.taps.shape[1])
        if (moved == 0 or len(taps) > _LONGEST) and len(taps) > size:
            moved = round(Fraction(moved * size, len(taps)))
            taps, there = taps[:size], None if there is None else there[:size]
        lo, hi = self.at(factor, taps)
        if there is not None:
            absent = ~there.reshape(there.shape + (1,) * (self.lo.ndim - factor - 1))
            lo, hi = np.where(absent, NOWHERE, lo), np.where(absent, -NOWHERE, hi)
        return spread_of(lo.min(factor + 1), hi.max(factor + 1), replaced(self.shift, factor, moved)).shrunk(factor)

    def windowed(self, factor: int, offsets: Ints, step: int, first: int) -> "Spread":
        """Two factors in the place of one, taps and windows: tap `k` of window `j` reads `first + j * step + k`."""
        period, shift = self.lo.shape[factor], self.shift[factor]
        turns = period // gcd(period, step)
        index = first + offsets[:, None] + np.arange(turns)[None] * step
        moved = (0, shift * turns * step // period)
        return spread_of(*self.at(factor, index), (*self.shift[:factor], *moved, *self.shift[factor + 1 :]))

    def united(self, factor: int, size: int) -> "Spread":
        """The union along `factor`, which keeps one element that is the same wherever it is read."""
        lo, hi = self.at(factor, np.arange(size) if self.lo.shape[factor] > 1 else np.array([0, size - 1]))
        return spread_of(lo.min(factor, keepdims=True), hi.max(factor, keepdims=True), replaced(self.shift, factor, 0))

    def listed(self, factor: int, size: int) -> "Spread":
        """Every one of `size` intervals written out; beyond the last they go on at the same slope."""
        moved = round(self.slope(factor) * size)
        return spread_of(*self.at(factor, np.arange(size)), replaced(self.shift, factor, moved))

    def margined(self, factor: int, size: int) -> "Spread":
        """Written out like `listed`, and as far again to either side, for what has no period of its own.

        Indices below 0 stand at the end of the period, where reading them finds them.
        """
        moved = round(self.slope(factor) * 3 * size)
        lo, hi = self.at(factor, np.concatenate([np.arange(2 * size), np.arange(-size, 0)]))
        below = (np.arange(3 * size) >= 2 * size) * moved
        below = below.reshape(-1, *(1,) * (self.lo.ndim - factor - 1))
        return spread_of(lo + below, hi + below, replaced(self.shift, factor, moved))

    def repeated(self, factor: int, period: int) -> "Spread":
        """The same with a multiple of the period."""
        turns = period // self.lo.shape[factor]
        moved = replaced(self.shift, factor, self.shift[factor] * turns)
        return self if turns == 1 else spread_of(*self.at(factor, np.arange(period)), moved)

    def shrunk(self, factor: int) -> "Spread":
        """The same with the shortest period."""
        period, shift = self.lo.shape[factor], self.shift[factor]
        for shorter in (p for p in range(1, period) if period % p == 0 and shift * p % period == 0):
            moved = shift * shorter // period
            first = np.arange(shorter)
            lo, hi = self.lo.take(first, factor), self.hi.take(first, factor)
            candidate = spread_of(lo, hi, replaced(self.shift, factor, moved))
            again = candidate.repeated(factor, period)
            if np.array_equal(again.lo, self.lo) and np.array_equal(again.hi, self.hi):
                return candidate
        return self

    def regular(self, factor: int) -> "Spread":
        """The same elements with the shortest period that they show by themselves, whatever the shift was."""
        if any(self.shift) and not self.shift[factor]:
            return self  # the axis runs along another factor
        length = self.lo.shape[factor]
        for period in (p for p in range(1, length) if length % p == 0):
            ends = [np.diff(end.reshape(*end.shape[:factor], -1, period, *end.shape[factor + 1 :]), axis=factor)
                    for end in (self.lo, self.hi)]  # fmt: skip
            moved = int(ends[0].flat[0])
            if all((end == moved).all() for end in ends):
                first = np.arange(period)
                return spread_of(
                    self.lo.take(first, factor), self.hi.take(first, factor), replaced(self.shift, factor, moved)
                )
        line = np.moveaxis(self.lo, factor, -1).reshape(-1, length)[0]
        if length == 1 or self.shift[factor] or abs(line).max() >= NOWHERE // 2:
            return self
        mean = (line[-1] - line[0]) / (length - 1)
        return replace(self, shift=replaced(self.shift, factor, round(mean * length)))

    def shifted(self, factor: int, moved: int, size: int) -> "Spread":
        """The same elements, `margined` for a factor of this size, under another shift."""
        if moved == self.shift[factor]:
            return self
        below = (np.arange(self.lo.shape[factor]) >= 2 * size) * (moved - self.shift[factor])
        below = below.reshape(-1, *(1,) * (self.lo.ndim - factor - 1))
        return spread_of(self.lo + below, self.hi + below, replaced(self.shift, factor, moved))

    def flattened(self, factor: int, size: int) -> "Spread":
        """Without a shift where all elements along the factor see the same, as they do within a window of attention."""
        first, there = np.zeros(1, np.int64), np.arange(size)
        if any((ends.take(there, factor) != ends.take(first, factor)).any() for ends in (self.lo, self.hi)):
            return self
        return spread_of(*self.at(factor, first), replaced(self.shift, factor, 0))

    def split(self, factor: int, outer: int, inner: int, is_position: bool) -> "Spread":
        """The factor as an outer one and an inner one of these sizes."""
        whole = self if inner % self.lo.shape[factor] == 0 else self.repeated(factor, lcm(self.lo.shape[factor], inner))
        period, shift = whole.lo.shape[factor], whole.shift[factor]
        if inner % period == 0:
            ends, moved = (1, period), (shift * (inner // period), shift)
        else:
            ends, moved = (period // inner, inner), (shift, round(Fraction(shift * inner, period)))
        shape = (*whole.lo.shape[:factor], *ends, *whole.lo.shape[factor + 1 :])
        result = spread_of(whole.lo.reshape(shape), whole.hi.reshape(shape),
                           (*whole.shift[:factor], *moved, *whole.shift[factor + 1 :]))  # fmt: skip
        if not is_position:
            return result
        # What was written out element by element may show its own period in the parts.
        result = result.regular(factor + 1) if 1 < ends[1] == inner else result
        return result.regular(factor) if 1 < ends[0] == outer else result

    def merged(self, factor: int, outer: int, inner: int) -> "Spread":
        """The factor, of size `outer`, and the next, of size `inner`, as one."""
        rest = (*self.lo.shape[:factor], -1, *self.lo.shape[factor + 2 :])
        if outer == 1 or inner == 1:  # the other alone counts, and keeps its period
            gone = factor if outer == 1 and (inner > 1 or self.shift[factor] == 0) else factor + 1
            lo, hi = self.at(gone, np.zeros(1, np.int64))
            return spread_of(lo.reshape(rest), hi.reshape(rest), without(self.shift, gone))
        constant = self.lo.shape[factor + 1] == 1 and self.shift[factor + 1] == 0
        if constant and self.lo.shape[factor] == 1 and self.shift[factor] == 0:
            return spread_of(self.lo.reshape(rest), self.hi.reshape(rest), without(self.shift, factor + 1))
        lo, hi = self.at(factor + 1, np.arange(inner))
        return spread_of(lo.reshape(rest), hi.reshape(rest), without(self.shift, factor + 1)).shrunk(factor)

    def pinned(self, factor: int, index: int) -> "Spread":
        """The intervals at one index of the factor, which stays with one element."""
        return spread_of(*self.at(factor, np.array([index])), replaced(self.shift, factor, 0))

    def ordered(self, order: Sequence[int]) -> "Spread":
        """The factors in another order."""
        return Spread(self.lo.transpose(order), self.hi.transpose(order), tuple(self.shift[f] for f in order))

    def inserted(self, factor: int) -> "Spread":
        """One more factor, along which nothing changes."""
        lo, hi = np.expand_dims(self.lo, factor), np.expand_dims(self.hi, factor)
        return Spread(lo, hi, (*self.shift[:factor], 0, *self.shift[factor:]))

    def removed(self, factor: int) -> "Spread":
        """Without a factor, along which only the first element counts."""
        first = np.zeros(1, np.int64)
        lo, hi = (ends.squeeze(factor) for ends in self.at(factor, first))
        return Spread(lo, hi, without(self.shift, factor))


def matched(spreads: Sequence[Spread], sizes: Sequence[int], apart: int | None = None) -> list[Spread]:
    """The spreads with the same period and shift along every factor but `apart`."""
    result = list(spreads)
    for factor, size in enumerate(sizes):
        if factor == apart:
            continue
        slopes = [spread.slope(factor) for spread in result if not spread.nowhere]
        period = lcm(*(spread.lo.shape[factor] for spread in result))
        if len(set(slopes)) > 1 or period > max(size, _LONGEST):  # no common period
            result, period = [spread.margined(factor, size) for spread in result], 3 * size
        result = [spread.repeated(factor, period) for spread in result]
        first = next((spread for spread in result if not spread.nowhere), result[0])
        result = [spread.shifted(factor, first.shift[factor], size) for spread in result]
    return result


def spread_of(lo: Ints, hi: Ints, shift: tuple[int, ...]) -> Spread:
    """A spread whose empty intervals all have one form."""
    nothing = lo > hi
    if nothing.any():  # one form of nothing, or moved intervals of it would not compare equal
        lo, hi = np.where(nothing, NOWHERE, lo), np.where(nothing, -NOWHERE, hi)
    return Spread(lo, hi, shift)


def replaced(values: Sequence[T], place: int, value: T) -> tuple[T, ...]:
    """`values` with another value in one place."""
    return (*values[:place], value, *values[place + 1 :])


def without(values: Sequence[T], place: int) -> tuple[T, ...]:
    """`values` less the one in a place."""
    return (*values[:place], *values[place + 1 :])
