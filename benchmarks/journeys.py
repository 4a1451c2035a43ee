"""Walk the paths of docs/: every command that they show, in order, in an empty folder beside `data`, with what it said.

    python benchmarks/journeys.py [--keep FOLDER]

Writes results/journeys.json, which the documents show. A command that fails where it should not ends the walk. Seconds
are of the wall and of the processors: a machine that does other work beside it stretches the first alone.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

ROOT = Path(__file__).parents[1]
PART = "| sed -n '/^against/,/^McNemar/p'"
JOURNEYS = {
    "label": {
        "photos": "clothing predict data/images/dress-00-a.jpg data/images/hat-00-a.jpg data/images/t-shirt-01-b.jpg",
        "folder": "clothing predict data/images --save labels.csv > /dev/null; head -3 labels.csv",
        "json": "clothing predict data/images/dress-00-a.jpg --top 2 --format json",
        "abstain": "clothing predict data/images/dress-00-a.jpg data/images/t-shirt-01-b.jpg --min-precision 0.97",
        "failure": 'clothing predict data/images/hat-00-a.jpg README.md; echo "exit status $?"',
        "python": "python -c 'from clothing_classifier import Classifier\n"
        "classifier = Classifier.load()\n"
        'answer = classifier.predict("data/images/dress-00-a.jpg")\n'
        "print(answer.label, answer.confidence, answer.top[1].label)'",
    },
    "train": {
        "bring": "mkdir mine; cp -r data/images mine/; cut -d, -f1-3 data/dataset.csv > mine/dataset.csv; "
        "head -3 mine/dataset.csv",
        "audit": "clothing audit --data mine --out audit | sed -n 1,13p; grep suspect-label audit/findings.csv",
        "split": "clothing split --data mine",
        "train": "clothing train --data mine --preset quick --init wardrobe --out runs/mine 2>&1 | tail -4",
        "export": "clothing export runs/mine --data mine --out my-bundle",
        "evaluate": "clothing evaluate --data mine --model my-bundle --html page.html | sed -n 1,13p",
        "against": f"clothing evaluate --data mine --model my-bundle --against wardrobe {PART}",
        "predict": "clothing predict mine/images/hoodie-06-a.jpg --model my-bundle",
        "serve": "clothing serve --model my-bundle --port 8765 2> serve.log &\n"
        "curl --silent --retry 60 --retry-connrefused --retry-delay 1 --data-binary @mine/images/hoodie-06-a.jpg "
        "http://127.0.0.1:8765/v1/predict; echo; kill $!",
    },
    "shrink": {
        "analyze": "clothing analyze my-bundle | sed '4,51d'",
        "compare": "clothing analyze my-bundle --compare mobilenet_v2:width=0.5 --compare-input 3x256x256",
        "input": "clothing analyze my-bundle --compare my-bundle --compare-input 3x160x160",
        "figures": "clothing analyze my-bundle --time --figures figures --photo mine/images/hat-00-a.jpg > /dev/null; "
        "ls figures",
        "float": "clothing export runs/mine --data mine --float --out my-float; wc -c my-*/model.onnx",
        "int8": f"clothing evaluate --data mine --model my-bundle --against my-float {PART}",
        "smaller": "clothing train --data mine --preset quick --init wardrobe --set image.size=160 "
        "--set augmentation.size=128 --out runs/small 2>&1 | tail -2",
        "smaller-export": "clothing export runs/small --data mine --out my-small",
        "smaller-against": f"clothing evaluate --data mine --model my-small --against my-bundle {PART}",
    },
}
"""The commands of each document, by name; those of a document build on the ones before."""
COLUMNS = "100"


def main() -> None:
    """Walk, and write what was said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="walk in this new folder, and leave it there")
    parser.add_argument("--out", type=Path, default=Path("results/journeys.json"))
    options = parser.parse_args()
    record = provenance()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch) / "walk"
        folder.mkdir(parents=True)
        for name in ("data", "README.md"):
            (folder / name).symlink_to(ROOT / name)
        journeys = {name: walk(commands, folder) for name, commands in JOURNEYS.items()}
    write_json(options.out, record | {"n": sum(map(len, JOURNEYS.values())), "seed": 0, "journeys": journeys})


def walk(commands: dict[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    """Run each command in `folder`; leaves where one fails."""
    steps = {}
    for name, command in commands.items():
        steps[name] = step(command, folder)
        print(f"{name}: {steps[name]['seconds']:.0f} s\n{steps[name]['output']}", flush=True)
        if steps[name]["status"]:
            sys.exit(f"{command}: exit status {steps[name]['status']}")
    return steps


def step(command: str, folder: Path) -> dict[str, Any]:
    """What a command says on both streams, with its status, seconds, and seconds of the processors."""
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": binaries, "COLUMNS": COLUMNS}
    started, before = time.perf_counter(), processor_seconds()
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return {
        "command": command,
        "output": "\n".join(line.rstrip() for line in done.stdout.splitlines()),
        "status": done.returncode,
        "seconds": time.perf_counter() - started,
        "processor_seconds": processor_seconds() - before,
    }


def processor_seconds() -> float:
    """Seconds that all processors together have spent on finished children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
