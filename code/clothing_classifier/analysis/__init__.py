"""What a network sees and what it costs: `trace` reads it, `summarise` tells it, `resolve` finds it."""

from clothing_classifier.analysis.resolve import default_input, resolve
from clothing_classifier.analysis.summary import summarise
from clothing_classifier.analysis.tracing import Trace, trace

__all__ = ["Trace", "default_input", "resolve", "summarise", "trace"]
