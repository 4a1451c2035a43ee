"""How fast is `clothing predict`, against what one core can do and beside what others would use?

Whole processes, in turn, on the same photos: photos a second from the start of the process to its end, seconds to a
first answer, the most memory that it held, and the size of what is installed. The bound is the number of processors
over the seconds that decoding, resizing and evaluating one photo take on one core (one_core.py), in the same round.
Each of our models runs twice: as it comes, which reads photos again that may lie on their side, and with --upright.

    make peers                                                  # environments of the others, once
    python benchmarks/predict_throughput.py --photos datasets/clothing/images --peers build/peers

Beside it: Pillow and ONNX Runtime as a careful user would write them (plain_onnx.py), and in environments of their own
the Hugging Face pipeline, timm with a DataLoader, and Ultralytics, each left out, with the reason, where it is not
installed or can't be loaded.

Writes results/predict-throughput.json: every round, medians and ratios. Run it on an idle machine: threads of the
others wait for each other within every operator and ours do not, so that any other load flatters us.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from measures import CLOTHING, peak_megabytes  # type: ignore[import-not-found]
from peers import installed_bytes  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference.bundle import DEFAULT, Bundle, load_bundle
from clothing_classifier.utils import available_cpus, write_json

MAX_LOAD = 0.5
COUNTS = (1000, 4000)
"""Photos of a run; that memory is the same at both says that it is flat."""
BOUND_PHOTOS, PLAIN_PHOTOS, PEER_PHOTOS, TRIAL_PHOTOS = 400, 1000, 300, 64
PEERS = ("transformers", "timm", "ultralytics")
_HERE = Path(__file__).parent
# No hub must be asked; and all sides get what a shell has, such as compiled modules, whatever is set here.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "YOLO_OFFLINE": "true",
    "YOLO_VERBOSE": "false",  # else it prints a summary among the answers
}
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

Run = dict[str, float]
Measure = Callable[[Sequence[str]], Run]


class ChildError(Exception):
    """A process failed; the message is the last line of what it wrote to standard error."""


def main() -> None:
    """Measure all sides in turn, write every round and print the medians."""
    options = _options()
    record = provenance()
    load = os.getloadavg()[0]
    if load > MAX_LOAD:
        _say(f"warning: load average {load:.1f}: the machine is busy, which slows the others more than ours")
    photos = choose_photos(options.photos, max(COUNTS))
    models = options.model or [DEFAULT]
    bundle = load_bundle(models[0])
    with tempfile.TemporaryDirectory() as scratch:
        peers = {name: _meet(options.peers, name, scratch, bundle, photos) for name in PEERS} if options.peers else {}
        ours = [side for model in models for side in (model, f"{model}, --upright")]
        sides = {side: _clothing(side) for side in ours} | {"plain ONNX Runtime": _plain(bundle.path)}
        sides |= {
            name: _peer(options.peers, name, scratch, bundle, p["setting"])
            for name, p in peers.items()
            if "setting" in p
        }
        rounds = [_round(number, options.rounds, sides, ours, photos) for number in range(1, options.rounds + 1)]
    result: dict[str, Any] = {
        "load_average_before": load,
        "photos": {"bound": BOUND_PHOTOS, "clothing": list(COUNTS), "plain": PLAIN_PHOTOS, "peers": PEER_PHOTOS},
        "models": {model: _about(load_bundle(model)) for model in models},
        "peers": peers,
        "rounds": rounds,
        "summary": {side: _summarise(side, rounds, ours) for side in sides},
        "installed_mb": _installed(peers),
    }
    write_json(options.out, record | result)
    _print_table(result["summary"])


def choose_photos(folder: Path, count: int) -> list[str]:
    """`count` JPEG files, spread evenly over the folder's by name; all where there are fewer."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    if not files:
        sys.exit(f"{folder}: no JPEG files")
    return [str(files[i * len(files) // min(count, len(files))]) for i in range(min(count, len(files)))]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG photos")
    parser.add_argument("--peers", type=Path, help="folder with the environment of each; without it, only ours")
    parser.add_argument(
        "--model", action="append", help="a shipped model or a bundle's folder; the others are compared with the first"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/predict-throughput.json"))
    return parser.parse_args()


def _clothing(side: str) -> Measure:
    model, *flags = side.split(", ")
    command = [CLOTHING, "predict", "-", "--model", model, "--format", "json", *flags]
    return lambda paths: _child(command, paths, len(paths))[0]


def _plain(folder: Path) -> Measure:
    command = [sys.executable, str(_HERE / "plain_onnx.py"), str(folder)]
    return lambda paths: _child(command, paths, len(paths))[0]


def _bound(side: str, paths: Sequence[str]) -> Run:
    seconds: Run = _child([sys.executable, str(_HERE / "one_core.py"), side.split(", ")[0]], paths)[1]
    return seconds | {"photos_per_second": available_cpus() / sum(seconds.values())}


def _peer(environments: Path, name: str, folder: str, bundle: Bundle, setting: Mapping[str, int]) -> Measure:
    command = [*_peer_command(environments, "run", name, folder, bundle), json.dumps(setting)]

    def measure(paths: Sequence[str]) -> Run:
        run, answer = _child(command, paths)
        if answer["photos"] != len(paths):
            raise ChildError(f"{name} answered {answer['photos']} of {len(paths)} photos")
        return run | {"loop_seconds": answer["loop_seconds"]}

    return measure


def _peer_command(environments: Path, command: str, name: str, folder: str, bundle: Bundle) -> list[str]:
    python = str(environments / name / "bin" / "python")
    size, classes = bundle.manifest.preprocessing.size, len(bundle.manifest.labels)
    return [python, str(_HERE / "peers.py"), command, name, folder, str(size), str(classes)]


def _meet(environments: Path, name: str, folder: str, bundle: Bundle, photos: Sequence[str]) -> dict[str, Any]:
    """What a peer is and which of its settings is the fastest here; or why it can't be measured."""
    if not (environments / name).is_dir():
        return {"left_out": f"there is no environment {environments / name}: make peers"}
    try:
        about = _child(_peer_command(environments, "build", name, folder, bundle))[1]
        trials = []
        for setting in about.pop("settings"):
            run = _peer(environments, name, folder, bundle, setting)(photos[:TRIAL_PHOTOS])
            trials.append({"setting": setting, "photos_per_second": TRIAL_PHOTOS / run["loop_seconds"]})
    except ChildError as error:
        _say(f"{name} is left out: {error}")
        return {"left_out": str(error)}
    best = max(trials, key=lambda trial: trial["photos_per_second"])
    _say(f"{name}: {best['photos_per_second']:.0f} photos/s with {best['setting']}")
    return {**about, "trials": trials, "setting": best["setting"]}


def _child(command: list[str], paths: Sequence[str] = (), lines: int = 1) -> tuple[Run, Any]:
    """Run a process with `paths` on standard input; return its cost and the last of `lines` lines of JSON it prints.

    Its memory is that of the largest process where it starts others.
    """
    environment = {name: value for name, value in _ENVIRONMENT.items() if name not in _THREADS}
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as log,
    ):
        given.write("".join(f"{path}\n" for path in paths))
        given.seek(0)
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=given, stdout=out, stderr=log, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        log.seek(0)
        printed, complaints = out.read().splitlines(), log.read().splitlines()
    if process.returncode or len(printed) != lines:
        raise ChildError(complaints[-1] if complaints else f"status {process.returncode}, {len(printed)} lines")
    cost = {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_mb": peak_megabytes(usage)}
    return cost, json.loads(printed[-1])


def _round(
    number: int, rounds: int, sides: Mapping[str, Measure], ours: Sequence[str], photos: Sequence[str]
) -> dict[str, Any]:
    """Every side once, and each of ours at each count, with its bound."""
    found: dict[str, Any] = {}
    for side, measure in sides.items():
        if number == 1:
            measure(photos[:TRIAL_PHOTOS])  # so that modules are compiled and files are cached
        found[side] = {"first_answer": measure(photos[:1])}
        if side in ours:
            found[side]["bound"] = _bound(side, photos[:: max(1, len(photos) // BOUND_PHOTOS)])
            found[side]["runs"] = {str(count): measure(photos[:count]) for count in COUNTS}
        else:
            count = PEER_PHOTOS if side in PEERS else PLAIN_PHOTOS
            found[side]["runs"] = {str(count): measure(photos[:: max(1, len(photos) // count)][:count])}
        _say(f"round {number} of {rounds}: {side} {_rate(found[side]):.0f} photos/s")
    return found


def _rate(found: Mapping[str, Any]) -> float:
    """Photos a second of the longest run; of the loop alone where a peer says so, which leaves out its start."""
    count, run = max(found["runs"].items(), key=lambda item: int(item[0]))
    return float(int(count) / run.get("loop_seconds", run["seconds"]))


def _summarise(side: str, rounds: Sequence[Mapping[str, Any]], ours: Sequence[str]) -> dict[str, Any]:
    of_side = [each[side] for each in rounds]
    first = [each[ours[0]] for each in rounds]
    summary: dict[str, Any] = {
        "photos_per_second": statistics.median(map(_rate, of_side)),
        "first_answer_seconds": statistics.median(each["first_answer"]["seconds"] for each in of_side),
        "peak_mb": {
            count: statistics.median(each["runs"][count]["peak_mb"] for each in of_side) for count in of_side[0]["runs"]
        },
    }
    if side in ours:
        bounds = [each["bound"]["photos_per_second"] for each in of_side]
        shares = [_rate(each) / bound for each, bound in zip(of_side, bounds, strict=True)]
        summary |= {"bound_photos_per_second": statistics.median(bounds), "share_of_bound": statistics.median(shares)}
        model, *flags = side.split(", ")
        views = 1.0 if flags else (load_bundle(model).manifest.orientation or {}).get("views", 1.0)
        work = [each["bound"]["prepare_seconds"] + views * each["bound"]["network_seconds"] for each in of_side]
        # Photos that may lie on their side are read again, which the bound of one reading leaves out.
        summary["evaluations_a_photo"] = views
        summary["share_of_bound_of_all_evaluations"] = statistics.median(
            _rate(each) * seconds / available_cpus() for each, seconds in zip(of_side, work, strict=True)
        )
        cpu = [int(n) / each["runs"][n]["cpu_seconds"] for each in of_side for n in [str(max(COUNTS))]]
        per_core = [available_cpus() * rate / bound for rate, bound in zip(cpu, bounds, strict=True)]
        # What is lost to Python, the start and the threads' meeting, but not to other work on the machine.
        summary["share_of_bound_in_cpu_time"] = statistics.median(per_core)
    if side != ours[0]:
        ratios = [_rate(own) / _rate(other) for own, other in zip(first, of_side, strict=True)]
        summary["ours_times"] = statistics.median(ratios)
    return summary


def _installed(peers: Mapping[str, Any]) -> dict[str, float]:
    """Megabytes on disk of each side's packages with all that they require."""
    package = Path(load_bundle(DEFAULT).path).parents[1]
    own = sum(path.stat().st_size for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    base = ["numpy", "pillow", "onnxruntime", "pydantic", "typer", "rich", "urllib3"]
    sizes = {
        "clothing": (installed_bytes(base) + own) / 1e6,
        "plain ONNX Runtime": installed_bytes(["pillow", "onnxruntime"]) / 1e6,
    }
    return sizes | {name: about["installed_mb"] for name, about in peers.items() if "installed_mb" in about}


def _about(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "name": manifest.name,
        "sha256": bundle.sha256,
        "precision": manifest.precision,
        "size": manifest.preprocessing.size,
        "labels": len(manifest.labels),
        "architecture": manifest.architecture,
    }


def _print_table(summary: Mapping[str, Any]) -> None:
    print(f"{'':24}{'photos/s':>10}{'of bound':>10}{'first, s':>10}{'MB':>8}{'ours':>8}")
    for side, about in summary.items():
        share, times = about.get("share_of_bound"), about.get("ours_times")
        ratio = f"{times:.1f}x" if times else ""
        print(
            f"{side:24}{about['photos_per_second']:10.0f}{f'{share:.0%}' if share else '':>10}"
            f"{about['first_answer_seconds']:10.2f}{max(about['peak_mb'].values()):8.0f}{ratio:>8}"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
