"""Train a shipped model from first weights to bundle: one resumable command whose finished runs are kept.

    python benchmarks/train_shipped.py wardrobe --data datasets/clothing --features FEATURES.safetensors

Several seeds of the preset become teachers; students learn from all of them. Validation picks among the students, and
the pick is exported. Where validation shares senders with train (benchmark-10), two sender-grouped folds of train go
through the same steps, each with its one teacher, and confidence is calibrated on what their students hold out. Two
runs train at a time, each on one processor. Writes results/NAME-training.json: every run, with mean and spread over
the seeds.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measures import CLOTHING, mean_and_spread, train_command  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance, read_record
from clothing_classifier.inference.bundle import DEFAULT
from clothing_classifier.utils import write_json

FOLDS, FOLDS_LEARNT = 4, (0, 1)


@dataclass(frozen=True)
class Run:
    """One training: its folder's name, what it changes in the preset, and the runs that teach it."""

    name: str
    changes: tuple[str, ...]
    teachers: tuple[str, ...] = ()


def plan(
    seeds: Sequence[int], student_seeds: Sequence[int], with_folds: bool, student_changes: Sequence[str]
) -> tuple[list[Run], list[Run]]:
    """The teachers and their students, those of the folds after those of the whole."""
    teachers = [Run(f"teacher-{seed}", (f"runtime.seed={seed}",)) for seed in seeds]
    names = tuple(run.name for run in teachers)
    students = [Run(f"student-{seed}", (f"runtime.seed={seed}", *student_changes), names) for seed in student_seeds]
    for fold in FOLDS_LEARNT if with_folds else ():
        changes = (f"data.folds={FOLDS}", f"data.fold={fold}")
        teachers.append(Run(f"teacher-fold-{fold}", changes))
        students.append(Run(f"student-fold-{fold}", (*changes, *student_changes), (teachers[-1].name,)))
    return teachers, students


def main() -> None:
    """Train what is missing, pick, export, and write the record."""
    options = _options()
    record = provenance()
    runs: Path = options.runs / options.model
    student_seeds = options.student_seeds or options.seeds
    with_folds = options.model == "benchmark-10" and not options.without_folds
    teachers, students = plan(options.seeds, student_seeds, with_folds, options.student_set)
    for step in (teachers, students):
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(lambda run: learn(run, runs, options), step))
    finished = {run.name: read_record(runs / run.name) for run in (*teachers, *students)}
    whole = [run.name for run in students if "fold" not in run.name]
    chosen = max(whole, key=lambda name: merit(finished[name]))
    folds = [run.name for run in students if "fold" in run.name]
    export(runs / chosen, [runs / name for name in folds], options)
    write_json(Path("results") / f"{options.record or f'{options.model}-training'}.json", record | {
        "seed": options.seeds, "n": finished[chosen]["n"], "data_sha256": finished[chosen]["data_sha256"],
        "chosen": chosen, "runs": finished,
        "summary": {
            "teacher": summarise("teacher", options.seeds, finished),
            "student": summarise("student", student_seeds, finished),
        },
    })  # fmt: skip


def learn(run: Run, runs: Path, options: argparse.Namespace) -> None:
    """Train one run, or go on with it; one that was done is checked to be this very one."""
    out = runs / run.name
    changes = (f"runtime.threads={options.threads}", *run.changes)
    taught = [part for name in run.teachers for part in ("--teacher", str(runs / name))]
    command = train_command(options.data, options.model, out, changes, "--init", options.features, *taught)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        print(f"{run.name}: {line}", end="", flush=True)
    if process.wait():
        sys.exit(f"{run.name}: failed with status {process.returncode}")


def export(chosen: Path, folds: list[Path], options: argparse.Namespace) -> None:
    """Turn the chosen run into the bundle."""
    out: Path = (options.bundles or options.runs / "bundles") / options.model
    shutil.rmtree(out, ignore_errors=True)
    command = [CLOTHING, "export", str(chosen), "--data", options.data, "--out", str(out)]
    command += ["--weights"] if options.model == DEFAULT else []  # what a user's own training starts from
    command += [part for fold in folds for part in ("--calibration", str(fold))]
    subprocess.run(command, check=True)


def summarise(kind: str, seeds: Sequence[int], finished: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation of the seeds' validation figures."""
    runs = [finished[f"{kind}-{seed}"]["metrics"]["validation"] for seed in seeds]
    return {"runs": len(runs), **{key: mean_and_spread([run[key] for run in runs]) for key in ("accuracy", "macro_f1")}}


def merit(record: dict[str, Any]) -> tuple[float, float]:
    """What the better run has more of: accuracy on validation, then less log loss."""
    figures = record["metrics"]["validation"]
    return figures["accuracy"], -figures["log_loss"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=["wardrobe", "benchmark-10"])
    parser.add_argument("--data", required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--features", required=True, help="ImageNet features as safetensors")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="finished runs are kept here")
    parser.add_argument("--bundles", type=Path, help="where the bundle is written. Default: RUNS/bundles")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--student-seeds", type=int, nargs="+", help="default: those of the teachers")
    parser.add_argument(
        "--student-set", nargs="+", default=[], metavar="KEY=VALUE", help="what students change in the preset"
    )
    parser.add_argument(
        "--without-folds", action="store_true", help="of a candidate of benchmark-10, whose confidence nobody reads"
    )
    parser.add_argument("--record", help="name of the file in results/ of what does not ship. Default: NAME-training")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads of each run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
