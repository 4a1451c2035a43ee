"""Orientation correction: which of four rotations makes a photo upright, from a linear head on the features.

Phones store how a photo was held, and many an upload loses that. A network trained on upright photos misclassifies the
others; one trained on all four rotations is less accurate on upright ones. A linear head on `features` costs neither,
and a second view is computed only where the first is doubtful.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clothing_classifier.evaluation.calibration import softmax
from clothing_classifier.evaluation.metrics import Floats, Integers

OUTPUT = "orientation"
ROTATIONS = 4
_CERTAIN = 0.5
_TINY = 1e-12


@dataclass(frozen=True)
class OrientationGain:
    """Accuracy on validation photos rotated clockwise by 0, 1, 2 and 3 quarter turns, without and with correction.

    `views` is the mean number of views computed for an upright photo.
    """

    uncorrected: tuple[float, ...]
    corrected: tuple[float, ...]
    views: float

    @property
    def costs(self) -> bool:
        """Whether upright photos lose accuracy."""
        return self.corrected[0] < self.uncorrected[0]

    @property
    def pays(self) -> bool:
        """Whether upright photos lose nothing and rotated ones gain."""
        return not self.costs and sum(self.corrected[1:]) > sum(self.uncorrected[1:])


def rotate(images: npt.NDArray[Any], quarter_turns: int) -> npt.NDArray[Any]:
    """Rotate images `(..., H, W, C)` clockwise by quarter turns, counter-clockwise where negative."""
    return np.ascontiguousarray(np.rot90(images, -quarter_turns, (-3, -2)))


def estimate_rotation(probabilities: Floats, look: Callable[[int], Floats]) -> int:
    """Number of clockwise quarter turns, 0 to 3, that makes a photo upright.

    `probabilities` `(4,)` are the orientation head's for the photo as given; `look(k)` returns them for the photo
    rotated by `k`, and is called at most once for each `k`. Evidence of several views is multiplied, as if they were
    independent. The likeliest rotation is returned once its view was looked at and it is more likely than all others
    together, or all views were looked at.
    """
    evidence, seen = np.log(np.maximum(probabilities, _TINY)), [0]
    while True:
        likeliest = int(evidence.argmax())
        posterior = 1 / np.exp(evidence - evidence[likeliest]).sum()
        if likeliest in seen and (posterior > _CERTAIN or len(seen) == ROTATIONS):
            return likeliest
        rotation = max(set(range(ROTATIONS)) - set(seen), key=lambda k: evidence[k])
        # A photo that needs h quarter turns needs h - rotation after it was rotated.
        evidence = evidence + np.roll(np.log(np.maximum(look(rotation), _TINY)), rotation)
        seen.append(rotation)


def measure_gain(scores: Floats, logits: Floats, targets: Integers) -> OrientationGain:
    """What correction brings, from the head's scores `(N, 4, 4)` and the logits `(N, 4, K)` of all four views.

    View k is the photo rotated clockwise by k quarter turns.
    """
    probabilities = softmax(scores.reshape(-1, ROTATIONS)).reshape(scores.shape)
    correct = logits.argmax(2) == targets[:, None]
    looks = 0

    def is_correct(photo: int, given: int) -> bool:
        def look(quarter_turns: int) -> Floats:
            nonlocal looks
            looks += given == 0
            view: Floats = probabilities[photo, (given + quarter_turns) % ROTATIONS]
            return view

        rotation = estimate_rotation(probabilities[photo, given], look)
        return bool(correct[photo, (given + rotation) % ROTATIONS])

    photos = range(len(targets))
    corrected = tuple(float(np.mean([is_correct(photo, given) for photo in photos])) for given in range(ROTATIONS))
    return OrientationGain(tuple(map(float, correct.mean(0))), corrected, 1 + looks / len(targets))
