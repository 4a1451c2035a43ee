"""What several of these measurements share: the command, a training by it, the spread over runs, a process's memory."""

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

CLOTHING = str(Path(sys.executable).with_name("clothing"))


def train_command(data: Path | str, preset: str, out: Path, changes: Iterable[str], *more: str) -> list[str]:
    """`clothing train` with settings changed; goes on with the run in `out`, and checks one that was done."""
    sets = [part for change in changes for part in ("--set", change)]
    return [CLOTHING, "train", "--data", str(data), "--preset", preset, "--out", str(out), "--resume", *more, *sets]


def run_training(data: Path | str, preset: str, out: Path, changes: Iterable[str], *more: str) -> None:
    """Run `train_command`; print what validation says, and exit where it fails."""
    command = train_command(data, preset, out, changes, *more)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{out.name}: status {result.returncode}: {result.stderr}")
    print(f"{out.name}: {result.stdout.splitlines()[0]}", flush=True)


def mean_and_spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, and standard deviation where there are two values or more."""
    return {"mean": statistics.mean(values)} | ({"spread": statistics.stdev(values)} if len(values) > 1 else {})


def peak_megabytes(usage: resource.struct_rusage) -> float:
    """The most memory that a process held, in 10^6 bytes; Linux counts it in KiB."""
    return usage.ru_maxrss * 1024 / 1e6
