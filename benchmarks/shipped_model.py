"""How good is a shipped model: on the validation senders' photos, and on the drawn pictures of this repository?

Writes results/NAME-evaluation.json. The public test photos are not looked at here.
"""

import argparse
from pathlib import Path
from typing import Any

from clothing_classifier.dataset import Columns, Record, content_sha256, fingerprint, load_dataset
from clothing_classifier.evaluation import evaluate
from clothing_classifier.inference import Classifier
from clothing_classifier.provenance import provenance
from clothing_classifier.utils import write_json

DRAWN = Path(__file__).parents[1] / "data"


def main() -> None:
    """Evaluate twice and write both reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--model", default="wardrobe")
    options = parser.parse_args()
    classifier = Classifier.load(options.model)
    senders = Columns(group="sender_id")
    photos = load_dataset(options.data, senders, classifier.labels).part("validation")
    report = {
        **provenance(),
        "model": {"name": classifier.manifest.name, "sha256": classifier.bundle.sha256},
        "validation": measure(classifier, photos),
        "drawn": measure(classifier, load_dataset(DRAWN).records),
    }
    write_json(Path("results") / f"{options.model}-evaluation.json", report)


def measure(classifier: Classifier, records: tuple[Record, ...]) -> dict[str, Any]:
    """The report on `records`, with the hash of what was measured."""
    figures = evaluate(classifier.probabilities, records, classifier.labels).figures
    return {"data_sha256": fingerprint(records, [content_sha256(record.source) for record in records]), **figures}


if __name__ == "__main__":
    main()
