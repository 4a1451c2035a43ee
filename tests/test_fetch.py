"""`clothing fetch` against a server on this machine that drops connections, lies about lengths and serves wrong bytes.

The real hosts are never asked.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import io
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import make_manifest
from clothing_classifier.errors import DownloadError, UsageError
from clothing_classifier.fetch import DATA_SETS, FetchReport, Manifest, RemoteFile, RetryPolicy, fetch, load_manifest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
QUICK = RetryPolicy(backoff=0.001, longest_wait=0.01)
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


def status(code: int, **headers: str) -> Answer:
    return lambda handler, _: handler.reply(code, b"no", **headers)


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


def manifest_of(files: dict[str, bytes], table: str = TABLE, source: str = "http://127.0.0.1:9") -> Manifest:
    listed = tuple(RemoteFile(path, len(body), hashlib.sha256(body).hexdigest()) for path, body in files.items())
    return Manifest("tiny", source, listed, table)


def numbered(count: int) -> dict[str, bytes]:
    return {f"images/{number:02}.jpg": b"%d" % number * 100 for number in range(count)}


def files_in(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


COMPLETE = {**BYTES, "dataset.csv": TABLE.encode()}


def test_files_and_table_arrive(host: Host, tmp_path: Path) -> None:
    report = fetch(manifest_of(BYTES, source=host.url), tmp_path)
    assert report == FetchReport("tiny", tmp_path, fetched=2, kept=0)
    assert files_in(tmp_path) == COMPLETE
    assert {headers["Accept-Encoding"] for headers in host.headers_seen} == {"identity"}


def test_second_run_downloads_nothing(host: Host, tmp_path: Path) -> None:
    fetch(manifest_of(BYTES), tmp_path, host.url + "/")
    host.asked.clear()
    assert fetch(manifest_of(BYTES), tmp_path, host.url) == FetchReport("tiny", tmp_path, fetched=0, kept=2)
    assert host.asked == []


def test_damaged_and_missing_files_are_fetched_anew(host: Host, tmp_path: Path) -> None:
    fetch(manifest_of(BYTES), tmp_path, host.url)
    (tmp_path / "images" / "a.jpg").write_bytes(b"\0" * len(A))
    host.asked.clear()
    assert fetch(manifest_of(BYTES), tmp_path, host.url).fetched == 1
    assert host.asked == [("images/a.jpg", None)]
    assert files_in(tmp_path) == COMPLETE


def test_dropped_connection_resumes_where_it_broke_off(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [drop_after(0), drop_after(HALF)]
    fetch(manifest_of(BYTES), tmp_path, host.url, connections=1, policy=QUICK)
    assert host.asked[:3] == [("images/a.jpg", None), ("images/a.jpg", None), ("images/a.jpg", f"bytes={HALF}-")]
    assert files_in(tmp_path) == COMPLETE


def test_next_run_asks_only_for_the_rest(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [drop_after(HALF), *[status(503)] * 4]
    with pytest.raises(DownloadError, match=r"images/a\.jpg \(HTTP 503 Service Unavailable\)"):
        fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert files_in(tmp_path) == {"images/a.jpg.part": A[:HALF], "images/b #1%20.jpg": BYTES["images/b #1%20.jpg"]}
    host.asked.clear()
    assert fetch(manifest_of(BYTES), tmp_path, host.url) == FetchReport("tiny", tmp_path, fetched=1, kept=1)
    assert host.asked == [("images/a.jpg", f"bytes={HALF}-")]
    assert files_in(tmp_path) == COMPLETE


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([whole], id="range-ignored"),
        pytest.param([partial(f"bytes {HALF}-{len(A) - 1}/*")], id="length-untold"),
        pytest.param([partial(f"bytes {HALF - 1}-{len(A) - 2}/{len(A)}"), whole], id="another-range"),
        pytest.param([partial(f"bytes {HALF}-{len(A)}/{len(A) + 1}"), whole], id="another-length"),
        pytest.param([partial("nonsense"), whole], id="no-range"),
        pytest.param([status(416), whole], id="range-refused"),
    ],
)
def test_starts_over_where_the_range_is_not_granted(host: Host, tmp_path: Path, answers: list[Answer]) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg.part").write_bytes(A[:HALF])
    host.faults["images/a.jpg"] = answers
    once = dataclasses.replace(QUICK, tries=1)
    asked = len(answers)  # one, where the first answer can be used
    fetch(manifest_of(BYTES), tmp_path, host.url, connections=1, policy=once)
    assert host.asked[:asked] == [("images/a.jpg", f"bytes={HALF}-"), ("images/a.jpg", None)][:asked]
    assert files_in(tmp_path) == COMPLETE


@pytest.mark.parametrize("left", [b"\0" * HALF, b"\0" * len(A), A + b"more"], ids=["short", "full", "long"])
def test_wrong_leftover_is_thrown_away(host: Host, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg.part").write_bytes(left)
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert files_in(tmp_path) == COMPLETE


def test_whole_leftover_needs_no_request(host: Host, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg.part").write_bytes(A)
    fetch(manifest_of(BYTES), tmp_path, host.url)
    assert [path for path, _ in host.asked] == ["images/b #1%20.jpg"]
    assert files_in(tmp_path) == COMPLETE


@pytest.mark.parametrize("change", [-100, 100])
def test_lie_about_the_length_does_no_harm_to_a_right_body(host: Host, tmp_path: Path, change: int) -> None:
    host.faults["images/a.jpg"] = [claim(change)]
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert files_in(tmp_path) == COMPLETE


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        pytest.param([serve(A[::-1])], "has other bytes than expected: the SHA-256 differs", id="wrong"),
        pytest.param([serve(A + b"x")], f"is longer than {len(A)} bytes", id="long"),
        pytest.param([endless], f"is longer than {len(A)} bytes", id="endless"),
        pytest.param([status(404)], "HTTP 404 Not Found", id="absent"),
        pytest.param([status(206)], "HTTP 206 Partial Content", id="range-unasked"),
    ],
)
def test_final_faults_are_not_tried_again(host: Host, tmp_path: Path, answers: list[Answer], reason: str) -> None:
    host.faults["images/a.jpg"] = answers
    with pytest.raises(DownloadError) as caught:
        fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert f"1 of 2 files could not be fetched: images/a.jpg ({reason});" in str(caught.value)
    assert "run the same command again" in str(caught.value)
    assert Counter(path for path, _ in host.asked)["images/a.jpg"] == 1
    assert files_in(tmp_path) == {"images/b #1%20.jpg": BYTES["images/b #1%20.jpg"]}


def test_short_body_is_named_after_all_tries(host: Host, tmp_path: Path) -> None:
    host.files["images/a.jpg"] = A[:HALF]
    host.faults["images/a.jpg"] = [whole] * 9
    with pytest.raises(DownloadError, match=rf"images/a\.jpg \(ended after {HALF} of {len(A)} bytes\)"):
        fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert Counter(path for path, _ in host.asked)["images/a.jpg"] == QUICK.tries
    assert "dataset.csv" not in files_in(tmp_path)


def test_wrong_bytes_after_a_resumption_are_fetched_from_the_start(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [drop_after(HALF), lambda handler, body: honest(handler, body[::-1])]
    fetch(manifest_of(BYTES), tmp_path, host.url, connections=1, policy=QUICK)
    assert [asked for path, asked in host.asked if path == "images/a.jpg"] == [None, f"bytes={HALF}-", None]
    assert files_in(tmp_path) == COMPLETE


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_busy_server_is_asked_again(host: Host, tmp_path: Path, code: int) -> None:
    host.faults["images/a.jpg"] = [status(code), status(code, Retry_After="soon"), status(code)]
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert files_in(tmp_path) == COMPLETE


@pytest.mark.parametrize(("longest", "least", "most"), [(5.0, 1.0, 5.0), (0.01, 0.0, 0.9)], ids=["honoured", "capped"])
def test_retry_after(host: Host, tmp_path: Path, longest: float, least: float, most: float) -> None:
    host.faults["images/a.jpg"] = [status(429, Retry_After="1")]
    began = time.monotonic()
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=RetryPolicy(backoff=0.001, longest_wait=longest))
    assert least <= time.monotonic() - began < most
    assert files_in(tmp_path) == COMPLETE


def test_waits_grow(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [status(500)] * 3
    began = time.monotonic()
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=RetryPolicy(backoff=0.05))
    assert time.monotonic() - began >= 0.05 + 0.1 + 0.2


def test_silent_server_ends_a_try(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [stall]
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=dataclasses.replace(QUICK, timeout=0.1))
    assert ("images/a.jpg", "bytes=1000-") in host.asked
    assert files_in(tmp_path) == COMPLETE


def test_redirects_are_followed_with_the_range(host: Host, tmp_path: Path) -> None:
    host.files["elsewhere"] = A
    host.faults["images/a.jpg"] = [drop_after(HALF), status(302, Location="/elsewhere")]
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert ("elsewhere", f"bytes={HALF}-") in host.asked
    assert files_in(tmp_path) == COMPLETE


def test_redirects_in_a_circle_end(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [status(302, Location="/images/a.jpg")] * 99
    with pytest.raises(DownloadError, match=r"images/a\.jpg \(too many redirects\)"):
        fetch(manifest_of(BYTES), tmp_path, host.url, policy=dataclasses.replace(QUICK, tries=2))


def test_every_connection_is_used_and_no_more(host: Host, tmp_path: Path) -> None:
    files = numbered(12)
    meeting = threading.Barrier(3, timeout=10)
    busy, peak = [0], [0]

    def answer(handler: Handler, body: bytes) -> None:
        with host.lock:
            busy[0] += 1
            peak[0] = max(peak[0], busy[0])
        meeting.wait()
        with host.lock:
            busy[0] -= 1
        honest(handler, body)

    host.files = files
    host.faults = {path: [answer] for path in files}
    assert fetch(manifest_of(files), tmp_path, host.url, connections=3).fetched == 12
    assert (peak, host.opened) == ([3], 3)


def test_failures_are_counted_and_ten_named(host: Host, tmp_path: Path) -> None:
    files = numbered(15)
    host.files = {"images/00.jpg": files["images/00.jpg"]}
    with pytest.raises(DownloadError) as caught:
        fetch(manifest_of(files), tmp_path, host.url, connections=1)
    message = str(caught.value)
    assert message.startswith(
        "tiny: 14 of 15 files could not be fetched: images/01.jpg (HTTP 404 Not Found), images/02"
    )
    assert "images/10.jpg (HTTP 404 Not Found), and 4 more; the others stay" in message
    assert "images/11.jpg" not in message
    assert "\n" not in message
    assert list(files_in(tmp_path)) == ["images/00.jpg"]


def test_gives_up_on_a_host_that_does_not_answer(host: Host, tmp_path: Path) -> None:
    files = numbered(30)
    host.files = files
    host.faults = {path: [status(500)] * 9 for path in files}
    policy = dataclasses.replace(QUICK, tries=2, give_up_after=4)
    with pytest.raises(DownloadError, match=r"4 of 30 files.*; 26 were not tried, as 4 in a row had failed"):
        fetch(manifest_of(files), tmp_path, host.url, connections=1, policy=policy)
    assert len(host.asked) == 8


def test_refused_connection_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(DownloadError, match=r"2 of 2 files.*refused") as caught:
            fetch(manifest_of(BYTES), tmp_path, url, policy=QUICK)
    assert "\n" not in str(caught.value)
    assert files_in(tmp_path) == {}


def test_interrupt_stops_at_once_and_leaves_only_parts(host: Host, tmp_path: Path) -> None:
    def interrupt(handler: Handler, body: bytes) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        stall(handler, body)

    host.faults["images/b #1%20.jpg"] = [interrupt]
    others, began = set(threading.enumerate()), time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch(manifest_of(BYTES), tmp_path, host.url, connections=1)
    assert time.monotonic() - began < 5
    assert [thread for thread in threading.enumerate() if not thread.daemon and thread not in others] == []
    # Not read: the thread that was interrupted may be about to remove its part, where that is empty.
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert left <= {"images/a.jpg", "images/b #1%20.jpg.part"}


def test_progress_tells_totals_and_takes_back_what_was_thrown_away(host: Host, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg.part").write_bytes(b"\0" * len(A))
    manifest = manifest_of(BYTES)
    fetch(manifest, tmp_path, host.url, connections=1, policy=QUICK, progress=lambda *now: told.append(now))
    assert told[:2] == [(0, len(A)), (0, 0)]
    assert told[-1] == (2, manifest.size) == (2, sum(map(len, BYTES.values())))
    assert [files for files, _ in told] == sorted(files for files, _ in told)
    fetch(manifest, tmp_path, host.url, progress=lambda *now: told.append(now))
    assert told[-1] == (2, manifest.size)


def test_fault_in_a_thread_is_raised_here(host: Host, tmp_path: Path) -> None:
    def broken(files: int, count: int) -> None:
        if files:
            raise ZeroDivisionError

    host.faults["images/a.jpg"] = [stall]
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        fetch(manifest_of(BYTES), tmp_path, host.url, progress=broken)
    assert time.monotonic() - began < 5
    assert "dataset.csv" not in files_in(tmp_path)


def test_proxy_of_the_environment_is_used(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", host.url.replace("//", "//user:word@"))
    fetch(manifest_of(BYTES, source="http://photos.invalid"), tmp_path)
    assert files_in(tmp_path) == COMPLETE
    assert {headers["Host"] for headers in host.headers_seen} == {"photos.invalid"}
    assert {headers["Proxy-Authorization"] for headers in host.headers_seen} == {"Basic dXNlcjp3b3Jk"}


def make_source(folder: Path) -> Path:
    for path, body in BYTES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def test_folder_is_copied(tmp_path: Path) -> None:
    source, out = make_source(tmp_path / "source"), tmp_path / "out"
    assert fetch(manifest_of(BYTES), out, str(source)).fetched == 2
    assert files_in(out) == COMPLETE
    assert (out / "images" / "a.jpg").stat().st_nlink == 1


def test_folder_copy_goes_on_from_a_part(tmp_path: Path) -> None:
    source, out = make_source(tmp_path / "source"), tmp_path / "out"
    (out / "images").mkdir(parents=True)
    (out / "images" / "a.jpg.part").write_bytes(A[:HALF])
    fetch(manifest_of(BYTES), out, str(source))
    assert files_in(out) == COMPLETE


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, r"a\.jpg: No such file or directory"),
        (A[:-1], rf"a\.jpg has {len(A) - 1} bytes, not {len(A)}"),
        (A[::-1], "the SHA-256 differs"),
    ],
    ids=["missing", "short", "wrong"],
)
def test_folder_with_a_bad_file(tmp_path: Path, body: bytes | None, reason: str) -> None:
    source, out = make_source(tmp_path / "source"), tmp_path / "out"
    (source / "images" / "a.jpg").unlink()
    if body is not None:
        (source / "images" / "a.jpg").write_bytes(body)
    with pytest.raises(DownloadError, match=rf"1 of 2 files could not be fetched: images/a\.jpg \(.*{reason}\)"):
        fetch(manifest_of(BYTES), out, str(source))
    assert files_in(out) == {"images/b #1%20.jpg": BYTES["images/b #1%20.jpg"]}


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("no/such/folder", DownloadError, "no/such/folder: there is no such folder"),
        ("s3://bucket/photos", UsageError, "only a folder, or an http:// or https:// address"),
        ("http://[half", UsageError, "half"),
    ],
)
def test_source_that_can_not_be_used(tmp_path: Path, source: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fetch(manifest_of(BYTES), tmp_path / "out", source)
    assert not (tmp_path / "out").exists()


def test_connections_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        fetch(manifest_of(BYTES), tmp_path, str(tmp_path), connections=0)


def test_another_table_is_not_overwritten(host: Host, tmp_path: Path) -> None:
    (tmp_path / "dataset.csv").write_text("image,label\nmine.jpg,Hat\n")
    with pytest.raises(DownloadError, match=r"dataset\.csv exists and is not tiny's table: move it away"):
        fetch(manifest_of(BYTES), tmp_path, host.url)
    assert host.asked == []
    assert files_in(tmp_path) == {"dataset.csv": b"image,label\nmine.jpg,Hat\n"}


def test_without_a_table_none_is_written(host: Host, tmp_path: Path) -> None:
    host.files = {"train.gz": b"digits", "empty.gz": b""}
    fetch(manifest_of(host.files, table=""), tmp_path, host.url)
    assert files_in(tmp_path) == host.files


@pytest.mark.parametrize("place", ["out", "out/images", "out/images/a.jpg.part"])
def test_place_that_can_not_be_written(host: Host, tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.mkdir()
    else:
        path.write_bytes(b"in the way")
    with pytest.raises(DownloadError, match=r"out.*: can't be written: "):
        fetch(manifest_of(BYTES), tmp_path / "out", host.url)


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.jpg", "images/../../a.jpg", "C:a.jpg", "images\\..\\..\\a", ""])
def test_path_outside_the_folder_is_refused(path: str) -> None:
    with pytest.raises(DownloadError, match="outside the data set's folder"):
        RemoteFile(path, 1, "")


def test_unknown_data_set() -> None:
    with pytest.raises(UsageError, match="'mnist' to fetch: choose clothing or fashion-mnist"):
        load_manifest("mnist")


def test_manifests_of_the_package() -> None:
    clothing, fashion = (load_manifest(name) for name in DATA_SETS)
    rows = list(csv.DictReader(io.StringIO(clothing.table)))
    assert clothing.source.endswith("/alexeygrigorev/clothing-dataset/7ed86a9cc56763b6acb35e41cb35184e43a5d218")
    assert [file.path for file in clothing.files] == [f"images/{row['image']}" for row in rows]
    assert (len(rows), Counter(row["benchmark_split"] for row in rows)["test"]) == (4779, 372)
    assert fashion.source.endswith("/zalandoresearch/fashion-mnist/master/data/fashion")
    assert [file.path for file in fashion.files] == [
        f"{part}-{kind}-idx{rank}-ubyte.gz"
        for part in ("t10k", "train")
        for kind, rank in (("images", 3), ("labels", 1))
    ]
    assert fashion.table == ""
    assert all(len(file.sha256) == 64 and file.size > 0 for file in clothing.files + fashion.files)


@pytest.mark.skipif(not (DATA / "clothing").is_dir(), reason="shared/data/clothing is not there")
def test_clothing_from_the_real_folder(tmp_path: Path) -> None:
    source, manifest = DATA / "clothing", load_manifest("clothing")
    assert {file.path: file.size for file in manifest.files} == {
        path.relative_to(source).as_posix(): path.stat().st_size for path in (source / "images").iterdir()
    }
    some = dataclasses.replace(manifest, files=manifest.files[::20])
    assert fetch(some, tmp_path, str(source)).fetched == len(some.files)
    assert all((tmp_path / file.path).read_bytes() == (source / file.path).read_bytes() for file in some.files)
    with (source / "dataset.csv").open(newline="") as theirs, (tmp_path / "dataset.csv").open(newline="") as ours:
        expected, found = list(csv.DictReader(theirs)), list(csv.DictReader(ours))
    assert [{column: row[column] for column in expected[0]} for row in found] == expected


@pytest.mark.skipif(not (DATA / "fashion-mnist").is_dir(), reason="shared/data/fashion-mnist is not there")
def test_fashion_mnist_from_the_real_folder(tmp_path: Path) -> None:
    assert fetch(load_manifest("fashion-mnist"), tmp_path, str(DATA / "fashion-mnist")).fetched == 4
    labels = gzip.decompress((tmp_path / "t10k-labels-idx1-ubyte.gz").read_bytes())
    assert len(labels) == 8 + 10_000
    assert len(files_in(tmp_path)) == 4


def test_make_manifest_of_a_table(tmp_path: Path) -> None:
    folder = make_source(tmp_path / "source")
    (folder / "dataset.csv").write_text(TABLE)
    first, second = tmp_path / "first.csv.gz", tmp_path / "second.csv.gz"
    assert make_manifest.main([str(folder), str(first)]) == make_manifest.main([str(folder), str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    digest = hashlib.sha256(A).hexdigest()
    lines = gzip.decompress(first.read_bytes()).decode().splitlines()
    assert lines[:2] == ["image,size,sha256,label,split", f"a.jpg,{len(A)},{digest},Hat,train"]


def test_make_manifest_takes_another_table(tmp_path: Path) -> None:
    folder, table = make_source(tmp_path / "source"), tmp_path / "other.csv"
    table.write_text('image,note\nb #1%20.jpg,"left, right"\n')
    assert make_manifest.main([str(folder), str(tmp_path / "out.csv"), "--table", str(table)]) == 0
    header, row = csv.reader((tmp_path / "out.csv").read_text().splitlines())
    assert (header[-1], row[0], row[1], row[3]) == ("note", "b #1%20.jpg", "5000", "left, right")


def test_make_manifest_of_archives(tmp_path: Path) -> None:
    (tmp_path / "b.gz").write_bytes(b"bb")
    (tmp_path / "a.gz").write_bytes(b"a")
    assert make_manifest.main([str(tmp_path), str(tmp_path / "out.csv")]) == 0
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[0] for line in lines] == ["name,size", "a.gz,1", "b.gz,2"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "holds neither dataset.csv nor"),
        ("name,label\na.jpg,Hat\n", "first column must be 'image'"),
        ("image,size\na.jpg,3\n", "none may be called size or sha256"),
        ("image,label\na.jpg\n", "1 rows have not 2 columns"),
        ("image,label\na.jpg,Hat\na.jpg,Shoes\n", "more than one row"),
        ("image,label\nz.jpg,Hat\n", "z.jpg"),
        ("", "first column must be 'image'"),
    ],
)
def test_make_manifest_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str | None, message: str
) -> None:
    folder = make_source(tmp_path / "source")
    if table is not None:
        (folder / "dataset.csv").write_text(table)
    assert make_manifest.main([str(folder), str(tmp_path / "out.csv")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
