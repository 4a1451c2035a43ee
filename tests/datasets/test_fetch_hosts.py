"""Whatever a host does, files arrive whole and right, or are named with the reason."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import threading
import time
from collections import Counter
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

from clothing_classifier.datasets.fetch import FetchReport, fetch
from clothing_classifier.datasets.transfer import RetryPolicy
from clothing_classifier.errors import DownloadError

QUICK = RetryPolicy(backoff=0.001, longest_wait=0.01)


def numbered(count: int) -> dict[str, bytes]:
    return {f"images/{number:02}.jpg": b"%d" % number * 100 for number in range(count)}


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
