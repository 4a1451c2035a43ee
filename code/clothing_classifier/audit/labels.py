"""Which labels the other photos contradict: confident learning (Northcutt et al. 2021, doi:10.1613/jair.1.12125).

A linear classifier on the bundle's features says of each photo, held out with its group and its copies, how probable
each class is. A photo is suspect where another class is the most probable and at least as probable as it is, on
average, among the photos that carry that label.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clothing_classifier.metrics import Floats, Integers

FOLDS = 5
MIN_PHOTOS = 10
"""A class of fewer photos is neither learnt nor doubted."""
_COMPONENTS = 128
"""Of the features: as good as all of them, and many times faster."""
_C, _ITERATIONS = 10.0, 300


@dataclass(frozen=True)
class Suspect:
    """Photo `index` carries the class `given` and looks like `likely`; both with their held-out probabilities."""

    index: int
    given: int
    likely: int
    of_given: float
    of_likely: float


def find_suspects(
    features: npt.NDArray[np.float16], targets: Integers, groups: Sequence[object], seed: int = 0
) -> list[Suspect]:
    """The suspect photos of features `(M, D)` and targets `(M,)`, the most suspect first.

    Photos of one of `groups` are held out together. Classes of fewer than 10 photos are left alone.
    """
    sizes = np.bincount(targets)
    usable = np.flatnonzero(sizes[targets] >= MIN_PHOTOS)
    classes = np.unique(targets[usable])
    if len(classes) < 2:
        return []
    given = np.searchsorted(classes, targets[usable])
    probabilities = _held_out(features[usable].astype(np.float32), given, [groups[i] for i in usable.tolist()], seed)
    thresholds = np.array([probabilities[given == k, k].mean() for k in range(len(classes))])
    likely = probabilities.argmax(1)
    rows = np.arange(len(usable))
    suspect = (likely != given) & (probabilities[rows, likely] >= thresholds[likely])
    margin = probabilities[rows, likely] - probabilities[rows, given]
    order = [i for i in np.argsort(-margin, kind="stable") if suspect[i]]
    return [
        Suspect(int(usable[i]), int(classes[given[i]]), int(classes[likely[i]]),
                float(probabilities[i, given[i]]), float(probabilities[i, likely[i]]))
        for i in order
    ]  # fmt: skip


def _held_out(features: Floats, targets: Integers, groups: Sequence[object], seed: int) -> Floats:
    """Probabilities `(M, K)` from classifiers that saw neither the photo nor its group."""
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    result = np.zeros((len(targets), targets.max() + 1))
    components = PCA(min(_COMPONENTS, *features.shape), random_state=seed).fit_transform(features)
    with warnings.catch_warnings():
        # A classifier stopped early ranks labels just as well.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for train, held_out in _folds(targets, groups, seed):
            model = LogisticRegression(C=_C, max_iter=_ITERATIONS).fit(components[train], targets[train])
            result[np.ix_(held_out, model.classes_)] = model.predict_proba(components[held_out])
    return result


def _folds(targets: Integers, groups: Sequence[object], seed: int) -> list[tuple[Integers, Integers]]:
    """Folds by whole groups; by photos where a class has too few groups to be in train each time."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    number = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    index = np.array([number[group] for group in groups])
    pairs = set(zip(targets.tolist(), index.tolist(), strict=True))
    if min(Counter(target for target, _ in pairs).values()) >= FOLDS:
        splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
        return list(splitter.split(index, targets, index))
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(index, targets))
