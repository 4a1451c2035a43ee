"""Out-of-distribution (OOD) score: the angle between a photo's features and the space of the training features.

It is the residual of ViM (Wang et al. 2022, https://arxiv.org/abs/2203.10807), normalised by the features' length.
"""

import numpy as np

from clothing_classifier.evaluation.metrics import Floats

OUTPUT = "ood_score"
FEATURES, MIDDLE = "features", "middle"
"""What angles are taken of: the last feature map's mean, and that of the network's middle stage."""
_DIRECTIONS = 64
_ROOM = 4


def find_directions(features: Floats, most: int = _DIRECTIONS) -> Floats:
    """The directions `(D, M) float16` along which the features `(N, D)` of training photos lie, orthonormal.

    They are the main components of the features' directions, through the origin: `most`, and no more than a quarter
    of what `N` and `D` allow. Half precision is far finer than the score needs.
    """
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    count = max(1, min(most, len(unit) // _ROOM, unit.shape[1] // _ROOM))
    _, vectors = np.linalg.eigh(unit.T.astype(float) @ unit)
    result: Floats = vectors[:, ::-1][:, :count].astype(np.float16)
    return result


def needs_middle(width: int) -> bool:
    """Whether `width` features are too few for the score by themselves, having no room for 64 directions.

    A small network's last features hold little beside what separates its classes; its middle stage holds more (as in
    the layer ensemble of Lee et al. 2018, https://arxiv.org/abs/1807.03888).
    """
    return width // _ROOM < _DIRECTIONS


def ood_score(features: Floats, directions: Floats) -> Floats:
    """OOD scores `(N,)` in [0, 1]: the sine of the angle between `features` `(N, D)` and the span of `directions`."""
    inside, whole = ((features @ directions.astype(np.float32)) ** 2).sum(1), (features**2).sum(1)
    result: Floats = np.sqrt(np.maximum(1 - inside / np.maximum(whole, 1e-12), 0))
    return result
