"""The image contract: any source of a photo becomes one upright RGB `(size, size, 3) uint8` array, everywhere alike."""

from clothing_classifier.preprocessing.contract import DEFAULT_LIMITS, Fit, ImageContract, Limits, Pixels, Source
from clothing_classifier.preprocessing.opening import FORMATS
from clothing_classifier.preprocessing.pillow import QUIET
from clothing_classifier.preprocessing.prepare import VERSION, load, prepare, scale

__all__ = [
    "DEFAULT_LIMITS",
    "FORMATS",
    "QUIET",
    "VERSION",
    "Fit",
    "ImageContract",
    "Limits",
    "Pixels",
    "Source",
    "load",
    "prepare",
    "scale",
]
