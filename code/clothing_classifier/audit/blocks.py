"""Wrong bytes that break no rule of JPEG: the blocks behind one have edges along the grid, or colours that none has."""

import numpy as np
import numpy.typing as npt

from clothing_classifier.preprocessing import Pixels

BLOCK = 8
_STEP = 5.0
"""Grey levels by which an edge must exceed the slope on its two sides: blur spreads the edges of a real scene."""
_ONE, _TWO, _STAIR = 0.85, 0.8, 0.06
"""Of the width: what one edge must cover, or each of two; and how much more than a straight line the one does."""
_SEEN, _BAR = 0.5, 0.99
_DARK, _BRIGHT = 1, 254

_UNIT, _FILLED, _UNITS = 16, 0.75, 4
"""Side of what one colour value may stand for, the fraction of it that must be wrong, and how many of these tell."""
_CHROMA = 32
"""Levels from grey: a blue of 57, whose luma of 6 a JPEG of quality 10 keeps from black."""

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]


def blocks_shifted(luma: Pixels) -> bool:
    """Whether edges follow the grid of 8 px of a decoded JPEG, `(H, W) uint8`, from side to side as errors leave them.

    A block's mean is coded as the difference from the block before it (ITU-T T.81, F.1.1.5.1), so that an error changes
    the brightness of all that follow, row by row: from the error to the right there is an edge above its row of blocks,
    to the left one below. One edge with such a step tells, or two of any sort: an edge of a table or of a pattern lies
    on the grid by chance. A line with black or white along a whole side is a bar's and counts for nothing; elsewhere
    the two hide an edge, and don't count against one.
    """
    width = luma.shape[1] // BLOCK * BLOCK
    lines = np.arange(BLOCK, luma.shape[0] - 1, BLOCK)
    if len(lines) < 2 or not width:
        return False
    before, above, below, after = (luma[lines + step, :width].astype(np.float32) for step in (-2, -1, 0, 1))
    step = _by_block(below - above - (above - before + after - below) * np.float32(0.5))
    cut_above, cut_below = _by_block(_extreme(above)), _by_block(_extreme(below))
    bar = np.maximum(cut_above.mean(1), cut_below.mean(1)) > _BAR
    clear = np.maximum(cut_above, cut_below) < 0.5
    step[bar] = 0
    fractions = np.maximum(_covered(step > _STEP, clear), _covered(step < -_STEP, clear))
    most, straight = fractions.max(1), np.maximum(fractions[:, 0], fractions[:, -1])
    elsewhere = np.abs(np.arange(len(most)) - most.argmax()) > 1  # a straight edge is on the paths of two rows
    with_a_step = most[most - straight >= _STAIR]
    return bool(with_a_step.max(initial=0) >= _ONE or most[elsewhere].max(initial=0) >= _TWO)


def colours_impossible(pixels: Pixels) -> bool:
    """Whether areas of a decoded JPEG, `(H, W, 3) uint8` YCbCr, are black or white, and coloured all the same.

    No RGB has such colours, whose luma would be another (ITU-T T.871, 7); errors in the means of blocks, which luma and
    chroma have each of their own, end there. Fine patterns that share one value of chroma are no areas.
    """
    height, width = (side // _UNIT * _UNIT for side in pixels.shape[:2])
    luma, chroma = pixels[:height, :width, 0], pixels[:height, :width, 1:].astype(np.int16)
    wrong = ((luma <= _DARK) | (luma >= _BRIGHT)) & (np.abs(chroma - 128).max(2) >= _CHROMA)
    units = wrong.reshape(height // _UNIT, _UNIT, width // _UNIT, _UNIT).mean((1, 3))
    return int((units >= _FILLED).sum()) >= _UNITS


def _by_block(values: Floats) -> Floats:
    means: Floats = values.reshape(len(values), -1, BLOCK).mean(2)
    return means


def _extreme(values: Floats) -> Floats:
    return ((values <= _DARK) | (values >= _BRIGHT)).astype(np.float32)


def _covered(edge: Flags, clear: Flags) -> npt.NDArray[np.float64]:
    """The fraction of the width that an edge covers, by row and column of the block with the error, `(R, C + 1)`."""
    hits, places = _along(edge), _along(edge | clear)
    enough = places >= edge.shape[1] * _SEEN
    return np.where(enough, hits / np.maximum(places, 1), 0.0)


def _along(flags: Flags) -> Counts:
    """How many of `flags`, `(R + 1, C)`, lie on each path: the line below to a column's left, the line above behind."""
    sums = np.pad(flags.cumsum(1, dtype=np.int64), ((0, 0), (1, 0)))
    paths: Counts = sums[1:] + (sums[:, -1:] - sums)[:-1]
    return paths
