"""Real processes of the command, as a user starts them."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
IMAGES = sorted((DATA / "images").iterdir())
CLOTHING = str(Path(sys.executable).parent / "clothing")


def clothing(*arguments: str | Path, stdin: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CLOTHING, *map(str, arguments)], input=stdin, capture_output=True, text=True, cwd=cwd, encoding="utf-8"
    )


def rows(result: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]
