"""How fast are prediction and training, beside what others would use? Run these on an idle machine."""

import csv
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.common import (
    CLOTHING,
    RESULTS,
    ROOT,
    Data,
    Photos,
    ProcessError,
    Rounds,
    in_turn,
    jpeg_files,
    log,
    median_ratio,
    new_app,
    recording,
    run_clothing,
    run_module,
    run_process,
    spread_evenly,
    write_data_set,
)
from benchmarks.plain.peers import installed_megabytes
from clothing_classifier.datasets import Columns, load_dataset
from clothing_classifier.inference.bundle import DEFAULT, load_bundle
from clothing_classifier.utils import available_cpus

app = new_app(__doc__)
PLAIN = Path(__file__).with_name("plain")
PEERS = ("transformers", "timm", "ultralytics")
BOUND_PHOTOS, PLAIN_PHOTOS, PEER_PHOTOS, TRIAL_PHOTOS = 400, 1000, 300, 64
# No hub may be asked; and all sides get what a shell has: compiled modules, and their own number of threads.
_UNSET = ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in _UNSET} | {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false",
}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One way to classify photos: a process that takes paths, how many it is given, and for ours the model's name."""

    run: Callable[[Sequence[str]], dict[str, float]]
    counts: Sequence[int]
    model: str | None = None


@app.command()
def predict(
    photos: Photos,
    peers: Annotated[Path | None, typer.Option(help="Folder of each peer's environment ('make peers').")] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Models or bundles; the others are compared with the first.")
    ] = None,
    count: Annotated[list[int] | None, typer.Option(help="Photos of a run; memory should not grow with them.")] = None,
    rounds: Rounds = 3,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "predict-throughput.json",
) -> None:
    """Photos a second of `clothing predict`, whole processes, beside its bound and what others would use.

    The bound is the number of processors over the seconds that one photo takes on one core, read once, in the same
    round; orientation correction reads some photos again.
    """
    counts, models = count or [1000, 4000], model or [DEFAULT]
    command = [CLOTHING, "predict", "-", "--format", "json", "--model"]
    with recording(out) as record, tempfile.TemporaryDirectory() as scratch:
        files = jpeg_files(photos, max(counts))
        sides = {one: Side(_child([*command, one]), counts, one) for one in models}
        folder = load_bundle(models[0]).path
        sides["plain ONNX Runtime"] = Side(_child([sys.executable, PLAIN / "onnx.py", folder]), [PLAIN_PHOTOS])
        about = {name: _meet(peers / name, name, scratch, files) for name in PEERS} if peers else {}
        sides |= {name: found.pop("side") for name, found in about.items() if "side" in found}
        measured = in_turn({name: partial(_measure, side, files) for name, side in sides.items()}, rounds)
        record.update({
            "photos": {"bound": BOUND_PHOTOS, "clothing": counts, "plain": PLAIN_PHOTOS, "peers": PEER_PHOTOS},
            "models": {one: {"sha256": load_bundle(one).sha256} for one in models}, "peers": about, "rounds": rounds,
            "summary": {name: _summarise(sides[name], name, measured, models[0]) for name in sides},
            "installed_mb": _installed(),
        })  # fmt: skip
    print(json.dumps(record["summary"], indent=2))


def _child(command: Sequence[str | Path], lines: int | None = None) -> Callable[[Sequence[str]], dict[str, float]]:
    """A process that takes paths on standard input and prints a line for each, or `lines`."""

    def run(paths: Sequence[str]) -> dict[str, float]:
        done = run_process(command, "".join(f"{path}\n" for path in paths), _ENVIRONMENT)
        if len(done.lines) != (lines or len(paths)):
            raise ProcessError(f"{command[0]}: {len(done.lines)} lines for {len(paths)} photos")
        return done.cost | {key: value for key, value in done.json.items() if key == "loop_seconds"}

    return run


def _meet(environment: Path, name: str, scratch: str, files: Sequence[str]) -> dict[str, Any]:
    """What a peer is, and its side with the fastest of its settings; or why it can't be measured."""
    if not environment.is_dir():
        return {"left_out": f"there is no environment {environment}: make peers"}
    manifest = load_bundle(DEFAULT).manifest
    arguments = name, scratch, str(manifest.preprocessing.size), str(len(manifest.labels))
    command = [environment.resolve() / "bin" / "python", PLAIN / "peers.py"]
    try:
        about = run_process([*command, "build", *arguments], environment=_ENVIRONMENT).json
        trials = []
        for setting in about.pop("settings"):
            run = _child([*command, "run", *arguments, json.dumps(setting)], 1)
            trials.append((run(files[:TRIAL_PHOTOS])["loop_seconds"], setting, run))
    except ProcessError as error:
        log(f"{name} is left out: {error}")
        return {"left_out": str(error)}
    _, setting, run = min(trials, key=lambda trial: trial[0])
    return {**about, "setting": setting, "side": Side(run, [PEER_PHOTOS])}


def _measure(side: Side, files: Sequence[str]) -> dict[str, Any]:
    """A first answer, the runs at each count, and for ours the bound."""
    side.run(files[:TRIAL_PHOTOS])  # so that modules are compiled and files are cached
    found: dict[str, Any] = {"first_answer": side.run(files[:1])}
    if side.model:
        found["bound"] = run_module("one_core", side.model, given="\n".join(spread_evenly(files, BOUND_PHOTOS))).json
    found["runs"] = {str(count): side.run(spread_evenly(files, count)) for count in side.counts}
    return found


def _rate(found: Mapping[str, Any]) -> float:
    """Photos a second of the longest run; of the loop alone where a peer says so, which leaves out its start."""
    count, run = max(found["runs"].items(), key=lambda item: int(item[0]))
    return float(int(count) / run.get("loop_seconds", run["seconds"]))


def _summarise(side: Side, name: str, measured: Mapping[str, Sequence[Any]], first: str) -> dict[str, Any]:
    own = measured[name]
    rates = [_rate(found) for found in own]
    summary: dict[str, Any] = {
        "photos_per_second": statistics.median(rates),
        "first_answer_seconds": statistics.median(found["first_answer"]["seconds"] for found in own),
        "peak_mb": max(statistics.median(found["runs"][n]["peak_mb"] for found in own) for n in own[0]["runs"]),
    }
    if side.model:
        bounds = [available_cpus() / sum(found["bound"].values()) for found in own]
        summary |= {
            "bound_photos_per_second": statistics.median(bounds), "fraction_of_bound": median_ratio(rates, bounds)
        }  # fmt: skip
    if name != first:
        summary["ours_times"] = median_ratio(map(_rate, measured[first]), rates)
    return summary


def _installed() -> dict[str, float]:
    package = ROOT / "code" / "clothing_classifier"
    own = sum(path.stat().st_size for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc") / 1e6
    needs = ["numpy", "pillow", "onnxruntime", "pydantic", "typer", "rich"]
    return {"clothing": installed_megabytes(needs) + own, "plain ONNX Runtime": installed_megabytes(needs[1:3])}


SIZE, BATCH_SIZE = 192, 48
TRAINING_SIDES = {
    "every layer": ["model.settings={batch_norm=true}", "optimization.frozen_stages=0"],
    "fine-tuning": [],
}


@app.command()
def training(
    data: Data,
    count: Annotated[int, typer.Option(help="Photos of an epoch.")] = 1200,
    rounds: Rounds = 3,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "training-throughput.json",
) -> None:
    """Images a second of training MobileNetV2, in the second epoch, beside the loop that a tutorial would write."""
    with recording(out) as record, tempfile.TemporaryDirectory() as scratch:
        dataset = load_dataset(data, Columns(group="sender_id"), exclude_labels=("Not sure", "Other", "Skip"))
        train = dataset.part("train")[:count]
        learnt = {one.label for one in train}
        validation = [one for one in dataset.part("validation") if one.label in learnt][:BATCH_SIZE]
        some = write_data_set(Path(scratch) / "data", data, {"train": train, "validation": validation})
        task = {"data": str(some), "size": SIZE, "batch_size": BATCH_SIZE}
        sides: dict[str, Callable[[], float]] = {
            "plain": lambda: float(run_module("plain.training", given=json.dumps(task)).json)
        }
        sides |= {name: partial(_second_epoch, some, sets) for name, sets in TRAINING_SIDES.items()}
        measured = in_turn(sides, rounds)
        plain = measured["plain"]
        record.update({
            "n": len(train), "size": SIZE, "batch_size": BATCH_SIZE, "rounds": rounds,
            "loops": {
                name: {"images_per_second": statistics.median(rates), "relative": median_ratio(rates, plain)}
                for name, rates in measured.items()
            },
        })  # fmt: skip


def _second_epoch(data: Path, changes: Sequence[str]) -> float:
    sets = [f"image.size={SIZE}", f"augmentation.size={SIZE}", f"optimization.batch_size={BATCH_SIZE}",
            "optimization.epochs=2", "data.group_column=group", "data.exclude_labels=[]", *changes]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run_clothing("train", "--data", data, "--preset", "wardrobe", "--init", "wardrobe", "--out", run,
                     *(word for change in sets for word in ("--set", change)))  # fmt: skip
        with (run / "history.csv").open(encoding="utf-8") as file:
            return float(list(csv.DictReader(file))[1]["images_per_second"])
