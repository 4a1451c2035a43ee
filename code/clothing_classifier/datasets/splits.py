"""Train, validation and test splits: stratified by label, groups kept whole, reproducible by seed."""

import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clothing_classifier.datasets import SPLITS, TABLE, Columns, Record, load_dataset, read_table, write_table
from clothing_classifier.errors import DatasetError, MissingExtraError


def assign_splits(
    records: Sequence[Record], validation: float, test: float, seed: int, held_out: frozenset[str] = frozenset()
) -> list[Record]:
    """Return `records` with their split set, in the same order.

    `validation` and `test` are fractions of the photos in [0, 1). Groups in `held_out` go to test whole, and the
    fractions are then of the other photos. A record without a group is a group of its own. Of the folds that
    scikit-learn's `StratifiedGroupKFold` makes, one (for a fraction such as 2/5, two of five) of about this size with
    the largest effective number of groups is taken: the more independent senders, the narrower the interval.
    Of a class that would have no photo to learn from, the smallest group then stays in train. Raises `DatasetError`.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise DatasetError(
            f"the fractions of validation ({validation:g}) and test ({test:g}) must leave some to train on"
        )
    groups = group_names(records)
    split = {i: "test" for i, group in enumerate(groups) if group in held_out}
    left = [i for i in range(len(records)) if i not in split]
    if not left:
        raise DatasetError("every photo is held out for test; nothing is left to train on")
    total = len(left)
    for name, share in (("test", test), ("validation", validation)):
        chosen = _fold(records, groups, left, share * total / len(left), seed) if share else []
        split |= dict.fromkeys(chosen, name)
        left = [i for i in left if i not in split]
    for i in _needed_to_learn(records, groups, split, held_out):
        del split[i]
    for name, share in (("test", test), ("validation", validation)):
        if share and name not in split.values():
            raise DatasetError(
                f"no photo can be held out for {name}, as each class that it would have is of one group alone; "
                "group by another column, or add photos"
            )
    return [replace(record, split=split.get(i, "train")) for i, record in enumerate(records)]


def cut_fold(records: Sequence[Record], folds: int, fold: int, seed: int) -> tuple[tuple[Record, ...], ...]:
    """Cut `records` into `folds` by whole groups, stratified by label; return those outside fold `fold`, and those in.

    Their split is train and validation.
    Over `fold` = 0 ... `folds` - 1, each record is inside once. Raises `DatasetError`.
    """
    if not 0 <= fold < folds:
        raise DatasetError(f"setting data.fold: {fold}, and there are folds 0 to {folds - 1}")
    groups = group_names(records)
    most = min(len(set(groups)), max(Counter(record.label for record in records).values()))
    if not 2 <= folds <= most:
        raise DatasetError(f"setting data.folds: {folds}; groups and the largest class give 2 to {most} folds")
    inside = set(_cut([record.label for record in records], groups, folds, seed)[fold])
    assigned = [replace(r, split="validation" if i in inside else "train") for i, r in enumerate(records)]
    return tuple(tuple(r for r in assigned if r.split == part) for part in ("train", "validation"))


@dataclass(frozen=True)
class SplitResult:
    """What `split_table` did: photos and groups of each part, what to be warned of, and the rows it left blank."""

    parts: dict[str, dict[str, int]]
    warnings: tuple[str, ...]
    failures: tuple[str, ...]
    set_aside: int


def split_table(
    root: Path,
    out: Path,
    columns: Columns,
    validation: float,
    test: float,
    seed: int,
    hold_out: str | None = None,
    overwrite: bool = False,
    labels: Collection[str] = (),
    exclude_labels: Collection[str] = (),
) -> SplitResult:
    """Assign splits to the table of `root` and write it to `out` with the column `split`; other cells stay as they are.

    `hold_out` (`COLUMN=VALUE`) sends the groups of such rows to test, whole. Bad rows, and rows of
    classes left out, are kept, their split left blank.
    Raises `DatasetError`.
    """
    table = root / TABLE
    if not table.is_file():
        raise DatasetError(
            f"{root}: no {TABLE} to write splits to; a data set without a table is split when it is trained"
        )
    header, rows = read_table(table)
    if "split" in header and not overwrite:
        raise DatasetError(f"{table}: has a split column already; replace it with --overwrite")
    dataset = load_dataset(root, replace(columns, ignore_split=True), labels, exclude_labels)
    marked = _rows_that_hold(table, header, rows, hold_out) if hold_out else set()
    held_out = frozenset(
        group
        for record, group in zip(dataset.records, group_names(dataset.records), strict=True)
        if record.row in marked
    )
    if hold_out and not held_out:
        raise DatasetError(f"{table}: no usable row has {hold_out}; nothing would be held out")
    assigned = assign_splits(dataset.records, validation, test, seed, held_out)
    splits = {record.row: record.split or "" for record in assigned}
    write_table(out, table, _with_splits(header, rows, splits))
    return SplitResult(
        _parts(assigned), (*dataset.notes, *_warnings(assigned)), tuple(map(str, dataset.bad_rows)), dataset.set_aside
    )


def group_names(records: Iterable[Record]) -> list[str]:
    """The group of each record; one without a group gets a name of its own."""
    return [record.group or f"\0{i}" for i, record in enumerate(records)]


def classes_with_few_groups(records: Sequence[Record]) -> dict[str, int]:
    """Labels with fewer groups than there are parts, so that some part must go without; with their group counts."""
    members: dict[str, set[str]] = defaultdict(set)
    for record, group in zip(records, group_names(records), strict=True):
        members[record.label].add(group)
    parts = len({record.split for record in records})
    return {label: len(groups) for label, groups in sorted(members.items()) if len(groups) < parts}


def missing_classes(records: Sequence[Record]) -> dict[str, list[str]]:
    """For each part, the labels that have no photo in it; parts with every label are left out."""
    labels = {record.label for record in records}
    present: dict[str, set[str]] = defaultdict(set)
    for record in records:
        present[record.split or "no split"].add(record.label)
    return {part: sorted(labels - have) for part, have in sorted(present.items()) if labels - have}


def _rows_that_hold(table: Path, header: list[str], rows: list[tuple[int, list[str]]], condition: str) -> set[int]:
    column, sign, value = condition.partition("=")
    if not sign:
        raise DatasetError(f"what to hold out is COLUMN=VALUE, not '{condition}'")
    if column not in header:
        raise DatasetError(f"{table}: no column '{column}' to hold out by (columns: {', '.join(header)})")
    index = header.index(column)
    marked = {line for line, cells in rows if len(cells) > index and cells[index].strip() == value}
    if not marked:
        raise DatasetError(f"{table}: no row has '{value}' in the column '{column}' to hold out")
    return marked


def _with_splits(header: list[str], rows: list[tuple[int, list[str]]], splits: dict[int, str]) -> Iterator[list[str]]:
    index = header.index("split") if "split" in header else len(header)
    yield [*header[:index], "split", *header[index + 1 :]]
    for row, cells in rows:
        if index == len(header):
            yield [*cells, splits.get(row, "")]
        elif index < len(cells):
            yield [*cells[:index], splits.get(row, ""), *cells[index + 1 :]]
        else:  # a bad row that ends before the column stays short: it must not turn into a whole one
            yield cells


def _parts(records: Sequence[Record]) -> dict[str, dict[str, int]]:
    photos = Counter(record.split or "" for record in records)
    pairs = {(record.split, group) for record, group in zip(records, group_names(records), strict=True)}
    groups = Counter(split for split, _ in pairs)
    return {name: {"photos": photos[name], "groups": groups[name]} for name in SPLITS if photos[name]}


def _warnings(records: Sequence[Record]) -> tuple[str, ...]:
    few = classes_with_few_groups(records)
    parts = len({record.split for record in records})
    return (
        *(f"'{label}' has {count} groups for {parts} parts" for label, count in few.items()),
        *(f"{part} has no photo of {', '.join(labels)}" for part, labels in missing_classes(records).items()),
    )


def _needed_to_learn(
    records: Sequence[Record], groups: list[str], split: dict[int, str], held_out: frozenset[str]
) -> set[int]:
    """Positions of the smallest group of each class that lies in `split` whole, and is not held out by choice."""
    learnt = {record.label for i, record in enumerate(records) if i not in split}
    members, of_class, needed = defaultdict[str, list[int]](list), defaultdict[str, set[str]](set), set[int]()
    for i, group in enumerate(groups):
        members[group].append(i)
        of_class[records[i].label].add(group)
    for label in sorted(of_class):
        if label not in learnt and (free := of_class[label] - held_out):
            smallest = min(free, key=lambda group: (len(members[group]), group))
            needed.update(members[smallest])
            learnt.update(records[i].label for i in members[smallest])
    return needed


def _fold(records: Sequence[Record], groups: list[str], left: list[int], share: float, seed: int) -> list[int]:
    names = [groups[i] for i in left]
    labels = [records[i].label for i in left]
    largest = max(Counter(labels).values())
    smaller = min(share, 1 - share)
    # More folds than groups there can't be; more than the largest class has photos, and scikit-learn refuses.
    most = min(len(set(names)), largest, max(10, round(1 / smaller))) if smaller > 1e-9 else 1
    part = Fraction(share).limit_denominator(most)
    if len(set(names)) == 1:
        raise DatasetError("all photos are of one group, which can't be split; group by a column of several values")
    if largest == 1:
        raise DatasetError("no class has two photos left, of which one could be held out; ask for less, or add photos")
    if not 0 < part < 1:
        raise DatasetError(
            f"{len(set(names))} groups, with {largest} photos of the largest class, can't give a part of {share:.0%}; "
            "ask for another share"
        )
    folds = _cut(labels, names, part.denominator, seed)
    candidates = [np.concatenate(some) for some in combinations(folds, part.numerator)]
    off = [abs(len(fold) / (share * len(left)) - 1) for fold in candidates]
    near = [fold for fold, error in zip(candidates, off, strict=True) if error <= max(0.1, min(off))]
    best = max(near, key=lambda fold: _effective_groups([names[i] for i in fold]))
    return [left[i] for i in best]


def _cut(labels: list[str], groups: list[str], folds: int, seed: int) -> list[npt.NDArray[np.integer]]:
    """The positions of each fold, by scikit-learn's `StratifiedGroupKFold`; without groups by `StratifiedKFold`."""
    try:
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "audit") from error
    # Where each photo is its own group both are right, and of 60,000 photos the first would take half a minute.
    kind = StratifiedGroupKFold if len(set(groups)) < len(groups) else StratifiedKFold
    splitter = kind(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # It warns of small classes, which `classes_with_few_groups` names better, and where classes are many.
        warnings.simplefilter("ignore", UserWarning)
        return [inside for _, inside in splitter.split(labels, np.array(labels), groups)]


def _effective_groups(names: list[str]) -> float:
    """Kish's effective sample size of groups: n squared over the sum of squared group sizes."""
    sizes = np.array(list(Counter(names).values()), float)
    return float(sizes.sum() ** 2 / (sizes**2).sum())
