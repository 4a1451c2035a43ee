"""How fast does `clothing score` go on, what does it keep in memory, and does every input get its row whatever dies?

Measured, each in processes of its own: time and memory by number of photos; the rate beside that of `clothing predict`;
Ray with two workers beside this process, both from their first rows on, since Ray's start takes seconds; a Ray cluster
of three nodes of which one is killed; an S3-compatible server of which a tenth of the reads fails; and what the plan
for a billion photos in docs/scoring.md needs. Lists longer than the folder repeat its photos. Run it on an
idle machine.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import pyarrow.parquet as pq
import typer

from benchmarks.common import (
    CLOTHING,
    RESULTS,
    Finished,
    Photos,
    Rounds,
    in_turn,
    jpeg_files,
    log,
    median_ratio,
    recording,
    run_module,
    run_process,
)
from clothing_classifier.inference.bundle import DEFAULT

_PART_ROWS = 512
BROKEN = 5
FAILING = 0.1


class Part(StrEnum):
    """What is measured."""

    scale = "scale"
    predict = "predict"
    ray = "ray"
    node_killed = "node_killed"
    s3 = "s3"
    stages = "stages"


@dataclass(frozen=True)
class Benchmark:
    """Photos, how many of them a comparison takes, and a folder for scratch."""

    files: Sequence[str]
    count: int
    rounds: int
    folder: Path

    def paths(self, count: int) -> list[str]:
        """`count` photos, from the front again where there are too few."""
        return [self.files[i % len(self.files)] for i in range(count)]

    def list(self, paths: Sequence[str]) -> Path:
        """A CSV file that names them."""
        file = self.folder / f"{len(paths)}.csv"
        file.write_text("path\n" + "".join(f"{path}\n" for path in paths), encoding="utf-8")
        return file

    def output(self) -> Path:
        """A new folder."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / "out"

    def score(self, count: int) -> Finished:
        """Run the command on `count` photos."""
        given = "--input", self.list(self.paths(count)), "--output", self.output()
        return run_process([CLOTHING, "score", *given, "--format", "json"])

    def run(self, where: str | Path, output: Path, *more: str) -> dict[str, Any]:
        """Score in a process that says when rows came (`one_scoring.py`)."""
        found: dict[str, Any] = run_module("one_scoring", where, output, *more).json
        return found


def scoring(
    photos: Photos,
    size: Annotated[
        list[int] | None, typer.Option(help="Lists of so many photos; default: 1000, 4000 and 16000.")
    ] = None,
    count: Annotated[int, typer.Option(help="Photos of the comparisons.")] = 4000,
    bucket: Annotated[int, typer.Option(help="Photos in the bucket.")] = 1000,
    only: Annotated[list[Part] | None, typer.Option(help="Measure these parts alone.")] = None,
    rounds: Rounds = 3,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "scoring.json",
) -> None:
    """Rate, memory, Ray, killed nodes and failing reads of `clothing score`."""
    with recording(out) as record, tempfile.TemporaryDirectory() as scratch:
        files = jpeg_files(photos, sys.maxsize)
        benchmark = Benchmark(files, count, rounds, Path(scratch))
        sizes = size or [1000, 4000, 16000]
        benchmark.score(min(sizes))  # so that files are cached and modules compiled
        record["photos"] = {
            "files": len(files), "mean_bytes": statistics.mean(Path(file).stat().st_size for file in files)
        }  # fmt: skip
        parts = {
            Part.scale: lambda: scale(benchmark, sizes), Part.predict: lambda: against_predict(benchmark),
            Part.ray: lambda: against_ray(benchmark), Part.node_killed: lambda: node_killed(benchmark),
            Part.s3: lambda: s3(benchmark, bucket), Part.stages: lambda: stages(benchmark, bucket),
        }  # fmt: skip
        for part in only or list(Part):
            record[part.value] = parts[part]()
            log(f"{part}: {record[part.value]}")


def scale(benchmark: Benchmark, sizes: Sequence[int]) -> dict[str, Any]:
    """Time and memory by number of photos; `linear_within` is how far a photo's time strays from the median's."""
    runs = in_turn({str(size): partial(benchmark.score, size) for size in sizes}, benchmark.rounds)
    cost = {size: statistics.median(run.json["seconds"] for run in some) / int(size) for size, some in runs.items()}
    memory = {size: statistics.median(run.peak_mb for run in some) for size, some in runs.items()}
    middle = statistics.median(cost.values())
    return {
        "by_photos": {n: {"photos_per_second": 1 / cost[n], "megabytes": memory[n]} for n in runs},
        "linear_within": max(abs(seconds / middle - 1) for seconds in cost.values()),
        "memory_growth": max(memory.values()) / min(memory.values()) - 1,
    }  # fmt: skip


def against_predict(benchmark: Benchmark) -> dict[str, Any]:
    """Whole processes in turn: `clothing predict - --format json`, which prints, and `clothing score`."""
    given = "".join(f"{path}\n" for path in benchmark.paths(benchmark.count))
    found = in_turn({
        "predict": lambda: run_process([CLOTHING, "predict", "-", "--format", "json"], given).seconds,
        "score": lambda: benchmark.score(benchmark.count).seconds,
    }, benchmark.rounds)  # fmt: skip
    return {"n": benchmark.count, "rounds": found, "rate_of_predict": median_ratio(found["predict"], found["score"])}


def against_ray(benchmark: Benchmark) -> dict[str, Any]:
    """Ray with two workers and this process, in turn; rates from the first rows on, start-up apart."""
    file, tables = benchmark.list(benchmark.paths(benchmark.count)), dict[str, Any]()

    def run(engine: str, *more: str) -> dict[str, float]:
        output = benchmark.output()
        found = _pace(benchmark.run(file, output, "--engine", engine, "--part-rows", str(_PART_ROWS), *more))
        tables[engine] = pq.read_table(output)
        return found

    sides = {"local": lambda: run("local"), "ray": lambda: run("ray", "--workers", "2")}
    found = in_turn(sides, benchmark.rounds)
    rates = {name: [one["rate"] for one in rows] for name, rows in found.items()}
    return {
        "n": benchmark.count, "rounds": found, "rate_of_local": median_ratio(rates["ray"], rates["local"]),
        "start_seconds": statistics.median(one["first_rows_after"] for one in found["ray"]),
        "same_rows": tables["local"].equals(tables["ray"]),
    }  # fmt: skip


def node_killed(benchmark: Benchmark) -> dict[str, Any]:
    """Three nodes of one processor, one killed after a third of the rows: is every input there once?"""
    output, paths = benchmark.output(), benchmark.paths(benchmark.count)
    run = benchmark.run(benchmark.list(paths), output, "--engine", "ray", "--nodes", "3", "--kill-after",
                        str(benchmark.count // 3), "--part-rows", str(_PART_ROWS))  # fmt: skip
    times = [seconds for seconds, _ in run["events"]]
    return {
        "n": benchmark.count, "killed_at": run["killed_at"], "seconds": run["seconds"],
        "longest_pause": max(after - before for before, after in pairwise(times)),
        "rows_in_order_once": pq.read_table(output)["path"].to_pylist() == paths,
    }  # fmt: skip


def s3(benchmark: Benchmark, count: int) -> dict[str, Any]:
    """Photos in a bucket whose server fails a tenth of the reads, and all of five keys."""
    output = benchmark.output()
    with _bucket(benchmark.paths(count), FAILING):
        report = benchmark.run("s3://photos/", output)["report"]
    rows = pq.read_table(output).to_pylist()
    failed = [row["path"] for row in rows if row["error"]]
    return {
        "n": count, "fraction_of_reads_failing": FAILING, "reported": len(failed),
        "rows_once": len({row["path"] for row in rows}) == len(rows) == count,
        "only_the_broken_reported": len(failed) == BROKEN and all("broken" in path for path in failed),
        "photos_per_second": report["rows_per_second"],
    }  # fmt: skip


def stages(benchmark: Benchmark, count: int) -> dict[str, Any]:
    """What each step costs a core: reading from a store beside reading files, decoding, the network; bytes of a row."""
    core = run_module("one_core", DEFAULT, given="\n".join(benchmark.paths(400))).json
    paths, output = benchmark.paths(count), benchmark.output()
    part_rows = "--part-rows", "64"
    here = benchmark.run(benchmark.list(paths), output, *part_rows)["cpu_seconds_a_row"]
    with _bucket(paths, 0):
        there = benchmark.run("s3://photos/", benchmark.output(), *part_rows)["cpu_seconds_a_row"]
    return {
        "fetch_seconds": there - here, "decode_seconds": core["prepare_seconds"],
        "network_seconds": core["network_seconds"],
        "bytes_per_row": sum(path.stat().st_size for path in output.glob("*.parquet")) / count,
    }  # fmt: skip


@contextmanager
def _bucket(paths: Sequence[str], failing: float) -> Iterator[None]:
    """`s3://photos` with `paths`, on a server of which a fraction of the reads fails, and five keys always."""
    command = [sys.executable, "-m", "benchmarks.faulty_s3", str(failing)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout
        os.environ.update(AWS_ENDPOINT_URL=server.stdout.readline().strip(), AWS_ACCESS_KEY_ID="test",
                          AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")  # fmt: skip
        import s3fs

        files = s3fs.S3FileSystem(skip_instance_cache=True)
        files.mkdir("photos")
        for i, path in enumerate(paths):
            name = "broken" if failing and i < BROKEN else "photo"
            files.pipe_file(f"photos/{name}-{i:06d}.jpg", Path(path).read_bytes())
        yield
    finally:
        server.kill()
        server.wait()


def _pace(run: dict[str, Any]) -> dict[str, float]:
    """The rate from the first rows on, and how long those took from the start of the process."""
    (first, rows), (last, _) = run["events"][0], run["events"][-1]
    answered = sum(count for _, count in run["events"]) - rows
    return {"rate": answered / (last - first), "first_rows_after": first, "seconds": run["seconds"]}
