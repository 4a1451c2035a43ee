"""One cache, one tiny data set and one finished run for all tests of training."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from helpers.runs import make_data, trained


@pytest.fixture(scope="package", autouse=True)
def _one_thread_and_one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="package")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="package")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    trained(data, out)
    return out
