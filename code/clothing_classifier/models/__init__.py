"""The networks, one architecture a file, built by `create_model`."""

from clothing_classifier.models.base import ImageClassifier
from clothing_classifier.models.registry import ARCHITECTURES, create_model

__all__ = ["ARCHITECTURES", "ImageClassifier", "create_model"]
