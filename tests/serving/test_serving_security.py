"""Who may ask, and what a service that others reach demands."""

import os
import subprocess
import sys

import pytest
from helpers.running import IMAGES, TOKEN, Server, ask, problem_of

from clothing_classifier.errors import UsageError
from clothing_classifier.serving.security import choose_token, is_loopback


def test_without_the_token_only_open_addresses_answer(strict_server: Server) -> None:
    for path, body in (("/v1/predict", IMAGES[0].read_bytes()), ("/v1/model", None), ("/v1/models", None)):
        for header in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}):
            reply = ask(strict_server, path, body, header)
            assert reply.status == 401
            assert reply.headers["www-authenticate"] == "Bearer"
            problem_of(reply)
        assert ask(strict_server, path, body, {"Authorization": f"bearer {TOKEN}"}).status == 200
    assert ask(strict_server, "/metrics").status == 401
    for path in ("/healthz", "/readyz", "/", "/docs", "/openapi.json"):
        assert ask(strict_server, path).status == 200


def test_a_token_of_strange_bytes_is_a_wrong_token(strict_server: Server) -> None:
    assert ask(strict_server, "/v1/models", headers={"Authorization": "Bearer \xff\xfe"}).status == 401


def test_an_address_that_others_reach_needs_a_token_or_a_word() -> None:
    assert choose_token("127.0.0.1", False, {}) is None
    assert choose_token("0.0.0.0", True, {}) is None
    assert choose_token("0.0.0.0", False, {"CLOTHING_TOKEN": TOKEN}) == TOKEN
    assert choose_token("127.0.0.1", False, {"CLOTHING_TOKEN": TOKEN}) == TOKEN
    assert choose_token("127.0.0.1", True, {"CLOTHING_TOKEN": TOKEN}) is None
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(UsageError, match="CLOTHING_TOKEN"):
            choose_token(host, False, {})
    for token in ("short", "x" * 15, "with a blank in the middle", "ümläut-ümläut-ümläut"):
        with pytest.raises(UsageError, match="16 or more"):
            choose_token("127.0.0.1", False, {"CLOTHING_TOKEN": token})


def test_what_is_loopback() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    with pytest.raises(UsageError, match="not an address"):
        is_loopback("no such host")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "set CLOTHING_TOKEN"),
        (["--host", "192.0.2.1", "--no-auth"], "can't listen there"),
        (["--model", "wardrobe", "--model", "wardrobe"], "a name of its own"),
    ],
)
def test_a_wrong_start_is_one_line(arguments: list[str], message: str) -> None:
    program = "from clothing_classifier.cli import main; main()"
    environment = {key: value for key, value in os.environ.items() if key != "CLOTHING_TOKEN"}
    command = [sys.executable, "-c", program, "serve", "--port", "0", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
