"""How good a model is on labelled photos, how sure that is, and how two models compare."""

from clothing_classifier.evaluation.evaluator import (
    Report,
    column_reader,
    evaluate,
    figures,
    known_photos,
    unused_columns,
    with_rival,
)

__all__ = ["Report", "column_reader", "evaluate", "figures", "known_photos", "unused_columns", "with_rival"]
