"""Photos on their way into the network: decoded once, shuffled by seed, read ahead of the step that needs them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from clothing_classifier.datasets import Record
from clothing_classifier.errors import DatasetError, ImageError
from clothing_classifier.training.cache import PixelCache
from clothing_classifier.utils import progress_bar

_AHEAD = 3


@dataclass(frozen=True)
class Photos:
    """One part of a data set, ready to be read: a cache key and a target for each usable record."""

    cache: PixelCache
    records: tuple[Record, ...]
    keys: tuple[str, ...]
    targets: npt.NDArray[np.int64]
    failures: tuple[ImageError, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def batches(self, order: Sequence[npt.NDArray[np.int64]]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield pixels `(N, S, S, 3) uint8` and targets `(N,) int64` for each array of indices, a few ahead."""
        with ThreadPoolExecutor(1) as reader:
            waiting = [reader.submit(self._read, part) for part in order[:_AHEAD]]
            for part in chain(order[_AHEAD:], [None] * len(waiting)):
                yield waiting.pop(0).result()
                if part is not None:
                    waiting.append(reader.submit(self._read, part))

    def _read(self, part: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        pixels = self.cache.load([self.keys[i] for i in part])
        return torch.from_numpy(pixels), torch.from_numpy(self.targets[part])


def prepare_photos(records: Sequence[Record], labels: Sequence[str], cache: PixelCache, description: str) -> Photos:
    """Decode `records` into `cache`; photos that can't be read are left out and kept as `failures`."""
    with progress_bar(description, len(records)) as advance:
        outcomes = cache.fill([record.source for record in records], advance)
    index = {label: i for i, label in enumerate(labels)}
    usable = [(record, key) for record, key in zip(records, outcomes, strict=True) if isinstance(key, str)]
    failures = tuple(outcome for outcome in outcomes if isinstance(outcome, ImageError))
    if not usable:
        raise DatasetError(f"{description}: none of {len(records)} photos can be read; first: {failures[0]}")
    kept, keys = zip(*usable, strict=True)
    return Photos(cache, kept, keys, np.array([index[record.label] for record in kept]), failures)


def epoch_order(n: int, batch_size: int, seed: int, epoch: int) -> list[npt.NDArray[np.int64]]:
    """Shuffle `range(n)` for one epoch into batches of nearly equal size, none lost, none repeated."""
    order = np.random.default_rng([seed, epoch]).permutation(n)
    return np.array_split(order, max(1, -(-n // batch_size)))


def in_order(n: int, batch_size: int) -> list[npt.NDArray[np.int64]]:
    """`range(n)` in batches."""
    return [np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]


def view_generator(seed: int, epoch: int, step: int, *process: int) -> torch.Generator:
    """What draws the views of one step: the same ones at any size, for whoever looks at them; others per process."""
    return torch.Generator().manual_seed(derived(seed, epoch, step, *process))


def derived(*numbers: int) -> int:
    """One seed from several numbers, within the 63 bits that torch takes."""
    seed = 0
    for number in numbers:
        seed = seed * 1_000_003 + number
    return seed % 2**63
