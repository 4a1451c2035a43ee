"""Pictures of an analysis, as PNG and SVG: fields on a photo, growth with depth, cost by layer, roofline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clothing_classifier.analysis.analyzer import Measured
from clothing_classifier.analysis.effective import THRESHOLD, EffectiveField
from clothing_classifier.analysis.stages import within
from clothing_classifier.analysis.timing import Machine
from clothing_classifier.report.figure import BLUE, GREEN, GREY, ORANGE, make_figure
from clothing_classifier.utils import atomic_path, costliest

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_all(report: Mapping[str, Any], measured: Measured, folder: Path) -> None:
    """Write fields, growth and costs, and the roofline where layers were timed, as PNG and SVG into `folder`.

    A network without stages of local layers gets no picture of fields.
    """
    drawn = {"growth": draw_growth(report, measured.fields), "costs": draw_costs(report)}
    if measured.stages:
        drawn["fields"] = draw_fields(measured.photo, measured.stages, measured.fields)
    if measured.machine:
        drawn["roofline"] = draw_roofline(report, measured.machine)
    for name, figure in drawn.items():
        _save(figure, folder / name)


def _save(figure: "Figure", path: Path) -> None:
    for suffix in ("png", "svg"):
        with atomic_path(path.with_suffix(f".{suffix}")) as temporary:
            figure.savefig(temporary, format=suffix, dpi=130, metadata={"Date": None} if suffix == "svg" else None)


def draw_fields(
    photo: npt.NDArray[np.uint8], stages: Sequence[Mapping[str, Any]], fields: Sequence[EffectiveField]
) -> "Figure":
    """The theoretical field (a frame) and the effective field (what glows) of each stage's centre unit on a photo.

    `stages` are rows of a report, with the output's sides as `output`, `photo` is `(H, W, 3)` as the network saw it.
    """
    columns = min(5, len(stages))
    rows = -(-len(stages) // columns)
    figure = make_figure(2.6 * columns, 2.9 * rows)
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes, stage, field in zip(panels, stages, fields, strict=False):
        _draw_field(axes, photo, stage, field)
    for axes in panels:
        axes.set_axis_off()
    figure.suptitle("One unit of each stage: its theoretical field (blue), and its effective field (lit), with the "
                    f"Gaussian fitted to it, down to {THRESHOLD:.2%} of the peak (orange)", fontsize=9)  # fmt: skip
    return figure


def _draw_field(axes: Any, photo: npt.NDArray[np.uint8], stage: Mapping[str, Any], field: EffectiveField) -> None:
    from matplotlib.patches import Ellipse, Rectangle

    height, width = photo.shape[:2]
    glow = field.gradient / (field.gradient.max() or 1)
    shade = np.clip(0.25 + 0.75 * (glow / THRESHOLD), 0, 1)[..., None]
    axes.imshow((photo * shade).astype(np.uint8), extent=(0, width, height, 0))
    top, left = (
        first + stride * (side // 2)
        for first, stride, side in zip(stage["start"], stage["stride"], stage["output"][1:], strict=True)
    )
    field_height, field_width = stage["receptive_field"]
    # The radius at which a Gaussian has fallen to the threshold, in deviations.
    diameters = [2 * deviation * np.sqrt(-2 * np.log(THRESHOLD)) for deviation in field.deviation]
    middle = (left + field_width / 2, top + field_height / 2)
    axes.add_patch(Ellipse(middle, diameters[1], diameters[0], fill=False, edgecolor=ORANGE, linewidth=1.5))
    axes.add_patch(Rectangle((left, top), field_width, field_height, fill=False, edgecolor=BLUE, linewidth=1.5))
    axes.set(xlim=(-0.04 * width, 1.04 * width), ylim=(1.04 * height, -0.04 * height))
    axes.set_title(f"{stage['name'].removeprefix('extractor.')}\n{field_height} px, effective "
                   f"{field.extent[0]} x {field.extent[1]}", fontsize=8)  # fmt: skip


def draw_growth(report: Mapping[str, Any], fields: Sequence[EffectiveField]) -> "Figure":
    """Field against depth: each layer with products, and the stages whose effective field was measured."""
    rows = [row for row in report["layers"] if row["macs"] and not row["global"]]
    figure = make_figure(7.5, 4.2)
    axes = figure.subplots()
    depth = range(1, len(rows) + 1)
    axes.step(depth, [max(row["receptive_field"]) for row in rows], where="post", color=BLUE, label="theoretical")
    axes.step(depth, [max(row["stride"]) for row in rows], where="post", color=GREY, linestyle=":", label="stride")
    known = {field.name: field for field in fields}
    places = {name: max((i for i, row in enumerate(rows) if within(row["name"], name)), default=None)
              for name in known}  # fmt: skip
    measured = [(place + 1, np.sqrt(known[name].area)) for name, place in places.items() if place is not None]
    if measured:
        axes.plot(*zip(*measured, strict=True), "o--", color=ORANGE, label="effective: square root of its area")
    axes.axhline(max(report["input"][1:]), color=GREEN, linewidth=1, label="the image's side")
    axes.set(xlabel="layers with products", ylabel="pixels of the image", yscale="log", title=report["model"])
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_costs(report: Mapping[str, Any]) -> "Figure":
    """MACs, parameters and, where measured, time of each layer with products, as fractions of their totals.

    Of each, the fewest layers that make up half are in full colour.
    """
    from matplotlib.ticker import MaxNLocator

    rows = [row for row in report["layers"] if row["macs"]]
    kinds = {"macs": ("MACs", BLUE), "params": ("parameters", GREEN), "seconds": ("time", ORANGE)}
    kinds = {key: kind for key, kind in kinds.items() if key in report["totals"]}
    figure = make_figure(9, 0.8 + 0.17 * len(rows))
    place = np.arange(len(rows))
    for axes, (key, (title, colour)) in zip(figure.subplots(1, len(kinds), sharey=True), kinds.items(), strict=True):
        values = np.array([row[key] or 0.0 for row in rows])
        costly = costliest(values.tolist())
        shades = [(colour, 1.0 if i in costly else 0.35) for i in range(len(rows))]
        axes.barh(place, values / max(values.sum(), 1e-12), color=shades, height=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(lambda fraction, position: f"{100 * fraction:g}%")
        axes.set_title(f"{title}\n{_amount(key, values.sum())}", fontsize=9)
        axes.grid(alpha=0.3, axis="x")
        axes.tick_params(labelsize=7)
        axes.set_axisbelow(True)
        axes.margins(y=0.005)
    first = figure.axes[0]
    first.set_yticks(place, [row["name"].removeprefix("extractor.").removesuffix(".conv") for row in rows], fontsize=6)
    first.invert_yaxis()
    return figure


def _amount(key: str, total: float) -> str:
    if key == "seconds":
        return f"{1000 * total:.1f} ms"
    return f"{total / 1e6:,.1f} million" if total >= 1e6 else f"{total:,.0f}"


def draw_roofline(report: Mapping[str, Any], machine: Machine) -> "Figure":
    """Arithmetic rate of each timed layer against its intensity, below what the machine can (Williams et al. 2009)."""
    rows = [row for row in report["layers"] if row.get("seconds") and row["macs"]]
    figure = make_figure(7.5, 4.6)
    axes = figure.subplots()
    intensity = np.geomspace(0.1, 1000, 200)
    roof = np.minimum(machine.flops_per_second, intensity * machine.bytes_per_second)
    axes.plot(intensity, roof / 1e9, color=GREY, label="the machine: memory, then arithmetic")
    kinds = {"convolution": (GREEN, "s"), "depthwise": (ORANGE, "^"), "pointwise": (BLUE, "o"),
             "linear": (GREY, "D"), "product": (GREY, "x")}  # fmt: skip
    for kind, (colour, marker) in kinds.items():
        own = [row for row in rows if row["kind"] == kind]
        if not own:
            continue
        axes.scatter([row["arithmetic_intensity"] for row in own], [row["flops"] / row["seconds"] / 1e9 for row in own],
                     c=colour, marker=marker, s=18, label=kind)  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="FLOPs per byte moved", ylabel="GFLOP/s", title=report["model"])
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False, fontsize=8)
    return figure
