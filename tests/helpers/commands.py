"""The command `clothing`, in this process or, as a user starts it, in its own."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from clothing_classifier.cli import main

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
IMAGES = sorted((DATA / "images").iterdir())
CLOTHING = str(Path(sys.executable).parent / "clothing")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def clothing(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which is many times faster: nothing is imported again."""
    out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    os.chdir(cwd)
    try:
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.object(sys, "argv", ["clothing", *map(str, arguments)]),
        ):
            main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        os.chdir(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess([*map(str, arguments)], status, out.getvalue(), err.getvalue())


def clothing_process(
    *arguments: str | Path, stdin: str | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [CLOTHING, *map(str, arguments)], input=stdin, capture_output=True, text=True, cwd=cwd, encoding="utf-8"
    )


def rows(result: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]
