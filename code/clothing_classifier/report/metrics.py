"""The registry of metrics: how each is called, what it measures, and how its values are written."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric of an evaluation; `percent` says how its values are written."""

    title: str
    meaning: str
    percent: bool = False
    higher_is_better: bool = True

    def write(self, value: float) -> str:
        """`value` as it is shown everywhere: 87.5%, or 0.875."""
        return f"{value:.1%}" if self.percent else f"{value:.3f}"


METRICS = {
    "accuracy": Metric("accuracy", "fraction of photos with the right label", percent=True),
    "balanced_accuracy": Metric("balanced accuracy", "mean recall over classes", percent=True),
    "macro_f1": Metric("macro-F1", "mean F1 over classes, rare ones counting alike"),
    "weighted_f1": Metric("weighted F1", "mean F1 over photos"),
    "auroc": Metric("AUROC", "one class against the rest, mean over classes"),
    "top3": Metric("top-3 accuracy", "fraction of photos with the right label among three", percent=True),
    "log_loss": Metric("log loss", "quality of the probabilities, in nats", higher_is_better=False),
    "brier": Metric("Brier score", "squared error of the probabilities, 0 to 2", higher_is_better=False),
    "ece": Metric("calibration error", "mean gap of confidence and accuracy", percent=True, higher_is_better=False),
    "aurc": Metric("AURC", "area under the risk-coverage curve", higher_is_better=False),
    "precision": Metric("precision", "fraction of the photos predicted as a class that are of it"),
    "recall": Metric("recall", "fraction of a class's photos that are predicted as it"),
    "f1": Metric("F1", "harmonic mean of precision and recall"),
}
"""The metrics of `evaluation.figures`, of all photos and of each class, by their keys."""


def write_interval(interval: Sequence[float]) -> str:
    """Both ends of an interval of fractions."""
    return f"{interval[0]:.1%} to {interval[1]:.1%}"
