"""Make the models that ship: what is left of the steps of recipes/NAME.toml, as make would.

    python -m benchmarks models fashion-mnist --dry-run
    python -m benchmarks models fashion-mnist

An output (a run, a pruned network, a bundle, the metrics of a split) is a folder RUNS/RECIPE/NAME, complete or absent;
what is being made stands in NAME.part. The same command goes on after any interruption: a training from its last epoch,
another step from its start. `step.json` says what an output was made from; one that was made from other settings or
inputs stops the program, which never throws a run away. RUNS/RECIPE/training.json and evaluation.json are the records.
--install also measures the test photos, and puts the bundle into the package and the records into results/.
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import model_records
from benchmarks.common import ROOT, log
from benchmarks.jobs import Job, plan
from benchmarks.recipes import Evaluate, Export, Train, flatten
from benchmarks.steps import Place, fetch, make
from clothing_classifier.datasets import content_sha256
from clothing_classifier.errors import ClothingError, ConfigError
from clothing_classifier.utils import write_json

RECIPES = ROOT / "recipes"
STAMP = "step.json"


def models(
    names: Annotated[list[str] | None, typer.Argument(help="Recipes by name or file. Default: all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what is done and what is left.")] = False,
    install: Annotated[
        bool, typer.Option("--install", help="Measure the test photos; put bundle and records into the repository.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="The data set of these recipes. Default: datasets/NAME, fetched if need be.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the outputs.")] = Path("runs"),
    jobs: Annotated[int, typer.Option(min=1, help="Steps at a time.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each training; a run goes on with the same.")] = 1,
) -> None:
    """Train, prune, export and evaluate the models that ship, from published weights and public photos."""
    paths = [_recipe_path(name) for name in names or []] or sorted(RECIPES.glob("*.toml"))
    place = Place(runs, data, threads)
    try:
        planned = plan(paths, with_test=install)
        if dry_run:
            for job in planned:
                print(f"{_state(job, place):8} {job.name:32} {job.step.do}")
            return
        with _lock(runs):
            _run(planned, place, jobs)
            for path in paths:
                bundle, records = _record([job for job in planned if job.recipe == path.stem], place)
                print(bundle)
                if install:
                    model_records.install(bundle, records, ROOT)
    except ClothingError as error:
        sys.exit(f"models: {error}")


def _recipe_path(name: str) -> Path:
    return Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"


@contextmanager
def _lock(runs: Path) -> Iterator[None]:
    """Hold RUNS/.lock, which commands inherit: after a kill, wait until those that it left running have ended."""
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / ".lock").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log(f"{runs}: waiting for another process that works here")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(planned: Sequence[Job], place: Place, workers: int) -> None:
    """Make what is left, each job after what it needs and `workers` at a time."""
    left = [job for job in planned if _state(job, place) != "done"]
    for job in left:
        job.init()  # a variable that is not set is named before hours of work, not after
    for job in {job.definition.data: job for job in left}.values():
        fetch(job, place)
    sorter = TopologicalSorter({job: job.needs for job in planned})
    sorter.prepare()
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[None], Job] = {}
        try:
            while sorter.is_active():
                running |= {pool.submit(_complete, job, place): job for job in sorter.get_ready()}
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    future.result()
                    sorter.done(running.pop(future))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _complete(job: Job, place: Place) -> None:
    """Make the output of a job whose needs are complete, unless it is complete already."""
    folder, stamp = place.folder(job), _stamp(job, place)
    if folder.exists():
        if changed := _difference(folder, stamp):
            raise ConfigError(f"{folder}: was made with another {changed}; remove it, or choose other --runs")
        return
    part = folder.with_name(f"{folder.name}.part")
    if not isinstance(job.step, Train):
        shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, exist_ok=True)
    make(job, part, place)
    write_json(part / STAMP, stamp)
    part.rename(folder)


def _state(job: Job, place: Place) -> str:
    folder = place.folder(job)
    if not folder.exists():
        return "started" if folder.with_name(f"{folder.name}.part").exists() else "to do"
    if any(_state(need, place) != "done" for need in job.needs):
        return "to do"
    return "changed" if _difference(folder, _stamp(job, place)) else "done"


def _stamp(job: Job, place: Place) -> dict[str, Any]:
    """What an output is made from: settings, and the hashes of the outputs before it."""
    return {**job.content, "inputs": {need.name: content_sha256(place.product(need)) for need in job.needs}}


def _difference(folder: Path, stamp: dict[str, Any]) -> str | None:
    """The first dotted key in which an output's stamp is not `stamp`."""
    before, now = dict(flatten(_read_json(folder / STAMP))), dict(flatten(stamp))
    return next((key for key in {**before, **now} if before.get(key) != now.get(key)), None)


def _record(jobs: Sequence[Job], place: Place) -> tuple[Path, dict[str, Path]]:
    """Write the records of a recipe whose jobs are done; return its bundle and them."""
    [export] = [job for job in jobs if isinstance(job.step, Export)]
    bundle = place.product(export).parent
    steps: dict[str, list[Path]] = {}
    for job in jobs:
        if isinstance(job.step, Train):
            steps.setdefault(job.step_name, []).append(place.folder(job))
    splits = [_read_json(place.product(job)) for job in jobs if isinstance(job.step, Evaluate)]
    recipe = export.definition.model_dump(mode="json", exclude_defaults=True)
    records = {
        "training": model_records.training_record(recipe, steps, place.inputs(export, "run")[0]),
        "evaluation": model_records.evaluation_record(bundle, splits),
    }
    paths = {kind: place.runs / export.recipe / f"{kind}.json" for kind in records}
    for kind, record in records.items():
        model_records.write_record(paths[kind], record)
    return bundle, paths


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
