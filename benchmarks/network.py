"""What do the layers of the shipped model cost and see, and how do field and cost move when a network is changed?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.common import RESULTS, ROOT, new_app, recording
from clothing_classifier.inference.bundle import load_bundle

app = new_app(__doc__)
Row = dict[str, Any]
VARIANTS = {
    "as published": ("mobilenet_v2", 224),
    "depthwise kernels of 5 px": ("mobilenet_v2:kernel=5", 224),
    "depthwise kernels of 7 px": ("mobilenet_v2:kernel=7", 224),
    "dilation of 2 behind the last stride": ("mobilenet_v2:dilation=2", 224),
    "half the blocks": ("mobilenet_v2:depth=0.5", 224),
    "the last 3 blocks see no neighbours": ("mobilenet_v2:local_blocks=3", 224),
    "the last 10 blocks see no neighbours": ("mobilenet_v2:local_blocks=10", 224),
    "half the width": ("mobilenet_v2:width=0.5", 224),
    "an image of 128 px": ("mobilenet_v2", 128),
    "an image of 320 px": ("mobilenet_v2", 320),
}
GARMENTS = ("dress", "hoodie", "pants", "polo", "shirt", "shoes", "skirt", "hat")


@app.command()
def layers(
    model: Annotated[str, typer.Option(help="A shipped model, of MobileNetV2.")] = "wardrobe",
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "network.json",
) -> None:
    """Every layer, kind of layer and stage of a shipped model, with the stages' effective fields on drawn garments."""
    from clothing_classifier.analysis.analyzer import measure

    photos = [ROOT / "data" / "images" / f"{name}-00-a.jpg" for name in GARMENTS]
    with recording(out) as record:
        report, _ = measure(model, photos=photos)
        rows = [row for row in report["layers"] if row["params"]]
        record.update({
            "model": model, "input": report["input"], "photos": [path.relative_to(ROOT).as_posix() for path in photos],
            "totals": report["totals"], "kinds": add_up_kinds(rows, report["totals"]["macs"]),
            "stages": describe_stages(load_bundle(model).manifest.stages or [], rows, report),
            "layers": [
                {key: row[key] for key in ("output", "params", "macs", "flops")} | {"name": _short(row["name"])}
                for row in rows
            ],
        })  # fmt: skip


def add_up_kinds(rows: Sequence[Row], macs: int) -> dict[str, Row]:
    """Number and cost of the layers of each kind, the most expensive first."""
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        part = row["name"].removesuffix(".conv").rpartition(".")[2]
        kind = {"depthwise": "depthwise", "stem": "convolution", "classifier": "linear"}.get(part, "pointwise")
        kinds.setdefault(kind, []).append(row)
    found = {
        kind: {"layers": len(some), **{key: sum(row[key] for row in some) for key in ("params", "macs", "flops")}}
        for kind, some in kinds.items()
    }
    return {
        kind: about | {"macs_fraction": about["macs"] / macs}
        for kind, about in sorted(found.items(), key=lambda item: -item[1]["macs"])
    }


def describe_stages(stages: Sequence[Row], rows: Sequence[Row], report: Row) -> list[Row]:
    """What each stage is made of, costs and sees; the effective side is the root of the area."""
    effective = {_short(field["name"]): field for field in report["effective"]}
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        name, _, part = _short(row["name"]).removesuffix(".conv").rpartition(".")
        blocks.setdefault(name or part, []).append(row)
    names, found, first, channels = list(blocks), [], 0, 3
    for stage in stages:
        end = names.index(stage["name"]) + 1
        inside = [row for name in names[first:end] for row in blocks[name]]
        head, last = blocks[names[first]], inside[-1]
        field, side = effective[stage["name"]], stage["receptive_field"][0]
        found.append({
            "name": stage["name"], "blocks": end - first,
            **({"expansion": head[0]["output"][0] // channels} if len(head) == 3 else {}),
            "channels": last["output"][0], "map": last["output"][1:],
            "params": sum(row["params"] for row in inside), "macs": stage["macs"],
            "macs_fraction": stage["macs"] / report["totals"]["macs"], "receptive_field": side,
            "image_fraction": min(1.0, (side / report["input"][1]) ** 2),
            "effective_field": field["extent"], "effective_ratio": field["area"] ** 0.5 / side,
            "stride": stage["stride"][0], "start": stage["start"][0],
        })  # fmt: skip
        first, channels = end, last["output"][0]
    return found


def _short(name: str) -> str:
    return name.removeprefix("extractor.")


@app.command("what-if")
def what_if(out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "what-if.json") -> None:
    """Field, effective stride, MACs and parameters of MobileNetV2 with one setting changed at a time."""
    from clothing_classifier.analysis import analyze

    with recording(out) as record:
        record["n"], record["variants"] = len(VARIANTS), {}
        for name, (model, side) in VARIANTS.items():
            totals = analyze(model, (3, side, side))["totals"]
            costs = {key: totals[key] for key in ("receptive_field", "stride", "macs", "params")}
            record["variants"][name] = {"model": model, "input": [3, side, side], **costs}
