"""Sends one photo over and over to a server, by many connections, and prints what came back, as JSON.

With --clients alone each client sends its next request when the last is answered (a closed loop). With --rate requests
start at that many a second whatever the answers do, and a latency counts from the moment at which its request was due,
so that a slow server can't slow down the clock it is measured by.

    python benchmarks/load_generator.py --port 8000 --photo a.jpg --label T-Shirt --clients 64 --seconds 10
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_QUANTILES = {"p50": 50, "p95": 95, "p99": 99, "max": 100}


@dataclass
class Tally:
    """What came back: statuses, milliseconds of the 200s, wrong labels, and requests sent that had no answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    wrong: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    refused: int = 0


@dataclass(frozen=True)
class Load:
    """What is sent, where and until when; `end` by the event loop's clock."""

    port: int
    request: bytes
    expected: bytes
    end: float
    until_refused: bool


class Connection:
    """One keep-alive connection, opened when needed."""

    def __init__(self, load: Load, tally: Tally) -> None:
        self._load, self._tally = load, tally
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, due: float) -> float:
        """Send the photo and count the answer; return how long to wait before the next, below 0 to give up."""
        if self._writer is None:
            try:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._load.port)
            except OSError:
                self._tally.refused += 1
                return -1.0 if self._load.until_refused else 0.2
        assert self._reader is not None
        try:
            self._writer.write(self._load.request)
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await self._reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            self._tally.lost[type(error).__name__] += 1
            self.close()
            return 0.0
        if b"connection: close" in head:
            self.close()
        return self._count(int(head[9:12]), head, body, due)

    def _count(self, status: int, head: bytes, body: bytes, due: float) -> float:
        self._tally.statuses[status] += 1
        if status == 200:
            self._tally.milliseconds.append(1000 * (asyncio.get_running_loop().time() - due))
            self._tally.wrong += self._load.expected not in body
            return 0.0
        after = head.partition(b"retry-after:")[2].partition(b"\r\n")[0]
        return float(after or 1) * (0.5 + random.random())

    def close(self) -> None:
        """Close it, where it is open."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def closed_loop(load: Load, tally: Tally, clients: int) -> None:
    """Each client asks again when it is answered, and later where it was told so."""

    async def client() -> None:
        loop, connection = asyncio.get_running_loop(), Connection(load, tally)
        while loop.time() < load.end:
            pause = await connection.send(loop.time())
            if pause < 0:
                break
            if pause:
                await asyncio.sleep(min(pause, max(0.0, load.end - loop.time())))
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))


async def open_loop(load: Load, tally: Tally, clients: int, rate: float) -> None:
    """Requests are due `rate` times a second, at random moments; `clients` connections carry them."""
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    connections = [Connection(load, tally) for _ in range(clients)]
    for connection in connections:
        free.put_nowait(connection)

    async def one(due: float) -> None:
        connection = await free.get()
        await connection.send(due)
        free.put_nowait(connection)

    due, under_way = loop.time(), set()
    while due < load.end:
        await asyncio.sleep(max(0.0, due - loop.time()))
        task = asyncio.create_task(one(due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        due += random.expovariate(rate)
    await asyncio.gather(*under_way)
    for connection in connections:
        connection.close()


async def generate(options: argparse.Namespace) -> dict[str, Any]:
    """Send for the time asked for and summarise."""
    photo = options.photo.read_bytes()
    head = f"POST {options.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(photo)}"
    started = asyncio.get_running_loop().time()
    load = Load(
        options.port,
        f"{head}\r\n\r\n".encode() + photo,
        f'"label":{json.dumps(options.label)}'.encode(),
        started + options.seconds,
        options.until_refused,
    )
    tally, cpu = Tally(), time.process_time()
    if options.rate:
        await open_loop(load, tally, options.clients, options.rate)
    else:
        await closed_loop(load, tally, options.clients)
    seconds = asyncio.get_running_loop().time() - started
    times = np.array(tally.milliseconds or [np.nan])
    return {
        "clients": options.clients,
        "rate": options.rate,
        "seconds": seconds,
        "requests_per_second": len(tally.milliseconds) / seconds,
        "milliseconds": {name: float(np.percentile(times, share)) for name, share in _QUANTILES.items()},
        "statuses": dict(tally.statuses),
        "wrong": tally.wrong,
        "lost": dict(tally.lost),
        "refused_connections": tally.refused,
        "own_cpu_seconds": time.process_time() - cpu,
    }


def main() -> None:
    """Generate the load that the command line asks for and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/v1/predict")
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--label", required=True, help="what every answer must say")
    parser.add_argument("--clients", type=int, default=8, help="connections")
    parser.add_argument("--rate", type=float, help="requests a second; default: as fast as the answers come")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--until-refused", action="store_true", help="a client ends when it can't connect")
    print(json.dumps(asyncio.run(generate(parser.parse_args()))))


if __name__ == "__main__":
    main()
