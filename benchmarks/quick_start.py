"""What does `make run` print, and what is one answer as JSON?

    python benchmarks/quick_start.py

Writes results/quick-start.json: the first and the last lines of the command that `make run` runs, and the answer to one
drawing.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

from measures import CLOTHING  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

ROOT = Path(__file__).parents[1]
FIRST, LAST = 5, 2


PICTURE = "data/images/shoes-00-a.jpg"


def main() -> None:
    """Run both once and write what they printed."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder) / "predictions.csv")
        text = clothing("predict", "data/images", "--truth", "data", "--save", saved)
    lines = [line.rstrip() for line in text.replace(saved, "out/predictions.csv").splitlines()]
    answer = json.loads(clothing("predict", PICTURE, "--format", "json"))
    record = {"first": lines[:FIRST], "last": lines[-LAST:], "n": len(lines), "answer": answer}
    write_json(ROOT / "results" / "quick-start.json", {**provenance(), **record})


def clothing(*arguments: str) -> str:
    """What the command prints, run in the repository."""
    command = [CLOTHING, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, encoding="utf-8")
    return result.stdout


if __name__ == "__main__":
    main()
