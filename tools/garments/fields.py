"""Fields over the pixel grid: noise, blur, resampling. All float32, (H, W) unless said otherwise."""

import numpy as np
from PIL import Image

from garments.geometry import Array


def resize(field: Array, width: int, height: int, smooth: bool = True) -> Array:
    """The field at another size, bicubic or (for shrinking) averaged."""
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.BOX
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((width, height), method))


def noise(rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float] | float) -> Array:
    """Smooth noise of about unit deviation; `cell` is the width (and height) of its bumps in pixels."""
    cell_x, cell_y = (cell, cell) if isinstance(cell, (int, float)) else cell
    rows, columns = int(np.ceil(shape[0] / cell_y)) + 3, int(np.ceil(shape[1] / cell_x)) + 3
    grid = rng.standard_normal((rows, columns)).astype(np.float32)
    wide = resize(grid, max(shape[1], round(columns * cell_x)), max(shape[0], round(rows * cell_y)))
    top, left = (wide.shape[0] - shape[0]) // 2, (wide.shape[1] - shape[1]) // 2
    return wide[top : top + shape[0], left : left + shape[1]] * np.float32(1.3)


def fractal(rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 3) -> Array:
    """Noise summed over octaves, each half as wide and half as strong."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += noise(rng, shape, max(cell / 2**octave, 1.0)) * np.float32(0.5**octave)
    return total / np.float32(1.15)


def _smooth_axis(field: Array, kernel: Array, axis: int) -> Array:
    reach = len(kernel) // 2
    pad = [(reach, reach) if a == axis else (0, 0) for a in range(2)]
    padded = np.pad(field, pad, mode="edge")
    total = np.zeros_like(field)
    length = field.shape[axis]
    for offset, weight in enumerate(kernel):
        window = slice(offset, offset + length)
        total += weight * (padded[window] if axis == 0 else padded[:, window])
    return total


def blur(field: Array, sigma: float) -> Array:
    """Gaussian blur; wide ones are done on a reduced grid."""
    height, width = field.shape
    factor = max(1, int(sigma / 2.5))
    small = field.astype(np.float32, copy=False)
    if factor > 1:
        small = resize(small, max(1, -(-width // factor)), max(1, -(-height // factor)), smooth=False)
    narrow = max(sigma / factor, 0.3)
    reach = max(1, int(np.ceil(2.5 * narrow)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1, dtype=np.float32) / narrow) ** 2)
    kernel /= kernel.sum()
    small = _smooth_axis(_smooth_axis(small, kernel, 0), kernel, 1)
    return resize(small, width, height) if factor > 1 else small


def slope(field: Array) -> tuple[Array, Array]:
    """Central differences along x and y."""
    x, y = np.zeros_like(field), np.zeros_like(field)
    x[:, 1:-1] = (field[:, 2:] - field[:, :-2]) * 0.5
    y[1:-1] = (field[2:] - field[:-2]) * 0.5
    return x, y


def remap(field: Array, x: Array, y: Array) -> Array:
    """(H, W, C) sampled bilinearly at pixel positions; zero outside."""
    height, width = field.shape[:2]
    inside = (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    left, top = x.astype(np.intp), y.astype(np.intp)
    fx = (x - left)[..., None].astype(np.float32)
    fy = (y - top)[..., None].astype(np.float32)
    flat = field.reshape(-1, field.shape[2])
    at = top * width + left
    upper = flat[at] * (1 - fx) + flat[at + 1] * fx
    lower = flat[at + width] * (1 - fx) + flat[at + width + 1] * fx
    mixed: Array = (upper * (1 - fy) + lower * fy) * inside[..., None]
    return mixed


def tiled(tile: Array, u: Array, v: Array) -> Array:
    """A square tile repeated over the plane, sampled at (u, v) where the tile is 1 wide."""
    size = tile.shape[0]
    column = np.floor(u * size).astype(np.intp) % size
    row = np.floor(v * size).astype(np.intp) % size
    found: Array = tile[row, column]
    return found


def smoothstep(field: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((field - low) / (high - low), 0, 1)
    eased: Array = t * t * (3 - 2 * t)
    return eased
