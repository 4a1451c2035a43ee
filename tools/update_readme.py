"""Fill the generated blocks of README.md, docs/ and the model cards from results/, so that no figure stands on memory.

    python tools/update_readme.py [--check]

With --check nothing is written, and the exit status is 1 where a block is not what results/ give, or where a figure
stands in README.md outside of a block.
"""

import argparse
import json
import re
import statistics
import sys
from collections.abc import Callable

from readme import confidence, engines, fashion, journeys, limits, model, scaling, smaller
from readme.loose import find_loose_figures
from readme.records import BUNDLES, ROOT, hardened, points, result

BLOCK = re.compile(r"(<!-- results: ([^:\s]+)(?::(\S+))? -->\n).*?(<!-- end -->)", re.DOTALL)
PARTS = {
    "validation": "validation",
    "validation, children's clothes": "children's clothes among them",
    "validation, the ten benchmark classes": "the ten benchmark classes among them",
    "test": "test",
    "test, children's clothes": "children's clothes among them",
    "test, the ten benchmark classes": "the ten benchmark classes among them",
    "drawn": "the drawings in `data/`",
}

PUBLISHED = (
    ("Xception, 299 px (mlbookcamp-code, chapter 7)", "8.4 billion", 0.9032, None),
    ("ResNet-50 (SamirGouda/YOLOX-Clothing_Classifier)", "4.1 billion", 0.8844, 0.8573),
    ("MobileNetV3-small (SamirGouda/YOLOX-Clothing_Classifier)", "0.06 billion", 0.8522, 0.8206),
)
"""What others report on the ten-class test photos: system, MACs, accuracy, macro-F1. Theirs, not measured here."""

MIN_SUPPORT = 12
"""Photos of a class below which its recall is left out of a table."""


def accuracy(model: str) -> str:
    """A shipped model on each part that it was measured on."""
    report = result(f"{model}-evaluation.json")
    columns = ["measured on", "n", "accuracy", "95% interval", "by", "balanced accuracy", "macro-F1", "top-3",
               "calibration error"]  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for key, name in PARTS.items():
        if key not in report:
            continue
        part = report[key]
        low, high = part["accuracy_interval"]
        macro_f1 = statistics.mean(about["f1"] for about in part["per_class"].values() if about["support"])
        groups = re.match(r"bootstrap over (\d+) groups", part["interval_method"])
        resampled = f"{groups[1]} groups" if groups else "photos"
        figures = f"{part['accuracy']:.1%} | {low:.1%} to {high:.1%} | {resampled} | {part['balanced_accuracy']:.1%}"
        figures += f" | {macro_f1:.3f} | {part['top3']:.1%} | {part['ece']:.1%}"
        seen = part.get("senders_seen")
        about = "" if seen is None else f", {seen['photos'] or 'none'} of them from senders seen in training"
        lines.append(f"| {name}{about} | {part['n']} | {figures} |")
    about = (
        "Intervals: bootstrap over whole groups (senders; garments of the drawings), or, where these are too few to "
        "resample, Wilson's over photos taken as independent. Balanced accuracy and macro-F1: over the classes that "
        "are there; macro-F1 as `clothing evaluate` prints it also counts, as zero, those that are only answered. "
        "Calibration error: ten bins of equal mass; chance alone adds to it."
    )
    return "\n".join([*lines, "", about])


def training(model: str) -> str:
    """The runs behind a shipped model, on validation: teachers, students, and what ships."""
    record = result(f"{model}-training.json")
    lines = ["| on validation | runs | accuracy | macro-F1 |", "|---|---|---|---|"]
    for kind, about in record["summary"].items():
        figures = _with_spread(about["accuracy"], "1%"), _with_spread(about["macro_f1"], "3f")
        lines.append(f"| {kind}s, mean ± deviation | {about['runs']} | {' | '.join(figures)} |")
    last = {"the student that ships": record["runs"][record["chosen"]]}
    if ships := hardened(model):
        last = {"the student that goes on": record["runs"][record["chosen"]], "hardened, as it ships": ships}
    for name, run in last.items():
        reached = run["metrics"]["validation"]
        lines.append(f"| {name} | 1 | {reached['accuracy']:.1%} | {reached['macro_f1']:.3f} |")
    return "\n".join([*lines, "", f"In 32-bit arithmetic, {record['n']['validation']} photos."])


def published() -> str:
    """benchmark-10 beside what others report on the same photos."""
    test = result("benchmark-10-evaluation.json")["test"]
    manifest = json.loads((BUNDLES / "benchmark-10" / "bundle.json").read_text(encoding="utf-8"))
    macs = sum(stage["macs"] for stage in manifest["stages"])
    rows = [("**benchmark-10** (int8)", f"{macs / 1e9:.1f} billion", test["accuracy"], test["macro_f1"]), *PUBLISHED]
    lines = ["| ten-class test | MACs | accuracy | macro-F1 |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {cost} | {right:.1%} | {f'{f1:.3f}' if f1 else 'not given'} |" for name, cost, right, f1 in rows
    ]
    low, high = test["accuracy_interval"]
    return "\n".join(
        [*lines, "", f"Ours: {test['n']} photos, 95% {low:.1%} to {high:.1%} ({test['interval_method']})."]
    )


def image_fit() -> str:
    """The experiment on how a photo becomes a square."""
    record = result("image-fit.json")
    lines = ["| fit | accuracy, mean (least to most) | ahead of squashing |", "|---|---|---|"]
    for fit, spread in record["accuracy"].items():
        ahead = record["difference_to_squash"].get(fit)
        text = "" if ahead is None else f"{points(ahead['mean'])} ({' to '.join(map(points, ahead['interval']))})"
        lines.append(f"| {fit} | {spread['mean']:.1%} ({spread['min']:.1%} to {spread['max']:.1%}) | {text} |")
    about = f"{record['n']['validation']} validation photos, {record['settings']['image']['size']} px"
    about += f", {len(record['seeds'])} seeds each; {record['interval_method']}."
    twice = "Means are of the runs themselves, differences of the same weights read once more, side by side."
    return "\n".join([*lines, "", f"{about} {twice}"])


def speed() -> str:
    """Throughput of predict beside its bound and what others would use."""
    record = result("predict-throughput.json")
    columns = ["", "photos a second", "of the bound", "of the bound, second readings counted", "first answer, s",
               "peak MB", "wardrobe is faster, times"]  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for side, about in record["summary"].items():
        share, times = about.get("share_of_bound"), about.get("ours_times")
        peak = max(about["peak_mb"].values())
        again = about.get("share_of_bound_of_all_evaluations")
        shares = " | ".join(f"{part:.1%}" if part else "" for part in (share, again))
        cells = f"{about['photos_per_second']:.0f} | {shares}"
        ratio = f"{times:.1f}" if times else ""
        lines.append(f"| {side} | {cells} | {about['first_answer_seconds']:.2f} | {peak:.0f} | {ratio} |")
    machine = f"{record['machine']['cpus']} cores ({record['machine']['processor']})"
    load = f"load average before: {record['load_average_before']:.1f}"
    about = f"In turn on {machine}, medians of {len(record['rounds'])} rounds; {load}"
    bound = "the bound: one core's time to prepare a photo and to evaluate it once, or as often as it is read"
    return "\n".join([*lines, "", f"{about}; {bound}."])


def training_speed() -> str:
    """Training throughput beside the loop of a tutorial."""
    record = result("training-throughput.json")
    lines = ["| | images a second | ratio |", "|---|---|---|"]
    lines += [
        f"| {name} | {speed:.0f} | {record['times_plain'].get(name, 1):.1f} |"
        for name, speed in record["images_per_second"].items()
    ]
    about = (
        f"MobileNetV2 at {record['size']} px, batches of {record['batch_size']}, {record['machine']['cpus']} processors"
    )
    return "\n".join([*lines, "", f"{about}, medians of {len(record['rounds'])} rounds side by side."])


def what_if() -> str:
    """How field and cost move with each change of a network."""
    variants = result("what-if.json")["variants"]
    base = next(iter(variants.values()))
    lines = ["| MobileNetV2 | receptive field | effective stride | MACs | parameters | `clothing analyze` |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, variant in variants.items():
        side = "" if variant["input"] == base["input"] else f" --input {'x'.join(map(str, variant['input']))}"
        costs = [f"{variant[key] / 1e6:.1f} million ({variant[key] / base[key]:.2f})" for key in ("macs", "params")]
        field, stride = variant["receptive_field"][0], variant["stride"][0]
        lines.append(f"| {name} | {field} px | {stride} px | {' | '.join(costs)} | `{variant['model']}{side}` |")
    return "\n".join(lines)


def field_accuracy() -> str:
    """Accuracy of networks whose field was limited or dilated."""
    record = result("field-size.json")
    variants, published = record["variants"], record["variants"]["491 px, as published"]
    lines = ["| MobileNetV2, field | accuracy | 95% | against as published |", "|---|---|---|---|"]
    for name, variant in variants.items():
        low, high = variant["interval"]
        ends = " to ".join(points(end) for end in variant["ahead_interval"])
        against = "" if variant is published else f"{points(variant['ahead_of_published'])} ({ends})"
        mean, spread = variant["accuracy"]["mean"], variant["accuracy"]["spread"]
        lines.append(f"| {name} | {mean:.1%} ± {spread:.1%} | {low:.1%} to {high:.1%} | {against} |")
    side = next(change for change in record["recipe"] if change.startswith("image.size=")).partition("=")[2]
    about = f"{record['n']} validation photos of {side} px, {published['runs']} seeds each; intervals over senders"
    return "\n".join([*lines, "", f"{about}."])


def field_size() -> str:
    """`field_accuracy`, and recall of the classes in order of need, with the control and the dilated network last."""
    record = result("field-size.json")
    variants, published = record["variants"], record["variants"]["491 px, as published"]
    accuracies, _, about = field_accuracy().rpartition("\n")
    fields = [name for name in variants if "anew" not in name and "dilated" not in name]
    columns = [*fields, *(name for name in variants if name not in fields)]
    titles = [name.partition(",")[0] for name in fields] + columns[len(fields) :]
    lines = [f"{accuracies}\n| recall | photos | {' | '.join(titles)} |", "|---|---|" + "---|" * len(columns)]
    enough = [label for label, row in published["per_class"].items() if row["support"] >= MIN_SUPPORT]

    def recall(label: str, name: str) -> float:
        return float(variants[name]["per_class"][label]["recall"])

    for label in sorted(enough, key=lambda label: recall(label, fields[-1]) - recall(label, fields[1])):
        cells = " | ".join(f"{recall(label, name):.2f}" for name in columns)
        lines.append(f"| {label} | {published['per_class'][label]['support']} | {cells} |")
    limits = f"classes of at least {MIN_SUPPORT} photos, the least needy first"
    return "\n".join([*lines, "", f"{about.removesuffix('.')}; {limits}."])


def analysis_cost() -> str:
    """Time and memory of an analysis."""
    record = result("analysis-cost.json")
    lines = ["| | layers | seconds | importing torch | peak memory |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {case['layers']:.0f} | {case['seconds']:.1f} | {case['import_torch_seconds']:.1f} | "
        f"{case['peak_mb']:.0f} MB |"
        for name, case in record["cases"].items()
    ]
    return "\n".join([*lines, "", f"Fresh processes, medians of {record['n']}."])


def ablation(preset: str) -> str:
    """What each part of a recipe brings."""
    record = result(f"ablation-{preset}.json")
    lines = ["| | runs | accuracy | macro-F1 | log loss | ahead of the recipe |", "|---|---|---|---|---|---|"]
    for name, about in record["variants"].items():
        low, high = about["ahead_interval"]
        ahead = "" if name == "recipe" else f"{points(about['ahead'])} ({points(low)} to {points(high)})"
        figures = [_with_spread(about[key], form) for key, form in
                   (("accuracy", "1%"), ("macro_f1", "3f"), ("log_loss", "3f"))]  # fmt: skip
        lines.append(f"| {name} | {about['runs']} | {' | '.join(figures)} | {ahead} |")
    size = next(setting.partition("=")[2] for setting in record["recipe"] if setting.startswith("image.size"))
    photos = f"{record['n']} photos of {len(record['folds'])} of {record['of_folds']} folds by sender, {size} px"
    about = f"{photos}, {len(record['seed'])} seeds, mean ± deviation; 95%, bootstrap over senders."
    return "\n".join([*lines, "", about])


def few_photos() -> str:
    """Starting from the shipped model, from ImageNet and from random weights."""
    record = result("few-photos.json")
    lines = ["| photos | start | runs | accuracy | macro-F1 | wardrobe ahead by | seconds |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in record["summary"]:
        ahead = row["wardrobe_ahead"]
        margin = "" if row["start"] == "wardrobe" else f"{points(ahead['mean'])} ± {100 * ahead['spread']:.1f}"
        figures = f"{_with_spread(row['accuracy'], '1%')} | {_with_spread(row['macro_f1'], '3f')}"
        start = f"{row['photos']} | {row['start']} | {row['runs']}"
        lines.append(f"| {start} | {figures} | {margin} | {row['seconds']['mean']:.0f} |")
    photos = f"{record['folds']} folds by sender of {record['n']} photos that wardrobe has not seen"
    about = f"{len(record['labels'])} coarse classes, {photos}, mean ± deviation over folds."
    if "kept" in record:
        here, there = record["machine"], record["kept"]["machine"]
        about += (
            f" Seconds of wardrobe: {here['processor']}, cores: {here['cpus']}, which did other work too; of the "
            f"others: {there['processor']}, cores: {there['cpus']}."
        )
    return "\n".join([*lines, "", about])


def serving() -> str:
    """Requests a second and latency of the service by clients, beside a plain handler."""
    record = result("serving.json")
    lines = ["| clients | `clothing serve`, requests/s | p50, p99 | refused | plain handler, requests/s | p50, p99 |"]
    lines.append("|---|---|---|---|---|---|")
    for row in record["by_clients"]:
        cells = [str(row["clients"])]
        for side in (row["clothing"], row["plain"]):
            times = side["milliseconds"]
            cells += [f"{side['requests_per_second']:.0f}", f"{times['p50']:.0f} ms, {times['p99']:.0f} ms"]
            if side is row["clothing"]:
                cells.append(f"{side['statuses'].get('503', 0) / sum(side['statuses'].values()):.0%}")
        lines.append(f"| {' | '.join(cells)} |")
    half, twice, soak = record["half_of_saturation"], record["twice_saturation"]["clothing"], record["soak"]
    statuses = {status: twice["statuses"].get(status, 0) for status in ("200", "503")}
    about = [
        f"One 400 x 534 photo a request, {record['machine']['cpus']} processors, load generator among them.",
        "Rates and times are of answers, refusals (503) of all requests; the plain handler refuses none.",
        f"At best {record['share_of_in_process']:.0%} of the rate in process.",
        (
            f"At half of the best rate above p99 is {half['clothing']['milliseconds']['p99']:.0f} ms "
            f"(plain: {half['plain']['milliseconds']['p99']:.0f} ms)."
        ),
        (
            f"At twice that rate, {statuses['200']} answers, {twice['wrong']} of them wrong, "
            f"{statuses['503']} refusals (503), and at most {twice['peak_mb']:.0f} MB."
        ),
        f"With `--batch` 1, 2, 4 and 8: {', '.join(f'{rate:.0f}' for rate in record['by_batch'].values())} a second.",
        f"After {soak['load']['seconds'] / 60:.0f} minutes memory had grown by {soak['memory_growth']:.1%}.",
        f"{len(record['sigterm']['stops'])} stops under load lost {record['sigterm']['lost'] or 'no'} requests.",
    ]
    return "\n".join([*lines, "", *about])


BLOCKS: dict[str, Callable[..., str]] = {
    "accuracy": accuracy,
    "training": training,
    "published": published,
    "image-fit": image_fit,
    "speed": speed,
    "training-speed": training_speed,
    "what-if": what_if,
    "field-size": field_size,
    "field-accuracy": field_accuracy,
    "analysis-cost": analysis_cost,
    "ablation": ablation,
    "few-photos": few_photos,
    **confidence.BLOCKS,
    **journeys.BLOCKS,
    **limits.BLOCKS,
    **fashion.BLOCKS,
    **scaling.BLOCKS,
    **model.BLOCKS,
    **engines.BLOCKS,
    **smaller.BLOCKS,
    "serving": serving,
}


def _with_spread(values: dict[str, float], form: str) -> str:
    spread = f" ± {values['spread']:.{form}}" if "spread" in values else ""
    return f"{values['mean']:.{form}}{spread}"


def main() -> None:
    """Render each block; write the documents or compare with them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a block is out of date")
    options = parser.parse_args()
    for document in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(BUNDLES.glob("*/README.md"))):
        before = document.read_text(encoding="utf-8")
        after = BLOCK.sub(_render, before)
        if document == ROOT / "README.md" and (loose := find_loose_figures(before)):
            line, figure = loose[0]
            sys.exit(f"README.md, line {line}: the figure {figure} stands outside of a generated block")
        if after == before:
            continue
        if options.check:
            name = document.relative_to(ROOT)
            sys.exit(f"{name}: a generated block is not what results/ give; run python tools/update_readme.py")
        document.write_text(after, encoding="utf-8")


def _render(match: re.Match[str]) -> str:
    start, name, argument, end = match.groups()
    return f"{start}{BLOCKS[name](*([argument] if argument else []))}\n{end}"


if __name__ == "__main__":
    main()
