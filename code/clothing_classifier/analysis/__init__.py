"""Receptive field and cost of any network: `trace` reads its operators, `summarise` and `analyze` report them."""

from clothing_classifier.analysis.analyzer import analyze
from clothing_classifier.analysis.layers import Trace
from clothing_classifier.analysis.resolve import resolve
from clothing_classifier.analysis.summary import summarise
from clothing_classifier.analysis.tracing import trace

__all__ = ["Trace", "analyze", "resolve", "summarise", "trace"]
