"""Whatever a host does, files arrive whole and right, or are named with the reason."""

import os
import signal
import socket
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.lying_host import (
    BYTES,
    COMPLETE,
    HALF,
    A,
    Answer,
    Handler,
    Host,
    claim,
    drop_after,
    endless,
    files_in,
    honest,
    manifest_of,
    partial,
    serve,
    stall,
    status,
    whole,
)

from clothing_classifier.datasets.download import RetryPolicy, TransferError, open_url, retry
from clothing_classifier.datasets.fetch import FetchReport, fetch
from clothing_classifier.errors import DownloadError

QUICK = RetryPolicy(first_wait=0.001, longest_wait=0.01)


def numbered(count: int) -> dict[str, bytes]:
    return {f"images/{number:02}.jpg": b"%d" % number * 100 for number in range(count)}


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """An output folder in which a run was stopped in the middle of a file."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg.part").write_bytes(A[:HALF])
    return tmp_path


def test_files_and_table_arrive_and_are_kept(host: Host, tmp_path: Path) -> None:
    report = fetch(manifest_of(BYTES, source=host.url), tmp_path)
    assert report == FetchReport("tiny", tmp_path, fetched=2, kept=0)
    assert files_in(tmp_path) == COMPLETE
    assert {headers["Accept-Encoding"] for headers in host.headers_seen} == {"identity"}
    host.asked.clear()
    assert fetch(manifest_of(BYTES), tmp_path, host.url + "/") == FetchReport("tiny", tmp_path, fetched=0, kept=2)
    assert host.asked == []
    (tmp_path / "images" / "a.jpg").write_bytes(b"\0" * len(A))
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
    "answer",
    [
        pytest.param(whole, id="range-ignored"),
        pytest.param(partial(f"bytes {HALF}-{len(A) - 1}/*"), id="length-untold"),
        pytest.param(lambda handler, body: honest(handler, body[::-1]), id="another-content"),
        pytest.param(status(416), id="range-refused"),
    ],
)
def test_a_range_that_is_not_granted_does_no_harm(host: Host, half: Path, answer: Answer) -> None:
    host.faults["images/a.jpg"] = [answer]
    fetch(manifest_of(BYTES), half, host.url, policy=QUICK)
    assert ("images/a.jpg", f"bytes={HALF}-") in host.asked
    assert files_in(half) == COMPLETE


@pytest.mark.parametrize("left", [b"\0" * HALF, b"\0" * len(A), A + b"more"], ids=["short", "full", "long"])
def test_wrong_leftover_is_thrown_away(host: Host, half: Path, left: bytes) -> None:
    (half / "images" / "a.jpg.part").write_bytes(left)
    fetch(manifest_of(BYTES), half, host.url, policy=QUICK)
    assert files_in(half) == COMPLETE


def test_whole_leftover_needs_no_request(host: Host, half: Path) -> None:
    (half / "images" / "a.jpg.part").write_bytes(A)
    fetch(manifest_of(BYTES), half, host.url)
    assert [path for path, _ in host.asked] == ["images/b #1%20.jpg"]
    assert files_in(half) == COMPLETE


@pytest.mark.parametrize("change", [-100, 100])
def test_lie_about_the_length_does_no_harm_to_a_right_body(host: Host, tmp_path: Path, change: int) -> None:
    host.faults["images/a.jpg"] = [claim(change)]
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert files_in(tmp_path) == COMPLETE


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(serve(A[::-1]), "has another SHA-256 than expected", id="wrong"),
        pytest.param(serve(A + b"x"), f"is longer than {len(A)} bytes", id="long"),
        pytest.param(endless, f"is longer than {len(A)} bytes", id="endless"),
        pytest.param(status(404), "HTTP 404 Not Found", id="absent"),
        pytest.param(status(206), "HTTP 206 Partial Content", id="range-unasked"),
    ],
)
def test_permanent_faults_are_not_tried_again(host: Host, tmp_path: Path, answer: Answer, reason: str) -> None:
    host.faults["images/a.jpg"] = [answer]
    with pytest.raises(DownloadError) as caught:
        fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert f"1 of 2 files of tiny could not be fetched, such as images/a.jpg ({reason});" in str(caught.value)
    assert "run the same command again" in str(caught.value)
    assert caught.value.failures == (f"images/a.jpg: {reason}",)
    assert Counter(path for path, _ in host.asked)["images/a.jpg"] == 1
    assert files_in(tmp_path) == {"images/b #1%20.jpg": BYTES["images/b #1%20.jpg"]}


def test_short_body_is_named_after_all_tries(host: Host, tmp_path: Path) -> None:
    host.files["images/a.jpg"] = A[:HALF]
    host.faults["images/a.jpg"] = [whole] * 9
    with pytest.raises(DownloadError, match=rf"images/a\.jpg \(ended after {HALF} of {len(A)} bytes\)"):
        fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert Counter(path for path, _ in host.asked)["images/a.jpg"] == QUICK.tries
    assert "dataset.csv" not in files_in(tmp_path)


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_busy_server_is_asked_again(host: Host, tmp_path: Path, code: int) -> None:
    host.faults["images/a.jpg"] = [status(code), status(code, Retry_After="soon"), status(code)]
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert files_in(tmp_path) == COMPLETE


def test_waits_grow_and_heed_the_server(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(threading.Event):
        waits: list[float] = []  # noqa: RUF012

        def wait(self, timeout: float | None = None) -> bool:
            self.waits.append(timeout or 0.0)
            return False

    def ask() -> None:
        with open_url(f"{host.url}/images/a.jpg"):
            pass

    host.faults["images/a.jpg"] = [
        status(500),
        status(500),
        status(429, Retry_After="20"),
        status(503, Retry_After="99"),
    ]
    retry(ask, RetryPolicy(first_wait=1.0, longest_wait=60.0), Clock())
    first, second, *others = Clock.waits
    assert (0.5 <= first <= 1.5, 1.0 <= second <= 3.0, others) == (True, True, [20.0, 60.0])


def test_nothing_is_asked_for_once_stopped() -> None:
    asked, stopped = [], threading.Event()

    def fail() -> None:
        asked.append(None)
        stopped.set()
        raise TransferError("broken")

    with pytest.raises(TransferError):
        retry(fail, RetryPolicy(first_wait=60.0), stopped)
    assert len(asked) == 1


def test_silent_server_ends_a_try(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [stall]
    fetch(manifest_of(BYTES), tmp_path, host.url, policy=replace(QUICK, timeout=0.1))
    assert ("images/a.jpg", "bytes=1000-") in host.asked
    assert files_in(tmp_path) == COMPLETE


def test_redirects_are_followed_with_the_range(host: Host, half: Path) -> None:
    host.files["elsewhere"] = A
    host.faults["images/a.jpg"] = [status(302, Location="/elsewhere")]
    fetch(manifest_of(BYTES), half, host.url, policy=QUICK)
    assert ("elsewhere", f"bytes={HALF}-") in host.asked
    assert files_in(half) == COMPLETE


def test_redirects_in_a_circle_end(host: Host, tmp_path: Path) -> None:
    host.faults["images/a.jpg"] = [status(302, Location="/images/a.jpg")] * 99
    with pytest.raises(DownloadError, match=r"images/a\.jpg \(too many redirects\)"):
        fetch(manifest_of(BYTES), tmp_path, host.url, policy=QUICK)
    assert Counter(path for path, _ in host.asked)["images/a.jpg"] < 10


def test_every_connection_is_used_and_no_more(host: Host, tmp_path: Path) -> None:
    files = numbered(12)
    meeting = threading.Barrier(3, timeout=30)
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


def test_failures_are_counted_and_listed(host: Host, tmp_path: Path) -> None:
    files = numbered(15)
    host.files = {"images/00.jpg": files["images/00.jpg"]}
    with pytest.raises(
        DownloadError, match=r"^14 of 15 files of tiny could not be fetched, such as images/01.jpg"
    ) as caught:
        fetch(manifest_of(files), tmp_path, host.url)
    assert caught.value.failures == tuple(f"images/{number:02}.jpg: HTTP 404 Not Found" for number in range(1, 15))
    assert "\n" not in str(caught.value)
    assert list(files_in(tmp_path)) == ["images/00.jpg"]


def test_gives_up_on_a_host_that_does_not_answer(host: Host, tmp_path: Path) -> None:
    files = numbered(90)
    host.files = files
    host.faults = {path: [status(500)] * 9 for path in files}
    with pytest.raises(DownloadError, match=r"16 of 90 files.*; 74 were not tried, as 16 in a row had failed"):
        fetch(manifest_of(files), tmp_path, host.url, connections=1, policy=replace(QUICK, tries=2))
    assert len(host.asked) < 2 * 90


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
    others = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        fetch(manifest_of(BYTES), tmp_path, host.url, connections=1)
    assert not host.over.is_set()  # the host still holds the connection
    assert [thread for thread in threading.enumerate() if not thread.daemon and thread not in others] == []
    # Not read: the thread that was interrupted may be about to remove its part, where that is empty.
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert left <= {"images/a.jpg", "images/b #1%20.jpg.part"}


def test_proxy_of_the_environment_is_used(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", host.url.replace("//", "//user:word@"))
    fetch(manifest_of(BYTES, source="http://photos.invalid"), tmp_path)
    assert files_in(tmp_path) == COMPLETE
    assert {headers["Host"] for headers in host.headers_seen} == {"photos.invalid"}
    assert {headers["Proxy-Authorization"] for headers in host.headers_seen} == {"Basic dXNlcjp3b3Jk"}
