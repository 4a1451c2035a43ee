"""A server on this machine that drops connections, lies about lengths and serves wrong bytes."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from clothing_classifier.datasets.manifest import Manifest, RemoteFile

TABLE = "image,label,split\na.jpg,Hat,train\nb #1%20.jpg,Shoes,\n"
BYTES = {"images/a.jpg": bytes(range(256)) * 1200, "images/b #1%20.jpg": b"shoes" * 1000}
A = BYTES["images/a.jpg"]
HALF = len(A) // 2


Answer = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request by the next of its path's planned faults, and honestly once there are none left."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # else head and body leave in two packets, and each answer waits for a delayed acknowledgement
    server: Host

    def setup(self) -> None:
        super().setup()
        self.server.opened += 1

    def do_GET(self) -> None:
        host, path = self.server, unquote(urlsplit(self.path).path).lstrip("/")
        with host.lock:
            host.asked.append((path, self.headers.get("Range")))
            host.headers_seen.append(self.headers)
            planned = host.faults.get(path)
            answer = planned.pop(0) if planned else honest
        body = host.files.get(path)
        (answer if body is not None else status(404))(self, body or b"")

    def reply(self, code: int, body: bytes, length: int | None = None, /, **headers: str) -> None:
        """Send `body` under a Content-Length that may be a lie (`length`)."""
        self.send_response(code)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """Drop the connection."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: object) -> None:
        """Nothing: the tests look at `Host.asked`."""


class Host(ThreadingHTTPServer):
    """A web server with BYTES, what it was asked for, and the faults it shall show."""

    def __init__(self) -> None:
        self.files = dict(BYTES)
        self.faults: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.headers_seen: list[Message] = []
        self.opened = 0
        self.lock = threading.Lock()
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """The address that the files lie under."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that leave are part of the tests."""


def honest(handler: Handler, body: bytes) -> None:
    asked = handler.headers.get("Range")
    if not asked:
        handler.reply(200, body)
        return
    start = int(asked.removeprefix("bytes=").removesuffix("-"))
    handler.reply(206, body[start:], Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")


def status(code: int, **headers: str) -> Answer:
    return lambda handler, _: handler.reply(code, b"no", **headers)


def manifest_of(files: dict[str, bytes], table: str = TABLE, source: str = "http://127.0.0.1:9") -> Manifest:
    listed = tuple(RemoteFile(path, len(body), hashlib.sha256(body).hexdigest()) for path, body in files.items())
    return Manifest("tiny", source, listed, table)


def files_in(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


COMPLETE = {**BYTES, "dataset.csv": TABLE.encode()}


def make_source(folder: Path) -> Path:
    for path, body in BYTES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def whole(handler: Handler, body: bytes) -> None:
    handler.reply(200, body)


def drop_after(count: int) -> Answer:
    def answer(handler: Handler, body: bytes) -> None:
        handler.reply(200, body[:count], len(body))
        handler.hang_up()

    return answer


def claim(change: int) -> Answer:
    """The whole body under a Content-Length that is off by `change`."""

    def answer(handler: Handler, body: bytes) -> None:
        handler.reply(200, body, len(body) + change)
        handler.hang_up()

    return answer


def serve(body: bytes) -> Answer:
    return lambda handler, _: handler.reply(200, body)


def partial(content_range: str) -> Answer:
    return lambda handler, body: handler.reply(206, body[HALF:], Content_Range=content_range)


def endless(handler: Handler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while not handler.server.over.is_set():
        handler.wfile.write(b"x" * 65536)


def stall(handler: Handler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:1000])
    handler.wfile.flush()
    handler.server.over.wait(30)
    handler.hang_up()
