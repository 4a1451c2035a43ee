"""Which photos are one picture: equal pixels, or the same one re-encoded, resized, mirrored, cropped or in other light.

Candidates for the second are a photo's nearest neighbours by coarse look and by the bundle's features together, found
by blocked matrix products; registration (`alignment`) then says which of them are copies.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from clothing_classifier.audit.alignment import Floats, Greys, detail_correlation
from clothing_classifier.audit.scan import ScannedPhotos
from clothing_classifier.utils import available_cpus

SAME_PICTURE = 0.8
"""Least correlation of fine detail of two copies. Photos of one garment, or of two on one floor, stay below 0.75."""
FLAT = 4.0
"""Standard deviation of grey, of 255, below which a picture shows nothing that could be compared."""
_NEIGHBOURS = 6
_MIN_LIKENESS = 1.5
"""Sum of two correlations, of coarse look and of features, below which two photos are no candidates."""
_COARSE_SIDE = 16
_BLOCK, _PAIRS_AT_ONCE = 512, 16

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DuplicateCluster:
    """One picture that several photos show: indices into the scan, ascending.

    `exact` holds the pairs of equal pixels; the others are near copies.
    """

    photos: tuple[int, ...]
    exact: frozenset[tuple[int, int]]

    def pairs(self) -> Iterator[tuple[int, int, bool]]:
        """Every pair, and whether its pixels are equal."""
        return ((i, j, (i, j) in self.exact) for i, j in combinations(self.photos, 2))


def find_duplicates(scan: ScannedPhotos, advance: Callable[[int], object]) -> list[DuplicateCluster]:
    """All pictures that more than one photo shows, in the order of their first photos.

    Of small pictures only those of equal pixels: there is no detail that could tell like garments apart.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for i, photo in enumerate(scan.photos):
        same[photo.sha256].append(i)
    links = [link for members in same.values() for link in pairwise(members)]
    firsts = np.array([members[0] for members in same.values()])
    flat = scan.deviations < FLAT
    distinct = firsts[~flat[firsts]]
    if scan.shows_detail and len(distinct) > 1:
        links += distinct[_near_pairs(scan.greys[distinct], scan.features[distinct], advance)].tolist()
    exact = frozenset(pair for members in same.values() for pair in combinations(members, 2))
    return [
        DuplicateCluster(members, frozenset(pair for pair in combinations(members, 2) if pair in exact))
        for members in _linked(len(scan), links)
    ]


def _linked(n: int, links: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """The sets of `range(n)` that pairs of `links` make one, directly or not: those of two or more, by their first."""
    one, other = np.array(links, int).reshape(-1, 2).T
    _, names = connected_components(coo_array((np.ones(len(one)), (one, other)), (n, n)), directed=False)
    sets: dict[int, list[int]] = defaultdict(list)
    for i, name in enumerate(names.tolist()):
        sets[name].append(i)
    return [tuple(members) for members in sets.values() if len(members) > 1]


def _near_pairs(greys: Greys, features: npt.NDArray[np.float16], advance: Callable[[int], object]) -> Indices:
    """Pairs of indices `(P, 2)` that are one picture; `advance` is told of photos, as registration gets on."""
    pairs, turned = _candidates(greys, features)
    parts = [slice(start, start + _PAIRS_AT_ONCE) for start in range(0, len(pairs), _PAIRS_AT_ONCE)]

    def agree(part: slice) -> Floats:
        one, other = greys[pairs[part, 0]], greys[pairs[part, 1]]
        mirrored = turned[part, None, None]
        return detail_correlation(np.where(mirrored, one[:, :, ::-1], one), other)

    scores, told = [], 0
    with ThreadPoolExecutor(available_cpus()) as pool:
        for n, found in enumerate(pool.map(agree, parts), 1):
            scores.append(found)
            advance(n * len(greys) // len(parts) - told)
            told = n * len(greys) // len(parts)
    return pairs[np.concatenate(scores) >= SAME_PICTURE] if scores else pairs


def _candidates(greys: Greys, features: npt.NDArray[np.float16]) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Pairs `(P, 2)` of each photo with its nearest neighbours, and which of them to compare mirrored `(P,)`."""
    coarse, mirrored = _coarse(greys), _coarse(greys[:, :, ::-1])
    described = features.astype(np.float32)
    found: set[tuple[int, int, bool]] = set()
    for start in range(0, len(greys), _BLOCK):
        rows = slice(start, start + _BLOCK)
        meaning = described[rows] @ described.T
        for turned, look in ((False, coarse[rows] @ coarse.T), (True, mirrored[rows] @ coarse.T)):
            likeness = look + meaning
            likeness[np.arange(len(likeness)), np.arange(start, start + len(likeness))] = -np.inf
            count = min(_NEIGHBOURS, len(greys) - 1)
            nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
            for row, columns in enumerate(nearest):
                found |= {
                    (min(start + row, int(j)), max(start + row, int(j)), turned)
                    for j in columns
                    if likeness[row, j] > _MIN_LIKENESS
                }
    ordered = sorted(found)
    pairs = np.array([pair[:2] for pair in ordered], np.int64).reshape(-1, 2)
    return pairs, np.array([turned for _, _, turned in ordered], bool)


def _coarse(greys: Greys) -> Floats:
    """Each picture at 16 px, mean 0 and length one, `(M, 256)`: products are correlations."""
    block = greys.shape[1] // _COARSE_SIDE
    parts = greys.reshape(len(greys), _COARSE_SIDE, block, _COARSE_SIDE, block)
    small = parts.mean((2, 4), dtype=np.float32).reshape(len(greys), -1)
    small -= small.mean(1, keepdims=True)
    result: Floats = small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    return result
