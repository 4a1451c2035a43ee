"""The command as a user runs it: in a process of its own, or in this one, where torch is imported already."""

import contextlib
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clothing_classifier.cli import main

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
IMAGES = sorted((DATA / "images").iterdir())
CLOTHING = str(Path(sys.executable).parent / "clothing")


def clothing(*arguments: str | Path, stdin: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CLOTHING, *map(str, arguments)], input=stdin, capture_output=True, text=True, cwd=cwd, encoding="utf-8"
    )


def clothing_here(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """As `clothing`, in this process."""
    command = ["clothing", *map(str, arguments)]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    status, out, err = 0, io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", command)
        patch.setattr(sys, "path", [*sys.path])
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())


def rows(result: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]
