"""Blocks on what confidence is worth: calibration, abstention, unfamiliarity, robustness, the learning curve."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from clothing_classifier.evaluation.calibration import PrecisionPoint, point_that_kept
from readme.records import manifest, percent, points, result

_PRECISIONS = (0.9, 0.95, 0.97, 0.99)


def calibration(models: str) -> str:
    """Calibration error of shipped models beside what chance alone would show."""
    lines = ["| model | temperature | calibration error | a perfect model | photos | how |"]
    lines.append("|---|---|---|---|---|---|")
    for model in models.split(","):
        content = manifest(model)
        found = content.get("calibration")
        figures = "exported before this was measured | | |"
        if found:
            chance = percent(found["perfect_mean"], found["perfect_range"])
            figures = f"{percent(found['ece'], found['interval'])} | {chance} | {found['n']} | {found['method']}"
        lines.append(f"| {model} | {content['temperature']:.3f} | {figures} |")
    return "\n".join([*lines, "", "95%; ten bins of equal mass."])


def precision(models: str) -> str:
    """Thresholds and coverage for some precisions."""
    lines = ["| model | `--min-precision` | threshold | precision on photos held out | photos answered |"]
    lines.append("|---|---|---|---|---|")
    for model in models.split(","):
        curve = [PrecisionPoint(**one) for one in manifest(model)["precision_curve"]]
        for wanted in _PRECISIONS:
            figures = "out of reach | | |"
            if point := point_that_kept(curve, wanted):
                figures = f"{point.threshold:.3f} | {point.precision:.3f} | {point.coverage:.1%} |"
            lines.append(f"| {model} | {wanted:g} | {figures}")
    return "\n".join(lines)


def unfamiliarity(model: str) -> str:
    """AUROC of each score on each kind of picture."""
    record = result("unfamiliarity.json")
    about, n = record["models"][model], record["models"][model]["n"]
    chosen = about["scores"][record["chosen"]]
    kinds, odd = list(chosen["reported_on"]), list(chosen["odd_rows"])
    lines = [f"| {' | '.join([model, *kinds, *odd])} |", "|---" * (1 + len(kinds) + len(odd)) + "|"]
    for name, score in about["scores"].items():
        cells = [*score["reported_on"].values(), *score["odd_rows"].values()]
        figures = [_auroc(cell, score is chosen) for cell in cells]
        lines.append(f"| {f'**{name}**' if score is chosen else name} | {' | '.join(figures)} |")
    shares = [f"{about['above_threshold'][kind]:.0%}" for kind in kinds]
    lines.append(f"| above the bundle's threshold | {' | '.join([*shares, *('' for _ in odd)])} |")
    rows = ", ".join(f"{n[label]} {label}" for label in odd)
    text = f"AUROC against {n['validation']} validation photos of {n['senders']} senders"
    tail = f"{record['n']['drawings']} drawings of each kind that chose nothing; beside them {rows}"
    return "\n".join([*lines, "", f"{text}; {tail}. 95%, bootstrap."])


def unfamiliarity_of(models: str) -> str:
    """AUROC of the score that was chosen, for models on which it was not chosen."""
    record = result("unfamiliarity.json")
    kinds = list(record["models"]["wardrobe"]["scores"][record["chosen"]]["reported_on"])
    lines = [f"| {' | '.join(['', *kinds])} |", "|---" * (1 + len(kinds)) + "|"]
    for name in models.split(","):
        cells = record["models"][name]["scores"][record["chosen"]]["reported_on"].values()
        lines.append(f"| {name} | {' | '.join(_auroc(cell, True) for cell in cells)} |")
    return "\n".join(lines)


def _auroc(cell: dict[str, Any], with_interval: bool) -> str:
    ends = f" ({cell['interval'][0]:.3f} to {cell['interval'][1]:.3f})" if with_interval else ""
    return f"{cell['auroc']:.3f}{ends}"


def robustness() -> str:
    """Accuracy at each strength, and what the strongest costs."""
    record = result("robustness.json")
    clean, kinds = record["clean"], record["corruptions"]
    most = max(len(kind["levels"]) for kind in kinds.values())
    titles = ["", "strengths", *(f"{i + 1}" for i in range(most)), "lost at the last", "confidence there"]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, kind in kinds.items():
        levels, last = kind["levels"], kind["levels"][-1]
        strengths = f"{', '.join(format(row['strength'], 'g') for row in levels)} ({kind['unit']})"
        cells = [f"{row['accuracy']:.1%}" for row in levels] + [""] * (most - len(levels))
        low, high = (f"{100 * end:.1f}" for end in last["drop_interval"])
        cells += [f"{100 * last['drop']:.1f} points ({low} to {high})", f"{last['confidence']:.1%}"]
        lines.append(f"| {' | '.join([name, strengths, *cells])} |")
    about = f"{record['model']['name']}, {record['n']} validation photos of {record['senders']} senders"
    usual = (
        f"accuracy as they are {percent(clean['accuracy'], clean['interval'])}, confidence {clean['confidence']:.1%}"
    )
    return "\n".join([*lines, "", f"{about}; {usual}; 95%, {record['interval_method']}."])


def robust_training() -> str:
    """What learning from poor views brings by corruption."""
    record = result("robust-training.json")
    anew = result("wardrobe-degraded-training.json")["runs"]["student-0"]["settings"]
    shipped = result("wardrobe-hardened-training.json")["runs"]["hardened"]["settings"]
    more = result("wardrobe-degraded-gpu-training.json")
    found = result("wardrobe-hardened-comparison.json")["validation"]["comparison"]
    low, high = found["difference_interval"]
    kinds = list(record["models"]["before"])
    lines = [f"| {' | '.join(['', *kinds])} |", "|---" * (1 + len(kinds)) + "|"]
    for name, about in record["models"].items():
        if name == "before":
            cells = [f"{about[kind]['accuracy']:.1%}" for kind in kinds]
        else:
            cells = [_ahead(about[kind]) for kind in kinds]
        lines.append(f"| {' | '.join([name, *cells])} |")
    share, chosen, others = shipped["augmentation"]["degrade"], shipped["optimization"], more["summary"]["student"]
    text = (
        f"{record['n']} validation photos of {record['senders']} senders, means over strengths: the accuracy of the "
        "student before, and by how many points each of the others is ahead, paired by photo, 95% by sender. One run "
        f"each: {record['epochs']} further epochs on views of which {_share(record['changes']['half poor'])}, "
        f"{anew['optimization']['epochs']} from ImageNet's features on views of which "
        f"{anew['augmentation']['degrade']:.0%}, and, for wardrobe, {chosen['epochs']} further epochs on views of "
        f"which {share:.0%} lost detail, and as many got noise; {chosen['start_share']:.0%} of its weights are the "
        "student's. "
        f"As `predict` reads them, wardrobe has {found['accuracy']:.1%} of the photos right, the student "
        f"{found['against_accuracy']:.1%}: {points(found['difference'])} ({points(low)} to {points(high)}). "
        f"{others['runs']} more networks that learnt so from ImageNet's features have, in 32 bits, "
        f"{others['accuracy']['mean']:.1%} ± {others['accuracy']['spread']:.1%} of the photos as they are right."
    )
    return "\n".join([*lines, "", text])


def _share(changes: list[str]) -> str:
    return f"{float(changes[0].partition('=')[2]):.0%}"


def _ahead(found: dict[str, Any]) -> str:
    low, high = (f"{100 * end:+.1f}" for end in found["ahead_interval"])
    return f"{100 * found['ahead']:+.1f} ({low} to {high})"


def orientation(models: str) -> str:
    """Accuracy of photos that lie on their side, as they come and set upright."""
    lines = ["| model | photos are | upright | turned by 90° | by 180° | by 270° | views read of an upright photo |"]
    lines.append("|---|---|---|---|---|---|---|")
    for model in models.split(","):
        found = manifest(model)["orientation"]
        for name, rates, views in (
            ("read as they come", found["as_they_came"], 1),
            ("set upright", found["set_upright"], found["views"]),
        ):
            lines.append(f"| {model} | {name} | {' | '.join(f'{rate:.1%}' for rate in rates)} | {views:.2f} |")
    return "\n".join([*lines, "", "Accuracy on validation; the head learnt from photos of train."])


def learning_curve() -> str:
    """Accuracy by number of photos, what ten times more should bring, and a random start."""
    record = result("learning-curve.json")
    lines = ["| learnt from | photos | runs | accuracy | 95% |", "|---|---|---|---|---|"]
    for row in (*record["points"], record["random start"]):
        name = "all, from random weights" if row["share"] == "random start" else f"{float(row['share']):.0%}"
        spread = f" ± {row['accuracy']['spread']:.1%}" if "spread" in row["accuracy"] else ""
        low, high = row["interval"]
        figures = f"{row['accuracy']['mean']:.1%}{spread} | {low:.1%} to {high:.1%}"
        lines.append(f"| {name} | {row['mean_photos']:.0f} | {row['runs']} | {figures} |")
    law = record["law"]
    more, behind = law["ten_times"], record["random start"]
    lines.append(f"| ten times all, by the law | {more['photos']} | | {more['accuracy']:.1%} | "
                 f"{more['interval'][0]:.1%} to {more['interval'][1]:.1%} |")  # fmt: skip
    gain = f"{points(more['gain'])} ({' to '.join(map(points, more['gain_interval']))})"
    lost = f"{points(behind['behind'])} ({' to '.join(map(points, behind['behind_interval']))})"
    about = [
        f"error = {law['a']:.2f} n^-{law['b']:.2f} (exponent {law['b_interval'][0]:.2f} to {law['b_interval'][1]:.2f})",
        f"ten times the photos: {gain}; the trained start is worth {lost}",
        f"{record['n']} validation photos of {record['senders']} senders, {record['interval_method']}",
    ]
    return "\n".join([*lines, "", f"{'; '.join(about)}."])


def audit() -> str:
    """What an audit found of planted faults, and in the real photos."""
    record = result("audit.json")
    lines = ["| planted | found | of |", "|---|---|---|"]
    for kind, about in record["found"].items():
        lines.append(f"| {kind} | {about['found']} | {about['planted']} |")
    wrong, real = record["flipped"], record["real"]
    lines.append(f"| wrong labels, {wrong['of_all']:.0%} of all, among the first {wrong['first']:.0%} listed | "
                 f"{wrong['found']} | {wrong['planted']} |")  # fmt: skip
    counts = ", ".join(f"{kind}: {count}" for kind, count in real["counts"].items())
    cost = (
        f"{real['seconds']:.0f} s and {real['peak_megabytes']:.0f} MB at most on {record['machine']['cpus']} processors"
    )
    listed, others = record["pairs"]["listed"], record["pairs"]["of_two_originals"]
    drawn = f"{len(record['seed'])} draws of {wrong['n']} photos. Of {listed:,} pairs that were called copies, "
    judged = result("audit-judged.json")["pairs"]
    low, high = judged["precision_interval"]
    seen = (
        f"The {judged['real']} pairs of the real photos and {judged['drawn']} of one more draw were looked at: "
        f"{judged['verdicts']['same']} of {judged['n']} show one picture (95%, Wilson, of those drawn: {low:.1%} to "
        f"{high:.1%})."
    )
    lines += ["", f"{drawn}{listed - len(others):,} were made of one original. {seen}",
              "", f"In the {real['photos']:,} photos themselves, in {cost}: {counts}. Copies:", ""]  # fmt: skip
    said = {(row["image"], row["other"]): row["detail"] for row in reversed(real["pairs"])}  # a conflict before a copy
    lines += [f"- `{image}` and `{other}`: {detail}" for (image, other), detail in reversed(said.items())]
    return "\n".join(lines)


def found() -> str:
    """What the audit found in the clothing photos, and what a look at it said, in short."""
    counts, judged = result("audit.json")["real"]["counts"], result("audit-judged.json")["labels"]
    near = counts["near-duplicate"] - counts["label-conflict"]
    copies = (
        f"{counts['label-conflict']} picture stands in two rows under two labels, {near} others in two rows under one"
    )
    looked = f"{judged['verdicts']['wrong']} are plainly wrong when looked at, {judged['verdicts']['right']} are right"
    doubted = f"{counts['suspect-label']} that the other photos contradict, {judged['n']} of them strongly; of these"
    damaged, leaks = (counts.get(kind, 0) or "none" for kind in ("unreadable", "split-leak"))
    lines = (
        f"**Copies:** {copies}. Copies across the split: {leaks}; damaged files: {damaged}.",
        f"**Labels:** {doubted} {looked}, and of {judged['verdicts']['either']} one could say either.",
        f"**Classes:** {counts['small-class']} times a class has too few photos in a part to learn or to measure.",
    )  # fmt: skip
    return "\n".join(f"- {line}" for line in lines)


def found_in_fashion() -> str:
    """What an audit of Fashion-MNIST found, and in how long."""
    record = result("audit-fashion-mnist.json")
    others = {kind: count for kind, count in record["counts"].items() if kind != "suspect-label"}
    doubted, strongly = record["counts"]["suspect-label"], record["strongly_doubted"]
    rest = ", ".join(f"{kind}: {count:,}" for kind, count in others.items()) or "no copies, and nothing else"
    cost = f"{record['seconds'] / 60:.0f} minutes and {record['peak_megabytes']:,.0f} MB at most"
    return (
        f"In its {record['n']:,} pictures, in {cost} on {record['machine']['cpus']} processors beside other work: "
        f"{rest}. {doubted:,} labels are doubted, {strongly:,} of them strongly, by a network that has seen no picture "
        "so small; `--fix` leaves labels alone."
    )


def doubted_labels() -> str:
    """What became of labels that the audit doubts: looked at, and beside the corrections of the public benchmark."""
    judged, record = result("audit-judged.json")["labels"], result("cleaned-table.json")
    verdicts, corrected = judged["verdicts"], record["corrected"]
    doubted = [row for row in corrected if row["doubt"]]
    strongly = sum(row["doubt"] == "warning" for row in doubted)
    learnt, of_learnt = (sum(row["split"] == "train" for row in rows) for rows in (doubted, corrected))
    others = Counter((row["from"], row["to"]) for row in corrected if not row["doubt"])
    [((before, after), missed)] = others.most_common(1)
    return (
        f"The {judged['n']} labels that the audit doubts strongly, its warnings, were looked at: {verdicts['wrong']} "
        f"are plainly wrong, {verdicts['right']} are right, and of {verdicts['either']} one could say either.\n\n"
        f"The public benchmark corrects {len(corrected)} of the {record['compared']:,} labels that it shares with the "
        f"table. The audit, which knows nothing of that, doubts {len(doubted)} of them, {strongly} strongly: {learnt} "
        f"of {of_learnt} that the model behind it had learnt as they were, {len(doubted) - learnt} of "
        f"{len(corrected) - of_learnt} that it had not. Of the {others.total()} others {missed} were '{before}' and "
        f"became '{after}'."
    )


def cleaned() -> str:
    """Models learnt from the cleaned table, in pairs with those that ship."""
    table = result("cleaned-table.json")
    lines = ["| model | learnt from the cleaned table | as shipped then | difference | 95% | photos, senders |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name in ("wardrobe", "wardrobe-small", "wardrobe-tiny", "benchmark-10"):
        found = result(f"{name}-cleaned-comparison.json")["validation"]["comparison"]
        low, high = found["difference_interval"]
        senders = re.findall(r"\d+", found["interval_method"])[-1]
        figures = f"{found['accuracy']:.1%} | {found['against_accuracy']:.1%} | {points(found['difference'])}"
        lines.append(f"| {name} | {figures} | {points(low)} to {points(high)} | {found['n']}, {senders} |")
    about = (
        "Validation photos, labels as they were, paired bootstrap over senders. Of the labels that are learnt from "
        f"{table['mended']} were corrected as in the public benchmark, whose labels benchmark-10 has in any case, and "
        f"`--fix` dropped {len(table['dropped'])} rows."
    )
    once, anew = (result(f"wardrobe-{what}-training.json") for what in ("cleaned", "retrained"))
    one, two = (record["summary"]["student"]["accuracy"] for record in (once, anew))
    epochs = [record["runs"]["student-0"]["settings"]["optimization"]["epochs"] for record in (once, anew)]
    seeds = (
        f"Before int8 the one wardrobe of the cleaned table reads {one['mean']:.1%} after {epochs[0]} epochs, and two "
        f"that were made anew from the table as it is {two['mean']:.1%} ± {two['spread']:.1%} after {epochs[1]}. The "
        "wardrobe that shipped then was the better of two students, the shipped benchmark-10 the best of three, those "
        "of the cleaned table the only ones. These are too few runs to tell the table from the seed."
    )
    return "\n".join([*lines, "", about, "", seeds])


BLOCKS: dict[str, Callable[..., str]] = {
    "audit": audit,
    "calibration": calibration,
    "cleaned": cleaned,
    "doubted-labels": doubted_labels,
    "found": found,
    "found-in-fashion": found_in_fashion,
    "precision": precision,
    "unfamiliarity": unfamiliarity,
    "unfamiliarity-of": unfamiliarity_of,
    "robustness": robustness,
    "robust-training": robust_training,
    "orientation": orientation,
    "learning-curve": learning_curve,
}
