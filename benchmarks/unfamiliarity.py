"""Which score tells pictures that show no garment from photos of garments?

    python benchmarks/unfamiliarity.py --data datasets/clothing

Each candidate is computed from what the shipped graphs give, on the validation photos and on drawings of
tools/draw_strangers.py; class means, covariance and directions are those of 1,024 training photos. They are
compared by their worst AUROC over kinds (but noise) and the two larger models, on one half of the drawings; figures of
what the graphs ship, which a bundle's size decides too, are of the other half. Beside it stand rows labelled `Other`
and `Not sure`, which no model learnt from and most of which show garments; and the drawn garments of data/, to see that
a score does not merely tell drawings from photos.
Writes results/unfamiliarity.json: AUROC with a 95% interval by bootstrap over senders of validation and over pictures.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier.datasets import Columns, Record, load_dataset
from clothing_classifier.evaluation import ood as unfamiliarity
from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference import Classifier
from clothing_classifier.preprocessing import Source, prepare
from clothing_classifier.utils import write_json

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from draw_strangers import KINDS, draw_many

COLUMNS = {
    "wardrobe": Columns(group="sender_id"),
    "benchmark-10": Columns("benchmark_label", "sender_id", "benchmark_split"),
    "wardrobe-small": Columns(group="sender_id"),
    "wardrobe-tiny": Columns(group="sender_id"),
}
CHOSEN_ON = ("wardrobe", "benchmark-10")
DRAWN = Path(__file__).parents[1] / "data"
ODD = ("Other", "Not sure")
BARRED = ("textures", "scenes", "rooms", "cartoons")
SEEDS = {"chosen_on": 1, "reported_on": 2}
CHOSEN = "in the graph"
_LEARNT, _DRAWS, _BATCH = 1024, 1000, 16


@dataclass(frozen=True)
class Answers:
    """What a graph gives for pictures: logits, features, its own unfamiliarity, and the temperature it divides by."""

    logits: Floats
    features: Floats
    unfamiliarity: Floats
    temperature: float


@dataclass(frozen=True)
class Learnt:
    """What some candidates know of the training photos' features, by class and over all."""

    means: Floats
    precision: Floats
    features: Floats


Score = Callable[[Answers, Learnt], Floats]


def main() -> None:
    """Draw, measure every candidate on every kind, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--bundles", type=Path, help="folder of the bundles, where they are not the shipped ones")
    parser.add_argument("--count", type=int, default=150, help="drawings of each kind in each half (default 150)")
    options = parser.parse_args()
    record = provenance()
    drawings = {half: {kind: list(draw_many(kind, options.count, seed)) for kind in KINDS}
                for half, seed in SEEDS.items()}  # fmt: skip
    models = {name: examine(name, options, drawings) for name in COLUMNS}
    worst = {score: min(models[name]["scores"][score]["chosen_on"][kind] for name in CHOSEN_ON for kind in BARRED)
             for score in SCORES}  # fmt: skip
    write_json(Path("results/unfamiliarity.json"), record | {
        "seed": SEEDS, "n": {"drawings": options.count, "learnt_from": _LEARNT}, "chosen": CHOSEN,
        "worst_on_first_half": worst, "models": models,
    })  # fmt: skip
    print(f"largest worst AUROC on the first half: {max(worst, key=worst.__getitem__)}")


def examine(name: str, options: argparse.Namespace, drawings: dict[str, dict[str, list[Any]]]) -> dict[str, Any]:
    """Every candidate on one model: AUROC by kind on both halves, and on odd rows of the table."""
    classifier = Classifier.load(options.bundles / name if options.bundles else name)
    dataset = load_dataset(options.data, COLUMNS[name], classifier.labels)
    train, validation = dataset.part("train"), dataset.part("validation")
    some = [train[i] for i in np.random.default_rng(0).permutation(len(train))[:_LEARNT]]
    targets = np.array([classifier.labels.index(record.label) for record in some])
    learnt = learn(answer(classifier, [record.source for record in some]).features, targets)
    known = answer(classifier, [record.source for record in validation])
    senders = np.unique([str(record.group) for record in validation], return_inverse=True)[1]
    others = odd_rows(options.data) | {"drawn garments": list(load_dataset(DRAWN).records)}
    odd = {label: answer(classifier, [record.source for record in records]) for label, records in others.items()}
    halves = {half: {kind: answer(classifier, pictures) for kind, pictures in kinds.items()}
              for half, kinds in drawings.items()}  # fmt: skip
    scores = {}
    for title, score in SCORES.items():
        usual = score(known, learnt)
        scores[title] = {
            "chosen_on": {kind: auroc(score(some, learnt), usual) for kind, some in halves["chosen_on"].items()},
            "reported_on": {kind: with_interval(score(some, learnt), usual, senders)
                            for kind, some in halves["reported_on"].items()},
            "odd_rows": {label: with_interval(score(some, learnt), usual, senders) for label, some in odd.items()},
        }  # fmt: skip
    threshold = classifier.manifest.unfamiliarity_threshold
    assert threshold is not None
    above = {kind: float((some.unfamiliarity > threshold).mean()) for kind, some in halves["reported_on"].items()}
    return {
        "sha256": classifier.bundle.sha256, "n": {"validation": len(validation), "senders": int(senders.max()) + 1}
        | {label: len(some.logits) for label, some in odd.items()},
        "threshold": threshold, "above_threshold": above, "scores": scores,
    }  # fmt: skip


def odd_rows(root: Path) -> dict[str, list[Record]]:
    """Rows of the labels that no model learns, from senders without a test photo."""
    dataset = load_dataset(root, Columns(group="sender_id"))
    hidden = {r.group for r in dataset.records if "test" in (r.split, r.extra.get("benchmark_split"))}
    return {label: [r for r in dataset.records if r.label == label and r.group not in hidden] for label in ODD}


def answer(classifier: Classifier, sources: Sequence[Source]) -> Answers:
    """Run the graph over pictures."""
    contract, parts = classifier.bundle.contract, []
    for start in range(0, len(sources), _BATCH):
        pixels = np.stack([prepare(source, contract) for source in sources[start : start + _BATCH]])
        parts.append(classifier.session.run(["logits", "features", unfamiliarity.OUTPUT], {"image": pixels}))
    logits, features, strangeness = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Answers(logits.astype(float), features.astype(float), strangeness, classifier.manifest.temperature)


def learn(features: Floats, targets: np.ndarray) -> Learnt:
    """Class means, and the inverse of the covariance within classes, shrunk by a tenth towards a sphere."""
    classes = np.unique(targets)
    means = np.stack([features[targets == k].mean(0) for k in classes])
    covariance = np.cov((features - means[np.searchsorted(classes, targets)]).T)
    sphere = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return Learnt(means, np.linalg.inv(0.9 * covariance + 0.1 * sphere), features)


def energy(some: Answers, _: Learnt) -> Floats:
    """-T log sum exp(logits / T) (Liu et al. 2020)."""
    scaled = some.logits / some.temperature
    top = scaled.max(1)
    result: Floats = -some.temperature * (top + np.log(np.exp(scaled - top[:, None]).sum(1)))
    return result


def most_probable(some: Answers, learnt: Learnt) -> Floats:
    """1 less the largest probability (Hendrycks and Gimpel 2017)."""
    result: Floats = 1 - np.exp((some.logits.max(1) + energy(some, learnt)) / some.temperature)
    return result


def mahalanobis(some: Answers, learnt: Learnt) -> Floats:
    """Squared distance to the nearest class mean (Lee et al. 2018)."""
    apart = some.features[:, None] - learnt.means
    result: Floats = np.stack([np.einsum("nd,de,ne->n", one, learnt.precision, one, optimize=True)
                               for one in apart.swapaxes(0, 1)]).min(0)  # fmt: skip
    return result


def cosine(some: Answers, learnt: Learnt) -> Floats:
    """1 less the cosine to the nearest class mean."""
    result: Floats = 1 - (unit(some.features) @ unit(learnt.means).T).max(1)
    return result


def unit(rows: Floats) -> Floats:
    """Rows of length one."""
    result: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def angle(count: int) -> Score:
    """The angle to the first directions of the training photos."""
    return lambda some, learnt: unfamiliarity.measure(
        some.features, unfamiliarity.find_directions(learnt.features, count)
    )


SCORES: dict[str, Score] = {
    CHOSEN: lambda some, _: some.unfamiliarity,
    "angle to 64 directions": angle(64),
    "angle to 128 directions": angle(128),
    "angle to 16 directions": angle(16),
    "Mahalanobis distance to the nearest class mean": mahalanobis,
    "cosine to the nearest class mean": cosine,
    "energy": energy,
    "largest logit": lambda some, _: -some.logits.max(1),
    "largest probability": most_probable,
    "length of the features": lambda some, _: -np.linalg.norm(some.features, axis=1),
}


def auroc(strange: Floats, usual: Floats) -> float:
    """How often a strange picture scores above a usual one; a tie counts half."""
    order = np.sort(usual)
    below = np.searchsorted(order, strange, "left") + np.searchsorted(order, strange, "right")
    return float(below.mean() / 2 / len(usual))


def with_interval(strange: Floats, usual: Floats, senders: np.ndarray) -> dict[str, Any]:
    """AUROC, and 95% of it over senders and strange pictures drawn with replacement."""
    random, rows = np.random.default_rng(0), [np.flatnonzero(senders == i) for i in range(senders.max() + 1)]
    draws = []
    for _ in range(_DRAWS):
        photos = np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))])
        draws.append(auroc(strange[random.integers(len(strange), size=len(strange))], usual[photos]))
    return {"auroc": auroc(strange, usual), "interval": [float(end) for end in np.quantile(draws, [0.025, 0.975])]}


if __name__ == "__main__":
    main()
