"""Load a data set in whichever of three forms it has: a table with images, class folders, or idx files.

A row that can't be used is never dropped in silence: it stands in `Dataset.bad_rows` with its file, row and reason.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from clothing_classifier.datasets.class_folders import load_class_folders
from clothing_classifier.datasets.idx import is_idx, load_idx
from clothing_classifier.datasets.labels import match_labels, spelling_notes
from clothing_classifier.datasets.records import Columns, Dataset
from clothing_classifier.datasets.table import IMAGES, TABLE, load_table
from clothing_classifier.errors import DatasetError


def load_dataset(
    root: str | Path,
    columns: Columns | None = None,
    labels: Collection[str] = (),
    exclude_labels: Collection[str] = (),
) -> Dataset:
    """Load `root` in whichever of the three forms it has.

    A folder with `dataset.csv` and `images/`; class folders (`label/*.jpg` or `split/label/*.jpg`); the four idx files
    of Fashion-MNIST. Only a table has `columns`. `labels` keeps only these classes, `exclude_labels` leaves these out.
    Raises `DatasetError`.
    """
    root, columns = Path(root), columns or Columns()
    if not root.is_dir():
        raise DatasetError(f"{root}: there is no such folder; a data set is a folder with {TABLE} and {IMAGES}/")
    named = next((name for name in (columns.label, columns.group, columns.split) if name is not None), None)
    if (root / TABLE).is_file():
        dataset = load_table(root, columns)
    elif named is not None:
        raise DatasetError(
            f"{root}: no column '{named}', since there is no {TABLE}; leave the columns out, or write one"
        )
    elif is_idx(root):
        dataset = load_idx(root)
    else:
        dataset = load_class_folders(root)
    if not dataset.records:
        first = f"; first: {dataset.bad_rows[0]}" if dataset.bad_rows else ""
        left_out = f"{len(dataset.bad_rows)} bad, {dataset.set_aside} blank in a column that you named"
        raise DatasetError(f"{root}: no usable row ({left_out}){first}")
    return _restrict(replace(dataset, notes=spelling_notes(dataset.labels)), labels, exclude_labels)


def _restrict(dataset: Dataset, labels: Collection[str], exclude_labels: Collection[str]) -> Dataset:
    if not labels and not exclude_labels:
        return dataset
    spelling = match_labels((*labels, *exclude_labels), dataset.labels)
    for name in (*labels, *exclude_labels):
        if name not in spelling:
            raise DatasetError(f"{dataset.root}: no row has the label '{name}' (labels: {', '.join(dataset.labels)})")
    kept = {spelling[name] for name in labels or ()} or set(dataset.labels)
    kept -= {spelling[name] for name in exclude_labels}
    if not kept:
        raise DatasetError(f"{dataset.root}: every label is left out (labels: {', '.join(dataset.labels)})")
    notes = tuple(f"'{name}' is taken as the label '{label}'" for name, label in spelling.items() if name != label)
    records = tuple(record for record in dataset.records if record.label in kept)
    return replace(dataset, records=records, notes=(*dataset.notes, *notes))
