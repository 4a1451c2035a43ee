"""Gives a bundle exported before they existed the outputs `unfamiliarity` and `orientation`, and what is known of them.

    python tools/complete_bundle.py wardrobe --data datasets/clothing

Nothing else that the graph answers changes: each output is added behind `features`, from the training photos, as
`clothing export` does; thresholds, the calibration error and what setting photos upright brings come from the
validation photos. Where the temperature was not fitted on validation, the calibration error is left out. The shipped
bundle itself is rewritten.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier import bundle, orientation, unfamiliarity
from clothing_classifier.calibration import measure_calibration
from clothing_classifier.dataset import Columns, Record, load_dataset
from clothing_classifier.inference import Classifier
from clothing_classifier.metrics import Floats
from clothing_classifier.preprocessing import prepare
from clothing_classifier.splits import group_names
from clothing_classifier.training.orientation import fit_orientation
from clothing_classifier.utils import available_cpus, progress_bar

COLUMNS = {
    **dict.fromkeys(("wardrobe", "wardrobe-small", "wardrobe-tiny"), Columns(group="sender_id")),
    "benchmark-10": Columns("benchmark_label", "sender_id", "benchmark_split"),
}
FAMILIAR, TURNED, SHARE = 1024, 4096, 0.95


def main() -> None:
    """Complete the shipped bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(COLUMNS))
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    options = parser.parse_args()
    classifier, folder = Classifier.load(options.name), bundle.find(options.name)
    there = {output.name for output in classifier.session.get_outputs()}
    content: dict[str, Any] = json.loads((folder / bundle.MANIFEST).read_text(encoding="utf-8"))
    del content["hashes"], content["format"]
    dataset = load_dataset(options.data, COLUMNS[options.name])
    known = {label.casefold(): i for i, label in enumerate(classifier.labels)}
    train, validation = (
        [record for record in dataset.part(part) if record.label.casefold() in known]
        for part in ("train", "validation")
    )
    order = np.random.default_rng(classifier.manifest.provenance["seed"]).permutation(len(train))
    train = [train[i] for i in order[:TURNED]]
    targets = np.array([known[record.label.casefold()] for record in validation])
    features, logits = run(classifier, validation, ("features", "logits"))
    (learnt_from,) = run(classifier, train, ("features",))
    if unfamiliarity.OUTPUT not in there:
        directions = unfamiliarity.find_directions(learnt_from[:FAMILIAR, 0])
        strangeness = unfamiliarity.measure(features[:, 0], directions)
        content["unfamiliarity_threshold"] = float(np.quantile(strangeness, SHARE))
        if content["provenance"]["calibration"]["runs"] == 1:
            error = measure_calibration(logits[:, 0].astype(float), targets, group_names(validation))
            content["calibration"] = asdict(error)
        unfamiliarity.add_output(folder / bundle.MODEL, {unfamiliarity.FEATURES: directions})
    if orientation.OUTPUT not in there:
        weight, bias = fit_orientation(learnt_from)
        found = orientation.measure(features @ weight + bias, logits, targets)
        print(found)
        if found.pays:
            content["orientation"] = asdict(found)
            orientation.add_output(folder / bundle.MODEL, weight, bias)
    bundle.write_manifest(folder, content)


def run(classifier: Classifier, records: Sequence[Record], outputs: Sequence[str]) -> list[Floats]:
    """Outputs of the graph for each photo turned all four ways, `(N, 4, ...)`."""

    def one(record: Record) -> list[Floats]:
        photo = prepare(record.source, classifier.bundle.contract)
        views = np.stack([orientation.turned(photo, quarters) for quarters in range(orientation.TURNS)])
        found: list[Floats] = classifier.session.run(list(outputs), {"image": views})
        return found

    with ThreadPoolExecutor(available_cpus()) as pool, progress_bar("turning", len(records)) as advance:
        rows = []
        for row in pool.map(one, records):
            rows.append(row)
            advance()
    return [np.stack(column) for column in zip(*rows, strict=True)]


if __name__ == "__main__":
    main()
