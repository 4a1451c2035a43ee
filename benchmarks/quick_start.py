"""What does `make run` print?

    python benchmarks/quick_start.py

Writes results/quick-start.json: the first and the last lines, and the seconds of the command that `make run` runs.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clothing_classifier.provenance import provenance
from clothing_classifier.utils import write_json

ROOT = Path(__file__).parents[1]
FIRST, LAST = 5, 2


def main() -> None:
    """Run it once and write what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "predictions.csv"
        command = [str(Path(sys.executable).parent / "clothing"), "predict", "data/images", "--truth", "data"]
        started = time.perf_counter()
        result = subprocess.run(
            [*command, "--save", str(saved)], capture_output=True, text=True, check=True, cwd=ROOT, encoding="utf-8"
        )
        seconds = time.perf_counter() - started
    lines = [line.rstrip() for line in result.stdout.replace(str(saved), "out/predictions.csv").splitlines()]
    record = {**provenance(), "seconds": seconds, "first": lines[:FIRST], "last": lines[-LAST:], "n": len(lines)}
    write_json(ROOT / "results" / "quick-start.json", record)


if __name__ == "__main__":
    main()
