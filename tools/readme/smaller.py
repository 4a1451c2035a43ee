"""Blocks of docs/compression.md: what smaller networks cost and lose, and where."""

from collections.abc import Callable
from typing import Any

from readme.records import BUNDLES, manifest, percent, points, result

SMALLER = ("wardrobe-small", "wardrobe-tiny")
FULL = (32, 96, 144, 144, 192, 192, 192, 384, 384, 384, 384, 576, 576, 576, 960, 960, 960)
"""Channels that each block of the unpruned network filters (table 2 of the MobileNetV2 paper)."""
FULL_HEAD = 1280
_LIGHTER = {
    "wardrobe, float": "wardrobe, 256 px",
    "quantize": "the same",
    "smaller-input:192+quantize": "photos of 192 px, no training",
    "smaller-input:128+distil+quantize": "photos of 128 px, two epochs on wardrobe's answers",
    "smaller-input:160+prune:0.65+distil+quantize": "pruned, photos of 160 px, two epochs",
    "narrow:0.75+smaller-input:160+distil+quantize": "width 0.75, photos of 160 px, two epochs, far from trained",
    "wardrobe-small": "pruned, photos of 160 px, 24 epochs: wardrobe-small",
}


def pareto() -> str:
    """Every measured network, the most work first."""
    record = result("pareto.json")
    titles = ("network", "epochs", "accuracy (95%)", "drop, at most", "MACs", "params", "file", "latency",
              "batch of 32", "peak, MiB")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for point in sorted(record["points"], key=lambda point: -point["macs"]):
        name = f"**{point['name']}**" if point.get("shipped") else f"`{point['name']}`"
        accuracy = percent(point["accuracy"], point["accuracy_interval"])
        drop = f"{100 * point['drop']:.1f}, {100 * point['drop_upper']:.1f}"
        sizes = f"{point['macs'] / 1e6:.0f}M | {point['params'] / 1e6:.2f}M | {point['bytes'] / 1e6:.2f} MB"
        ms, peak = point["milliseconds"], point["peak_mib"]
        latency = f"{ms['latency']:.2f}, {ms['latency, two threads']:.2f} ms ({point['speedup']['latency']:.1f}x)"
        batch = f"{1000 / ms['batch']:.0f}, {1000 / ms['batch, two threads']:.0f}/s ({point['speedup']['batch']:.1f}x)"
        memory = f"{peak['1']:.0f}, {peak['32']:.0f}"
        lines.append(f"| {name} | {point['epochs']} | {accuracy} | {drop} | {sizes} | {latency} | {batch} | {memory} |")
    about = (
        f"{record['n']} validation photos, read as `predict` reads them; drops in points against wardrobe in float, "
        "paired, and what they are 90% sure not to exceed (one-sided, bootstrap over senders). Times are of the "
        "network alone, of one reading, with one and two threads; in parentheses, one thread as a ratio to wardrobe in "
        "float, measured in turn with it. Peak memory of a process that answers one photo, and 32 at once."
    )
    accepted = sum(point["accepted"] for point in record["points"][1:])
    verdict = f"{accepted} of {len(record['points']) - 1} lose at most {100 * record['max_drop']:.0f} point for sure."
    return "\n".join([*lines, "", about, verdict])


def lighter() -> str:
    """What a smaller photo and a narrower network cost, from the points of the Pareto table."""
    record = result("pareto.json")
    points = {point["name"]: point for point in record["points"]}
    lines = ["| network | arithmetic | MACs | accuracy (95%) | speed |", "|---|---|---|---|---|"]
    for name, title in _LIGHTER.items():
        point = points[name]
        accuracy = percent(point["accuracy"], point["accuracy_interval"])
        arithmetic = {"fp32": "floats", "int8": "int8"}[point["precision"]]
        lines.append(
            f"| {title} | {arithmetic} | {point['macs'] / 1e6:.0f}M | {accuracy} | {point['speedup']['latency']:.1f}x |"
        )
    about = (
        f"{record['n']} validation photos, read as `predict` reads them; speed of the network alone on one thread, one "
        "photo at a time, against floats in turn."
    )
    whole = f"By wardrobe-small's recipe a whole network, at 128 px, has {_beside_small('wardrobe-small-whole')}."
    return "\n".join([*lines, "", about, whole])


def shipped_points() -> str:
    """The shipped models beside wardrobe, with the bounds that they were made for."""
    lines = ["| model | accuracy (95%) | under wardrobe, 95% | MACs | file |", "|---|---|---|---|---|"]
    for name in ("wardrobe", *SMALLER):
        report = result(f"{name}-evaluation.json")
        measured, macs = report["validation"], report["model"]["macs"] / 1e6
        accuracy, drop = percent(measured["accuracy"], measured["accuracy_interval"]), ""
        if against := measured.get("comparison"):
            high, low = (-100 * end for end in against["difference_interval"])
            drop = f"{-100 * against['difference']:.1f} points ({low:.1f} to {high:.1f})"
        size = (BUNDLES / name / "model.onnx").stat().st_size / 1e6
        lines.append(f"| {name} | {accuracy} | {drop} | {macs:.1f}M | {size:.2f} MB |")
    read = "read as `predict` reads them: set upright where the bundle can tell"
    told = {name: manifest(name).get("orientation") for name in ("wardrobe", *SMALLER)}
    views = " and ".join(f"{found['views']:.2f} times by {name}" for name, found in told.items() if found)
    about = f"{measured['n']} validation photos, all in int8, {read}. MACs are of one reading; an upright photo is read"
    return "\n".join([*lines, "", f"{about} {views} on average, by the others once."])


def taught_anew() -> str:
    """Networks from the hardened wardrobe, pruned and whole, beside wardrobe-small, which is from the one before."""
    made = {
        "From the hardened wardrobe the same recipe makes": "wardrobe-small-hardened",
        "Unpruned, with photos of 128 px, it makes": "wardrobe-small-whole",
    }
    lines = [f"- {how} one that has {_beside_small(name)}." for how, name in made.items()]
    return "\n".join([*lines, "", "Validation photos as `predict` reads them, differences paired, 95% by sender."])


def _beside_small(name: str) -> str:
    measured = result(f"{name}-comparison.json")["validation"]
    found, run = measured["comparison"], next(iter(result(f"{name}-training.json")["runs"].values()))
    low, high = map(points, found["difference_interval"])
    shipped = result("wardrobe-small-evaluation.json")["validation"]
    losses = f"a log loss of {measured['log_loss']:.3f} against {shipped['log_loss']:.3f}"
    return (
        f"{measured['accuracy']:.1%} of {found['n']} photos right, {points(found['difference'])} ({low} to {high}) "
        f"against the wardrobe-small that ships, and {losses}: one run of "
        f"{run['settings']['optimization']['epochs']} epochs"
    )


def pruned_layers() -> str:
    """The channels that each block kept."""
    kept = {name: manifest(name)["architecture"]["settings"] for name in SMALLER}
    lines = [f"| block | unpruned | {' | '.join(SMALLER)} |", "|---|---|" + "---|" * len(SMALLER)]
    rows = [(f"blocks.{i}", full, [kept[name]["hidden"][i] for name in SMALLER]) for i, full in enumerate(FULL)]
    rows.append(("head", FULL_HEAD, [kept[name]["head"] for name in SMALLER]))
    for name, full, widths in rows:
        lines.append(f"| {name} | {full} | {' | '.join(f'{w} ({w / full:.0%})' for w in widths)} |")
    return "\n".join([*lines, "", "Channels that the block filters; the first block's are the stem's."])


def quantization() -> str:
    """int8 beside its float parent."""
    record = result("quantization.json")
    lines = ["| model | float | int8 | same label | drop, 95% | at most |", "|---|---|---|---|---|---|"]
    for name, about in record["models"].items():
        low, high = about["drop_interval"]
        same = percent(about["agreement"], about["agreement_interval"])
        drop = f"{100 * about['drop']:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
        figures = f"{about['float_accuracy']:.1%} | {about['int8_accuracy']:.1%} | {same} | {drop}"
        lines.append(f"| {name} | {figures} | {100 * about['drop_upper']:+.1f} |")
    n = next(iter(record["models"].values()))["n"]
    return "\n".join([*lines, "", f"{n} validation photos; at most: 90% sure, one-sided; both by sender."])


def quantization_layers(model: str) -> str:
    """Signal to noise of each layer of a model in int8, a row a block."""
    record = result("quantization.json")
    found: dict[str, dict[str, Any]] = {}
    for row in record["models"][model]["layers"]:
        block, _, part = row["layer"].removeprefix("extractor.").removesuffix(".conv").rpartition(".")
        found.setdefault(block or part, {})[part] = row["decibel"]
    parts = ("expand", "depthwise", "project")
    lines = [f"| block | {' | '.join(parts)} |", "|---|---|---|---|"]
    for block, measured in found.items():
        cells = [measured.get(part, measured.get(block) if part == "project" else None) for part in parts]
        lines.append(f"| {block} | {' | '.join('' if value is None else f'{value:.0f}' for value in cells)} |")
    photos = f"{record['layer_photos']} photos"
    bits = "eight" if record["models"][model]["session_options"] else "seven"
    about = f"{model}, signal to noise of the output in dB, {photos}, {bits}-bit weights; layers in float are absent."
    return "\n".join([*lines, "", about])


def bias_correction(model: str) -> str:
    """What the correction of biases brings a model in int8."""
    record = result("quantization.json")["models"][model]
    lines = ["| weights | biases | logits above the error | same label | accuracy |", "|---|---|---|---|---|"]
    lines += [
        f"| {way['bits']} bits | {'corrected' if way['corrected'] else 'as they were'} | {way['decibel']:.1f} dB | "
        f"{way['agreement']:.1%} | {way['accuracy']:.1%} |"
        for way in record["corrections"]
    ]
    surest = max(way["surest_changed"] for way in record["corrections"] if way["corrected"])
    text = (
        f"{model}, {record['n']} validation photos, beside its float parent, which has {record['float_accuracy']:.1%} "
        f"right. With biases corrected all labels that change are among the {surest:.0%} of photos that the floats are "
        f"least sure of. Eight bits in the kernels that can't overflow take {record['no_overflow_ratio']:.1f} times as "
        "long as in the fast ones, on a processor with VNNI."
    )
    return "\n".join([*lines, "", text])


def importance() -> str:
    """Which channels pruning takes: three ways, without training and after some."""
    record = result("pruning-importance.json")
    lines = ["| MACs left | channels go by | without training | after training | Fisher information is ahead |",
             "|---|---|---|---|---|"]  # fmt: skip
    for row in record["summary"]:
        figures = [f"{row[key]['mean']:.1%} ± {row[key]['spread']:.1%}" for key in ("untrained", "trained")]
        after = row["trained"]
        ends = " to ".join(points(end) for end in after["ahead_interval"])
        ahead = "" if row["way"] == record["summary"][0]["way"] else f"{points(after['ahead'])} ({ends})"
        lines.append(f"| {row['share']:.0%} | {row['way']} | {' | '.join(figures)} | {ahead} |")
    about = (
        f"wardrobe at {record['size']} px ({record['unpruned']:.1%} there without training, whole), "
        f"{record['n']['validation']} validation photos, {len(record['seed'])} seeds, mean ± deviation; "
        f"{record['epochs']} epochs on wardrobe's answers; ahead: after training, paired by photo, 95% by sender."
    )
    return "\n".join([*lines, "", about])


BLOCKS: dict[str, Callable[..., str]] = {
    "pareto": pareto,
    "lighter": lighter,
    "shipped-points": shipped_points,
    "taught-anew": taught_anew,
    "pruned-layers": pruned_layers,
    "pruning-importance": importance,
    "int8": quantization,
    "quantization-layers": quantization_layers,
    "bias-correction": bias_correction,
}
