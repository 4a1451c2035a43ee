"""Evaluation on labelled photos: metrics, confidence intervals, calibration, OOD score and paired comparison."""

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
