"""Smaller and faster networks: pruning, smaller inputs, narrower nets, int8, distillation, each behind a gate."""

from clothing_classifier.compression.candidates import prune_weights
from clothing_classifier.compression.search import Search, search
from clothing_classifier.compression.strategy import parse_strategies

__all__ = ["Search", "parse_strategies", "prune_weights", "search"]
