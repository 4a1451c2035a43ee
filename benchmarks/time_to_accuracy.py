"""How long until Fashion-MNIST is learnt to 90, 93, 94 and 95%, beside the loop that a tutorial would write?

    python benchmarks/time_to_accuracy.py --data datasets/fashion-mnist

The same network on the same photos with one thread, in turn: the preset `fashion-mnist-fast`, once a seed, and the
plain loop (benchmarks/plain_fashion.py) until it reaches 93% or `--plain-epochs` are over. Accuracy is that of the
5,000 photos held out of train, after each epoch; time runs from before the photos are read and holds validation. Where
other programs share the machine, processor seconds (of the process and its workers) say more than the clock's.
Each finished run is kept in --runs, so that a benchmark that was stopped goes on. Writes results/time-to-accuracy.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from os import times
from pathlib import Path
from typing import Any

import torch
from measures import mean_and_spread  # type: ignore[import-not-found]

from clothing_classifier.config import load_settings
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.models import create_model
from clothing_classifier.training.device import make_accelerator
from clothing_classifier.training.loop import fit
from clothing_classifier.training.parts import decode_parts, load_parts, parts_sha256
from clothing_classifier.utils import keep_large_blocks, write_json, write_text

PRESET = "fashion-mnist-fast"
TARGETS = (0.90, 0.93, 0.94, 0.95)
PLAIN_TARGET = 0.93


def main() -> None:
    """Run what is missing, in turn, and write the record; or, as a child, one run of ours."""
    options = _options()
    if options.seed is not None:
        print(json.dumps(learn(options.data, options.seed)))
        return
    record = provenance()
    fast = [run([__file__, "--data", options.data, "--seed", str(options.seeds[0])], "fast", options.seeds[0], options)]
    plain = [plain_run(options.seeds[0], options)]
    fast += [run([__file__, "--data", options.data, "--seed", str(s)], "fast", s, options) for s in options.seeds[1:]]
    reached = [one["epochs"][-1]["accuracy"] for one in fast]
    write_json(options.out, record | {
        "seed": options.seeds, "preset": PRESET, "n": fast[0]["n"], "data_sha256": fast[0]["data_sha256"],
        "accuracy": mean_and_spread(reached),
        "to": {f"{target:.0%}": compare(target, fast, plain) for target in TARGETS},
        "runs": {"fast": fast, "plain": plain},
    })  # fmt: skip


def compare(target: float, fast: Sequence[dict[str, Any]], plain: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Both sides' medians to `target`; `at_least` where the plain loop ended before it."""
    ours, theirs = to_accuracy(target, fast), to_accuracy(target, plain)
    spent = statistics.median(one["epochs"][-1]["processor_seconds"] for one in plain)
    found: dict[str, Any] = {"fast": ours, "plain": theirs}
    if ours:
        found["times"] = (theirs["processor_seconds"] if theirs else spent) / ours["processor_seconds"]
        found["at_least"] = theirs is None
    return found


def to_accuracy(target: float, runs: Sequence[dict[str, Any]]) -> dict[str, float] | None:
    """Median times of `runs` to the first epoch that reached `target`; None where one of them never did."""
    firsts = [next((row for row in one["epochs"] if row["accuracy"] >= target), None) for one in runs]
    rows = [row for row in firsts if row is not None]
    if len(rows) < len(firsts):
        return None
    return {key: statistics.median(row[key] for row in rows) for key in ("seconds", "processor_seconds", "epoch")}


def learn(data: Path, seed: int) -> dict[str, Any]:
    """Train by the preset; time and accuracy after each epoch."""
    started, spent = time.monotonic(), sum(times()[:4])
    keep_large_blocks()
    settings = load_settings(PRESET, [f"runtime.seed={seed}", "runtime.threads=1"])
    accelerator = make_accelerator(settings.runtime)
    _, train, validation = load_parts(data, settings.data)
    labels = tuple(sorted({photo.label for photo in train}))
    photos, held_out = decode_parts(train, validation, labels, settings)
    torch.manual_seed(seed)
    model = create_model(settings.model.name, len(labels), **settings.model.settings)
    rows: list[dict[str, float]] = []

    def note(row: dict[str, float]) -> None:
        rows.append({
            "epoch": row["epoch"], "accuracy": row["accuracy"],
            "seconds": time.monotonic() - started, "processor_seconds": sum(times()[:4]) - spent,
        })  # fmt: skip

    with tempfile.TemporaryDirectory() as scratch:
        fit(model, photos, held_out, labels, settings, accelerator, None, Path(scratch), False, note)
    counts = {"train": len(photos), "validation": len(held_out)}
    return {"seed": seed, "n": counts, "data_sha256": parts_sha256(photos, held_out), "epochs": rows}


def plain_run(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """The plain loop on the very photos of the preset."""
    settings = load_settings(PRESET)
    _, train, validation = load_parts(options.data, settings.data)
    task = {
        "data": str(options.data), "seed": seed, "epochs": options.plain_epochs, "target": PLAIN_TARGET,
        "model": settings.model.name, "settings": settings.model.settings,
        "train": [record.image for record in train], "validation": [record.image for record in validation],
    }  # fmt: skip
    return run(["benchmarks/plain_fashion.py"], "plain", seed, options, json.dumps(task))


def run(arguments: Sequence[Any], side: str, seed: int, options: argparse.Namespace, text: str = "") -> dict[str, Any]:
    """A child's answer, or that of an earlier one."""
    kept = Path(options.runs) / f"{side}-{seed}.json"
    if not kept.exists():
        command = [sys.executable, *map(str, arguments)]
        answer = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, answer.splitlines()[-1])
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    print(f"{side}, seed {seed}: {found['epochs'][-1]}", flush=True)
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the four files, as 'clothing fetch' leaves them")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--plain-epochs", type=int, default=12)
    parser.add_argument("--runs", default="runs/time-to-accuracy", help="finished runs are kept here")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path("results/time-to-accuracy.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
