"""Classifies clothing photos offline, on a plain CPU, and trains on your own labelled photos.

>>> from clothing_classifier import Classifier
>>> Classifier.load().predict("photo.jpg").label
'T-Shirt'
"""

import os
from typing import TYPE_CHECKING, Any

from clothing_classifier.errors import BundleError, ClothingError, ImageError, UsageError

if TYPE_CHECKING:
    from clothing_classifier.inference import Candidate, Classifier, Prediction

# From 1.29 on ONNX Runtime keeps an id of the device and reports to its makers, unless told not to before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = [
    "BundleError", "Candidate", "Classifier", "ClothingError", "ImageError", "Prediction", "UsageError", "__version__",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # Loading ONNX Runtime takes longer than `clothing --help` should.
    if name in ("Candidate", "Classifier", "Prediction"):
        from clothing_classifier import inference

        return getattr(inference, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
