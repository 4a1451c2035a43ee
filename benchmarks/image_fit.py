"""How should a tall photo become the network's square: squashed, padded or cropped? Decided on validation.

Trains the same network with each fit and several seeds; finished runs are kept, so the command can be started again.
Writes results/image-fit.json: mean and spread of each, and the paired differences with intervals by sender.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier.config import load_settings
from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.training import train
from clothing_classifier.training.cache import PixelCache, default_cache
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.data import prepare_photos
from clothing_classifier.training.loop import logits_of
from clothing_classifier.training.parts import load_parts
from clothing_classifier.utils import write_json

FITS = ("squash", "crop", "pad")
CHANGES = ("image.size=128", "augmentation.size=0", "optimization.epochs=6", "optimization.learning_rate=1e-3")


def main() -> None:
    """Train what is missing, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, with its split column")
    parser.add_argument("--init", type=Path, required=True, help="ImageNet features to start from (safetensors)")
    parser.add_argument("--runs", type=Path, default=Path("runs/image-fit"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/image-fit.json"))
    options = parser.parse_args()
    record = provenance()
    runs = [run(options, fit, seed) for seed in range(options.seeds) for fit in FITS]
    write_json(options.out, record | summarise(runs))


def run(options: argparse.Namespace, fit: str, seed: int) -> dict[str, Any]:
    """Train one network, or take the finished run, and read its validation photos."""
    overrides = [f"image.fit={fit}", f"runtime.seed={seed}", *CHANGES]
    settings = load_settings("wardrobe", overrides)
    out = options.runs / f"{fit}-{seed}"
    path = out / "run.json"
    record = json.loads(path.read_text()) if path.exists() else None
    if record is None or "metrics" not in record:
        print(f"{out}", flush=True)
        train(
            options.data,
            settings,
            out,
            options.init,
            record is not None,
            say=lambda line: print("  " + line, flush=True),
        )
        record = json.loads(path.read_text())
    _, _, validation = load_parts(options.data, settings.data)
    model, labels = load_model(out / "best.safetensors")
    contract = ImageContract(settings.image.size, settings.image.fit)
    photos = prepare_photos(validation, labels, PixelCache(default_cache(), contract), "decoding")
    right = logits_of(model, photos).argmax(1) == photos.targets
    groups = [photo.group or photo.image for photo in photos.records]
    return {"fit": fit, "seed": seed, "record": record, "right": right, "groups": groups}


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and spread over seeds, and how far each fit is ahead of squashing."""
    right = {fit: np.mean([run["right"] for run in runs if run["fit"] == fit], axis=0) for fit in FITS}
    groups = runs[0]["groups"]
    first = runs[0]["record"]
    return {
        "data_sha256": first["data_sha256"],
        "n": first["n"],
        "settings": first["settings"] | {"image": {"size": first["settings"]["image"]["size"], "fit": list(FITS)}},
        "seeds": sorted({run["seed"] for run in runs}),
        "runs": [
            {
                "fit": run["fit"],
                "seed": run["seed"],
                "revision": run["record"]["revision"],
                **run["record"]["metrics"]["validation"],
            }
            for run in runs
        ],
        "accuracy": {fit: _spread([run for run in runs if run["fit"] == fit]) for fit in FITS},
        "difference_to_squash": {
            fit: {
                "mean": float((right[fit] - right["squash"]).mean()),
                "interval": metrics.grouped_interval(right[fit] - right["squash"], groups),
            }
            for fit in FITS[1:]
        },
        "interval_method": f"95%, bootstrap over {len(set(groups))} senders of the seeds' mean",
    }


def _spread(runs: list[dict[str, Any]]) -> dict[str, float]:
    values = [run["record"]["metrics"]["validation"]["accuracy"] for run in runs]
    return {"mean": float(np.mean(values)), "min": min(values), "max": max(values)}


if __name__ == "__main__":
    main()
