"""Photos decoded once: each becomes one array, keyed by its content and by the contract it was fitted with.

A photo's file is decoded once for all runs, its array kept on disk; a photo that came as an array stays in memory.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np

from clothing_classifier.datasets import RecordSource, content_if_readable
from clothing_classifier.errors import ImageError, ImageUnreadableError
from clothing_classifier.preprocessing import VERSION, ImageContract, Pixels, prepare
from clothing_classifier.utils import ProgressBar, atomic_path, available_cpus


def default_cache() -> Path:
    """`$XDG_CACHE_HOME/clothing-classifier`, as the XDG base directory specification has it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clothing-classifier"


class PixelCache:
    """Fitted photos as `.npy` files below `root`, or in memory; a changed photo or contract gives another key."""

    def __init__(self, root: Path, contract: ImageContract) -> None:
        self.contract = contract
        self.folder = root / f"{contract.size}-{contract.fit}-v{VERSION}"
        self._held: dict[str, Pixels] = {}
        self._shape = (contract.size, contract.size, 3)
        # `np.load` has Python parse each file's header, which 3.11 can't do in several threads
        # (https://github.com/python/cpython/issues/106905); here all are the same.
        array = BytesIO()
        np.save(array, np.empty(self._shape, np.uint8))
        self._header = array.getvalue()[: -math.prod(self._shape)]

    def fill(self, sources: Sequence[RecordSource], advance: ProgressBar) -> list[str | ImageError]:
        """Decode what is not there yet; return for each source its key, or why it can't be read."""
        with ThreadPoolExecutor(available_cpus()) as pool:
            outcomes = []
            for outcome in pool.map(self._add, sources):
                outcomes.append(outcome)
                advance()
        return outcomes

    def load(self, keys: Sequence[str]) -> Pixels:
        """Return `(N, size, size, 3) uint8`."""
        return np.stack([self._read(key) for key in keys])

    def _read(self, key: str) -> Pixels:
        held = self._held.get(key)
        if held is not None:
            return held
        return np.fromfile(self._path(key), np.uint8, offset=len(self._header)).reshape(self._shape)

    def _holds(self, key: str) -> bool:
        """Whether the whole array is there: a machine that went down may leave a truncated file, or zeros."""
        try:
            with self._path(key).open("rb") as file:
                header, size = file.read(len(self._header)), os.fstat(file.fileno()).st_size
        except OSError:
            return False
        return header == self._header and size == len(header) + math.prod(self._shape)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npy"

    def _add(self, source: RecordSource) -> str | ImageError:
        try:
            key = content_if_readable(source)
            if key and isinstance(source, np.ndarray):
                self._held[key] = prepare(source, self.contract)
                return key
            if key and self._holds(key):
                return key
            pixels = prepare(source, self.contract)
        except ImageError as error:
            return error
        if key is None:
            return ImageUnreadableError(f"{source}: the file changed while it was read")
        with atomic_path(self._path(key)) as temporary, temporary.open("wb") as file:
            np.save(file, pixels, allow_pickle=False)
        return key
