"""From records to a run folder."""

from clothing_classifier.training.trainer import train

__all__ = ["train"]
