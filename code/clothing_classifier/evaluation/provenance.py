"""Provenance of a result: revision, versions, machine and command, as every run record and result carries them."""

import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from clothing_classifier.errors import ConfigError
from clothing_classifier.utils import available_cpus

RECORD = "run.json"
"""The record of a run, in its folder."""
_PACKAGES = ("clothing-classifier", "torch", "onnxruntime", "numpy", "pillow", "scikit-learn")


def read_record(run: Path) -> dict[str, Any]:
    """The record of a finished run; raises `ConfigError`."""
    record = read_any_record(run)
    if "metrics" not in record:
        raise ConfigError(f"{run}: this run is not finished; go on with 'clothing train --resume'")
    return record


def read_any_record(run: Path) -> dict[str, Any]:
    """The record of a run, finished or not; raises `ConfigError`."""
    try:
        record: dict[str, Any] = json.loads((run / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{run}: not a run folder of 'clothing train' (no readable {RECORD})") from error
    if not isinstance(record, dict) or "settings" not in record:
        raise ConfigError(f"{run / RECORD}: not the record of a run: it has no settings")
    return record


def provenance() -> dict[str, Any]:
    """Return `command`, `revision`, `dirty`, `versions` and `machine`; revision is null outside a git checkout."""
    status = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "command": _command(),
        "revision": _git("rev-parse", "HEAD"),
        "dirty": None if status is None else bool(status),
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {"system": platform.system(), "processor": _processor(), "cpus": available_cpus()},
    }


def _command() -> str:
    program = Path(sys.argv[0])
    as_module = program.name == "__main__.py"
    return shlex.join([*(["python", "-m", program.parent.name] if as_module else [program.name]), *sys.argv[1:]])


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _git(*arguments: str) -> str | None:
    # The revision of the code that runs, not of the folder that the user happens to stand in.
    folder = Path(__file__).parent
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parents[3])}
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, env=environment, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
