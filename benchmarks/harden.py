"""Make wardrobe withstand poor photos: the student of train_shipped.py goes on, and what ships lies on the way.

    python benchmarks/harden.py --data datasets/clothing --start runs/wardrobe/student-1/best.safetensors \\
        --teachers runs/cleaned/wardrobe/teacher-0/best.safetensors runs/cleaned/wardrobe/teacher-1/best.safetensors

The student learns for a few epochs what it and two teachers of the cleaned table answer, on views of which a share
have lost detail and a share got noise, while teachers see them as they were. Weights between its first and its last
ones keep what it knew of sharp photos and most of what it learnt of poor ones (Wortsman et al. 2022,
https://arxiv.org/abs/2109.01903). Resumable. Writes the bundle and results/wardrobe-hardened-training.json.
"""

import argparse
import os
import shutil
import subprocess
from pathlib import Path

from measures import CLOTHING, train_command  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance, read_record
from clothing_classifier.inference.bundle import DEFAULT
from clothing_classifier.training.checkpoint import weights_sha256
from clothing_classifier.training.run_folder import weights_in
from clothing_classifier.utils import write_json

CHANGES = (
    "optimization.epochs=8", "optimization.learning_rate=2e-4", "optimization.start_share=0.6",
    "distillation.views=4", "augmentation.degrade=0.25",
)  # fmt: skip


def main() -> None:
    """Train, export, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--start", type=Path, required=True, help="the run, or its weights, that goes on")
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="runs, or weights, that teach beside it")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="the run is kept here")
    parser.add_argument("--bundles", type=Path, help="where the bundle is written. Default: RUNS/bundles")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    record, run = provenance(), options.runs / DEFAULT / "hardened"
    taught = [part for path in (options.start, *options.teachers) for part in ("--teacher", os.path.relpath(path))]
    changes, start = (*CHANGES, f"runtime.threads={options.threads}"), os.path.relpath(weights_in(options.start))
    command = train_command(options.data, DEFAULT, run, changes, "--init", start, *taught)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    out: Path = (options.bundles or options.runs / "bundles") / DEFAULT
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([CLOTHING, "export", str(run), "--data", options.data, "--out", str(out), "--weights"], check=True)
    finished = read_record(run)
    write_json(Path(f"results/{DEFAULT}-hardened-training.json"), record | {
        "seed": finished["seed"], "n": finished["n"], "data_sha256": finished["data_sha256"],
        "start": {"path": os.path.relpath(options.start), "sha256": weights_sha256(weights_in(options.start))},
        "runs": {"hardened": finished},
    })  # fmt: skip


if __name__ == "__main__":
    main()
