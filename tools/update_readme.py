"""Fill the generated blocks of README.md from results/, so that no figure in it stands on memory.

    python tools/update_readme.py [--check]

With --check nothing is written, and the exit status is 1 where a block is not what results/ give.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- results: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def result(name: str) -> dict[str, Any]:
    """A record of results/."""
    record: dict[str, Any] = json.loads((ROOT / "results" / name).read_text(encoding="utf-8"))
    return record


def accuracy() -> str:
    """The shipped model on the photos and on the drawings."""
    report = result("wardrobe-evaluation.json")
    lines = ["| measured on | n | accuracy | 95% interval | macro-F1 | top-3 |", "|---|---|---|---|---|---|"]
    for key, name in (("validation", "photos of senders kept out of training"), ("drawn", "the drawings in `data/`")):
        part = report[key]
        low, high = part["accuracy_interval"]
        figures = f"{part['accuracy']:.1%} | {low:.1%} to {high:.1%} | {part['macro_f1']:.3f} | {part['top3']:.1%}"
        lines.append(f"| {name} | {part['n']} | {figures} |")
    methods = {report[key]["interval_method"] for key in ("validation", "drawn")}
    return "\n".join([*lines, "", f"Intervals: {'; '.join(sorted(methods))}. One training run."])


def image_fit() -> str:
    """The experiment on how a photo becomes a square."""
    record = result("image-fit.json")
    lines = ["| fit | accuracy, mean (least to most) | ahead of squashing |", "|---|---|---|"]
    for fit, spread in record["accuracy"].items():
        ahead = record["difference_to_squash"].get(fit)
        text = "" if ahead is None else f"{_points(ahead['mean'])} ({' to '.join(map(_points, ahead['interval']))})"
        lines.append(f"| {fit} | {spread['mean']:.1%} ({spread['min']:.1%} to {spread['max']:.1%}) | {text} |")
    about = f"{record['n']['validation']} validation photos, {record['settings']['image']['size']} px"
    return "\n".join([*lines, "", f"{about}, {len(record['seeds'])} seeds each; {record['interval_method']}."])


def speed() -> str:
    """Throughput and first answer beside the Hugging Face pipeline."""
    record = result("predict-throughput.json")
    rate, seconds = record["throughput"]["photos_per_second"], record["first_answer"]["seconds"]
    ratios = [record[key]["ratio"]["median"] for key in ("throughput", "first_answer")]
    return "\n".join(
        [
            "| | `clothing predict` | Hugging Face pipeline | ratio |",
            "|---|---|---|---|",
            f"| photos a second | {rate['clothing']:.0f} | {rate['huggingface']:.0f} | {ratios[0]:.1f} |",
            f"| first answer, s | {seconds['clothing']:.2f} | {seconds['huggingface']:.2f} | {ratios[1]:.1f} |",
            "",
            f"{record['n']} photos, whole processes side by side, medians.",
        ]
    )


BLOCKS: dict[str, Callable[[], str]] = {"accuracy": accuracy, "image-fit": image_fit, "speed": speed}


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"


def main() -> None:
    """Render each block; write README.md or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a block is out of date")
    options = parser.parse_args()
    before = README.read_text(encoding="utf-8")
    after = BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match[2]]()}\n{match[3]}", before)
    if after == before:
        return
    if options.check:
        sys.exit("README.md: a generated block is not what results/ give; run python tools/update_readme.py")
    README.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
