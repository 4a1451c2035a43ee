"""Blocks on other engines and decoders, and on other tools that classify photos."""

import statistics
from collections.abc import Mapping
from typing import Any

from readme.records import result


def decoders() -> str:
    """JPEG decoders beside ours."""
    return _table("decoders", "decode, resize, pad")


def engines() -> str:
    """Engines beside ours."""
    return _table("engines", "network")


def javascript() -> str:
    """What the example in JavaScript answers beside `Classifier`."""
    record = result("engines.json")
    if "javascript" not in record:
        return f"Not measured: {record['left_out']['JavaScript']}."
    about = record["javascript"]
    same = f"{record['n']} validation photos: {about['same_label']:.1%} have the same label"
    return f"{same}; the largest difference in a probability is {about['max_probability_difference']:.2f}."


def tools() -> str:
    """What is installed for each tool, how it was set, and which are left out."""
    record = result("predict-throughput.json")
    lines = ["| | network | versions | setting | installed, MB |", "|---|---|---|---|---|"]
    for name, size in record["installed_mb"].items():
        about = record["peers"].get(name, {})
        versions = ", ".join(f"{package} {version}" for package, version in about.get("versions", {}).items())
        setting = ", ".join(f"{key} {value}" for key, value in about.get("setting", {}).items())
        lines.append(f"| {name} | {about.get('model', 'the bundle')} | {versions} | {setting} | {size:.0f} |")
    left_out = [f"{name}: {about['left_out']}" for name, about in record["peers"].items() if "left_out" in about]
    return "\n".join([*lines, *(["", f"Left out: {'; '.join(left_out)}."] if left_out else [])])


def shipped_speed() -> str:
    """How fast `predict` is with each of the shipped models of one set of classes."""
    record = result("predict-shipped.json")
    lines = ["| | photos a second | of wardrobe's | of its bound | with second readings | first answer, s | peak MB |"]
    lines.append("|---" * 7 + "|")
    for side, about in record["summary"].items():
        if "share_of_bound" not in about:
            continue
        shares = " | ".join(f"{about[key]:.0%}" for key in ("share_of_bound", "share_of_bound_of_all_evaluations"))
        cells = f"{about['photos_per_second']:.0f} | {1 / about.get('ours_times', 1):.1f} | {shares}"
        peak = max(about["peak_mb"].values())
        lines.append(f"| {side} | {cells} | {about['first_answer_seconds']:.2f} | {peak:.0f} |")
    sides = record["summary"]["wardrobe"], record["summary"]["wardrobe, --upright"]
    first, again = (side["bound_photos_per_second"] for side in sides)
    about = (
        f"In turn on {record['machine']['cpus']} cores ({record['machine']['processor']}), medians of "
        f"{len(record['rounds'])} rounds, ratios the medians of each round's own. Wardrobe's own bound, measured "
        f"twice, came out as {first:.0f} and {again:.0f} photos a second: shares are as exact as these two agree."
    )
    return "\n".join([*lines, "", about])


def _table(kind: str, part: str) -> str:
    record = result("engines.json")
    lines = [
        f"| | {part}, ms | processor time, of ours | elapsed, of ours | same label | largest difference | adds, MB |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    lines += [_row(name, about) for name, about in record[kind].items()]
    left_out = [f"{name}: {why}" for name, why in record["left_out"].items() if name != "JavaScript"]
    about = f"One thread, {record['n']} validation photos, in turn, medians of {record['rounds']} rounds"
    load = f"load average before: {record['load_average_before']:.1f}"
    return "\n".join(
        [*lines, "", f"{about}; {load}.", *(["Left out: " + "; ".join(left_out) + "."] if left_out else [])]
    )


def _row(name: str, about: Mapping[str, Any]) -> str:
    milliseconds = 1e3 * statistics.median(about["seconds"]["processor"])
    ratios = f"{about['of_ours']['processor']:.2f} | {about['of_ours']['clock']:.2f}"
    agreement = f"{about['same_label']:.1%} | {about['max_probability_difference']:.2f}"
    return f"| {name} | {milliseconds:.2f} | {ratios} | {agreement} | {about['installed_mb']:.0f} |"


BLOCKS = {
    "decoders": decoders,
    "engines": engines,
    "javascript": javascript,
    "shipped-speed": shipped_speed,
    "tools": tools,
}
