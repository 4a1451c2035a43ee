"""Under load: a full queue, deadlines, clients that go, and a stop that loses nothing."""

import io
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import Event

import pytest
from helpers.running import IMAGES, TOKEN, Reply, Server, ask, form, problem_of, serving, talk
from PIL import Image

from clothing_classifier import Classifier

pytestmark = pytest.mark.slow

ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


def slow_photo() -> bytes:
    """An image whose bytes are few and whose decoding takes a while."""
    file = io.BytesIO()
    Image.new("RGB", (5_000, 4_000), "navy").save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_a_full_queue_says_come_again_and_what_is_taken_is_right(strict_server: Server) -> None:
    photos = [path.read_bytes() for path in IMAGES[:60]]
    with ThreadPoolExecutor(30) as pool:
        replies = list(pool.map(lambda photo: ask(strict_server, "/v1/predict", photo, ALLOWED), photos))
    assert {reply.status for reply in replies} <= {200, 503}
    assert 503 in {reply.status for reply in replies}
    classifier = Classifier.load()
    for photo, reply in zip(photos, replies, strict=True):
        if reply.status == 503:
            assert reply.headers["retry-after"] == "1"
            problem_of(reply)
        else:
            assert reply.json()["predictions"][0]["label"] == classifier.predict(photo).label


def test_uploads_share_what_memory_they_may_hold(strict_server: Server) -> None:
    head = f"POST /v1/predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 2990000\r\n\r\n"
    begun = head.encode() + IMAGES[0].read_bytes()[:1000] + b"\0" * 2_900_000  # three of them are over 8 MB
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: talk(strict_server, begun), range(3)))
    assert sorted(answer.split()[1] for answer in answers) == [b"408", b"408", b"503"]
    assert ask(strict_server, "/v1/predict", IMAGES[0].read_bytes(), ALLOWED).status == 200


def test_a_deadline_is_kept(log: Path) -> None:
    with serving(log, limits="deadline=0.2") as server:
        body, headers = form([(f"{number}.png", slow_photo()) for number in range(6)])
        reply = ask(server, "/v1/predict", body, headers)
        assert reply.status == 503
        assert "no answer to 6 photos within 0.2 s; send fewer in a request" in problem_of(reply)["detail"]
        assert wait_until_idle(server)
        assert evaluated(server) < 6  # those that were at work by then; the others are dropped
        assert ask(server, "/v1/predict", IMAGES[0].read_bytes()).status == 200


def test_work_for_a_client_that_has_gone_is_dropped(log: Path) -> None:
    with serving(log, "--model", "wardrobe") as server:
        body, headers = form([(f"{number}.png", slow_photo()) for number in range(8)])
        head = f"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Type: {headers['Content-Type']}\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            while queue_length(server) < 8:
                time.sleep(0.01)
        assert wait_until_idle(server)
        assert 'clothing_errors_total{kind="client-gone"} 1.0' in ask(server, "/metrics").body.decode()
        assert evaluated(server) < 8


def evaluated(server: Server) -> float:
    """How many photos the network has seen."""
    lines = ask(server, "/metrics").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("clothing_batch_photos_sum"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ending_it_under_load_loses_no_request(number: signal.Signals, log: Path) -> None:
    photos = [path.read_bytes() for path in IMAGES[:8]]
    with serving(log) as server:
        loaded = Event()
        with ThreadPoolExecutor(16) as pool:
            clients = [pool.submit(client, server, photos, number, loaded) for number in range(16)]
            loaded.wait(30)
            time.sleep(0.3)
            server.process.send_signal(number)
            results = [one.result() for one in clients]
        assert server.process.wait(30) == 0
    assert [lost for _, lost in results if lost] == []
    assert all(answered > 0 for answered, _ in results)
    assert [entry["event"] for entry in server.entries()][-1] == "stopped"


def client(server: Server, photos: list[bytes], number: int, loaded: Event) -> tuple[int, str | None]:
    """Send photos until connections are refused; return how many were answered, and what got lost."""
    answered = 0
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    while True:
        try:
            if connection.sock is None:
                connection.connect()
        except ConnectionRefusedError:
            return answered, None
        try:
            connection.request("POST", "/v1/predict", photos[(answered + number) % len(photos)])
            response = connection.getresponse()
            response.read()
        except OSError as error:
            return answered, repr(error)
        if response.status != 200:
            return answered, str(response.status)
        answered += 1
        if answered > 3:
            loaded.set()


def test_while_it_stops_it_is_not_ready_and_finishes(log: Path) -> None:
    with serving(log, "--model", "wardrobe") as server:
        probe = HTTPConnection("127.0.0.1", server.port, timeout=30)
        probe.request("GET", "/readyz")
        assert probe.getresponse().read() == b'{"status":"ready"}'
        body, headers = form([(f"{number}.png", slow_photo()) for number in range(4)])
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(ask, server, "/v1/predict", body, headers)
            while queue_length(server) < 4:
                time.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            probe.request("GET", "/readyz")
            response = probe.getresponse()
            reply = Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
            assert reply.status == 503
            assert reply.headers["connection"] == "close"
            problem_of(reply)
            assert slow.result().status == 200
        probe.close()
        assert server.process.wait(30) == 0


def queue_length(server: Server) -> float:
    lines = ask(server, "/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("clothing_queue_photos "))


def wait_until_idle(server: Server) -> bool:
    for _ in range(400):
        if queue_length(server) == 0:
            return True
        time.sleep(0.05)
    return False


def test_a_second_ctrl_c_ends_a_service_whose_threads_are_busy(log: Path) -> None:
    slow = "import time, clothing_classifier.serving.batching as b; b.prepare = lambda *given: time.sleep(60)"
    with serving(log, "--model", "wardrobe", before=slow) as server:
        sent = socket.create_connection(("127.0.0.1", server.port))
        body = IMAGES[0].read_bytes()
        sent.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(1)
        server.process.send_signal(signal.SIGINT)
        server.entry("event", "stopping")
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(5) == 130
        sent.close()
