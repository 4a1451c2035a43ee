"""Accept or reject a compressed network by its loss of accuracy, paired with its parent on the same photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clothing_classifier.evaluation.metrics import MIN_GROUPS, Booleans, resampled_means

CONFIDENCE = 0.9
_RESAMPLES = 4000


@dataclass(frozen=True)
class Verdict:
    """`drop` is the paired fall of accuracy, `upper` the upper end of its one-sided 90% interval; `reason` is plain."""

    accepted: bool
    drop: float
    upper: float
    reason: str


def judge(parent: Booleans, child: Booleans, groups: Sequence[str | None], max_drop: float) -> Verdict:
    """Compare whether each photo was right, `(N,)`, by parent and child; drops are fractions, not points.

    The bound is of a bootstrap over whole groups, a photo without a group being its own. Fewer than 20 groups are too
    few to resample: then it is the larger of that bound and the one of independent photos. A child that is right on the
    very same photos has no spread to resample, so that few photos can't pass for certainty: the bound is never below
    what an exact binomial one says of losses among independent photos (Clopper and Pearson 1934).
    """
    lost = parent.astype(int) - child.astype(int)
    drop = float(lost.mean())
    names = [f"group {group}" if group is not None else f"photo {i}" for i, group in enumerate(groups)]
    few = len(set(names)) < min(MIN_GROUPS, len(names))
    alone = _bootstrap_bound(lost, list(map(str, range(len(lost))))) if few else drop
    upper = max(_bootstrap_bound(lost, names), alone, drop, _unseen_bound(len(lost)))
    if upper <= max_drop:
        how = f", photos taken as independent: {len(set(names))} groups are too few to resample" if few else ""
        return Verdict(True, drop, upper, f"accepted{how}")
    surely = f"90% sure only of at most {upper:.1%}"
    if drop <= max_drop:
        return Verdict(False, drop, upper, f"too few photos to tell: {drop:.1%} lost on {len(lost)}, {surely}")
    return Verdict(False, drop, upper, f"loses {drop:.1%}, more than {max_drop:.1%}")


def _bootstrap_bound(lost: np.ndarray, names: Sequence[str]) -> float:
    return float(np.quantile(resampled_means(lost, names, _RESAMPLES), CONFIDENCE))


def _unseen_bound(n: int) -> float:
    """The rate of losses that n photos without one still allow."""
    return float(1 - (1 - CONFIDENCE) ** (1 / n))
