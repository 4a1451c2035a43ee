"""What several test modules share."""

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# nohup and shells that start this in the background have signals ignored, and processes inherit that, but no handler.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, lambda number, frame: None)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's threads; the workers share the cores

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
