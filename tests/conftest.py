"""What several test modules share."""

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# nohup has SIGHUP ignored, and a script's `&` SIGINT; what is ignored, other than a handler, processes inherit.
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's threads; the workers share the cores

settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("repeatable")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository that holds the real data sets; a test that needs it is skipped without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"needs the data sets in {SHARED / 'data'}")
    return SHARED


@pytest.fixture(scope="session")
def timm() -> Iterator[Any]:
    """Timm, with two operators declared that torchvision declares only where its binaries load."""
    if find_spec("timm") is None:
        pytest.skip("timm is not installed: make test-timm")
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import timm

    yield timm
