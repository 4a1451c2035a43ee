"""How strange a photo is to a model: the angle between its features and those that the model learnt from."""

import numpy as np

from clothing_classifier.evaluation.metrics import Floats

OUTPUT = "unfamiliarity"
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
    """Whether `width` features are too few to tell strange pictures by themselves, having no room for 64 directions.

    What a small network keeps of a photo is what tells its classes apart, and little else; its middle stage knows more
    (as in the layers' ensemble of Lee et al. 2018, https://arxiv.org/abs/1807.03888).
    """
    return width // _ROOM < _DIRECTIONS


def measure(features: Floats, directions: Floats) -> Floats:
    """Unfamiliarity `(N,)` in [0, 1]: the share of the length of `features` `(N, D)` that is off the `directions`.

    It is the sine of the angle between a photo's features and the space in which those of training photos lie: what is
    lost when they are rebuilt from their main components (as in "ViM", Wang et al. 2022), whatever their length.
    """
    inside, whole = ((features @ directions.astype(np.float32)) ** 2).sum(1), (features**2).sum(1)
    result: Floats = np.sqrt(np.maximum(1 - inside / np.maximum(whole, 1e-12), 0))
    return result
