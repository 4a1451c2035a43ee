"""Clients that stop, trickle or are too many: each gives its place up, and the service lives on."""

import socket
import time

import pytest
from helpers.running import IMAGES, TOKEN, Server, talk

HEAD = f"POST /v1/predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9999\r\n\r\n".encode()


def test_a_body_that_stops_is_a_408(strict_server: Server) -> None:
    answer = talk(strict_server, HEAD + IMAGES[0].read_bytes()[:2000])
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"slow-request" in answer


@pytest.mark.slow
def test_a_body_that_trickles_is_a_408(strict_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", strict_server.port), timeout=20) as connection:
        connection.sendall(HEAD)
        connection.setblocking(False)
        answer = b""
        for byte in IMAGES[0].read_bytes()[:600]:
            connection.send(bytes([byte]))
            time.sleep(0.05)
            try:
                answer = connection.recv(65_536)
                break
            except BlockingIOError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"POST /v1/predict HT", HEAD.replace(TOKEN.encode(), b"none") + b"x"])
def test_a_connection_without_a_request_closes(strict_server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", strict_server.port), timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        while data := connection.recv(65_536):
            received += data
    assert received == b"" or b"401" in received


@pytest.mark.slow
def test_more_connections_than_allowed_are_turned_away(strict_server: Server) -> None:
    connections = [socket.create_connection(("127.0.0.1", strict_server.port), timeout=20) for _ in range(45)]
    try:
        connections[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connections[-1].recv(65_536).startswith(b"HTTP/1.1 503 ")
    finally:
        for connection in connections:
            connection.close()
