"""How each kind of step is made: commands of `clothing` and functions of the package. No training logic here."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import model_records
from benchmarks.common import log
from benchmarks.jobs import WEIGHTS, Job
from benchmarks.recipes import Evaluate, Export, Prune, Train
from clothing_classifier.errors import ClothingError
from clothing_classifier.utils import write_json


class StepError(ClothingError):
    """A command of a step failed; its own message was printed."""


@dataclass(frozen=True)
class Place:
    """Where outputs are, the data set if the user names one, and the threads of a training."""

    runs: Path
    data: Path | None = None
    threads: int = 1

    def data_of(self, job: Job) -> Path:
        """The data set of a job."""
        return self.data or Path("datasets") / job.definition.data

    def folder(self, job: Job) -> Path:
        """The output of a job, complete or absent."""
        return self.runs / job.name

    def product(self, job: Job) -> Path:
        """The file that stands for the output."""
        return self.folder(job) / job.product

    def inputs(self, job: Job, key: str) -> list[Path]:
        """The runs or bundles, complete by now, that a key of a job's step refers to."""
        found = []
        for jobs, best in job.sources.get(key, ()):
            folders = [self.product(other).parent for other in jobs]
            found += [max(folders, key=model_records.merit)] if best else folders
        return found


def fetch(job: Job, place: Place) -> None:
    """Get the data set of a job, or what is missing of it, unless the user named one."""
    if place.data is None:
        run_clothing(job.definition.data, ["fetch", job.definition.data, "--out", str(place.data_of(job))])


def make(job: Job, out: Path, place: Place) -> None:
    """Fill the folder `out` with the output of a job; raises `ClothingError`."""
    match job.step:
        case Train():
            run_clothing(job.name, _train(job, job.step, out, place))
        case Prune():
            _prune(job, job.step, out, place)
        case Export():
            run_clothing(job.name, _export(job, job.step, out, place))
        case Evaluate(subsets=subsets):
            [bundle], rivals = place.inputs(job, "bundle"), place.inputs(job, "against")
            metrics = model_records.evaluate_split(bundle, place.data_of(job), job.variant, subsets, rivals)
            write_json(out / job.product, metrics)


def _train(job: Job, step: Train, out: Path, place: Place) -> list[str]:
    from clothing_classifier.training.checkpoint import load_tensors

    init, changes = [job.init()] if step.init else [], step.overrides()
    for start in place.inputs(job, "init_from"):
        init.append(str(start))
        settings = load_tensors(start / WEIGHTS)[1]["architecture"]["settings"]
        # A pruned network has channels of its own.
        changes += [f"model.settings.{key}={settings[key]}" for key in ("hidden", "head") if key in settings]
    changes += [f"runtime.seed={job.variant}", f"runtime.threads={place.threads}"]
    preset = job.definition.preset_of(step)
    return [
        "train", "--data", str(place.data_of(job)), "--out", str(out), "--resume",
        *_options("preset", [preset] if preset else []), *_options("init", init),
        *_options("teacher", place.inputs(job, "teachers")), *_options("set", changes),
    ]  # fmt: skip


def _prune(job: Job, step: Prune, out: Path, place: Place) -> None:
    import torch

    from clothing_classifier.compression import prune_weights
    from clothing_classifier.compression.pruning import Budget

    torch.set_num_threads(place.threads)
    [start], settings = place.inputs(job, "init_from"), job.definition.settings_of(step)
    prune_weights(start / WEIGHTS, place.data_of(job), settings, Budget(step.macs, step.params), out / WEIGHTS)


def _export(job: Job, step: Export, out: Path, place: Place) -> list[str]:
    [run] = place.inputs(job, "run")
    flags = [f"--{name}" for name in ("weights", "mirror") if getattr(step, name)]
    command = ["export", str(run), "--data", str(place.data_of(job)), "--out", str(out / job.recipe), *flags]
    return command + _options("calibration", place.inputs(job, "calibration"))


def _options(name: str, values: Sequence[Path | str]) -> list[str]:
    return [part for value in values for part in (f"--{name}", str(value))]


def run_clothing(name: str, arguments: list[str]) -> None:
    """Run a command of ours; what it logs is printed behind `name`. Raises `StepError`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "clothing_classifier", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, close_fds=False,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        log(f"{name}: {line.rstrip()}")
    if process.wait():
        raise StepError(f"{name}: 'clothing {arguments[0]}' failed with status {process.returncode}")
