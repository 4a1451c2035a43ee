"""How fast does a network train on a processor, beside the loop that a tutorial would write?

MobileNetV2 at 192 px on the same photos, a fresh process for each epoch, the sides in turn: the plain loop
(benchmarks/plain_loop.py), this package training every layer with batch norm, and this package as the preset
`wardrobe` fine-tunes (folded batch norm, first stages frozen). Ours decodes each photo once; that is done before and
timed apart. Writes results/training-throughput.json. Run it on an idle machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from clothing_classifier.config import TrainSettings, load_settings
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.models import create_model
from clothing_classifier.training.device import make_accelerator
from clothing_classifier.training.loop import fit
from clothing_classifier.training.optimization import freeze
from clothing_classifier.training.parts import decode_parts, load_parts
from clothing_classifier.utils import keep_large_blocks, write_json

SIZE, BATCH_SIZE, WARM_UP = 192, 48, 4
SIDES = {
    "every layer": ["model.settings={batch_norm=true}", "optimization.frozen_stages=0"],
    "fine-tuning": [],
}


def main() -> None:
    """Measure the sides in turn, write every round and the medians' ratios; or, as a child, one side once."""
    options = _options()
    if options.side:
        print(images_per_second(options.data, options.side, options.n, Path(os.environ["SCRATCH"])))
        return
    record = provenance()
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()  # an empty one, so that decoding is timed and not remembered
    started = time.monotonic()
    settings = settings_of("fine-tuning")
    _, train, validation = load_parts(options.data, settings.data)
    labels = sorted({photo.label for photo in train})
    photos, _ = decode_parts(train[: options.n], validation[:1], tuple(labels), settings)
    decoding = time.monotonic() - started
    task = {
        "photos": [str(photo.source) for photo in photos.records], "targets": photos.targets.tolist(),
        "classes": len(labels), "size": SIZE, "batch_size": BATCH_SIZE, "warm_up": WARM_UP,
    }  # fmt: skip
    rounds: list[dict[str, float]] = []
    for number in range(options.rounds):
        speeds = {"plain": _child(["benchmarks/plain_loop.py"], json.dumps(task))}
        for side in SIDES:
            speeds[side] = _child([__file__, "--data", str(options.data), "--n", str(options.n), "--side", side])
        rounds.append(speeds)
        print(f"round {number + 1}:", ", ".join(f"{name} {speed:.1f}" for name, speed in speeds.items()), flush=True)
    medians = {name: statistics.median(speeds[name] for speeds in rounds) for name in rounds[0]}
    result: dict[str, Any] = {
        "n": len(photos),
        "size": SIZE,
        "batch_size": BATCH_SIZE,
        "decoding_seconds": decoding,
        "precision": {"plain": "fp32", **dict.fromkeys(SIDES, "bf16 where the processor has it, else fp32")},
        "rounds": rounds,
        "images_per_second": medians,
        "times_plain": {name: medians[name] / medians["plain"] for name in SIDES},
    }
    write_json(options.out, record | result)
    print(result["times_plain"])


def settings_of(side: str) -> TrainSettings:
    """The preset `wardrobe` at `SIZE`, for two epochs, with what `side` changes."""
    changes = [
        f"image.size={SIZE}",
        f"augmentation.size={SIZE}",
        f"optimization.batch_size={BATCH_SIZE}",
        "optimization.epochs=2",
        *SIDES[side],
    ]
    return load_settings("wardrobe", changes)


def images_per_second(data: Path, side: str, n: int, scratch: Path) -> float:
    """The speed of the second epoch."""
    keep_large_blocks()
    settings = settings_of(side)
    _, train, validation = load_parts(data, settings.data)
    labels = tuple(sorted({photo.label for photo in train}))
    photos, held_out = decode_parts(train[:n], validation[:1], labels, settings)
    model = create_model(settings.model.name, len(labels), settings.model.dropout, **settings.model.settings)
    freeze(model, settings.optimization.frozen_stages)
    state = fit(
        model, photos, held_out, labels, settings, make_accelerator(settings.runtime), None, scratch, False, _nothing
    )
    return state.history[-1]["images_per_second"]


def _nothing(row: dict[str, float]) -> None:
    pass


def _child(arguments: list[str], text: str | None = None) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        result = subprocess.run(
            [sys.executable, *arguments], input=text, stdout=subprocess.PIPE, text=True, check=True,
            env={**os.environ, "SCRATCH": scratch},
        )  # fmt: skip
    return float(result.stdout)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--n", type=int, default=1200, help="photos of an epoch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path("results/training-throughput.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
