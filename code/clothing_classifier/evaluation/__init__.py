"""How good a model is on labelled photos, how sure that is, and how two models compare."""

from clothing_classifier.evaluation.evaluator import (
    Evaluation,
    column_reader,
    evaluate,
    figures,
    known_photos,
    unused_columns,
    with_comparison,
)

__all__ = ["Evaluation", "column_reader", "evaluate", "figures", "known_photos", "unused_columns", "with_comparison"]
