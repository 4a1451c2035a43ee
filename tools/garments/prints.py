"""Printed and woven patterns: each painter returns a square tile (N, N, 3) in [0, 1] that repeats without a seam."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from garments.geometry import Array

SIZE = 256
Rng = np.random.Generator


def _plain(colour: Array) -> Array:
    return np.broadcast_to(colour, (SIZE, SIZE, 3)).astype(np.float32)


def solid(rng: Rng, colours: list[Array]) -> Array:
    """One dye with the slight unevenness of yarn."""
    grain = rng.normal(0, 0.02, (SIZE, SIZE, 1))
    return np.clip(_plain(colours[0]) * (1 + grain), 0, 1).astype(np.float32)


def heather(rng: Rng, colours: list[Array]) -> Array:
    """Mixed light and dark fibres, drawn out along the row as in jersey."""
    speck = rng.normal(0, 1, (SIZE, SIZE))
    speck = (speck + np.roll(speck, 1, 1)) / 1.4
    return np.clip(_plain(colours[0]) + 0.035 * speck[..., None], 0, 1).astype(np.float32)


def stripes(rng: Rng, colours: list[Array]) -> Array:
    """Horizontal bands; the first colour is the ground."""
    rows = _plain(colours[0]).copy()
    count = int(rng.integers(2, 6))
    thick = float(rng.uniform(0.2, 0.55))
    for band in range(count):
        start = round(band * SIZE / count)
        rows[start : start + max(2, round(thick * SIZE / count))] = colours[1 + band % (len(colours) - 1)]
    return rows


def pinstripes(rng: Rng, colours: list[Array]) -> Array:
    """Thin vertical lines."""
    rows = _plain(colours[0]).copy()
    count = int(rng.integers(6, 12))
    for band in range(count):
        start = round(band * SIZE / count)
        rows[:, start : start + max(3, SIZE // count // 4)] = colours[1]
    return rows


def gingham(rng: Rng, colours: list[Array]) -> Array:
    """Even checks: where two bands cross the colour is full, elsewhere half."""
    count = int(rng.integers(4, 8))
    band = ((np.arange(SIZE) * count * 2 // SIZE) % 2).astype(np.float32)
    weight = (band[:, None] + band[None]) / 2
    checks: Array = _plain(colours[0]) * (1 - weight[..., None]) + colours[1] * weight[..., None]
    return checks


def plaid(rng: Rng, colours: list[Array]) -> Array:
    """A tartan: the same random band sequence across and along, woven together."""
    warp = _plain(colours[0])[0].copy()
    for _ in range(int(rng.integers(3, 6))):
        start, width = int(rng.integers(SIZE)), int(rng.integers(6, 60))
        warp[(start + np.arange(width)) % SIZE] = colours[int(rng.integers(1, len(colours)))]
    twill = ((np.add.outer(np.arange(SIZE), np.arange(SIZE)) // 2) % 2).astype(np.float32)[..., None]
    even = 0.5 * (warp[:, None] + warp[None])
    crossed = warp[:, None] * twill + warp[None] * (1 - twill)
    tartan: Array = (0.6 * even + 0.4 * crossed).astype(np.float32)
    return tartan


def windowpane(rng: Rng, colours: list[Array]) -> Array:
    """Thin lines crossing far apart."""
    tile = _plain(colours[0]).copy()
    count = int(rng.integers(2, 5))
    for line in range(count):
        start = round((line + 0.3) * SIZE / count)
        tile[start : start + 5] = 0.4 * tile[start : start + 5] + 0.6 * colours[1]
        tile[:, start : start + 5] = 0.4 * tile[:, start : start + 5] + 0.6 * colours[-1]
    return tile


def _canvas(colour: Array) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIZE, SIZE), _code(colour))
    return image, ImageDraw.Draw(image)


def _code(colour: Array) -> tuple[int, int, int]:
    red, green, blue = (int(255 * float(np.clip(c, 0, 1))) for c in colour)
    return red, green, blue


def _tile(image: Image.Image) -> Array:
    return np.asarray(image, np.float32) / 255


def _wrapped(x: float, y: float) -> list[tuple[float, float]]:
    return [(x + dx, y + dy) for dx in (-SIZE, 0, SIZE) for dy in (-SIZE, 0, SIZE)]


def dots(rng: Rng, colours: list[Array]) -> Array:
    """Polka dots on a staggered grid."""
    image, draw = _canvas(colours[0])
    count = int(rng.integers(3, 6))
    radius = SIZE / count * float(rng.uniform(0.1, 0.24))
    for row in range(2 * count):
        for column in range(count):
            centre = ((column + 0.5 * (row % 2)) * SIZE / count, row * SIZE / count / 2)
            for x, y in _wrapped(*centre):
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_code(colours[1]))
    return _tile(image)


def _flower(
    draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, turn: float, dyes: list[Array]
) -> None:
    for x, y in _wrapped(*centre):
        for petal in range(5):
            a = turn + petal * 2 * np.pi / 5
            px, py, r = x + 0.6 * radius * np.cos(a), y + 0.6 * radius * np.sin(a), 0.45 * radius
            draw.ellipse((px - r, py - r, px + r, py + r), fill=_code(dyes[0] * (0.85 + 0.06 * petal)))
        r = 0.28 * radius
        draw.ellipse((x - r, y - r, x + r, y + r), fill=_code(dyes[1]))


def _leaf(draw: ImageDraw.ImageDraw, centre: tuple[float, float], length: float, turn: float, dye: Array) -> None:
    t = np.linspace(0, 2 * np.pi, 16)
    x, y = length * np.cos(t), 0.35 * length * np.sin(t) * np.abs(np.sin(t))
    px, py = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    for cx, cy in _wrapped(*centre):
        draw.polygon([(float(a) + cx, float(b) + cy) for a, b in zip(px, py, strict=True)], fill=_code(dye))


def floral(rng: Rng, colours: list[Array]) -> Array:
    """Scattered flowers and leaves in the further colours."""
    image, draw = _canvas(colours[0])
    size = float(rng.uniform(13, 32))
    leaf = np.array([0.25, 0.42, 0.25], np.float32) * float(rng.uniform(0.6, 1.3))
    for _ in range(int(9000 / size**1.6)):
        x, y, turn = rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(0, 6.3)
        _leaf(draw, (x, y), size * float(rng.uniform(0.8, 1.6)), turn, leaf * float(rng.uniform(0.8, 1.2)))
    for _ in range(int(9000 / size**1.6)):
        x, y, turn = rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(0, 6.3)
        dye = colours[1 + int(rng.integers(len(colours) - 1))]
        _flower(draw, (x, y), size * float(rng.uniform(0.6, 1.2)), turn, [dye, colours[-1] * 0.6 + 0.3])
    return _tile(image.filter(ImageFilter.GaussianBlur(0.7)))


def _periodic_noise(rng: Rng, cells: int) -> Array:
    frequency = np.fft.fftfreq(SIZE) * SIZE
    radius = np.hypot(frequency[:, None], frequency[None])
    spectrum = np.fft.fft2(rng.standard_normal((SIZE, SIZE))) * np.exp(-((radius / cells) ** 2))
    field = np.real(np.fft.ifft2(spectrum))
    unit: Array = field / field.std()
    return unit


def camouflage(rng: Rng, colours: list[Array]) -> Array:
    """Overlapping blots of the colours."""
    tile = _plain(colours[0]).copy()
    for colour in colours[1:]:
        tile[_periodic_noise(rng, 4) > 0.55] = colour
    return tile


def leopard(rng: Rng, colours: list[Array]) -> Array:
    """Broken dark rosettes on a warm ground."""
    field, holes = _periodic_noise(rng, 9), _periodic_noise(rng, 14)
    tile = _plain(colours[0]).copy()
    tile[field > 1.1] *= 0.75
    tile[(np.abs(field - 0.9) < 0.38) & (holes > -0.6)] = colours[1]
    return tile


def denim(rng: Rng, colours: list[Array]) -> Array:
    """Twill: diagonal ribs, uneven yarn along the leg, pale specks of weft."""
    y, x = np.mgrid[:SIZE, :SIZE]
    twill = 0.5 + 0.5 * np.sin(2 * np.pi * (x + y) / 6.4)
    yarn = 0.5 * rng.normal(0, 1, (1, SIZE)) + 0.7 * rng.normal(0, 1, (SIZE, SIZE))
    shade = 1 + 0.10 * (twill - 0.5) + 0.05 * yarn
    cloth: Array = np.clip(_plain(colours[0]) * shade[..., None], 0, 1).astype(np.float32)
    return cloth


def geometric(rng: Rng, colours: list[Array]) -> Array:
    """Rows of small diamonds and zigzags, like a woven border."""
    image, draw = _canvas(colours[0])
    count = int(rng.integers(4, 8))
    step = SIZE / count
    for row in range(count):
        dye = _code(colours[1 + row % (len(colours) - 1)])
        for column in range(count):
            x, y = column * step, row * step
            if row % 2:
                shape = [
                    (x, y + step * 0.5),
                    (x + step / 2, y + step * 0.1),
                    (x + step, y + step * 0.5),
                    (x + step, y + step * 0.75),
                    (x + step / 2, y + step * 0.35),
                    (x, y + step * 0.75),
                ]
            else:
                shape = [
                    (x + step / 2, y + 0.1 * step),
                    (x + 0.85 * step, y + step / 2),
                    (x + step / 2, y + 0.9 * step),
                    (x + 0.15 * step, y + step / 2),
                ]
            draw.polygon(shape, fill=dye)
    return _tile(image.filter(ImageFilter.GaussianBlur(0.6)))


PAINTERS: dict[str, Callable[[Rng, list[Array]], Array]] = {
    painter.__name__: painter
    for painter in (
        solid,
        heather,
        stripes,
        pinstripes,
        gingham,
        plaid,
        windowpane,
        dots,
        floral,
        camouflage,
        leopard,
        denim,
        geometric,
    )
}
