"""One cache for all runs of a module, and a run that nothing stopped."""

import os
from pathlib import Path

import pytest
from helpers.runs import command, run


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="module")
def uninterrupted(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    result = run(command(out), environment)
    assert result.returncode == 0, result.stderr
    return out
