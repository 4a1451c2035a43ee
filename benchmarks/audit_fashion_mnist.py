"""What does an audit find in Fashion-MNIST, and is there anything to clean?

    python benchmarks/audit_fashion_mnist.py --data datasets/fashion-mnist

Its 70,000 pictures are small and grey: like garments look alike there, so that only equal pixels count as copies.
Writes results/audit-fashion-mnist.json: findings of each kind, the labels that are doubted most, time and peak memory.
"""

import argparse
import tempfile
from pathlib import Path

from audit import audit_real  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

MOST_DOUBTED = 100


def main() -> None:
    """Audit it, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the four .gz files, as 'clothing fetch' leaves them")
    options = parser.parse_args()
    record = provenance()
    with tempfile.TemporaryDirectory() as scratch:
        found = audit_real(options.data, [], Path(scratch))
    strongly = sum(row["severity"] == "warning" for row in found["suspects"])
    write_json(Path("results/audit-fashion-mnist.json"), record | {
        "n": found["photos"], "seconds": found["seconds"], "peak_megabytes": found["peak_megabytes"],
        "counts": found["counts"], "strongly_doubted": strongly, "copies": found["pairs"],
        "most_doubted": found["suspects"][:MOST_DOUBTED],
    })  # fmt: skip


if __name__ == "__main__":
    main()
