"""What does each layer of the shipped model cost, and what do its stages see on drawn garments?

    python benchmarks/network.py

Writes results/wardrobe-network.json: what `clothing analyze wardrobe` says, with the effective fields.
"""

import argparse
from pathlib import Path

from clothing_classifier.analysis.analyzer import measure
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

MODEL = "wardrobe"
ROOT = Path(__file__).parents[1]
PHOTOS = [ROOT / "data" / "images" / f"{name}-00-a.jpg" for name in
          ("dress", "hoodie", "pants", "polo", "shirt", "shoes", "skirt", "hat")]  # fmt: skip


def main() -> None:
    """Analyse and write."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    report, _ = measure(MODEL, photos=PHOTOS)
    photos = [path.relative_to(ROOT).as_posix() for path in PHOTOS]
    write_json(ROOT / "results" / f"{MODEL}-network.json", {**provenance(), "photos": photos, **report})


if __name__ == "__main__":
    main()
