"""Walk the guides of docs/: run every command that they show, in order, and record what it says.

The commands are those of benchmarks/guides.toml, run in an empty folder beside `data`; one that fails ends the walk.
Seconds are of the wall and of the processors: a machine that does other work beside it stretches the first alone.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.common import RESULTS, ROOT, log, recording

COMMANDS = Path(__file__).with_name("guides.toml")
COLUMNS = "100"


def guides(
    guide: Annotated[list[str] | None, typer.Option(help="Only these guides; default: all.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Walk in this new folder, and leave it there.")] = None,
    out: Annotated[Path, typer.Option(help="Record to write.")] = RESULTS / "journeys.json",
) -> None:
    """Run the commands that the guides of docs/ show, and record what they say."""
    commands: dict[str, dict[str, str]] = tomllib.loads(COMMANDS.read_text(encoding="utf-8"))
    with recording(out) as record, tempfile.TemporaryDirectory() as scratch:
        folder = keep or Path(scratch) / "walk"
        folder.mkdir(parents=True)
        for name in ("data", "README.md"):
            (folder / name).symlink_to(ROOT / name)
        walked = {name: {step: run(one, folder) for step, one in commands[name].items()} for name in guide or commands}
        record.update({"n": sum(map(len, walked.values())), "seed": 0, "journeys": walked})


def run(command: str, folder: Path) -> dict[str, Any]:
    """What a command says on both streams, with its seconds, and those of the processors; leaves where it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started, before = time.perf_counter(), _processor_seconds()
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], env=os.environ | {"PATH": path, "COLUMNS": COLUMNS},
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    log(f"$ {command}\n{output}")
    if done.returncode:
        sys.exit(f"{command}: exit status {done.returncode}")
    return {
        "command": command, "output": output, "status": done.returncode, "seconds": time.perf_counter() - started,
        "processor_seconds": _processor_seconds() - before,
    }  # fmt: skip


def _processor_seconds() -> float:
    """Seconds that all processors together have spent on finished children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
