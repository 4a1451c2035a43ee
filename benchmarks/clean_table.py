"""Make the cleaned table of the clothing data set, from which the shipped models are trained again.

    python benchmarks/clean_table.py --data datasets/clothing --out datasets/clothing-cleaned

The public benchmark corrects some labels: photos that are learnt from take theirs, and photos that are
measured on keep what they had, so that figures stay comparable. `clothing audit --fix` then drops what it drops.
Pictures are linked, not copied. Writes results/cleaned-table.json: what was changed, and which of the corrected labels
`audit`, which knows nothing of the corrections, doubts.
"""

import argparse
import csv
import tempfile
from pathlib import Path
from typing import Any

from audit import COLUMNS, read, run_audit  # type: ignore[import-not-found]

from clothing_classifier.audit.cleaning import CLEANED
from clothing_classifier.datasets import TABLE
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json


def main() -> None:
    """Audit the table as it is, mend and clean it, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the clothing data set, as 'clothing fetch' leaves it")
    parser.add_argument("--out", type=Path, required=True, help="folder for the cleaned data set")
    options = parser.parse_args()
    record = provenance()
    options.out.mkdir(parents=True)
    rows = read(options.data / TABLE)
    with tempfile.TemporaryDirectory() as scratch:
        summary = run_audit(["--data", str(options.data), *COLUMNS], Path(scratch))
        findings = read(Path(scratch) / "findings.csv")
    doubts = {row["image"]: row["severity"] for row in findings if row["kind"] == "suspect-label"}
    corrected = corrections(rows)
    learnt = {row["image"]: row["to"] for row in corrected if row["split"] == "train"}

    (options.out / "images").symlink_to((options.data / "images").resolve())
    write(options.out / TABLE, [row | {"label": learnt.get(row["image"], row["label"])} for row in rows])
    with tempfile.TemporaryDirectory() as scratch:
        run_audit(["--data", str(options.out), *COLUMNS, "--fix"], Path(scratch))
    (options.out / CLEANED).replace(options.out / TABLE)
    kept = {row["image"] for row in read(options.out / TABLE)}
    write_json(Path("results/cleaned-table.json"), record | {
        "n": summary["summary"]["photos"], "compared": sum(bool(row["benchmark_label"]) for row in rows),
        "doubted": len(doubts), "mended": len(learnt),
        "dropped": [row["image"] for row in rows if row["image"] not in kept],
        "corrected": [row | {"doubt": doubts.get(row["image"])} for row in corrected],
    })  # fmt: skip


def corrections(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The photos whose label the benchmark corrects; it writes the same names in lower case."""
    names = {row["label"].casefold(): row["label"] for row in rows}
    return [
        {"image": row["image"], "split": row["split"], "from": row["label"], "to": names[row["benchmark_label"]]}
        for row in rows
        if row["benchmark_label"] and row["benchmark_label"] != row["label"].casefold()
    ]


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a table, its columns in the order of its first row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
