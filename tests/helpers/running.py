"""Servers in processes of their own, and clients for them, plain and rude."""

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
TOKEN = "a-secret-of-the-tests-0123456789"
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}
IMAGES = sorted((ROOT / "data" / "images").iterdir())


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def entries(self) -> list[dict[str, Any]]:
        """The lines of the log, which must each be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def entry(self, key: str, value: object) -> dict[str, Any]:
        """The first entry with this value, which may be written only after its reply was read."""
        return until(lambda: next((entry for entry in self.entries() if entry.get(key) == value), None))


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        return json.loads(self.body)


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What `condition` gives once it is true."""
    last = monotonic() + seconds
    while not (found := condition()):
        assert monotonic() < last, f"not within {seconds} s"
        sleep(0.002)
    return found


@contextmanager
def serving(
    log: Path, *arguments: str, limits: str | None = None, token: str | None = None, before: str = ""
) -> Iterator[Server]:
    """`clothing serve`, or `run.serve` with `limits`, after the statements `before`.

    It may write no file: the first byte to a disk would end the process.
    """
    program = f"{before}\nfrom clothing_classifier.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", "--port", "0", *arguments]
    if limits is not None:
        program = "from clothing_classifier.serving.run import serve, ServiceLimits as L; "
        command = [sys.executable, "-c", f"{program}serve(['wardrobe'], port=0, limits=L({limits}))"]
    environment = {**os.environ, **({"CLOTHING_TOKEN": token} if token else {})}
    with log.open("w") as file:
        relay = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file)
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=relay.stdin,
            text=True,
            env=environment,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )
        assert relay.stdin is not None and process.stdout is not None
        relay.stdin.close()
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on "), log.read_text()
            yield Server(process, line.split()[2], log)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(30)
            process.stdout.close()
            relay.wait(10)


def ask(
    server: Server,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
) -> Reply:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, body, dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
    finally:
        connection.close()


def form(files: list[tuple[str, bytes]], boundary: str = "b0undary") -> tuple[bytes, dict[str, str]]:
    """A multipart body and its header."""
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="f%d"; filename="%s"\r\n\r\n%s\r\n'
        % (boundary.encode(), number, name.encode(), data)
        for number, (name, data) in enumerate(files)
    ]
    body = b"".join(parts) + b"--%s--\r\n" % boundary.encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def talk(server: Server, sent: bytes, timeout: float = 20, end: bool = False) -> bytes:
    """Send bytes as they are and read until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        try:
            connection.sendall(sent)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        received = b""
        try:
            while data := connection.recv(65_536):
                received += data
                if _complete(received):
                    break
        except OSError:
            pass
        return received


def _complete(received: bytes) -> bool:
    head, separator, rest = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(separator and lengths and len(rest) >= int(lengths[0]))


def problem_of(reply: Reply) -> dict[str, Any]:
    """The problem document of a refusal, which must be whole."""
    assert reply.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = reply.json()
    assert {"type", "title", "status", "detail"} <= set(document)
    assert document["status"] == reply.status
    assert document["detail"]
    return document
