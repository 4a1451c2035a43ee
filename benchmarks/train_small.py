"""Make wardrobe-small from wardrobe, or wardrobe-tiny from wardrobe-small: prune, then learn wardrobe's answers.

    python benchmarks/train_small.py wardrobe-small --data datasets/clothing
    python benchmarks/train_small.py wardrobe-small-90-epochs --data datasets/clothing
    python benchmarks/train_small.py wardrobe-tiny --data datasets/clothing
    python benchmarks/train_small.py wardrobe-small-whole --data datasets/clothing

What ships was made from the wardrobe before it was hardened; from today's the first command makes another, no better
(results/wardrobe-small-hardened-training.json). The second is the first with more patience, no more accurate and not
shipped. The third begins with its run, which knows small photos already. The fourth is what pruning has to be better
than, and does not ship: as many MACs by smaller photos alone, the rest as for wardrobe-small. With --teachers, runs of
wardrobe's size take the place of the shipped wardrobe: all teach, and the first is pruned for wardrobe-small. Each of
--seeds is a student, of which validation picks one. Resumable; finished runs are kept. Writes
results/NAME-training.json, or the --record of a candidate, and the bundle.
"""

import argparse
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from measures import CLOTHING, train_command  # type: ignore[import-not-found]
from train_shipped import merit, summarise  # type: ignore[import-not-found]

from clothing_classifier.compression import prune_weights
from clothing_classifier.compression.pruning import Budget
from clothing_classifier.config import load_settings
from clothing_classifier.evaluation.provenance import provenance, read_record
from clothing_classifier.inference import bundle
from clothing_classifier.training.checkpoint import load_tensors, weights_sha256
from clothing_classifier.training.run_folder import WEIGHTS, weights_in
from clothing_classifier.utils import write_json

SMALL, PATIENT, TINY = "wardrobe-small", "wardrobe-small-90-epochs", "wardrobe-tiny"
WHOLE = "wardrobe-small-whole"
BUDGETS = {
    SMALL: Budget(macs=99_500_000), PATIENT: Budget(macs=99_500_000), TINY: Budget(macs=24_800_000, params=850_000),
    WHOLE: None,
}  # fmt: skip
PRESETS = {
    SMALL: (SMALL,), PATIENT: (SMALL, "optimization.epochs=90", "distillation.views=15"), TINY: (TINY,),
    WHOLE: (SMALL, "image.size=128", "augmentation.size=112"),
}  # fmt: skip


def main() -> None:
    """Prune, train, pick, export, and write the record."""
    options = _options()
    record = provenance()
    folder: Path = options.runs / options.model
    pruned = folder / "pruned.safetensors"
    teachers = options.teachers or [bundle.weights_of(bundle.DEFAULT)]
    start = weights_in(options.start) if options.start else default_start(options, teachers)
    budget = BUDGETS[options.model]
    if budget is None:
        pruned = start
    elif not pruned.exists():
        prune_weights(start, options.data, load_settings(PRESETS[options.model][0]), budget, pruned)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda seed: train(folder / f"student-{seed}", seed, pruned, teachers, options), options.seeds))
    finished = {f"student-{seed}": read_record(folder / f"student-{seed}") for seed in options.seeds}
    chosen = max(finished, key=lambda name: merit(finished[name]))
    export(folder / chosen, options)
    write_json(Path("results") / f"{options.record or f'{options.model}-training'}.json", record | {
        "seed": options.seeds, "n": finished[chosen]["n"], "data_sha256": finished[chosen]["data_sha256"],
        "teachers": [{"path": os.path.relpath(path), "sha256": weights_sha256(weights_in(path))} for path in teachers],
        "start": {"weights": start.name, "sha256": weights_sha256(start)},
        "budget": vars(budget) if budget else {}, "chosen": chosen, "runs": finished,
        "summary": {"student": summarise("student", options.seeds, finished)},
    })  # fmt: skip


def export(chosen: Path, options: argparse.Namespace) -> None:
    """Turn the chosen run into the bundle."""
    out: Path = (options.bundles or options.runs / "bundles") / options.model
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([CLOTHING, "export", str(chosen), "--data", str(options.data), "--out", str(out)], check=True)


def default_start(options: argparse.Namespace, teachers: list[Path]) -> Path:
    """The weights that are pruned: wardrobe-tiny's are those of the patient wardrobe-small."""
    return options.runs / PATIENT / "student-0" / WEIGHTS if options.model == TINY else weights_in(teachers[0])


def train(run: Path, seed: int, pruned: Path, teachers: list[Path], options: argparse.Namespace) -> None:
    """Train the pruned network with one seed, or go on with it."""
    settings = load_tensors(pruned)[1]["architecture"]["settings"]
    preset, *changes = PRESETS[options.model]
    changes += [f"runtime.threads={options.threads}", f"runtime.seed={seed}", *options.set]
    changes += [f"model.settings.{key}={settings[key]}" for key in ("hidden", "head") if key in settings]
    taught = [part for teacher in teachers for part in ("--teacher", os.path.relpath(teacher))]
    command = train_command(options.data, preset, run, changes, "--init", str(pruned), *taught)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=list(BUDGETS))
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="finished runs are kept here")
    parser.add_argument("--bundles", type=Path, help="where the bundle is written. Default: RUNS/bundles")
    parser.add_argument(
        "--teachers", type=Path, nargs="*", default=[], help="runs instead of the shipped wardrobe; choose other --runs"
    )
    parser.add_argument("--start", type=Path, help="a run whose weights are pruned instead")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one student each; validation picks")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="what students change in the preset")
    parser.add_argument("--record", help="name of the file in results/ of what does not ship. Default: NAME-training")
    parser.add_argument("--jobs", type=int, default=2, help="students at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads of each")
    return parser.parse_args()


if __name__ == "__main__":
    main()
