"""Clients that stop, trickle, never read or are too many: each gives its place up, and the service lives on."""

import socket
import time
from contextlib import suppress
from time import monotonic

import pytest
from helpers.running import IMAGES, TOKEN, Server, ask, talk

pytestmark = pytest.mark.slow

ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


def test_a_body_that_stops_is_a_408(strict_server: Server) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 9999\r\n\r\n"
    answer = talk(strict_server, head % TOKEN.encode() + IMAGES[0].read_bytes()[:2000])
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"slow-request" in answer


def test_a_body_that_trickles_is_a_408(strict_server: Server) -> None:
    data = IMAGES[0].read_bytes()
    with socket.create_connection(("127.0.0.1", strict_server.port), timeout=20) as connection:
        head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
        connection.sendall(head % (TOKEN.encode(), len(data)))
        connection.setblocking(False)
        answer = b""
        for byte in data:
            connection.send(bytes([byte]))
            time.sleep(0.05)
            try:
                answer = connection.recv(65_536)
                break
            except BlockingIOError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"POST /v1/predict HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /hea"])
def test_headers_that_stop_close_the_connection(strict_server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", strict_server.port), timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        while data := connection.recv(65_536):
            received += data
    assert received == b"" if not sent else b"408" in received


def test_a_client_that_does_not_read_gives_its_place_up(strict_server: Server) -> None:
    asked = b"GET /page/page.css HTTP/1.1\r\nHost: a\r\n\r\n" * 2_000
    connections = [socket.create_connection(("127.0.0.1", strict_server.port), timeout=20) for _ in range(40)]
    try:
        for connection in connections:
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.send(asked)
        last = monotonic() + 120
        while ask(strict_server, "/healthz").status != 200:
            assert monotonic() < last, "clients that do not read hold all places"
            time.sleep(0.2)
    finally:
        for connection in connections:
            connection.close()


def test_more_connections_than_allowed_are_turned_away(strict_server: Server) -> None:
    port = strict_server.port
    connections = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(45)]
    try:
        answer = connections[-1].recv(65_536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer.lower()
    finally:
        for connection in connections:
            connection.close()
