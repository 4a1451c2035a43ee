"""What smaller networks cost and what they lose: the Pareto table and figure, all measured in one run.

    python benchmarks/pareto.py --data datasets/clothing

Two searches of `clothing compress` from wardrobe's weights: without training, and with two epochs on wardrobe's own
answers; then the shipped models. Accuracy on validation; the public test is not touched. Each model's latency (batch 1)
and throughput (batch 32) with one and two threads is measured beside the float parent, its peak memory in a process of
its own. Resumable. Writes results/pareto.json and docs/figures/pareto.png.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier.compression import Search, search
from clothing_classifier.compression.gate import judge
from clothing_classifier.compression.search import PARENT
from clothing_classifier.compression.timing import time_bundles
from clothing_classifier.config import load_settings
from clothing_classifier.evaluation.metrics import accuracy_interval
from clothing_classifier.evaluation.predictions import Predictions, collect
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import DEFAULT, load_bundle, shipped
from clothing_classifier.report.figure import BLUE, GREEN, ORANGE
from clothing_classifier.training.parts import load_parts
from clothing_classifier.utils import write_json

EPOCHS = 2
MAX_DROP = 0.01
UNTRAINED = (
    "quantize",
    "smaller-input:192+quantize",
    "smaller-input:160",
    "smaller-input:160+quantize",
    "smaller-input:128",
    "smaller-input:128+quantize",
    "smaller-input:96+quantize",
)
TRAINED = (
    "smaller-input:128+distil",
    "smaller-input:128+distil+quantize",
    "smaller-input:96+distil+quantize",
    "smaller-input:160+prune:0.65+distil+quantize",
    "smaller-input:128+prune:0.5+distil+quantize",
    "smaller-input:160+narrow:0.75+distil+quantize",
)
_MEMORY = """
import sys
import numpy as np
from clothing_classifier.inference import Classifier
classifier = Classifier.load(sys.argv[1])
side = classifier.manifest.preprocessing.size
classifier.run(np.zeros((int(sys.argv[2]), side, side, 3), np.uint8))
# Not getrusage: its peak is inherited from the process that started this one.
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024)
"""


def main() -> None:
    """Search, measure, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--runs", type=Path, default=Path("runs/pareto"), help="searches are kept here")
    options = parser.parse_args()
    record = provenance()
    points = []
    for epochs, strategies in ((0, UNTRAINED), (EPOCHS, TRAINED)):
        report = search(DEFAULT, options.data, options.runs / f"epochs-{epochs}",
                        Search(strategies, MAX_DROP, epochs), True, lambda line: print(line, flush=True))  # fmt: skip
        points += [{**entry, "epochs": epochs if "distil" in entry["name"] else 0} for entry in report["candidates"]]
    parent = {**report["parent"], "name": "wardrobe, float", "epochs": 0, "drop": 0.0, "drop_upper": 0.0,
              "accepted": True, "bundle": str(options.runs / f"epochs-{EPOCHS}" / PARENT / "bundle")}  # fmt: skip
    points = [parent, *points, *own(parent, options.data)]
    bundles = {point["name"]: load_bundle(point["bundle"]) for point in points}
    times = {name: time_bundles({"parent": bundles[parent["name"]], "this": one}) for name, one in bundles.items()}
    for point in points:
        point["milliseconds"] = {case: ms["this"] for case, ms in times[point["name"]].items()}
        point["speedup"] = {case: ms["parent"] / ms["this"] for case, ms in times[point["name"]].items()}
        point["peak_mib"] = {batch: memory(point["bundle"], batch) for batch in (1, 32)}
    for point in points:
        point.pop("right"), point.pop("bundle")
    write_json(Path("results/pareto.json"), record | {"n": parent["n"], "max_drop": MAX_DROP, "points": points})
    draw(points, Path("docs/figures/pareto.png"))


def own(parent: dict[str, Any], data: Path) -> list[dict[str, Any]]:
    """The shipped models of the same classes, each judged against the float parent."""
    _, _, records = load_parts(data, load_settings(DEFAULT).data)
    found: list[dict[str, Any]] = []
    for name in shipped():
        bundle = load_bundle(name)
        if bundle.manifest.labels != load_bundle(DEFAULT).manifest.labels:
            continue
        classifier = Classifier(bundle)
        answers: Predictions = collect(classifier.probabilities, records, classifier.labels)
        verdict = judge(np.array(parent["right"]), answers.correct, answers.groups, MAX_DROP)
        interval, method = accuracy_interval(answers.correct, answers.groups)
        found.append({
            "name": name, "precision": bundle.manifest.precision, "size": bundle.contract.size,
            "architecture": bundle.manifest.architecture, "n": len(answers.records),
            "accuracy": float(answers.correct.mean()), "accuracy_interval": list(interval), "interval_method": method,
            **cost(bundle.manifest.architecture, bundle.contract.size, len(bundle.manifest.labels)),
            "bytes": len(bundle.graph), "right": answers.correct.tolist(), "bundle": name, "shipped": True,
            "epochs": bundle.manifest.provenance["settings"]["optimization"]["epochs"], "drop": verdict.drop,
            "drop_upper": verdict.upper, "accepted": verdict.accepted,
        })  # fmt: skip
    return found


def cost(architecture: dict[str, Any], size: int, classes: int) -> dict[str, int]:
    """MACs and parameters of the network."""
    from clothing_classifier.analysis.tracing import trace
    from clothing_classifier.models import create_model

    model = create_model(architecture["name"], classes, **architecture["settings"])
    found = trace(model, (3, size, size))
    return {"macs": found.macs, "params": found.params}


def memory(bundle: str, batch: int) -> float:
    """Peak resident memory, MiB, of a process that answers one batch with the package."""
    command = [sys.executable, "-c", _MEMORY, bundle, str(batch)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def draw(points: list[dict[str, Any]], path: Path) -> None:
    """Accuracy against MACs and against measured latency; each way of getting small has its mark and colour."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(13, 6), dpi=110, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    titles = ("million MACs", "latency, as a share of float wardrobe's in turn")
    for axes, title, value in zip(panels, titles, (_macs, _latency), strict=True):
        for kind, (colour, marker) in KINDS.items():
            some = [point for point in points if kind_of(point) == kind]
            for filled in (False, True):
                chosen = [point for point in some if (point["precision"] == "int8") == filled]
                axes.errorbar(
                    [value(p) for p in chosen], [100 * p["accuracy"] for p in chosen],
                    yerr=np.array([[100 * abs(end - p["accuracy"]) for end in p["accuracy_interval"]]
                                   for p in chosen]).reshape(-1, 2).T,
                    fmt=marker, color=colour, markerfacecolor=colour if filled else "white", markersize=8,
                    elinewidth=0.5, alpha=0.9, label=kind if filled else None,
                )  # fmt: skip
        axes.set_xscale("log")
        axes.margins(x=0.13)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
        axes.xaxis.set_minor_formatter("{x:g}")
        axes.tick_params(axis="x", which="minor", labelsize=7)
        axes.set_xlabel(title)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("accuracy on validation, %, 95% over senders")
    panels[0].legend(loc="lower left", title="full marks: int8, empty ones: float", fontsize=8, title_fontsize=8)
    figure.draw_without_rendering()  # which fixes where everything lies
    for axes, value in zip(panels, (_macs, _latency), strict=True):
        name_points(axes, points, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def name_points(axes: Any, points: list[dict[str, Any]], value: Callable[[dict[str, Any]], float]) -> None:
    """Write each network's name beside its mark, on the first side where it is near no other name and no other mark."""
    marks = [axes.transData.transform((value(point), 100 * point["accuracy"])) for point in points]
    names: list[Any] = []
    named: list[Any] = []
    for i in sorted(range(len(points)), key=lambda i: (not points[i].get("shipped"), points[i]["precision"] != "int8")):
        if any(np.abs(marks[i] - mark).max() < SAME for mark in named):
            continue  # the same network once more, as in float where int8 was refused
        named.append(marks[i])
        for offset, side in (((6, 4), "left"), ((-6, 4), "right"), ((6, -9), "left"), ((-6, -9), "right")):
            text = axes.annotate(
                _short(points[i]), (value(points[i]), 100 * points[i]["accuracy"]), offset, textcoords="offset points",
                ha=side, fontsize=7, fontweight="bold" if points[i].get("shipped") else "normal",
            )  # fmt: skip
            box = text.get_window_extent()
            around = box.padded(SAME)
            others = [mark for mark in marks if np.abs(mark - marks[i]).max() >= SAME]
            if not any(around.overlaps(name) for name in names) and not any(around.contains(*m) for m in others):
                names.append(box)
                break
            text.remove()


SAME = 6
"""Pixels between marks that are drawn as one, and that a name keeps from others and from their marks."""
KINDS = {
    "wardrobe, smaller input, untrained": (BLUE, "o"),
    "smaller input, trained": ("#56B4E9", "s"),
    "pruned, trained": (ORANGE, "^"),
    "narrower, trained": (GREEN, "D"),
    "shipped": ("#000000", "*"),
}
"""Colour and mark; all colours are of Okabe and Ito (2008), which stay apart for every kind of colour vision."""


def kind_of(point: dict[str, Any]) -> str:
    """Which of `KINDS`."""
    steps = point.get("steps") or {}
    if point.get("shipped"):
        return "shipped"
    if steps.get("share"):
        return "pruned, trained"
    if steps.get("width"):
        return "narrower, trained"
    return "smaller input, trained" if point["epochs"] else "wardrobe, smaller input, untrained"


def _macs(point: dict[str, Any]) -> float:
    return float(point["macs"]) / 1e6


def _latency(point: dict[str, Any]) -> float:
    return 1 / float(point["speedup"]["latency"])


def _short(point: dict[str, Any]) -> str:
    if point.get("shipped"):
        return str(point["name"])
    steps = point.get("steps") or {}
    more = [f"{name} {steps[key]:g}" for key, name in (("share", "prune"), ("width", "width")) if steps.get(key)]
    return ", ".join([f"{point['size']} px", *more])


if __name__ == "__main__":
    main()
