"""Photos on their way into the network: decoded once, shuffled by seed, read ahead of the step that needs them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from torch import Tensor

from clothing_classifier.datasets import Record
from clothing_classifier.errors import DatasetError, ImageError
from clothing_classifier.training.cache import PixelCache
from clothing_classifier.utils import progress_bar

_PREFETCHED = 3
"""Batches that are read ahead."""

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Photos:
    """Decoded photos of one split: a cache key and a target for each usable record."""

    cache: PixelCache
    records: tuple[Record, ...]
    keys: tuple[str, ...]
    targets: npt.NDArray[np.int64]
    failures: tuple[ImageError, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def batches(self, batches: Sequence[Indices]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield pixels `(N, S, S, 3) uint8` and targets `(N,) int64` for each array of indices, a few ahead."""
        with ThreadPoolExecutor(1) as reader:
            waiting = [reader.submit(self._read, indices) for indices in batches[:_PREFETCHED]]
            for indices in chain(batches[_PREFETCHED:], [None] * len(waiting)):
                yield waiting.pop(0).result()
                if indices is not None:
                    waiting.append(reader.submit(self._read, indices))

    def _read(self, indices: Indices) -> tuple[Tensor, Tensor]:
        pixels = self.cache.load([self.keys[i] for i in indices])
        return torch.from_numpy(pixels), torch.from_numpy(self.targets[indices])


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


def epoch_batches(
    n: int, batch_size: int, seed: int, epoch: int, accelerator: Accelerator | None = None
) -> list[Indices]:
    """Shuffle `range(n)` for one epoch into batches of nearly equal size, none lost, none repeated.

    Of several processes each gets its part of every batch (see `indices_of_process`).
    """
    order = np.random.default_rng([seed, epoch]).permutation(n)
    return [indices_of_process(batch, accelerator) for batch in np.array_split(order, max(1, -(-n // batch_size)))]


def indices_of_process(indices: Indices, accelerator: Accelerator | None) -> Indices:
    """The indices of this process; each process gets equally many, the last index repeated where needed."""
    if accelerator is None or accelerator.num_processes == 1:
        return indices
    with accelerator.split_between_processes(indices.tolist(), apply_padding=True) as own:
        return np.array(own)


def in_order(n: int, batch_size: int) -> list[Indices]:
    """`range(n)` in batches."""
    return [np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]


def view_generator(seed: int, epoch: int, step: int) -> torch.Generator:
    """The generator of the random views of one step: the same views at any size, for student and teachers."""
    return torch.Generator().manual_seed(derive_seed(seed, epoch, step))


def derive_seed(*numbers: int) -> int:
    """One seed from several numbers, within the 63 bits that torch takes."""
    seed = 0
    for number in numbers:
        seed = seed * 1_000_003 + number
    return seed % 2**63
