"""Blocks of docs/limits.md: doubtful labels, few senders, small classes, what was never seen, time and energy."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from clothing_classifier.evaluation.metrics import wilson_interval
from readme.records import manifest, percent, photo_rows, result, runs_behind

ODD = ("Not sure", "Other", "Skip")
"""Labels of the clothing data set that no model learns."""
WATTS_PER_CORE = 10.0
"""Assumed: what a busy core of a server draws, with its share of memory, power supply and cooling."""
FORWARD_SHARE = 1 / 3
"""Assumed: a forward pass, all that a teacher does, against forward and backward together."""
_PAIRS = 6


def label_noise() -> str:
    """Labels that the audit doubts, and the commonest confusions among them."""
    record = result("audit.json")
    real, planted = record["real"], record["flipped"]
    grave = sum(row["severity"] == "warning" for row in real["suspects"])
    pairs = Counter(tuple(re.findall(r"'([^']+)'", row["detail"])) for row in real["suspects"])
    found = f"{planted['found']} of {planted['planted']}"
    lines = ["| labelled | looks like | photos |", "|---|---|---|"]
    for (labelled, seen), count in pairs.most_common(_PAIRS):
        lines.append(f"| {labelled} | {seen} | {count} |")
    about = (
        f"Of {real['photos']:,} photos {len(real['suspects'])} have a label that the others contradict "
        f"({len(real['suspects']) / real['photos']:.1%}), {grave} of them strongly; the commonest:"
    )
    close = (
        f"In {len(record['seed'])} draws {planted['of_all']:.0%} of the labels of {planted['n']} photos were made "
        f"wrong: {found} of these stood among the first {planted['first']:.0%} that the audit listed."
    )
    return "\n".join([about, "", *lines, "", close])


def senders() -> str:
    """Photos and senders of each part, and the share of the largest."""
    lines = ["| part | photos | senders | the largest sent | half are from |", "|---|---|---|---|---|"]
    for part in ("train", "validation", "test"):
        counts = Counter(row["sender_id"] for row in _photos() if row["split"] == part)
        sizes = [count for _, count in counts.most_common()]
        lines.append(f"| {part} | {sum(sizes):,} | {len(sizes)} | {sizes[0] / sum(sizes):.0%} | {_half(sizes)} |")
    return "\n".join(lines)


def class_support(model: str) -> str:
    """Photos and senders of each class in train, and its recall on validation with a 95% interval."""
    measured = result(f"{model}-evaluation.json")["validation"]["per_class"]
    taught = [row for row in _photos() if row["split"] == "train"]
    photos = Counter(row["label"] for row in taught)
    lines = ["| class | photos learnt from | senders | measured on | recall | 95% |", "|---|---|---|---|---|---|"]
    for label, count in sorted(photos.items(), key=lambda item: item[1]):
        about = measured[label]
        people = len({row["sender_id"] for row in taught if row["label"] == label})
        recall = "| |"
        if about["support"]:
            low, high = wilson_interval(round(about["recall"] * about["support"]), about["support"])
            recall = f"| {about['recall']:.0%} | {low:.0%} to {high:.0%} |"
        lines.append(f"| {label} | {count} | {people} | {about['support']} {recall}")
    about_intervals = (
        "Validation photos; Wilson, photos taken as independent, so that the intervals are still too narrow."
    )
    return "\n".join([*lines, "", about_intervals])


def unseen() -> str:
    """Accuracy on what the model did not learn from, and how many photos were left out."""
    report = result("wardrobe-evaluation.json")
    lines = ["| | photos | accuracy |", "|---|---|---|"]
    for key, name in (
        ("validation", "validation, as a whole"),
        ("validation, children's clothes", "children's clothes among them"),
        ("drawn", "drawings (`data/`)"),
    ):
        part = report[key]
        lines.append(f"| {name} | {part['n']} | {percent(part['accuracy'], part['accuracy_interval'])} |")
    whole, turned = report["validation"]["n"], manifest("wardrobe")["orientation"]["set_upright"]
    for quarters, reached in enumerate(turned[1:], 1):
        lines.append(f"| validation, turned by {90 * quarters} degrees and set upright | {whole} | {reached:.1%} |")
    left_out = Counter(row["label"] for row in photo_rows() if row["label"] in ODD)
    listing = ", ".join(f"{count} '{label}'" for label, count in left_out.most_common())
    return "\n".join([*lines, "", f"Left out of training and of every figure: {listing}."])


def energy() -> str:
    """Time and energy of training the shipped models and of using them, by the stated assumptions."""
    speed, use = result("training-throughput.json"), result("predict-throughput.json")
    cores, rate = speed["machine"]["cpus"], speed["images_per_second"]["fine-tuning"]
    lines = ["| | runs | photos seen | hours | kWh |", "|---|---|---|---|---|"]
    for model in ("wardrobe", "benchmark-10"):
        runs = runs_behind(model)
        views = seconds = 0.0
        for run in runs:
            settings = run["settings"]
            seen = settings["optimization"]["epochs"] * run["n"]["train"]
            side = settings["augmentation"]["size"] or settings["image"]["size"]
            views += seen
            work = 1 + FORWARD_SHARE * len(run["teachers_sha256"])
            seconds += work * seen / rate * (side / speed["size"]) ** 2
        kilowatt_hours = seconds * cores * WATTS_PER_CORE / 3.6e6
        lines.append(f"| {model}, trained | {len(runs)} | {views:,.0f} | {seconds / 3600:.1f} | {kilowatt_hours:.3f} |")
    rate_of_use, many = use["summary"]["wardrobe"]["photos_per_second"], 1_000_000
    hours = many / rate_of_use / 3600
    kilowatt_hours = hours * use["machine"]["cpus"] * WATTS_PER_CORE / 1000
    lines.append(f"| wardrobe, a million photos labelled | | {many:,} | {hours:.1f} | {kilowatt_hours:.3f} |")
    assumed = (
        f"Estimates, not measurements: photos seen by the records, at the measured {rate:.0f} photos a second "
        f"({speed['size']} px, {cores} cores) in proportion to the views' area, a teacher taking {FORWARD_SHARE:.0%} "
        f"of a student's work; labelling at the measured {rate_of_use:.0f} a second; {WATTS_PER_CORE:g} W assumed for "
        "each busy core with its share of memory and cooling."
    )
    return "\n".join([*lines, "", assumed])


def _photos() -> list[dict[str, str]]:
    return [row for row in photo_rows() if row["label"] not in ODD]


def _half(sizes: Sequence[int]) -> str:
    total, count = 0, 0
    while 2 * total < sum(sizes):
        total += sizes[count]
        count += 1
    return f"{count} of them"


BLOCKS: dict[str, Callable[..., str]] = {
    "label-noise": label_noise,
    "senders": senders,
    "class-support": class_support,
    "unseen": unseen,
    "energy": energy,
}
