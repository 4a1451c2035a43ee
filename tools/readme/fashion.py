"""Blocks of docs/fashion-mnist.md: our networks beside the published ones, the spread over seeds, time to accuracy."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from readme.records import manifest, result

MODEL, WIDE = "fashion-mnist", "fashion-mnist-wide"
PUBLISHED = (
    ("ResNet-20", 270_000, 0.9561),
    ("ResNet-20, random erasing", 270_000, 0.9598),
    ("ResNet-32, random erasing", 460_000, 0.9620),
    ("DenseNet-BC", 768_000, 0.954),
    ("WRN-40-4", 8_900_000, 0.967),
    ("DARTS, fine-tuned", None, 0.9691),
    ("people", None, 0.835),
)
"""What others report on the 10,000 test photos: system, parameters, accuracy. Theirs, not measured here."""


def frontier() -> str:
    """Our networks beside what others report on the same test photos."""
    lines = ["| ten-class test | parameters | MACs | accuracy | 95% interval |", "|---|---|---|---|---|"]
    lines += [_measured(MODEL, f"**{MODEL}**", manifest(MODEL)), _measured(WIDE, "a wider one, which does not ship")]
    for system, parameters, accuracy in PUBLISHED:
        size = f"{parameters / 1e6:.2f} million" if parameters else "not given"
        lines.append(f"| {system} | {size} | not given | {accuracy:.2%} | |")
    test = result(f"{MODEL}-evaluation.json")["test"]
    return "\n".join([*lines, "", f"Ours: {test['n']:,} photos, {test['interval_method']}."])


def _measured(name: str, title: str, about: Mapping[str, Any] = MappingProxyType({})) -> str:
    report = result(f"{name}-evaluation.json")
    test, model = report["test"], report["model"] | about
    low, high = test["accuracy_interval"]
    both = ", with mirror images" if model["views"] == 2 else ""
    kind = f"ResNet-{model['architecture']['settings']['depth']}, {model['precision']}{both}"
    cost = f"{model['parameters'] / 1e6:.2f} million | {model['macs'] / 1e6:.0f} million"
    return f"| {title} ({kind}) | {cost} | {test['accuracy']:.2%} | {low:.2%} to {high:.2%} |"


def seeds() -> str:
    """The shipped run, and the same preset on a short schedule with several seeds, on the photos held out."""
    record = result(f"{MODEL}-training.json")
    shipped, short = record["shipped"], record["short"]
    head = ("on the photos held out", "epochs", "runs", "accuracy", "macro-F1", "minutes a run")
    figures = shipped["metrics"]["validation"]
    reached = f"{figures['accuracy']:.2%} | {figures['macro_f1']:.4f} | {shipped['training_seconds'] / 60:.0f}"
    lines = [
        f"| {' | '.join(head)} |",
        "|---|---|---|---|---|---|",
        f"| the run that ships | {_epochs(shipped)} | 1 | {reached} |",
    ]
    content = manifest(MODEL)
    if content.get("views") == 2:
        both = content["validation"]
        lines.append(f"| its bundle, with mirror images | | 1 | {both['accuracy']:.2%} | {both['macro_f1']:.4f} | |")
    wide = record["wide"]
    figures = wide["metrics"]["validation"]
    reached = f"{figures['accuracy']:.2%} | {figures['macro_f1']:.4f} | {wide['training_seconds'] / 60:.0f}"
    lines.append(f"| the wider network | {_epochs(wide)} | 1 | {reached} |")
    if short:
        lines.append(_repeated(short, record["summary"]))
    photos = f"{record['n']['validation']:,} photos; runs in 32-bit arithmetic, the bundle as it ships"
    return "\n".join([*lines, "", f"{photos}; one thread on a machine that did other work too."])


def _repeated(short: list[dict[str, Any]], summary: dict[str, dict[str, float]]) -> str:
    spread = [f"{summary[key]['mean']:{form}} ± {summary[key]['spread']:{form}}"
              for key, form in (("accuracy", ".2%"), ("macro_f1", ".4f"))]  # fmt: skip
    minutes = sum(run["training_seconds"] for run in short) / len(short) / 60
    about = f"{_epochs(short[0])} | {len(short)} | {' | '.join(spread)} | {minutes:.0f}"
    return f"| the short schedule, mean ± deviation | {about} |"


def _epochs(run: dict[str, Any]) -> int:
    return int(run["settings"]["optimization"]["epochs"])


def time_to_accuracy() -> str:
    """Processor seconds until an accuracy is reached, beside a plain loop."""
    record = result("time-to-accuracy.json")
    lines = ["| to | `fashion-mnist-fast`, processor seconds | epochs | plain loop | epochs | times |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for target, about in record["to"].items():
        cells = []
        for side in ("fast", "plain"):
            row = about[side]
            cells += [f"{row['processor_seconds']:.0f}", f"{row['epoch']:.0f}"] if row else ["not reached", ""]
        times = f"{'at least ' if about['at_least'] else ''}{about['times']:.1f}" if "times" in about else ""
        lines.append(f"| {target} | {' | '.join(cells)} | {times} |")
    fast, plain = record["runs"]["fast"], record["runs"]["plain"]
    last = plain[0]["epochs"][-1]
    about = (
        f"{len(fast)} and {len(plain)} runs, medians; the plain loop was stopped after {last['epoch']} epochs and "
        f"{last['processor_seconds']:.0f} s at {last['accuracy']:.1%}. At its end `fashion-mnist-fast` reaches "
        f"{record['accuracy']['mean']:.2%}"
    )
    spread = record["accuracy"].get("spread")
    reached = result(f"{MODEL}-training.json")["shipped"]["reached"]
    patient = " and ".join(
        f"{target} after {about['epoch']} epochs, {about['seconds'] / 60:.0f} minutes of training"
        for target, about in reached.items()
        if target not in record["to"] or record["to"][target]["fast"] is None
    )
    longer = f" The preset `{MODEL}`, on its longer schedule, reached {patient}."
    return "\n".join([*lines, "", about + (f" ± {spread:.2%}." if spread is not None else ".") + longer])


BLOCKS: dict[str, Callable[..., str]] = {
    "fashion-frontier": frontier,
    "fashion-seeds": seeds,
    "time-to-accuracy": time_to_accuracy,
}
