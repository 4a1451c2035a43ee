"""Random crop or shift, rotation, flip, colour, erasing, corruption; randomness is an explicit generator.

Random numbers are drawn on the CPU and pixels are moved where the photos are: views are the same on a GPU.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from clothing_classifier.config import AugmentationSettings

_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""

_ERASED_AREA = (0.02, 0.25)
_ERASED_ASPECT = 3.0

_LEAST_DETAIL = 1 / 8
_MOST_NOISE = 0.3


def augment(pixels: Tensor, size: int, settings: AugmentationSettings, generator: Generator) -> Tensor:
    """Return one random view of each photo, `(N, 3, size, size) float32 in [0, 1]`, from `(N, S, S, 3) uint8`.

    Views are on the device of `pixels`; `generator` is one of the processor.
    """
    if not settings.resamples:
        pixels = move(pixels, size, settings, generator)
    images = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format) / 255
    if settings.resamples:
        images = warp(images, size, settings, generator)
    if settings.brightness or settings.contrast or settings.saturation:
        images = recolour(images, settings, generator)
    return erase(images, settings.erase, generator)


def move(pixels: Tensor, size: int, settings: AugmentationSettings, generator: Generator) -> Tensor:
    """Shift and flip by whole pixels, `(N, S, S, 3)` to `(N, size, size, 3)`; outside the photo its edge repeats."""
    n, side = pixels.shape[:2]
    reach = torch.arange(size) + (side - size) // 2
    down, across = torch.randint(-settings.shift, settings.shift + 1, (2, n, 1), generator=generator)
    rows, columns = ((reach + offset).clamp_(0, side - 1) for offset in (down, across))
    if settings.flip:
        mirrored = torch.randint(0, 2, (n, 1), generator=generator).bool()
        columns = torch.where(mirrored, columns.flip(1), columns)
    places = torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]
    return pixels[tuple(place.to(pixels.device) for place in places)]


def warp(images: Tensor, size: int, settings: AugmentationSettings, generator: Generator) -> Tensor:
    """Crop, stretch, rotate and flip in one bilinear sampling; outside the photo its edge pixels repeat."""
    n = len(images)
    side = _uniform(n, settings.scale[0], settings.scale[1], generator).sqrt()
    stretch = _uniform(n, -0.5, 0.5, generator).mul(math.log(settings.aspect)).exp()
    angle = _uniform(n, -settings.rotation, settings.rotation, generator).deg2rad()
    mirror = 1 - 2 * torch.randint(0, 2, (n,), generator=generator) if settings.flip else torch.ones(n)
    width, height = side * stretch, side / stretch
    across = _uniform(n, -1, 1, generator) * (1 - width).abs()
    down = _uniform(n, -1, 1, generator) * (1 - height).abs()
    top = torch.stack([mirror * width * angle.cos(), -height * angle.sin(), across], 1)
    bottom = torch.stack([mirror * width * angle.sin(), height * angle.cos(), down], 1)
    placed = torch.stack([top, bottom], 1).to(images.device)
    grid = F.affine_grid(placed, [n, 3, size, size], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def recolour(images: Tensor, settings: AugmentationSettings, generator: Generator) -> Tensor:
    """Scale brightness, contrast (about the mean luma) and saturation (about each pixel's luma), then clamp."""
    n = len(images)
    spreads = settings.brightness, settings.saturation, settings.contrast
    brightness, saturation, contrast = (_factor(n, spread, generator).to(images.device) for spread in spreads)
    images = images * brightness
    luma = (images * images.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    images = torch.lerp(luma, images, saturation)
    mean = luma.mean(dim=(2, 3), keepdim=True)
    return torch.lerp(mean, images, contrast).clamp_(0, 1)


def erase(images: Tensor, probability: float, generator: Generator) -> Tensor:
    """Cover a rectangle of 2 to 25% of a photo with one colour, of a grey photo with a grey.

    Zhong et al. 2020 (https://arxiv.org/abs/1708.04896).
    """
    n, size = len(images), images.shape[2]
    erased = torch.rand(n, generator=generator) < probability
    side = _uniform(n, *_ERASED_AREA, generator).sqrt()
    stretch = _uniform(n, -0.5, 0.5, generator).mul(math.log(_ERASED_ASPECT)).exp()
    across = _strip(size, side * stretch, generator)
    down = _strip(size, side / stretch, generator)
    inside = (down[:, :, None] & across[:, None, :] & erased[:, None, None])[:, None].to(images.device)
    colour = torch.rand(n, 3, 1, 1, generator=generator).to(images.device)
    grey = (images[:, 0] == images[:, 1]).flatten(1).all(1) & (images[:, 0] == images[:, 2]).flatten(1).all(1)
    return torch.where(inside, torch.where(grey.view(n, 1, 1, 1), colour[:, :1], colour), images)


def corrupt(images: Tensor, probability: float, generator: Generator) -> Tensor:
    """Blur each photo with a probability, and add noise to it with the same, `(N, 3, H, W) float32`.

    A photo is blurred by drawing it smaller, down to an eighth of its side, and large again; noise is normal, of a
    deviation of up to 0.3. Photos draw one after the other, so that parts of a batch come out as the whole does.
    """
    if not probability:
        return images
    corrupted = torch.stack([_corrupted(image, probability, generator) for image in images])
    return corrupted.contiguous(memory_format=torch.channels_last)


def _corrupted(image: Tensor, probability: float, generator: Generator) -> Tensor:
    blurred, noisy, detail, noise = torch.rand(4, generator=generator).tolist()
    if blurred < probability:
        size = [max(1, round(side * _LEAST_DETAIL**detail)) for side in image.shape[1:]]
        small = F.interpolate(image[None], size, mode="bilinear", antialias=True)
        image = F.interpolate(small, image.shape[1:], mode="bilinear")[0]
    if noisy < probability:
        grain = torch.randn(image.shape, generator=generator).to(image.device)
        image = (image + noise * _MOST_NOISE * grain).clamp(0, 1)
    return image


def _strip(size: int, fraction: Tensor, generator: Generator) -> Tensor:
    """Which of `size` pixels lie in an interval of `fraction` of them, `(N, size) bool`, anywhere inside."""
    first = torch.rand(len(fraction), generator=generator) * (1 - fraction)
    position = (torch.arange(size) + 0.5)[None] / size
    return (position >= first[:, None]) & (position < (first + fraction)[:, None])


def _factor(n: int, spread: float, generator: Generator) -> Tensor:
    return _uniform(n, 1 - spread, 1 + spread, generator).view(n, 1, 1, 1)


def _uniform(n: int, low: float, high: float, generator: Generator) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low
