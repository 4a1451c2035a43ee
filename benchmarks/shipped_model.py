"""How good is a shipped model: on the photos of senders it has not seen, and on the drawn pictures of this repository?

    python benchmarks/shipped_model.py wardrobe --data datasets/clothing
    python benchmarks/shipped_model.py fashion-mnist --data datasets/fashion-mnist --test
    python benchmarks/shipped_model.py fashion-mnist-wide --data datasets/fashion-mnist --model BUNDLE --test
    python benchmarks/shipped_model.py wardrobe --data datasets/clothing --model BUNDLE --against NAME --record RECORD

Writes results/NAME-evaluation.json, or results/RECORD.json for a bundle that would take the place of the shipped one,
compared with it on validation. With --test the public test photos are looked at too: once, when a model is finished and
will be shipped whatever they say.
"""

import argparse
from pathlib import Path
from typing import Any

from clothing_classifier.analysis.tracing import trace
from clothing_classifier.datasets import Columns, Record, content_sha256, fingerprint, load_dataset
from clothing_classifier.datasets.splits import cut_fold
from clothing_classifier.evaluation import evaluate, with_comparison
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import DEFAULT
from clothing_classifier.models import create_model
from clothing_classifier.utils import write_json

DRAWN = Path(__file__).parents[1] / "data"
COLUMNS = {
    "wardrobe": Columns(group="sender_id"),
    "wardrobe-small": Columns(group="sender_id"),
    "wardrobe-tiny": Columns(group="sender_id"),
    "benchmark-10": Columns("benchmark_label", "sender_id", "benchmark_split"),
    "fashion-mnist": Columns(),
    "fashion-mnist-wide": Columns(),
}
BENCHMARK_CLASSES = frozenset(
    {"Dress", "Hat", "Longsleeve", "Outwear", "Pants", "Shirt", "Shoes", "Shorts", "Skirt", "T-Shirt"}
)


def main() -> None:
    """Evaluate on each part and write the reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(COLUMNS))
    parser.add_argument("--data", type=Path, required=True, help="the model's data set, as 'clothing fetch' leaves it")
    parser.add_argument("--model", help="the bundle, where it is not the shipped one of that name")
    parser.add_argument("--against", help="a shipped model to compare with on validation; wardrobe-* has wardrobe")
    parser.add_argument("--record", help="name of the file in results/. Default: NAME-evaluation")
    parser.add_argument("--test", action="store_true", help="look at the public test photos")
    options = parser.parse_args()
    classifier = Classifier.load(options.model or options.name)
    dataset = load_dataset(options.data, COLUMNS[options.name], classifier.labels)
    folds = classifier.manifest.provenance["settings"]["data"]
    if folds["folds"]:
        learnt, held_out = cut_fold(dataset.part("train"), folds["folds"], folds["fold"], folds["seed"])
    else:
        learnt, held_out = dataset.part("train"), dataset.part("validation")
    parts = slices("validation", held_out)
    if options.test:
        parts |= slices("test", dataset.part("test"))
    if options.name.startswith("wardrobe"):
        parts["drawn"] = load_dataset(DRAWN).records
    against = options.against or (DEFAULT if options.name.startswith(f"{DEFAULT}-") else None)
    rivals = {"validation": Classifier.load(against)} if against else {}
    report = {
        **provenance(),
        "model": {
            "name": classifier.manifest.name, "sha256": classifier.bundle.sha256,
            "architecture": classifier.manifest.architecture, "precision": classifier.manifest.precision,
            "views": classifier.manifest.views, **cost(classifier),
        },
        **{name: measure(classifier, records, rivals.get(name)) for name, records in parts.items()},
    }  # fmt: skip
    learnt_from = {record.group for record in learnt} - {None}
    for name in ("validation", "test"):
        if name in parts and learnt_from:
            seen = sum(record.group in learnt_from for record in parts[name])
            report[name]["senders_seen"] = {"photos": seen}
    write_json(Path("results") / f"{options.record or f'{options.name}-evaluation'}.json", report)


def cost(classifier: Classifier) -> dict[str, int]:
    """How many numbers the network learnt, and what one reading costs."""
    architecture, size = classifier.manifest.architecture, classifier.manifest.preprocessing.size
    found = trace(
        create_model(architecture["name"], len(classifier.labels), **architecture["settings"]), (3, size, size)
    )
    return {"parameters": found.params, "macs": classifier.manifest.views * found.macs}


def slices(name: str, records: tuple[Record, ...]) -> dict[str, tuple[Record, ...]]:
    """A part, its children's clothes, and, where there are more classes, its photos of the ten public ones."""
    if not any(record.group for record in records):
        return {name: records}
    found = {
        name: records,
        f"{name}, children's clothes": tuple(r for r in records if r.extra.get("kids") == "true"),
        f"{name}, the ten benchmark classes": tuple(r for r in records if r.label in BENCHMARK_CLASSES),
    }
    return {key: some for key, some in found.items() if some and (key == name or len(some) < len(records))}


def measure(classifier: Classifier, records: tuple[Record, ...], rival: Classifier | None) -> dict[str, Any]:
    """The report on `records`, beside the model `rival` where there is one, with the hash of what was measured."""
    report = evaluate(classifier.probabilities, records, classifier.labels)
    if rival:
        answers = evaluate(rival.probabilities, records, rival.labels).predictions
        report = with_comparison(report, answers, rival.manifest.name)
    hashes = [content_sha256(record.source) for record in records]
    return {"data_sha256": fingerprint(records, hashes), **report.figures}


if __name__ == "__main__":
    main()
