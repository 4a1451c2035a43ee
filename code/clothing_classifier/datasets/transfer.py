"""The threads that bring files: each streamed to NAME.part, checked, renamed; tried again where that may help."""

import hashlib
import io
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from clothing_classifier.datasets.manifest import Manifest
from clothing_classifier.datasets.origins import AgainError, FinalError, Origin, RemoteFile
from clothing_classifier.errors import DownloadError

_NAMED = 10  # failed files that an error names

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RetryPolicy:
    """How long to go on with a file, and with a host.

    `backoff` seconds pass before the second try, twice that before the third and so on, never more than
    `longest_wait`, whatever Retry-After says. `timeout` seconds of silence end a try. Once `give_up_after` files in a
    row have run out of tries, the rest is not tried at all.
    """

    tries: int = 5
    backoff: float = 1.0
    longest_wait: float = 60.0
    timeout: float = 30.0
    give_up_after: int = 16


DEFAULT_POLICY = RetryPolicy()


class _StoppedError(Exception):
    """The run is over: drop everything."""


class _Part:
    """NAME.part: the bytes so far, and their running hash."""

    def __init__(self, stream: io.BufferedRandom) -> None:
        self._stream = stream
        stream.seek(0)
        self._digest = hashlib.file_digest(stream, "sha256")
        self.length = stream.tell()
        self.is_resumed = self.length > 0

    def restart(self) -> None:
        self._stream.truncate(0)
        self._digest, self.length, self.is_resumed = hashlib.sha256(), 0, False

    def write(self, chunk: bytes) -> None:
        self._stream.write(chunk)
        self._digest.update(chunk)
        self.length += len(chunk)

    def fault(self, file: RemoteFile) -> str:
        """What makes the bytes not the file's; "" where they are."""
        if self.length > file.size:
            return f"is longer than {file.size} bytes"
        return "" if self._digest.hexdigest() == file.sha256 else "has other bytes than expected: the SHA-256 differs"


class Transfer:
    """What the threads of one fetch share."""

    def __init__(self, manifest: Manifest, out: Path, origin: Origin, progress: Progress, policy: RetryPolicy) -> None:
        self._manifest, self._out, self._origin, self._progress, self._policy = manifest, out, origin, progress, policy
        self.fetched = self.kept = 0
        self._bytes = 0
        self._bytes_of = {file.path: 0 for file in manifest.files}
        self._todo = deque(manifest.files)
        self._failed: dict[str, str] = {}
        self._exhausted_in_a_row = 0
        self._crash: BaseException | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def go(self, connections: int) -> None:
        """Fetch all; raises DownloadError for files that failed, and whatever else a thread ran into."""
        # Daemons: a thread that waits for a silent server must not hold up Ctrl-C or the end of the process.
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(connections)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive() and not self._stop.is_set():
                    thread.join(0.2)
        finally:
            self._stop.set()
            for thread in threads:
                if thread.is_alive():
                    thread.join(0.2)
        if self._crash:
            raise self._crash
        if self.fetched + self.kept < len(self._manifest.files):
            failures = (f"{path}: {reason}" for path, reason in self._failed.items())
            raise DownloadError(self._verdict(), tuple(failures))

    def _verdict(self) -> str:
        total, failed = len(self._manifest.files), len(self._failed)
        named = ", ".join(f"{path} ({reason})" for path, reason in list(self._failed.items())[:_NAMED])
        more = f", and {failed - _NAMED} more" if failed > _NAMED else ""
        left = total - failed - self.fetched - self.kept
        untried = f"; {left} were not tried, as {self._exhausted_in_a_row} in a row had failed" if left else ""
        return (
            f"{self._manifest.name}: {failed} of {total} files could not be fetched: {named}{more}{untried}; "
            "the others stay: run the same command again to fetch only what is missing"
        )

    def _work(self) -> None:
        try:
            while not self._stop.is_set() and (file := self._next()):
                self._settle(file)
        except _StoppedError:
            pass
        except BaseException as error:
            self._crash = error
            self._stop.set()

    def _next(self) -> RemoteFile | None:
        with self._lock:
            return self._todo.popleft() if self._todo else None

    def _settle(self, file: RemoteFile) -> None:
        path = self._out / file.path
        kept = _is_right(path, file)
        if not kept:
            try:
                self._persist(file, path)
            except (AgainError, FinalError) as error:
                self._fail(file, error)
                return
        with self._lock:
            self.kept += kept
            self.fetched += not kept
            self._exhausted_in_a_row = self._exhausted_in_a_row if kept else 0
        self._tell(file, file.size)

    def _fail(self, file: RemoteFile, error: Exception) -> None:
        with self._lock:
            self._failed[file.path] = str(error)
            self._exhausted_in_a_row = self._exhausted_in_a_row + 1 if isinstance(error, AgainError) else 0
            if self._exhausted_in_a_row >= self._policy.give_up_after:
                self._todo.clear()

    def _persist(self, file: RemoteFile, path: Path) -> None:
        wait = self._policy.backoff
        for tries_left in reversed(range(self._policy.tries)):
            try:
                self._attempt(file, path)
                return
            except AgainError as error:
                if not tries_left:
                    raise
                pause = min(max(wait, error.wait), self._policy.longest_wait)
            if self._stop.wait(pause):
                raise _StoppedError
            wait *= 2

    def _attempt(self, file: RemoteFile, path: Path) -> None:
        part_path = path.with_name(path.name + ".part")
        try:
            with part_path.open("a+b") as stream:
                self._complete(file, _Part(stream))
            if self._stop.is_set():
                raise _StoppedError
            part_path.replace(path)
        finally:
            if part_path.exists() and not part_path.stat().st_size:
                part_path.unlink()

    def _complete(self, file: RemoteFile, part: _Part) -> None:
        self._tell(file, part.length)
        if part.length < file.size:
            self._pull(file, part)
        if part.length < file.size:
            raise AgainError(f"ended after {part.length} of {file.size} bytes")
        if fault := part.fault(file):
            # What an earlier try left may be to blame; a file that came in one piece would only come so again.
            kind = AgainError if part.is_resumed else FinalError
            part.restart()
            raise kind(fault)

    def _pull(self, file: RemoteFile, part: _Part) -> None:
        start, chunks = self._origin.open(file, part.length)
        if start < part.length:
            part.restart()
        with closing(chunks):
            for chunk in chunks:
                if self._stop.is_set():
                    raise _StoppedError
                part.write(chunk)
                self._tell(file, part.length)

    def _tell(self, file: RemoteFile, count: int) -> None:
        with self._lock:
            self._bytes += count - self._bytes_of[file.path]
            self._bytes_of[file.path] = count
            self._progress(self.kept + self.fetched, self._bytes)


def _is_right(path: Path, file: RemoteFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
