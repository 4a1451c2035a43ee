"""Tables for terminals: what `predict` and `evaluate` show a person."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from clothing_classifier.inference import Prediction
from clothing_classifier.utils import one_line

_BAR = 20
_BLOCKS = " ▏▎▍▌▋▊▉█"
_PIPE_WIDTH = 160


def show(*parts: RenderableType) -> None:
    """Print to standard output, as wide as the terminal, or wide enough for any row in a pipe."""
    # Paths and labels are data: a bracket in one is no markup.
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH, markup=False, highlight=False)
    console.print(Group(*parts))


def bar(share: float, width: int = _BAR) -> str:
    """`share` in [0, 1] as a bar of block characters, an eighth of a character exact."""
    eighths = round(share * width * 8)
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8]).strip().ljust(width)


def predictions_table(rows: Iterable[tuple[str, Prediction, str | None]], with_truth: bool) -> Table:
    """One row an image: path, label, confidence with its bar, and the true label where there is a table of them."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("image", overflow="fold")
    for title in ("label", "confidence", *(["true label"] if with_truth else ["then"])):
        table.add_column(title, no_wrap=True)
    for path, prediction, truth in rows:
        last = _truth(prediction, truth) if with_truth else _runners_up(prediction)
        table.add_row(Text(one_line(path)), _label(prediction), _confidence(prediction), last)
    return table


def evaluation_tables(figures: Mapping[str, Any]) -> list[RenderableType]:
    """The headline figures, the figures of each class, and the confusion matrix of the classes that occur."""
    low, high = figures["accuracy_interval"]
    headline = Table(box=None, pad_edge=False, show_header=False)
    headline.add_row("photos", str(figures["n"]))
    headline.add_row(
        "accuracy", f"{figures['accuracy']:.3f}  (95%: {low:.3f} to {high:.3f}; {figures['interval_method']})"
    )
    for key, title in (
        ("balanced_accuracy", "balanced accuracy"), ("macro_f1", "macro-F1"), ("top3", "top-3 accuracy"),
        ("log_loss", "log loss"), ("brier", "Brier score"), ("ece", "calibration error"),
    ):  # fmt: skip
        headline.add_row(title, f"{figures[key]:.3f}")
    return [headline, Text(), _class_table(figures["per_class"]), Text(), _confusion_table(figures)]


def _class_table(per_class: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class")
    for title in ("precision", "recall", "F1", "support"):
        table.add_column(title, justify="right")
    table.add_column("recall")
    for label, row in per_class.items():
        values = (f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
        table.add_row(Text(label), *values, str(row["support"]), Text(bar(row["recall"]), "cyan"))
    return table


def _confusion_table(figures: Mapping[str, Any]) -> Table:
    matrix, labels = figures["confusion"], figures["labels"]
    used = [i for i in range(len(labels)) if sum(matrix[i]) or any(row[i] for row in matrix)]
    table = Table(box=None, pad_edge=False, header_style="bold", title="true class (rows) as predicted (columns)")
    table.add_column("")
    for i in used:
        table.add_column(Text(labels[i][:5]), justify="right")
    for i in used:
        table.add_row(Text(labels[i]), *(_cell(matrix[i][j], i == j) for j in used))
    return table


def _cell(count: int, hit: bool) -> Text:
    return Text(str(count) if count else "·", "green" if hit else ("red" if count else "dim"))


def _label(prediction: Prediction) -> Text:
    if prediction.label is None:
        return Text("can't be read", "red")
    return Text(f"not sure ({prediction.label})", "yellow") if prediction.abstained else Text(prediction.label, "bold")


def _confidence(prediction: Prediction) -> Text:
    if prediction.confidence is None:
        return Text()
    return Text(f"{prediction.confidence:4.0%} ").append(bar(prediction.confidence), "cyan")


def _truth(prediction: Prediction, truth: str | None) -> Text:
    if truth is None:
        return Text("?", "dim")
    right = prediction.label == truth
    return Text(f"{truth} {'✓' if right else '✗'}", "green" if right else "red")


def _runners_up(prediction: Prediction) -> Text:
    if prediction.error:
        return Text(prediction.error, "red")
    rest: Sequence[str] = [f"{candidate.label} {candidate.confidence:.0%}" for candidate in prediction.top[1:]]
    return Text(", ".join(rest), "dim")
