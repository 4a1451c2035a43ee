"""Gives a bundle exported before they existed the output `unfamiliarity`, its threshold, and the measured calibration.

    python tools/complete_bundle.py wardrobe --data datasets/clothing

Nothing that the bundle answers changes: the output is added behind `features`, from the training photos, as `clothing
export` does; the threshold and the calibration error come from the validation photos. Where the temperature was not
fitted on validation, the calibration error is left out. The shipped bundle itself is rewritten.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier import bundle, unfamiliarity
from clothing_classifier.calibration import measure_calibration
from clothing_classifier.dataset import Columns, Record, load_dataset
from clothing_classifier.inference import Classifier
from clothing_classifier.metrics import Floats
from clothing_classifier.preprocessing import prepare
from clothing_classifier.splits import group_names

COLUMNS = {
    "wardrobe": Columns(group="sender_id"),
    "benchmark-10": Columns("benchmark_label", "sender_id", "benchmark_split"),
}
PHOTOS, SHARE = 1024, 0.95


def main() -> None:
    """Complete the shipped bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(COLUMNS))
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    options = parser.parse_args()
    classifier = Classifier.load(options.name)
    if unfamiliarity.OUTPUT in {output.name for output in classifier.session.get_outputs()}:
        parser.exit(message=f"{options.name} has it already\n")
    dataset = load_dataset(options.data, COLUMNS[options.name])
    known = {label.casefold(): i for i, label in enumerate(classifier.labels)}
    train, validation = (
        [record for record in dataset.part(part) if record.label.casefold() in known]
        for part in ("train", "validation")
    )
    some = np.random.default_rng(classifier.manifest.provenance["seed"]).permutation(len(train))[:PHOTOS]
    directions = unfamiliarity.find_directions(run(classifier, [train[i] for i in some], "features"))
    strangeness = unfamiliarity.measure(run(classifier, validation, "features"), directions)
    folder = bundle.find(options.name)
    content: dict[str, Any] = json.loads((folder / bundle.MANIFEST).read_text(encoding="utf-8"))
    del content["hashes"], content["format"]
    content["unfamiliarity_threshold"] = float(np.quantile(strangeness, SHARE))
    if content["provenance"]["calibration"]["runs"] == 1:
        targets = np.array([known[record.label.casefold()] for record in validation])
        logits = run(classifier, validation, "logits").astype(float)
        content["calibration"] = asdict(measure_calibration(logits, targets, group_names(validation)))
    unfamiliarity.add_output(folder / bundle.MODEL, directions)
    bundle.write_manifest(folder, content)


def run(classifier: Classifier, records: list[Record], output: str) -> Floats:
    """An output of the graph for each photo."""
    parts = [
        classifier.run(
            np.stack([prepare(record.source, classifier.bundle.contract) for record in records[i : i + 8]]), output
        )
        for i in range(0, len(records), 8)
    ]
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
