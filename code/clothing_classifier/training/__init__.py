"""Train a network on a data set: loop, augmentation, distillation, checkpoints."""

from clothing_classifier.training.trainer import train

__all__ = ["train"]
