"""A data set on disk (a table with images, class folders, or idx files) becomes validated records, and nothing is lost.

A row that can't be used is never dropped in silence: it stands in `Dataset.bad_rows` with its file, row and reason.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from clothing_classifier.dataset.folders import image_files, is_image_named, left_by_mac, load_class_folders
from clothing_classifier.dataset.idx import FASHION_MNIST_LABELS, is_idx, load_idx
from clothing_classifier.dataset.records import (
    SPLITS,
    BadRow,
    Columns,
    Dataset,
    Record,
    RecordSource,
    abbreviate,
    content_if_readable,
    content_sha256,
    count_known,
    fingerprint,
)
from clothing_classifier.dataset.table import (
    IMAGES,
    TABLE,
    columns_there,
    leaves_folder,
    load_table,
    read_table,
    write_table,
)
from clothing_classifier.errors import DatasetError
from clothing_classifier.utils import plain_text

__all__ = [
    "FASHION_MNIST_LABELS", "IMAGES", "SPLITS", "TABLE", "BadRow", "Columns", "Dataset", "Record", "RecordSource",
    "abbreviate", "columns_there", "content_if_readable", "content_sha256", "count_known", "fingerprint", "image_files",
    "is_image_named", "leaves_folder", "left_by_mac", "load_dataset", "match_labels", "read_table", "write_table",
]  # fmt: skip


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
    return _restrict(replace(dataset, notes=_spellings(dataset.labels)), labels, exclude_labels)


def match_labels(wanted: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Map each of `wanted` to its spelling in `known`: exactly, else without case where that is unambiguous.

    A label without a match is left out of the result.
    """
    folded = _by_spelling(known)
    matches = {}
    for label in wanted:
        candidates = [label] if label in known else folded.get(_fold(label), [])
        if len(candidates) == 1:
            matches[label] = candidates[0]
    return matches


def _by_spelling(labels: Iterable[str]) -> dict[str, list[str]]:
    """Labels that are one but for their case, together."""
    folded: dict[str, list[str]] = {}
    for label in labels:
        folded.setdefault(_fold(label), []).append(label)
    return folded


def _fold(label: str) -> str:
    return plain_text(label).casefold()


def _spellings(labels: Iterable[str]) -> tuple[str, ...]:
    """A note for each set of labels that differ by case alone, which are probably one class."""
    return tuple(
        f"the labels {' and '.join(map(repr, same))} differ by case alone and count as {len(same)}: write them alike"
        for same in _by_spelling(labels).values()
        if len(same) > 1
    )


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
