"""Suspect labels by confident learning (Northcutt et al. 2021, doi:10.1613/jair.1.12125).

A linear classifier on the bundle's features gives class probabilities for each photo, held out with its duplicates. Its
group is not held out: other photos of the same sender are the best evidence. A label is suspect where another class is
the most probable, and confidently so where that class is at least as probable as on average among the photos that carry
its label.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clothing_classifier.evaluation.metrics import Floats, Integers

FOLDS = 5
_SEED = 0
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
    is_confident: bool


def find_suspects(features: npt.NDArray[np.float16], targets: Integers, clusters: Sequence[int]) -> list[Suspect]:
    """The suspect photos of features `(M, D)` and targets `(M,)`, the most suspect first.

    Photos of one number in `clusters` `(M,)` are held out together. The result is empty for fewer than two
    classes, and where no class, or too few clusters, would be in every fold.
    """
    classes, given, support = np.unique(targets, return_inverse=True, return_counts=True)
    if len(classes) < 2 or support.max() < FOLDS or len(set(clusters)) < 2 * FOLDS:
        return []
    probabilities = _held_out(features.astype(np.float32), given, clusters)
    thresholds = np.array([probabilities[given == k, k].mean() for k in range(len(classes))])
    likely, rows = probabilities.argmax(1), np.arange(len(targets))
    of_given, of_likely = probabilities[rows, given], probabilities[rows, likely]
    order = [i for i in np.argsort(of_given - of_likely, kind="stable") if likely[i] != given[i]]
    return [
        Suspect(int(i), int(classes[given[i]]), int(classes[likely[i]]), float(of_given[i]), float(of_likely[i]),
                bool(of_likely[i] >= thresholds[likely[i]]))
        for i in order
    ]  # fmt: skip


def _held_out(features: Floats, targets: Integers, clusters: Sequence[int]) -> Floats:
    """Probabilities `(M, K)` from classifiers trained without the photo and its duplicates."""
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    result = np.zeros((len(targets), targets.max() + 1))
    components = PCA(min(_COMPONENTS, *features.shape), random_state=_SEED).fit_transform(features)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=_SEED)
    with warnings.catch_warnings():
        # A classifier stopped early ranks labels just as well, and a class of few photos is missing in some fold.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)
        for train, held_out in splitter.split(components, targets, clusters):
            if len(np.unique(targets[train])) < 2:
                result[held_out, targets[train[0]]] = 1
                continue
            model = LogisticRegression(C=_C, max_iter=_ITERATIONS).fit(components[train], targets[train])
            result[np.ix_(held_out, model.classes_)] = model.predict_proba(components[held_out])
    return result
