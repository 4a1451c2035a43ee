"""Tables for terminals: what `predict` and `analyze` show a person, and what every table is made with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from clothing_classifier.inference import Prediction
from clothing_classifier.utils import costliest, one_line

_BAR = 20
_BLOCKS = " ▏▎▍▌▋▊▉█"
_PIPE_WIDTH = 160
_LEAST_PATH, _LEAST_LABEL = 16, 10
"""Characters on one line, however narrow the terminal."""
_ROOM_FOR_BARS = 72


def show(*parts: RenderableType) -> None:
    """Print to standard output, as wide as the terminal, or wide enough for any row in a pipe."""
    # Paths and labels are data: a bracket in one is no markup.
    Console(width=_width(), markup=False, highlight=False).print(Group(*parts))


def _width() -> int:
    console = Console()
    return console.width if console.is_terminal else _PIPE_WIDTH


def bar(share: float, width: int = _BAR) -> str:
    """`share` in [0, 1] as a bar of block characters, an eighth of a character exact."""
    eighths = round(share * width * 8)
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8]).strip().ljust(width)


def predictions_table(
    rows: Iterable[tuple[str, Prediction, str | None]], with_truth: bool, ood_threshold: float | None = None
) -> Table:
    """One row an image: path, label, confidence with its bar, and the true label where there is a table of them.

    Images with an OOD score above `ood_threshold` are marked, and those that were rotated.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("image", overflow="fold", min_width=_LEAST_PATH)
    table.add_column("label", overflow="fold", min_width=_LEAST_LABEL)
    table.add_column("confidence", no_wrap=True)
    table.add_column("true label" if with_truth else "then", overflow="fold")
    has_room = _width() >= _ROOM_FOR_BARS
    for path, prediction, truth in rows:
        last = _truth(prediction, truth) if with_truth else _runners_up(prediction)
        table.add_row(Text(one_line(path)), _label(prediction, ood_threshold), _confidence(prediction, has_room), last)
    return table


def analysis_tables(report: Mapping[str, Any]) -> list[RenderableType]:
    """A row a layer, those that make up half of the work highlighted, and the totals."""
    totals = report["totals"]
    costly = costliest([row["macs"] for row in report["layers"]])
    timed = "seconds" in totals
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("layer", overflow="fold")
    table.add_column("type", overflow="fold")
    for title in ("output", "params", "MACs", "share", *(["ms"] if timed else []), "field", "stride", "start"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("")
    for i, row in enumerate(report["layers"]):
        share = row["macs"] / totals["macs"] if totals["macs"] else 0.0
        cells = [row["name"], row["type"], _times(row["output"]), f"{row['params']:,}", f"{row['macs']:,}"]
        cells += [f"{share:.1%}", *([_milliseconds(row["seconds"])] if timed else []), *_field_cells(row)]
        table.add_row(*(Text(cell) for cell in cells), Text(bar(share, 10), "cyan"),
                      style="bold yellow" if i in costly else None)  # fmt: skip
    headline = Table(box=None, pad_edge=False, show_header=False)
    field = f"{_times(totals['receptive_field'])} px, stride {_times(totals['stride'])}"
    if totals["global"]:
        field += "; by other paths a unit sees the whole image"
    for title, value in (
        ("model", report["model"]), ("input", _times(report["input"])), ("parameters", f"{totals['params']:,}"),
        ("MACs", f"{totals['macs']:,}"), ("FLOPs", f"{totals['flops']:,}"), ("receptive field", field),
        *([("layers together", f"{_milliseconds(totals['seconds'])} ms")] if timed else []),
    ):  # fmt: skip
        headline.add_row(title, Text(value))
    notes = [Text("* a unit also sees the whole image, by paths through global operators; the field is that of its "
                  "local paths", "dim")] if any(row["global"] for row in report["layers"]) else []  # fmt: skip
    if costly:
        notes.insert(0, Text("Highlighted: the fewest layers that make up half of the MACs.", "dim"))
    return [table, Text(), headline, *notes]


def comparison_table(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[RenderableType]:
    """Two models side by side: field, stride, cost, and how many times the first the second is."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", one["model"], other["model"], "ratio"):
        table.add_column(Text(title), justify="left" if not title else "right", overflow="fold")
    table.add_row("input", _times(one["input"]), _times(other["input"]), "")
    a, b = one["totals"], other["totals"]
    for key, title in (("receptive_field", "receptive field"), ("stride", "effective stride")):
        table.add_row(title, _times(a[key]), _times(b[key]), _ratio(max(a[key]), max(b[key])))
    for key, title in (("params", "parameters"), ("macs", "MACs"), ("flops", "FLOPs")):
        table.add_row(title, f"{a[key]:,}", f"{b[key]:,}", _ratio(a[key], b[key]))
    if "seconds" in a and "seconds" in b:
        times = (f"{_milliseconds(totals['seconds'])} ms" for totals in (a, b))
        table.add_row("layers' time", *times, _ratio(a["seconds"], b["seconds"]))
    return [table]


def _field_cells(row: Mapping[str, Any]) -> list[str]:
    mark = "*" if row["global"] else ""
    return [_times(row["receptive_field"]) + mark, _times(row["stride"]), _times(row["start"])]


def _times(values: Sequence[int | float | None]) -> str:
    shown = ["-" if value is None else f"{value:g}" for value in values]
    return shown[0] if len(shown) == 2 and shown[0] == shown[1] else "x".join(shown)


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.2f}"


def _ratio(one: float, other: float) -> str:
    return f"{other / one:.2f}" if one else ""


def _label(prediction: Prediction, ood_threshold: float | None) -> Text:
    if prediction.label is None:
        return Text("can't be read", "red")
    unsure, label = prediction.abstained, prediction.label
    text = Text(f"not sure ({label})", "yellow") if unsure else Text(label, "bold")
    if ood_threshold is not None and prediction.ood_score is not None and prediction.ood_score > ood_threshold:
        text.append(", out of distribution", "yellow")
    if prediction.rotation:
        text.append(f", rotated by {prediction.rotation}°", "dim")
    return text


def _confidence(prediction: Prediction, has_room: bool) -> Text:
    if prediction.confidence is None:
        return Text()
    share = Text(f"{prediction.confidence:4.0%} ")
    return share.append(bar(prediction.confidence), "cyan") if has_room else share


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
