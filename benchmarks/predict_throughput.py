"""How fast is `clothing predict`, beside the Hugging Face image-classification pipeline with a MobileNetV2 of one size?

Two measurements of whole processes, ours and theirs in turn, on the same files: photos per second from the start of
the process to its end, and the time a fresh process takes to its first answer. Theirs needs its own environment:

    python -m venv build/hf
    build/hf/bin/pip install torch==2.13.0      # on other machines: --index-url https://download.pytorch.org/whl/cpu
    build/hf/bin/pip install transformers pillow
    python benchmarks/predict_throughput.py --photos datasets/clothing/images --hf-python build/hf/bin/python

Writes results/predict-throughput.json: every round, medians and ratios. Run it on an idle machine: their threads wait
for each other within every operator and ours do not, so that any other load flatters us.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from clothing_classifier.bundle import DEFAULT, Bundle, load_bundle
from clothing_classifier.provenance import provenance
from clothing_classifier.utils import write_json

PHOTO_SIZE = (400, 534)
BATCHES = (1, 8)
TRIAL_PHOTOS = 64
MAX_LOAD = 0.5
_CLOTHING = Path(sys.executable).with_name("clothing")
_THEIRS = Path(__file__).with_name("hf_pipeline.py")
# Their hub must not be asked; and both sides get what a shell has, such as compiled modules, whatever is set here.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}

Run = dict[str, float]
Measure = Callable[[list[str]], Run]


def main() -> None:
    """Measure both sides in turn, write every round and print the medians."""
    options = _options()
    record = provenance()
    load = os.getloadavg()[0]
    if load > MAX_LOAD:
        _say(f"warning: load average {load:.1f}: the machine is busy, which slows their side more than ours")
    photos = choose_photos(options.photos, options.n)
    bundle = load_bundle(options.model)
    with tempfile.TemporaryDirectory() as scratch:
        side, classes = bundle.manifest.preprocessing.size, len(bundle.manifest.labels)
        about = _child([options.hf_python, str(_THEIRS), "build", scratch, str(side), str(classes)])[1]
        trials = _try_batches(options.hf_python, scratch, photos[:TRIAL_PHOTOS])
        about |= {"batch_size": max(trials, key=lambda batch: trials[batch]), "photos_per_second_by_batch": trials}
        sides = {
            "clothing": _clothing(options.model),
            "huggingface": _huggingface(options.hf_python, scratch, about["batch_size"]),
        }
        _say("once each unmeasured, so that files are cached and modules compiled")
        for measure in sides.values():
            measure(photos)
        throughput = _alternate("throughput", sides, photos, options.rounds)
        first_answer = _alternate("first answer", sides, photos[:1], options.first_rounds)
    result = {
        "n": len(photos),
        "load_average_before": load,
        "photo_size": _common_size(photos),
        "model": _about(bundle),
        "huggingface": about,
        "throughput": _summarise_throughput(throughput, len(photos)),
        "first_answer": _summarise_first_answer(first_answer),
    }
    write_json(options.out, record | result)
    _print_table(result)


def choose_photos(folder: Path, count: int) -> list[str]:
    """The first `count` JPEG files by name of 400 x 534 px, or of any size where there are too few of these."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    chosen: list[Path] = []
    for path in files:
        if len(chosen) < count and _size(path) == PHOTO_SIZE:
            chosen.append(path)
    if len(chosen) < count:
        chosen = files[:count]
    if not chosen:
        sys.exit(f"{folder}: no JPEG files")
    return [str(path) for path in chosen]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG photos")
    parser.add_argument("--hf-python", required=True, help="interpreter of the environment with transformers")
    parser.add_argument("--model", default=DEFAULT, help="a shipped model's name or a bundle's folder")
    parser.add_argument("-n", type=int, default=1000, help="photos of the throughput measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--first-rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/predict-throughput.json"))
    return parser.parse_args()


def _clothing(model: str) -> Measure:
    command = [str(_CLOTHING), "predict", "-", "--model", model, "--format", "json"]
    return lambda paths: _child(command, paths, len(paths))[0]


def _huggingface(python: str, folder: str, batch: int) -> Measure:
    def measure(paths: list[str]) -> Run:
        run, answer = _child([python, str(_THEIRS), "run", folder, str(batch)], paths)
        if answer["photos"] != len(paths):
            sys.exit(f"the pipeline answered {answer['photos']} of {len(paths)} photos")
        return run | {"loop_seconds": answer["loop_seconds"]}

    return measure


def _try_batches(python: str, folder: str, photos: list[str]) -> dict[int, float]:
    _say(f"their batch size, on {len(photos)} photos")
    loops = {batch: _huggingface(python, folder, batch)(photos)["loop_seconds"] for batch in BATCHES}
    return {batch: len(photos) / seconds for batch, seconds in loops.items()}


def _child(command: list[str], paths: list[str] | None = None, lines: int = 1) -> tuple[Run, Any]:
    """Run a process with `paths` on standard input; return its time and the last of `lines` lines of JSON it prints."""
    given = "".join(f"{path}\n" for path in paths or ())
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = process.stdout.splitlines()
    if process.returncode or len(printed) != lines:
        sys.exit(f"{command[0]}: status {process.returncode}, {len(printed)} lines where {lines} were due")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu}, json.loads(printed[-1])


def _alternate(name: str, sides: dict[str, Measure], paths: list[str], rounds: int) -> list[dict[str, Run]]:
    results = []
    for number in range(1, rounds + 1):
        results.append({side: measure(paths) for side, measure in sides.items()})
        times = ", ".join(f"{side} {run['seconds']:.2f} s" for side, run in results[-1].items())
        _say(f"{name}, round {number} of {rounds}: {times}")
    return results


def _summarise_throughput(rounds: list[dict[str, Run]], photos: int) -> dict[str, Any]:
    """Our whole process against their loop, which leaves out their start, and against their whole process."""
    return {
        "rounds": rounds,
        "photos_per_second": {
            "clothing": photos / _median(rounds, "clothing"),
            "huggingface": photos / _median(rounds, "huggingface", "loop_seconds"),
            "huggingface_process": photos / _median(rounds, "huggingface"),
        },
        "ratio": _ratios(rounds, "loop_seconds"),
        "ratio_process": _ratios(rounds),
    }


def _summarise_first_answer(rounds: list[dict[str, Run]]) -> dict[str, Any]:
    seconds = {side: _median(rounds, side) for side in rounds[0]}
    return {"rounds": rounds, "seconds": seconds, "ratio": _ratios(rounds)}


def _median(rounds: list[dict[str, Run]], side: str, key: str = "seconds") -> float:
    return statistics.median(times[side][key] for times in rounds)


def _ratios(rounds: list[dict[str, Run]], theirs: str = "seconds") -> dict[str, Any]:
    each = [times["huggingface"][theirs] / times["clothing"]["seconds"] for times in rounds]
    return {"median": statistics.median(each), "rounds": each}


def _about(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "name": manifest.name,
        "sha256": bundle.sha256,
        "precision": manifest.precision,
        "size": manifest.preprocessing.size,
        "labels": len(manifest.labels),
        "architecture": manifest.architecture,
        "session_options": manifest.session_options,
    }


def _size(path: str | Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def _common_size(photos: list[str]) -> list[int] | None:
    sizes = {_size(path) for path in photos}
    return list(sizes.pop()) if len(sizes) == 1 else None


def _print_table(result: dict[str, Any]) -> None:
    speed, first = result["throughput"], result["first_answer"]
    seconds, rate = first["seconds"], speed["photos_per_second"]
    rows = [
        (f"{result['n']} photos, photos/s", rate["clothing"], rate["huggingface"], speed["ratio"]["median"]),
        ("  with their start", rate["clothing"], rate["huggingface_process"], speed["ratio_process"]["median"]),
        ("first answer, s", seconds["clothing"], seconds["huggingface"], first["ratio"]["median"]),
    ]
    print(f"{'':24}{'clothing':>10}{'pipeline':>10}{'ratio':>10}")
    for name, ours, theirs, ratio in rows:
        print(f"{name:24}{ours:10.2f}{theirs:10.2f}{ratio:9.1f}x")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
