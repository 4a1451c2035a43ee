"""Does wardrobe withstand poor photos better when it learns from views that are made poor?

    python benchmarks/robust_training.py --data datasets/clothing --before BUNDLE

--before is the student of train_shipped.py, exported with its weights. It goes on learning for a few epochs what it and
other networks of its size answer, on views of which half have lost detail and half got noise (`augmentation.degrade`;
teachers see them as they were). Detail is lost otherwise here than in robustness.py, whose corruptions each network is
then shown. Beside it are asked wardrobe as it ships, which harden.py made, and, with --student, the bundle of a network
that learnt on such views from ImageNet's features on. Writes results/robust-training.json: accuracy of each on
validation, on the photos as they are and by corruption, and how far it is ahead of the one before, paired by photo,
with a 95% interval by bootstrap over senders. Resumable; finished trainings and answers are kept.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measures import CLOTHING, train_command  # type: ignore[import-not-found]
from robustness import CORRUPTIONS, answer_all  # type: ignore[import-not-found]

from clothing_classifier.datasets import Columns, Record, content_sha256, fingerprint, load_dataset
from clothing_classifier.evaluation.metrics import Floats, grouped_interval
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference import Classifier, bundle
from clothing_classifier.training.checkpoint import weights_sha256
from clothing_classifier.utils import atomic_path, write_json

EPOCHS = 8
BASE = (f"optimization.epochs={EPOCHS}", "optimization.learning_rate=2e-4", "distillation.views=4", "runtime.threads=1")
ARMS = {
    "half poor": ("augmentation.degrade=0.5",),
}
BEFORE, STUDENT = "before", "from the first weights"


def main() -> None:
    """Run what is missing, then write all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--before", type=Path, required=True, help="the bundle, with weights, that goes on")
    parser.add_argument("--runs", type=Path, default=Path("runs/robust-training"))
    parser.add_argument(
        "--teachers", type=Path, nargs="*", default=[], help="weights that teach beside its own, as of its teachers"
    )
    parser.add_argument(
        "--student", type=Path, help="a bundle of train_shipped.py, of --student-set augmentation.degrade"
    )
    parser.add_argument("--only", choices=[BEFORE, *ARMS], help="train and ask this one alone, and write nothing")
    options = parser.parse_args()
    record, shipped = provenance(), Classifier.load(bundle.DEFAULT)
    photos = load_dataset(options.data, Columns(group="sender_id"), shipped.labels).part("validation")
    senders = [str(photo.group) for photo in photos]
    sha256, right = {}, {}
    every = [BEFORE, *ARMS, *([STUDENT] if options.student else []), bundle.DEFAULT]
    for name in [options.only] if options.only else every:
        classifier = shipped if name == bundle.DEFAULT else Classifier.load(made(name, options))
        sha256[name], right[name] = classifier.bundle.sha256, answers(classifier, photos, options.runs)
    if options.only:
        return
    write_json(Path("results/robust-training.json"), record | {
        "seed": 0, "epochs": EPOCHS, "n": len(photos), "senders": len(set(senders)), "changes": ARMS, "sha256": sha256,
        "teachers": [weights_sha256(path) for path in options.teachers],
        "data_sha256": fingerprint(photos, [content_sha256(photo.source) for photo in photos]),
        "models": {name: summarise(hits, right[BEFORE], senders) for name, hits in right.items()},
    })  # fmt: skip


def answers(classifier: Classifier, photos: Sequence[Record], runs: Path) -> Floats:
    """Which of each photo's versions, in the columns of `answer_all`, the model names rightly; kept."""
    kept = runs / f"{classifier.bundle.sha256}.npy"
    if not kept.exists():
        targets = np.array([classifier.labels.index(photo.label) for photo in photos])
        found = answer_all(classifier, photos).argmax(2) == targets[:, None]
        with atomic_path(kept) as temporary, temporary.open("wb") as file:
            np.save(file, found, allow_pickle=False)
    result: Floats = np.load(kept, allow_pickle=False).astype(float)
    return result


def made(name: str, options: argparse.Namespace) -> Path:
    """The bundle of an arm, trained where it was not, or one that was trained elsewhere."""
    elsewhere: dict[str, Path] = {BEFORE: options.before, STUDENT: options.student}
    return elsewhere[name] if name in elsewhere else learn(name, options)


def learn(arm: str, options: argparse.Namespace) -> Path:
    """Train and export, unless it was done; returns the bundle."""
    run: Path = options.runs / arm.replace(" ", "-").replace("'", "")
    out = run.with_name(f"{run.name}-bundle")
    weights = os.path.relpath(bundle.weights_of(str(options.before)))
    teachers = [part for path in (weights, *options.teachers) for part in ("--teacher", str(path))]
    changes = (*BASE, *ARMS[arm])
    command = train_command(options.data, "wardrobe", run, changes, "--init", weights, *teachers)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    if not out.exists():
        command = [CLOTHING, "export", str(run), "--data", str(options.data), "--out", str(out)]
        subprocess.run([*command, "--name", bundle.DEFAULT, "--weights"], check=True)
    finished: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    print(f"{arm}: {finished['metrics']['validation']}", flush=True)
    return out


def summarise(right: Floats, before: Floats, senders: list[str]) -> dict[str, Any]:
    """Accuracy on the photos as they are, and over the strengths of each corruption; columns as `answer_all` has."""
    found = {"as they are": compared(right[:, :1], before[:, :1], senders)}
    column = 1
    for name, kind in CORRUPTIONS.items():
        columns = slice(column, column + len(kind.strengths))
        found[name] = compared(right[:, columns], before[:, columns], senders)
        column = columns.stop
    return found


def compared(right: Floats, before: Floats, senders: list[str]) -> dict[str, Any]:
    """Mean accuracy over the columns, that of the last, and how far it is ahead of the one before."""
    ahead = (right - before).mean(1)
    return {
        "accuracy": float(right.mean()), "at_the_last": float(right[:, -1].mean()), "ahead": float(ahead.mean()),
        "ahead_interval": list(grouped_interval(ahead, senders)),
    }  # fmt: skip


if __name__ == "__main__":
    main()
