"""The servers that several tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import TOKEN, Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The shipped models, as `clothing serve` starts them."""
    with serving(tmp_path_factory.mktemp("server") / "log") as running:
        yield running


@pytest.fixture(scope="session")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Small limits, and a token."""
    limits = (
        "files=4, parts=6, upload_bytes=3_000_000, held_bytes=8_000_000, queue=4, batch=1, deadline=2.0, "
        "body_seconds=1.5, stall_seconds=0.7, map_cells=64, connections=40"
    )
    with serving(tmp_path_factory.mktemp("strict") / "log", limits=limits, token=TOKEN) as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"
