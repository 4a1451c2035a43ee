"""How much does `clothing serve` take, beside the same classifier in process and behind a plain FastAPI handler?

Everything runs on this machine, the load generator (hey: apt-get install hey) in a process of its own, in one run and
in turn, so that ratios compare like with like: requests a second and latency by clients, one photo a request; memory
and descriptors over a soak at half of saturation, at a fixed rate. Run it on an idle machine.
"""

import csv
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import numpy as np
import typer

from benchmarks.common import CLOTHING, RESULTS, Photos, jpeg_files, log, memory_mb, recording, run_process
from clothing_classifier.inference.bundle import DEFAULT

CLIENTS = (1, 8, 64, 512)
_IN_PROCESS = """
import json, sys, time
from itertools import repeat, takewhile
from pathlib import Path
from clothing_classifier import Classifier
photo, seconds = Path(sys.argv[2]).read_bytes(), float(sys.argv[3])
classifier = Classifier.load(sys.argv[1])
list(classifier.predict_many([photo] * 32))
started = time.perf_counter()
count = sum(1 for _ in classifier.predict_many(
    takewhile(lambda _: time.perf_counter() < started + seconds, repeat(photo))))
print(json.dumps(count / (time.perf_counter() - started)))
"""


@dataclass(frozen=True)
class Server:
    """A server's process and port."""

    process: subprocess.Popen[bytes]
    port: int

    def state(self) -> dict[str, float]:
        """Resident memory, and open files and sockets."""
        descriptors = sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())
        return {"memory_mb": memory_mb(self.process.pid, "VmRSS"), "descriptors": descriptors}


@dataclass(frozen=True)
class Benchmark:
    """One photo, and the model whose servers answer it."""

    photo: str
    model: str
    seconds: float

    @contextmanager
    def clothing(self, *more: str) -> Iterator[Server]:
        """`clothing serve`."""
        with _running([CLOTHING, "serve", "--model", self.model, *more, "--port"]) as server:
            yield server

    @contextmanager
    def plain(self) -> Iterator[Server]:
        """The handler that a tutorial would write."""
        with _running([sys.executable, "-m", "benchmarks.plain.server", self.model]) as server:
            yield server

    def load(
        self, server: Server, clients: int, rate: float | None = None, seconds: float | None = None
    ) -> dict[str, Any]:
        """What so many clients see, each asking again when answered, or all together at `rate` requests a second."""
        seconds = seconds or self.seconds
        limit = ["-q", f"{rate / clients:.3f}"] if rate else []
        command = ["hey", "-c", str(clients), "-z", f"{seconds}s", *limit, "-m", "POST", "-T", "image/jpeg",
                   "-D", self.photo, "-o", "csv", f"http://127.0.0.1:{server.port}/v1/predict"]  # fmt: skip
        rows = list(csv.DictReader(run_process(command).lines))
        statuses = Counter(row["status-code"] for row in rows)
        times = [1000 * float(row["response-time"]) for row in rows if row["status-code"] == "200"]
        milliseconds = {f"p{q}": float(np.percentile(times, q)) for q in (50, 95, 99)} if times else {}
        found = {
            "clients": clients, "rate": rate, "requests_per_second": len(times) / seconds, "milliseconds": milliseconds,
            "statuses": dict(statuses), "refused": statuses["503"] / statuses.total(),
            "peak_mb": memory_mb(server.process.pid),
        }  # fmt: skip
        log(f"{clients} clients: {found}")
        return found

    def in_process(self) -> float:
        """Photos a second by `Classifier.predict_many`, for as long as one measurement of a server."""
        command = [sys.executable, "-c", _IN_PROCESS, self.model, self.photo, str(self.seconds)]
        return float(run_process(command).json)


def serving(
    photos: Photos,
    model: Annotated[str, typer.Option(help="A shipped model's name or a bundle's folder.")] = DEFAULT,
    seconds: Annotated[float, typer.Option(help="Of each measurement.")] = 15,
    soak_seconds: Annotated[float, typer.Option(help="Of the soak.")] = 300,
    client: Annotated[list[int] | None, typer.Option(help="Connections; default: 1, 8, 64 and 512.")] = None,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "serving.json",
) -> None:
    """Requests a second, latency and memory of `clothing serve`, beside a plain handler."""
    with recording(out) as record:
        benchmark = Benchmark(jpeg_files(photos, 1)[0], model, seconds)
        with benchmark.clothing() as ours, benchmark.plain() as plain:
            sides = {"clothing": ours, "plain": plain}
            for server in sides.values():
                benchmark.load(server, 8, seconds=2)
            by_clients: list[dict[str, Any]] = [
                {"clients": n, "in_process": benchmark.in_process(),
                 **{name: benchmark.load(server, n) for name, server in sides.items()}}
                for n in client or CLIENTS
            ]  # fmt: skip
            saturation = max(row["clothing"]["requests_per_second"] for row in by_clients)
        in_process = max(row["in_process"] for row in by_clients)
        record.update({
            "photo": {"name": Path(benchmark.photo).name, "bytes": Path(benchmark.photo).stat().st_size},
            "model": model, "seconds": seconds, "by_clients": by_clients, "in_process_per_second": in_process,
            "saturation_per_second": saturation, "fraction_of_in_process": saturation / in_process,
            "soak": soak(benchmark, saturation / 2, soak_seconds),
        })  # fmt: skip


def soak(benchmark: Benchmark, rate: float, seconds: float) -> dict[str, Any]:
    """Half of saturation for minutes, after a first tenth in which memory settles."""
    with benchmark.clothing() as server:
        benchmark.load(server, 64, rate, max(5.0, seconds / 10))
        before = server.state()
        seen = benchmark.load(server, 64, rate, seconds)
        time.sleep(1)
        after = server.state()
    growth = after["memory_mb"] / before["memory_mb"] - 1
    return {"load": seen, "before": before, "after": after, "memory_growth": growth}


@contextmanager
def _running(command: Sequence[str]) -> Iterator[Server]:
    """A server on a free port, whose number is the command's last argument."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([*command, str(port)], stdout=output, stderr=output)
        try:
            _wait_for(process, port, output)
            yield Server(process, port)
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(process: subprocess.Popen[bytes], port: int, output: IO[bytes]) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    output.seek(0)
    sys.exit(f"the server did not start: {output.read().decode(errors='replace')}")
