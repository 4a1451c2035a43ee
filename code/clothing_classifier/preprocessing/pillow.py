"""What Pillow warns of in damaged files, kept off the terminal."""

import warnings
from contextlib import ExitStack
from threading import Lock


class _Quiet:
    """Keeps in what Pillow warns of (damaged metadata, mostly) while any thread is inside.

    Warning filters belong to the process: were each thread to set and restore them, they would end up mixed.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._filters = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.close()


QUIET = _Quiet()
