"""What an analysis costs: time and memory of `analysis.trace`, each figure from fresh processes.

MobileNetV2 and a chain of 1,000 convolutions, beyond importing torch; peak memory of the same network at 224 px and at
4,096 px. Writes results/analysis-cost.json. Seconds depend on the machine, and are given beside those of importing
torch in the same process.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measures import peak_megabytes  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

CASES = {
    "MobileNetV2": ("mobilenet_v2", 224),
    "MobileNetV2 at 4096 px": ("mobilenet_v2", 4096),
    "ResNet-50": ("resnet50", 224),
    "ResNet-50 at 4096 px": ("resnet50", 4096),
    "1,000 convolutions": ("chain", 224),
}


def main() -> None:
    """Measure each case in fresh processes, in turn, and write the medians; or, as a child, one case once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path("results/analysis-cost.json"))
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(*CASES[options.case])))
        return
    record = provenance()
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    for _ in range(options.rounds):
        for name, runs in rounds.items():
            child = [sys.executable, __file__, "--case", name]
            runs.append(json.loads(subprocess.run(child, capture_output=True, text=True, check=True).stdout))
            print(name, runs[-1], flush=True)
    cases = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in rounds.items()
    }
    growth = {
        name: cases[f"{name} at 4096 px"]["peak_mb"] / cases[name]["peak_mb"] for name in ("MobileNetV2", "ResNet-50")
    }
    write_json(options.out, record | {"n": options.rounds, "cases": cases, "memory_at_4096_px_over_224_px": growth})


def measure(name: str, size: int) -> dict[str, Any]:
    """Seconds to import torch and to trace, layers, and the process's peak memory in MB."""
    started = time.perf_counter()
    import torch  # noqa: F401 - timed

    imported = time.perf_counter()
    from clothing_classifier.analysis import trace

    traced = trace(build(name), (3, size, size))
    return {
        "import_torch_seconds": imported - started,
        "seconds": time.perf_counter() - imported,
        "layers": len(traced.layers),
        "peak_mb": peak_megabytes(resource.getrusage(resource.RUSAGE_SELF)),
    }


def build(name: str) -> Any:
    """A registered network, ResNet-50 of the tests, or the chain."""
    from torch import nn

    from clothing_classifier.models import ARCHITECTURES, create_model

    if name in ARCHITECTURES:
        return create_model(name, 1000)
    if name == "chain":
        return nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(1000)))
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "analysis"))
    from published_networks import resnet  # type: ignore[import-not-found]

    return resnet((3, 4, 6, 3), True)


if __name__ == "__main__":
    main()
