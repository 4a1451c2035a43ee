"""How much does `clothing serve` take, beside the same classifier in process and behind a plain FastAPI handler?

Everything runs on this machine, the load generator in a process of its own, in one run and in turn, so that ratios
compare like with like:

    python benchmarks/serving.py --photos datasets/clothing/images

1. requests/s and latency at 1, 8, 64 and 512 clients, one 400 x 534 photo a request; the in-process rate beside each
2. latency at half of saturation, requests at random moments (an open loop)
3. twice saturation: every answer right or a 503, memory bounded
4. the soak: half of saturation for minutes; memory and descriptors at its start and end
5. SIGTERM under load: no request that was sent goes unanswered
6. requests/s by the most photos in a batch

Writes results/serving.json. Run it on an idle machine.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from predict_throughput import MAX_LOAD, choose_photos  # type: ignore[import-not-found]

from clothing_classifier import Classifier
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference.bundle import DEFAULT
from clothing_classifier.utils import write_json

CLIENTS = (1, 8, 64, 512)
BATCHES = (1, 2, 4, 8)
_HERE = Path(__file__).parent
_GENERATOR = _HERE / "load_generator.py"
_SERVE = "from clothing_classifier.cli import main; main()"
_IN_PROCESS = """
import json, sys, time
from itertools import repeat, takewhile
from pathlib import Path
from clothing_classifier import Classifier
model, photo, seconds = sys.argv[1], Path(sys.argv[2]).read_bytes(), float(sys.argv[3])
classifier = Classifier.load(model)
list(classifier.predict_many([photo] * 32))
started = time.perf_counter()
photos = takewhile(lambda _: time.perf_counter() < started + seconds, repeat(photo))
count = sum(1 for _ in classifier.predict_many(photos))
print(json.dumps(count / (time.perf_counter() - started)))
"""


class Server:
    """A server's process; `peak_mb` is its largest resident memory since it was last set."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port, self.peak_mb = process, port, 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def memory_mb(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        """Open files and sockets now."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())

    def _watch(self) -> None:
        while self.process.poll() is None:
            try:
                self.peak_mb = max(self.peak_mb, self.memory_mb())
            except (OSError, IndexError):
                return
            time.sleep(0.05)


class Benchmark:
    """One photo, its label, and the servers that answer it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.photo = choose_photos(options.photos, 1)[0]
        self.label = Classifier.load(options.model).predict(self.photo).label

    def load(self, server: Server, clients: int, seconds: float, *more: str) -> dict[str, Any]:
        """What the generator saw, with the server's memory."""
        command = self.command(server, clients, seconds, *more)
        server.peak_mb, cpu = 0.0, server.cpu_seconds()
        seen: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        return seen | {"peak_mb": server.peak_mb, "server_cpu_seconds": server.cpu_seconds() - cpu}

    def command(self, server: Server, clients: int, seconds: float, *more: str) -> list[str]:
        """The generator's command line."""
        target = ["--port", str(server.port), "--photo", self.photo, "--label", str(self.label)]
        return [sys.executable, str(_GENERATOR), *target, "--clients", str(clients), "--seconds", str(seconds), *more]

    def in_process(self) -> float:
        """Photos a second by `Classifier.predict_many`, for as long as one measurement of a server."""
        command = [sys.executable, "-c", _IN_PROCESS, self.options.model, self.photo, str(self.options.seconds)]
        return float(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))

    @contextmanager
    def clothing(self, *more: str) -> Iterator[Server]:
        """`clothing serve`."""
        command = [sys.executable, "-c", _SERVE, "serve", "--model", self.options.model, *more]
        yield from _running(lambda port: [*command, "--port", str(port)])

    @contextmanager
    def plain(self) -> Iterator[Server]:
        """The handler without a queue."""
        command = [sys.executable, str(_HERE / "plain_server.py"), self.options.model]
        yield from _running(lambda port: [*command, str(port)])


def main() -> None:
    """Measure all six and write them."""
    options = _options()
    record, load = provenance(), os.getloadavg()[0]
    if load > MAX_LOAD:
        _say(f"warning: load average {load:.1f}: the machine is busy, and these figures will say so")
    benchmark = Benchmark(options)
    with benchmark.clothing() as ours, benchmark.plain() as plain:
        for server in (ours, plain):
            benchmark.load(server, 8, 2)
        by_clients = [measure_clients(benchmark, ours, plain, clients) for clients in CLIENTS]
        saturation = max(row["clothing"]["requests_per_second"] for row in by_clients)
        half = sides(benchmark, ours, plain, 64, "--rate", str(saturation / 2))
        twice = sides(benchmark, ours, plain, 512, "--rate", str(saturation * 2))
    in_process = statistics.median(row["in_process"] for row in by_clients)
    result = {
        "n": len(CLIENTS),
        "load_average_before": load,
        "photo": {"name": Path(benchmark.photo).name, "bytes": Path(benchmark.photo).stat().st_size},
        "model": options.model,
        "seconds": options.seconds,
        "by_clients": by_clients,
        "in_process_per_second": in_process,
        "saturation_per_second": saturation,
        "share_of_in_process": saturation / in_process,
        "half_of_saturation": half,
        "twice_saturation": twice,
        "soak": soak(benchmark, saturation / 2),
        "sigterm": sigterm(benchmark),
        "by_batch": by_batch(benchmark),
    }
    write_json(options.out, record | result)
    _print_table(result)


def measure_clients(benchmark: Benchmark, ours: Server, plain: Server, clients: int) -> dict[str, Any]:
    """Both servers at so many clients, and no server at all."""
    row = sides(benchmark, ours, plain, clients)
    return {"clients": clients, "in_process": benchmark.in_process(), **row}


def sides(benchmark: Benchmark, ours: Server, plain: Server, clients: int, *more: str) -> dict[str, Any]:
    """One load on both servers, in turn."""
    seconds = benchmark.options.seconds
    row = {
        "clothing": benchmark.load(ours, clients, seconds, *more),
        "plain": benchmark.load(plain, clients, seconds, *more),
    }
    for name, seen in row.items():
        times = seen["milliseconds"]
        about = f"{seen['requests_per_second']:.0f}/s, p50 {times['p50']:.0f} ms, p99 {times['p99']:.0f} ms"
        _say(f"{clients} clients {' '.join(more)} {name}: {about}, {seen['statuses']}, {seen['peak_mb']:.0f} MB")
    return row


def soak(benchmark: Benchmark, rate: float) -> dict[str, Any]:
    """Half of saturation for minutes, after a first tenth in which memory settles."""
    seconds = benchmark.options.soak_seconds
    with benchmark.clothing() as server:
        benchmark.load(server, 64, max(5.0, seconds / 10), "--rate", str(rate))
        before = {"memory_mb": server.memory_mb(), "descriptors": server.descriptors()}
        seen = benchmark.load(server, 64, seconds, "--rate", str(rate))
        time.sleep(1)
        after = {"memory_mb": server.memory_mb(), "descriptors": server.descriptors()}
    growth = after["memory_mb"] / before["memory_mb"] - 1
    _say(f"soak: {before} to {after}, memory {growth:+.1%}")
    return {"load": seen, "before": before, "after": after, "memory_growth": growth}


def sigterm(benchmark: Benchmark) -> dict[str, Any]:
    """Stop a server while 64 clients send, several times; count what was sent and never answered."""
    stops = []
    for _ in range(benchmark.options.stops):
        with benchmark.clothing() as server:
            command = benchmark.command(server, 64, 60, "--until-refused")
            generator = subprocess.Popen(command, stdout=subprocess.PIPE)
            time.sleep(3)
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            status = server.process.wait(60)
            stopped = time.monotonic() - started
            seen = json.loads(generator.communicate()[0])
        stops.append({"status": status, "seconds_to_stop": stopped, "load": seen})
        _say(f"SIGTERM: status {status} after {stopped:.1f} s, {seen['statuses']}, lost {seen['lost']}")
    return {"stops": stops, "lost": sum(sum(stop["load"]["lost"].values()) for stop in stops)}


def by_batch(benchmark: Benchmark) -> dict[str, float]:
    """Requests a second at 64 clients by the most photos in a batch."""
    rates = {}
    for batch in BATCHES:
        with benchmark.clothing("--batch", str(batch)) as server:
            benchmark.load(server, 8, 2)
            rates[str(batch)] = benchmark.load(server, 64, benchmark.options.seconds)["requests_per_second"]
    _say(f"requests/s by batch: { {batch: round(rate) for batch, rate in rates.items()} }")
    return rates


def _running(command: Callable[[int], list[str]]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command(port), stdout=log, stderr=log)
        try:
            _wait_for(process, port, log)
            yield Server(process, port)
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    log.seek(0)
    sys.exit(f"the server did not start: {log.read().decode(errors='replace')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG photos")
    parser.add_argument("--model", default=DEFAULT, help="a shipped model's name or a bundle's folder")
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--soak-seconds", type=float, default=300)
    parser.add_argument("--stops", type=int, default=5, help="servers stopped under load")
    parser.add_argument("--out", type=Path, default=Path("results/serving.json"))
    return parser.parse_args()


def _print_table(result: dict[str, Any]) -> None:
    print(f"{'clients':>8}{'serve/s':>10}{'p99 ms':>9}{'plain/s':>10}{'p99 ms':>9}{'in process/s':>14}")
    for row in result["by_clients"]:
        cells = f"{row['clients']:8}"
        for side in (row["clothing"], row["plain"]):
            cells += f"{side['requests_per_second']:10.0f}{side['milliseconds']['p99']:9.0f}"
        print(f"{cells}{row['in_process']:14.0f}")
    print(f"saturation: {result['share_of_in_process']:.0%} of the in-process rate")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
