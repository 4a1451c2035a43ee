"""The course of a run as a picture: does it still learn, and does validation follow?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from clothing_classifier.utils import atomic_path


def draw_history(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw loss, validation scores and learning rate over the epochs of `history` (rows of `history.csv`) as PNG."""
    from matplotlib.figure import Figure  # without pyplot, which would choose a window system

    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    panels = (
        ("loss", {"training: augmented photos, soft targets": "loss", "validation: log loss": "log_loss"}),
        ("validation", {"accuracy": "accuracy", "macro-F1": "macro_f1"}),
        ("learning rate", {"at the end of the epoch": "learning_rate"}),
    )
    for axes, (title, curves) in zip(figure.subplots(1, 3), panels, strict=True):
        for name, key in curves.items():
            axes.plot(epochs, [row[key] for row in history], marker="o", markersize=3, label=name)
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
