"""Which way up a photo is: the network's own features tell, and a second view is read only where the first is doubtful.

Phones note how a photo was held, and many an upload loses that note. A network that saw upright photos alone misreads
what lies on its side; one that learns all four ways gives up accuracy on the upright. A linear head on `features` costs
neither.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clothing_classifier.evaluation.calibration import softmax
from clothing_classifier.evaluation.metrics import Floats, Integers

OUTPUT = "orientation"
TURNS = 4
_ENOUGH = 0.5
_TINY = 1e-12


@dataclass(frozen=True)
class Reading:
    """Accuracy of photos that came upright and turned clockwise by 1, 2 and 3 quarters: as they came, and set upright.

    `views` is how many views of a photo were read on average, of those that came upright.
    """

    as_they_came: tuple[float, ...]
    set_upright: tuple[float, ...]
    views: float

    @property
    def costs(self) -> bool:
        """Whether what came upright loses."""
        return self.set_upright[0] < self.as_they_came[0]

    @property
    def pays(self) -> bool:
        """Whether what came upright loses nothing, and what came turned gains."""
        return not self.costs and sum(self.set_upright[1:]) > sum(self.as_they_came[1:])


def turned(values: npt.NDArray[Any], quarters: int) -> npt.NDArray[Any]:
    """Turn an image `(..., H, W, C)` clockwise by quarter turns, counter-clockwise where they are negative."""
    return np.ascontiguousarray(np.rot90(values, -quarters, (-3, -2)))


def read(first: Floats, look: Callable[[int], Floats]) -> int:
    """How many quarter turns clockwise set a photo upright, 0 to 3.

    `first` `(4,)` are the probabilities of each number of turns, from the photo as it is; `look(k)` gives them for the
    photo turned by `k`, which is asked at most once for each `k`. Evidence of several views is multiplied, as if they
    were independent. The likeliest number wins when its view was looked at and it is more likely than all the others
    together; or when all were looked at.
    """
    evidence, seen = np.log(np.maximum(first, _TINY)), [0]
    while True:
        likeliest = int(evidence.argmax())
        share = 1 / np.exp(evidence - evidence[likeliest]).sum()
        if likeliest in seen and (share > _ENOUGH or len(seen) == TURNS):
            return likeliest
        turn = max(set(range(TURNS)) - set(seen), key=lambda k: evidence[k])
        # A photo that needs h turns needs h - turn of them after it was turned.
        evidence = evidence + np.roll(np.log(np.maximum(look(turn), _TINY)), turn)
        seen.append(turn)


def measure(scores: Floats, logits: Floats, targets: Integers) -> Reading:
    """What reading photos upright brings, from the head's scores `(N, 4, 4)` and logits `(N, 4, K)` of all four views.

    View k is the photo turned clockwise by k quarters.
    """
    probabilities = softmax(scores.reshape(-1, TURNS)).reshape(scores.shape)
    right = logits.argmax(2) == targets[:, None]
    looks = 0

    def upright(photo: int, came: int) -> bool:
        def look(quarters: int) -> Floats:
            nonlocal looks
            looks += came == 0
            found: Floats = probabilities[photo, (came + quarters) % TURNS]
            return found

        return bool(right[photo, (came + read(probabilities[photo, came], look)) % TURNS])

    photos = range(len(targets))
    after = tuple(float(np.mean([upright(photo, came) for photo in photos])) for came in range(TURNS))
    return Reading(tuple(map(float, right.mean(0))), after, 1 + looks / len(targets))
