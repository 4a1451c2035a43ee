"""What pruning alone costs and brings: half of wardrobe's MACs, the photos as large as before.

    python benchmarks/pruning_alone.py --data datasets/clothing

One step at a time, each a search of `clothing compress` from wardrobe's weights: channels cut and nothing learnt, two
epochs on wardrobe's own answers, and int8 after these. Accuracy on validation, time beside the float parent. Resumable.
Writes results/pruning-alone.json.
"""

import argparse
from pathlib import Path

from clothing_classifier.bundle import DEFAULT
from clothing_classifier.compression import Search, search
from clothing_classifier.provenance import provenance
from clothing_classifier.utils import write_json

EPOCHS = 2
MAX_DROP = 0.01
STEPS = {0: ("prune:0.5",), EPOCHS: ("prune:0.5+distil", "prune:0.5+distil+quantize")}
_KEPT = ("name", "precision", "accuracy", "accuracy_interval", "macs", "params", "bytes", "drop", "drop_upper",
         "accepted", "verdict", "speedup")  # fmt: skip


def main() -> None:
    """Search, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--runs", type=Path, default=Path("runs/pruning-alone"), help="searches are kept here")
    options = parser.parse_args()
    record, points = provenance(), []
    for epochs, strategies in STEPS.items():
        report = search(DEFAULT, options.data, options.runs / f"epochs-{epochs}",
                        Search(strategies, MAX_DROP, epochs), True, lambda line: print(line, flush=True))  # fmt: skip
        points += [{key: entry[key] for key in _KEPT} | {"epochs": epochs} for entry in report["candidates"]]
    parent = {key: report["parent"][key] for key in ("accuracy", "accuracy_interval", "macs", "params", "bytes", "n")}
    write_json(Path("results/pruning-alone.json"), record | {"n": parent["n"], "parent": parent, "points": points})


if __name__ == "__main__":
    main()
