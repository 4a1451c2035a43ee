"""What every benchmark uses: our command, other processes and their cost, sides measured in turn, the record."""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

import typer

from clothing_classifier.datasets import Record
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_text

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
FIGURES = ROOT / "docs" / "figures"
CLOTHING = str(Path(sys.executable).with_name("clothing"))
MAX_LOAD = 0.5

Data = Annotated[Path, typer.Option(help="The clothing data set, as 'clothing fetch' leaves it.")]
Photos = Annotated[Path, typer.Option(help="Folder of JPEG photos.")]
Rounds = Annotated[int, typer.Option(help="How often each side is measured, in turn.")]
T = TypeVar("T")


def new_app(help_text: str) -> typer.Typer:
    """A group of commands that behaves like those of `clothing`."""
    return typer.Typer(
        help=help_text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
        rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


def log(line: str) -> None:
    """Print a line of progress to standard error."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def recording(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a record that has its provenance already; it is written to `path` when the block ends without error."""
    load = os.getloadavg()[0]
    if load > MAX_LOAD:
        log(f"warning: load average {load:.1f}: the machine is busy, which timings will show")
    record = provenance() | {"load_average_before": load}
    yield record
    write_text(path, json.dumps(_rounded(record), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    log(f"wrote {path}")


def _rounded(value: Any) -> Any:
    """`value` with six significant digits of each number, which is more than anything measured here has."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


class Finished(NamedTuple):
    """A process that has ended: wall and processor seconds, peak memory in MB, and the lines that it printed."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    lines: list[str]

    @property
    def json(self) -> Any:
        """The last line, read as JSON."""
        return json.loads(self.lines[-1])

    @property
    def cost(self) -> dict[str, float]:
        """The figures without the lines, for a record."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "peak_mb": self.peak_mb}


class ProcessError(Exception):
    """A process failed; the message is the last line of what it wrote to standard error."""


def run_process(
    command: Sequence[str | Path],
    given: str = "",
    environment: Mapping[str, str] | None = None,
    accepted: Sequence[int] = (0,),
) -> Finished:
    """Run `command` in the repository with `given` on standard input; raises `ProcessError` by its status."""
    with (
        tempfile.TemporaryFile("w+") as stdin,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        stdin.write(given)
        stdin.seek(0)
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), stdin=stdin, stdout=out, stderr=err, cwd=ROOT, env=environment
        )
        peaks = [0.0]
        threading.Thread(target=_watch_memory, args=(process.pid, peaks), daemon=True).start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        lines, complaints = out.read().splitlines(), err.read().splitlines()
    if process.returncode not in accepted:
        raise ProcessError(complaints[-1] if complaints else f"{command[0]}: status {process.returncode}")
    return Finished(seconds, usage.ru_utime + usage.ru_stime, peaks[-1], lines)


def memory_mb(pid: int, what: str = "VmHWM") -> float:
    """Peak resident memory of a process so far, or with `VmRSS` what it holds now, in 10^6 bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024 / 1e6


def _watch_memory(pid: int, peaks: list[float]) -> None:
    """Note the peak until the process ends. The peak of `getrusage` would be at least that of this very process."""
    with suppress(OSError, StopIteration):
        while True:
            peaks.append(memory_mb(pid))
            time.sleep(0.01)


def run_module(name: str, *arguments: str | Path, given: str = "") -> Finished:
    """Run `python -m benchmarks.NAME`, in a process of its own so that its time and memory are its own."""
    return run_process([sys.executable, "-m", f"benchmarks.{name}", *arguments], given)


def run_clothing(*arguments: str | Path, accepted: Sequence[int] = (0,)) -> str:
    """Run our command and return what it prints; leaves with its message where the status is not `accepted`."""
    command = [CLOTHING, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode not in accepted:
        sys.exit(f"clothing {arguments[0]}: status {done.returncode}: {done.stderr}")
    return done.stdout


def in_turn(sides: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Call each side once a round, one after the other, so that what disturbs the machine disturbs all sides."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, call in sides.items():
            found[name].append(call())
            log(f"round {number} of {rounds}: {name}: {found[name][-1]}")
    return found


def median_ratio(one: Iterable[float], other: Iterable[float]) -> float:
    """The median over rounds of `one` over `other` of the same round."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def mean_and_spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, and standard deviation where there are two values or more."""
    return {"mean": statistics.mean(values)} | ({"spread": statistics.stdev(values)} if len(values) > 1 else {})


def spread_evenly(items: Sequence[T], count: int) -> list[T]:
    """`count` of the items, evenly; all where there are fewer."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def jpeg_files(folder: Path, count: int) -> list[str]:
    """`count` JPEG files, spread evenly over the folder's by name."""
    files = sorted(path for path in folder.resolve().iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    if not files:
        sys.exit(f"{folder}: no JPEG files")
    return list(map(str, spread_evenly(files, count)))


def write_data_set(
    folder: Path, source: Path, splits: Mapping[str, Iterable[Record]], header: Sequence[str] = ("label", "group")
) -> Path:
    """A data set of some photos of another: a table (`header` names label and group) beside a link to its images."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "images").exists():
        (folder / "images").symlink_to((source / "images").resolve())
    with (folder / "dataset.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *header, "split"])
        for split, records in splits.items():
            writer.writerows([record.image, record.label, record.group, split] for record in records)
    return folder


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
