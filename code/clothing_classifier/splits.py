"""Splits that can be trusted: stratified by label, never through a group, and the same for the same seed."""

import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from clothing_classifier.dataset import Record
from clothing_classifier.errors import DatasetError, MissingExtraError


def assign_splits(
    records: Sequence[Record], validation: float, test: float, seed: int, held_out: frozenset[str] = frozenset()
) -> list[Record]:
    """Return `records` with their split set, in the same order.

    `validation` and `test` are shares of the photos in [0, 1). Groups in `held_out` go to test whole, and the shares
    are then taken of the other photos. A record without a group is a group of its own. Of the folds that scikit-learn's
    `StratifiedGroupKFold` makes, that of about the asked size with the largest effective number of groups is taken: the
    more independent senders, the narrower the interval.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise DatasetError(f"the shares of validation ({validation:g}) and test ({test:g}) must leave some to train on")
    groups = group_names(records)
    split = {i: "test" for i, group in enumerate(groups) if group in held_out}
    left = [i for i in range(len(records)) if i not in split]
    total = len(left)
    for name, share in (("test", test), ("validation", validation)):
        chosen = _fold(records, groups, left, share * total / len(left), seed) if share else []
        split |= dict.fromkeys(chosen, name)
        left = [i for i in left if i not in split]
    return [replace(record, split=split.get(i, "train")) for i, record in enumerate(records)]


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


def _fold(records: Sequence[Record], groups: list[str], left: list[int], share: float, seed: int) -> list[int]:
    try:
        from sklearn.model_selection import StratifiedGroupKFold
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "train") from error
    folds = max(2, round(1 / share))
    names = [groups[i] for i in left]
    if len(set(names)) < folds:
        raise DatasetError(f"{len(set(names))} groups can't be split {folds} ways; ask for a larger share")
    labels = np.array([records[i].label for i in left])
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # It warns of classes smaller than the number of folds; `classes_with_few_groups` names them better.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        candidates = [test for _, test in splitter.split(labels, labels, names)]
    off = [abs(len(fold) / (share * len(left)) - 1) for fold in candidates]
    near = [fold for fold, error in zip(candidates, off, strict=True) if error <= max(0.1, min(off))]
    best = max(near, key=lambda fold: _effective_groups([names[i] for i in fold]))
    return [left[i] for i in best]


def _effective_groups(names: list[str]) -> float:
    """Kish's effective sample size of groups: n squared over the sum of squared group sizes."""
    sizes = np.array(list(Counter(names).values()), float)
    return float(sizes.sum() ** 2 / (sizes**2).sum())
