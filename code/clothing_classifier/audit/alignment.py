"""Are two grey pictures one, but for crop, scale and light? Registration by Gauss-Newton, for many pairs at once.

The second picture is stretched and shifted, separately by axis, until the squared difference is least, from coarse to
fine (the inverse compositional algorithm of Baker and Matthews 2004, https://doi.org/10.1023/B:VISI.0000011205.11775.fd,
light being taken out by normalising both). What is left is judged by the correlation of fine detail: two photos of one
garment agree in the coarse, copies of one photo in both.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

Floats = npt.NDArray[np.float32]
Greys = npt.NDArray[np.uint8]

_STEPS = {16: 6, 32: 6, 64: 4, 128: 3}
"""Steps at each side of the pictures."""
_MAX_STRETCH, _MAX_SHIFT = 1.25, 0.25
_MIN_OVERLAP, _MIN_SEEN = 0.7, 0.2
_CLIPPED = (0.01, 0.99)
_HOPELESS = {32: 0.2, 64: 0.45}
"""Pairs whose detail agrees no better than this at a smaller side are not looked at any further."""


def detail_correlation(fixed: Greys, moving: Greys) -> Floats:
    """Correlation in [-1, 1] of the fine detail of each pair, `(P,)`, once `moving` is laid over `fixed`.

    Both are `(P, 128, 128)`. Pairs that do not come to lie on each other give 0.
    """
    warp = np.tile(np.array([1, 1, 0, 0], np.float32), (len(fixed), 1))
    scores = np.zeros(len(fixed), np.float32)
    hopeful = np.arange(len(fixed))
    for side, steps in _STEPS.items():
        if not len(hopeful):
            break
        target, source = _shrink(fixed[hopeful], side), _shrink(moving[hopeful], side)
        warp = _register(target, source, warp, steps)
        if side > 16:
            scores[hopeful] = _agreement(target, source, warp)
            kept = scores[hopeful] > _HOPELESS.get(side, -1)
            hopeful, warp = hopeful[kept], warp[kept]
    return scores


def _register(target: Floats, source: Floats, warp: Floats, steps: int) -> Floats:
    """Improve `warp` `(P, 4)`: stretch of x and y, shift of x and y, as fractions of half a side."""
    template = _normalised(target, np.ones_like(target))
    slopes = _slopes(template)
    inverse = np.linalg.inv(slopes @ slopes.transpose(0, 2, 1) + 1e-3 * np.eye(4, dtype=np.float32))
    for _ in range(steps):
        laid, inside = _lay(source, warp)
        rest = (_normalised(laid, inside) - template) * inside
        change = (inverse @ (slopes @ rest.reshape(len(rest), -1, 1)))[..., 0]
        stretch = warp[:, :2] / (1 + np.clip(change[:, :2], -0.2, 0.2))
        shift = warp[:, 2:] - stretch * change[:, 2:]
        bounded = [np.clip(stretch, 1 / _MAX_STRETCH, _MAX_STRETCH), np.clip(shift, -_MAX_SHIFT, _MAX_SHIFT)]
        warp = np.concatenate(bounded, 1).astype(np.float32)
    return warp


def _agreement(target: Floats, source: Floats, warp: Floats) -> Floats:
    """Correlation of fine detail where the pictures overlap and neither is black or white, which hides detail."""
    laid, inside = _lay(_detail(source), warp)
    seen = inside * _unclipped(target) * _unclipped(_lay(source, warp)[0])
    one, other = _normalised(_detail(target), seen), _normalised(laid, seen)
    correlation = (one * other * seen).sum((1, 2)) / np.maximum(seen.sum((1, 2)), 1)
    enough = (inside.mean((1, 2)) >= _MIN_OVERLAP) & (seen.mean((1, 2)) >= _MIN_SEEN)
    result: Floats = np.where(enough, correlation, 0)
    return result


def _unclipped(pictures: Floats) -> Floats:
    low, high = _CLIPPED
    return ((pictures > low) & (pictures < high)).astype(np.float32)


def _slopes(pictures: Floats) -> Floats:
    """How each pixel changes with each number of the warp, `(P, 4, S * S)`."""
    side = pictures.shape[1]
    down, across = (gradient * (side / 2) for gradient in np.gradient(pictures, axis=(1, 2)))
    place = _places(side)
    slopes = np.stack([across * place, down * place[:, None], across, down], 1)
    return slopes.reshape(len(pictures), 4, -1)


def _lay(source: Floats, warp: Floats) -> tuple[Floats, Floats]:
    """`source` bilinearly at the warped places, and a mask of those inside it, each `(P, S, S)`."""
    side = source.shape[1]
    x, y = (_positions(warp[:, [axis]], warp[:, [axis + 2]], side) for axis in (0, 1))
    within_x, within_y = (((place >= 0) & (place <= side - 1)).astype(np.float32) for place in (x, y))
    # The warp treats the axes apart, so that bilinear sampling is a matrix product for each.
    laid = _weights(y, side) @ source @ _weights(x, side).transpose(0, 2, 1)
    return laid.astype(np.float32, copy=False), within_y[:, :, None] * within_x[:, None, :]


def _positions(stretch: Floats, shift: Floats, side: int) -> Floats:
    """Where in the source, in pixels, each of `S` places of an axis comes to lie, `(P, S)`."""
    warped: Floats = stretch * _places(side) + shift
    return (warped + np.float32(1)) * np.float32(side / 2) - np.float32(0.5)


def _weights(position: Floats, side: int) -> Floats:
    """Rows of linear interpolation, `(P, S, S)`: how much of each source pixel a place takes."""
    distance: Floats = np.abs(np.clip(position, 0, side - 1)[..., None] - np.arange(side, dtype=np.float32))
    result: Floats = np.maximum(0, 1 - distance)
    return result


def _places(side: int) -> Floats:
    """Centres of the pixels of an axis that runs from -1 to 1."""
    return ((np.arange(side, dtype=np.float32) + 0.5) * 2 / side - 1).astype(np.float32)


def _normalised(pictures: Floats, weight: Floats) -> Floats:
    """Mean 0 and mean square 1 where `weight` is 1."""
    total = np.maximum(weight.sum((1, 2), keepdims=True), 1)
    centred = pictures - (pictures * weight).sum((1, 2), keepdims=True) / total
    power = (centred * centred * weight).sum((1, 2), keepdims=True) / total
    result: Floats = centred / np.sqrt(np.maximum(power, 1e-12))
    return result


def _shrink(pictures: Greys, side: int) -> Floats:
    block = pictures.shape[1] // side
    parts = pictures.reshape(len(pictures), side, block, side, block)
    small: Floats = parts.mean((2, 4), dtype=np.float32) / 255
    return small


def _detail(pictures: Floats) -> Floats:
    """What a 5x5 mean takes away."""
    result: Floats = pictures - uniform_filter(pictures, (0, 5, 5), mode="nearest")
    return result
