"""The course of a run as a picture: does it still learn, and does validation follow?"""

import csv
from pathlib import Path

from clothing_classifier.report.figure import make_figure, to_png


def draw_history(path: Path) -> bytes:
    """Loss, validation scores and learning rate over the epochs of a run's `history.csv` as PNG; raises `OSError`."""
    with path.open(encoding="utf-8", newline="") as file:
        history = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    epochs = [row["epoch"] for row in history]
    figure = make_figure(12, 3.6)
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
    return to_png(figure, dpi=110)
