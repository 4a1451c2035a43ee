"""Prints on the chest: words, emblems and pictures as RGBA images."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from garments.geometry import Array

Rng = np.random.Generator
WORDS = ("NORTH", "COAST", "WAVES", "ATLAS", "RIDER", "CLUB 84", "SUNDAY", "OCEAN", "TOKYO", "ALPINE", "RUN", "HELLO",
         "1978", "SURF", "LIBRE", "DENVER", "MOON", "WILD", "SPORT", "PARIS")  # fmt: skip


def _code(colour: Array, alpha: int = 255) -> tuple[int, int, int, int]:
    red, green, blue = (int(255 * float(np.clip(c, 0, 1))) for c in colour)
    return red, green, blue, alpha


def _cropped(image: Image.Image) -> Image.Image:
    return image.crop(image.getbbox() or (0, 0, 8, 8))


def word(rng: Rng, colours: list[Array]) -> Image.Image:
    """One to three centred lines of lettering."""
    image = Image.new("RGBA", (460, 330))
    draw = ImageDraw.Draw(image)
    y = 0.0
    for line in range(int(rng.integers(1, 4))):
        size = float(rng.uniform(26, 44) if line else rng.uniform(60, 100))
        text = WORDS[int(rng.integers(len(WORDS)))]
        stroke = 3 if size > 50 else 1
        draw.text((230, y), text, fill=_code(colours[line % len(colours)]), font=ImageFont.load_default(size),
                  anchor="ma", stroke_width=stroke)  # fmt: skip
        y += size * 1.05
    return _cropped(image)


def emblem(rng: Rng, colours: list[Array]) -> Image.Image:
    """A badge: ring, stars of spokes and a word across."""
    image = Image.new("RGBA", (300, 300))
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 10, 290, 290), fill=_code(colours[0]))
    draw.ellipse((28, 28, 272, 272), fill=_code(colours[1]))
    spokes = int(rng.integers(5, 14))
    for spoke in range(spokes):
        a = 2 * np.pi * spoke / spokes
        tip = (150 + 105 * np.cos(a), 150 + 105 * np.sin(a))
        sides = [(150 + 34 * np.cos(a + d), 150 + 34 * np.sin(a + d)) for d in (-0.5, 0.5)]
        draw.polygon([tip, *sides], fill=_code(colours[0]))
    draw.rectangle((0, 122, 300, 180), fill=_code(colours[0]))
    text = WORDS[int(rng.integers(len(WORDS)))]
    draw.text((150, 150), text, fill=_code(colours[1]), font=ImageFont.load_default(46), anchor="mm", stroke_width=2)
    return image


def landscape(rng: Rng, colours: list[Array]) -> Image.Image:
    """A framed picture of hills and a sun, as printed on holiday shirts."""
    image = Image.new("RGBA", (300, 320), _code(colours[0]))
    draw = ImageDraw.Draw(image)
    x, y, r = float(rng.uniform(80, 220)), float(rng.uniform(70, 120)), float(rng.uniform(35, 60))
    draw.ellipse((x - r, y - r, x + r, y + r), fill=_code(colours[1]))
    for layer in range(3):
        knots = np.linspace(-20, 320, 7)
        heights = 150 + 50 * layer + rng.normal(0, 25, 7)
        shape = [(float(a), float(b)) for a, b in zip(knots, heights, strict=True)]
        draw.polygon([*shape, (320, 320), (-20, 320)], fill=_code(colours[2] * (1.1 - 0.28 * layer)))
    return image


def animal(rng: Rng, colours: list[Array]) -> Image.Image:
    """A simple face with ears."""
    image = Image.new("RGBA", (280, 300))
    draw = ImageDraw.Draw(image)
    for x in (70, 210):
        draw.ellipse((x - 52, 10, x + 52, 130), fill=_code(colours[0]))
        draw.ellipse((x - 26, 36, x + 26, 100), fill=_code(colours[1]))
    draw.ellipse((20, 50, 260, 270), fill=_code(colours[0]))
    draw.ellipse((85, 160, 195, 250), fill=_code(colours[1]))
    for x in (95, 185):
        draw.ellipse((x - 14, 125, x + 14, 153), fill=(25, 22, 22, 255))
    draw.ellipse((120, 175, 160, 203), fill=(25, 22, 22, 255))
    return image


def sporty(rng: Rng, colours: list[Array]) -> Image.Image:
    """A broad band with a number or name."""
    image = Image.new("RGBA", (420, 250))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 90, 420, 165), fill=_code(colours[0]))
    draw.rectangle((0, 178, 420, 196), fill=_code(colours[1]))
    draw.text((210, 128), WORDS[int(rng.integers(len(WORDS)))], fill=_code(colours[1]),
              font=ImageFont.load_default(62), anchor="mm", stroke_width=2)  # fmt: skip
    return image


PICTURES = (word, word, emblem, landscape, animal, sporty)


def choose(rng: Rng, colours: list[Array]) -> Image.Image:
    """One of the prints in the colours (three or more)."""
    return PICTURES[int(rng.integers(len(PICTURES)))](rng, colours)
