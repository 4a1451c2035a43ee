"""An analysed network as tables: layers, totals, stages, and two networks compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from clothing_classifier.report.document import Cell, Part, Table
from clothing_classifier.utils import costliest

_HALF = "Highlighted: the fewest layers that make up half of the MACs."
_GLOBAL = "* also sees the whole image, through global operators; the field is that of the local paths."


def analysis_parts(report: Mapping[str, Any]) -> list[Part]:
    """The layers, then the totals."""
    return [layer_table(report), totals_table(report)]


def layer_table(report: Mapping[str, Any], folded: str | None = None) -> Table:
    """Cost and receptive field of each layer; marked are the fewest that make up half of the MACs."""
    layers, totals = report["layers"], report["totals"]
    timed = "seconds" in totals
    costly = frozenset(costliest([row["macs"] for row in layers]))
    rows = [
        [row["name"], row["type"], _times(row["output"]), f"{row['params']:,}", f"{row['macs']:,}", f"{row['flops']:,}",
         f"{row['macs'] / max(totals['macs'], 1):.1%}", *([_milliseconds(row["seconds"])] if timed else []),
         _times(row["receptive_field"]) + ("*" if row["global"] else ""), _times(row["stride"]), _times(row["start"])]
        for row in layers
    ]  # fmt: skip
    columns = ["layer", "type", "output", "params", "MACs", "FLOPs", "of MACs", *(["ms"] if timed else []), "field",
               "stride", "start"]  # fmt: skip
    notes = [_HALF] * bool(costly) + [_GLOBAL] * any(row["global"] for row in layers)
    return Table(columns, rows, range(2, len(columns)), costly, folded, " ".join(notes))


def totals_table(report: Mapping[str, Any]) -> Table:
    """The network as a whole."""
    totals = report["totals"]
    field = f"{_times(totals['receptive_field'])} px, stride {_times(totals['stride'])}"
    if totals["global"]:
        field += "; by global operators, the whole image"
    rows = [
        ["model", report["model"]], ["input", _times(report["input"])], ["parameters", f"{totals['params']:,}"],
        ["MACs", f"{totals['macs']:,}"], ["FLOPs", f"{totals['flops']:,}"], ["receptive field", field],
        *([["time of all layers", f"{_milliseconds(totals['seconds'])} ms"]] if "seconds" in totals else []),
    ]  # fmt: skip
    return Table(["", ""], rows)


def networks_table(one: Mapping[str, Any], other: Mapping[str, Any]) -> Table:
    """Two networks side by side: receptive field, stride and cost, and their ratios."""
    a, b = one["totals"], other["totals"]
    rows = [["input", _times(one["input"]), _times(other["input"]), ""]]
    for key, title in (("receptive_field", "receptive field"), ("stride", "effective stride")):
        rows.append([title, _times(a[key]), _times(b[key]), _ratio(max(a[key]), max(b[key]))])
    for key, title in (("params", "parameters"), ("macs", "MACs"), ("flops", "FLOPs")):
        rows.append([title, f"{a[key]:,}", f"{b[key]:,}", _ratio(a[key], b[key])])
    if "seconds" in a and "seconds" in b:
        times = (f"{_milliseconds(totals['seconds'])} ms" for totals in (a, b))
        rows.append(["time of all layers", *times, _ratio(a["seconds"], b["seconds"])])
    return Table(["", one["model"], other["model"], "ratio"], rows, [1, 2, 3])


def stage_table(stages: Sequence[Mapping[str, Any]], size: int) -> Table:
    """Receptive field, stride, start and cost of each stage, for photos of `size` px."""
    total = max(sum(stage["macs"] for stage in stages), 1)
    rows: list[list[str | Cell]] = []
    for stage in stages:
        rows_seen, columns_seen = (min(side, size) for side in stage["receptive_field"])
        area = rows_seen * columns_seen / size**2
        share, seen = stage["macs"] / total, f"{area:.1%}" if area >= 0.001 else "< 0.1%"
        rows.append([stage["name"], f"{_times(stage['receptive_field'])} px", seen, f"{_times(stage['stride'])} px",
                      f"{_times(stage['start'])} px", f"{stage['macs']:,}",
                     Cell(f"{share:.1%}", fraction=share)])  # fmt: skip
    columns = ["stage", "receptive field", "of the photo", "effective stride", "start", "MACs", "of all MACs"]
    return Table(columns, rows, range(1, 7))


def _times(values: Sequence[int | float | None]) -> str:
    shown = ["-" if value is None else f"{value:g}" for value in values]
    return shown[0] if len(shown) == 2 and shown[0] == shown[1] else "x".join(shown)


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.2f}"


def _ratio(one: float, other: float) -> str:
    return f"{other / one:.2f}" if one else ""
