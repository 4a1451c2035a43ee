"""Small things that two or more modules share and no concept owns; imports nothing of the package."""

import csv
import ctypes
import errno
import io
import json
import os
import platform
import re
import secrets
import stat
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

_STREAM = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/[^/]+/fd/\d+")
"""What the system calls files that a process has open."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER = -1
"""As glibc's unsigned size, larger than any block."""


def available_cpus() -> int:
    """Number of processors that this process may use (its affinity, not the machine's count)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_large_blocks() -> None:
    """Let malloc reuse large blocks instead of mapping them anew at every step; call before the first large tensor.

    Activations over 32 MB are otherwise mmapped and unmapped at each step, and most of the time goes to page faults.
    The limits are switched off, not raised: a step frees more than the 2 GB that fit mallopt's int, and memory above
    the limit goes back to the kernel. Does nothing where the C library is not glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
        libc.mallopt(option, _NEVER)


def is_main_process() -> bool:
    """Whether this is the only process of a command, or rank 0 of those that a launcher (torchrun) started."""
    return os.environ.get("RANK", "0") == "0"


def one_line(text: str) -> str:
    """`text` with what would break a line, steer a terminal or not encode as UTF-8 written as an escape."""
    return re.sub(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", lambda match: repr(match[0])[1:-1], text)


def plain_text(text: str) -> str:
    """`text` as two people who see the same would type it: letters composed (NFC), nothing invisible, blanks alike.

    A Mac decomposes what it writes; copies from web pages bring spaces of no width, and such as do not break.
    """
    return " ".join(unicodedata.normalize("NFC", re.sub("[\u00ad\u200b\u2060\ufeff]", "", text)).split())


def costliest(costs: Sequence[int]) -> set[int]:
    """The fewest positions whose costs make up half of all."""
    chosen: set[int] = set()
    for i in sorted(range(len(costs)), key=lambda i: -costs[i]):
        if 2 * sum(costs[j] for j in chosen) >= sum(costs):
            break
        chosen.add(i)
    return chosen


def csv_line(cells: Iterable[Any]) -> str:
    """A row of a CSV file with its line end."""
    text = io.StringIO()
    # Before Python 3.13 a writer quotes the line breaks of its own terminator only; cells may hold either.
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def reason_of(error: BaseException) -> str:
    """What a foreign error says, as part of a line of ours: its first line, or its type where it is silent."""
    lines = str(error).strip().splitlines() or [""]
    return one_line(lines[0].strip(" .")) or type(error).__name__


def plain_reason(message: str) -> str:
    """A validation message of pydantic's as part of a line of ours: without what its parser tried, and no capital."""
    message = (
        re.sub("Value error, |, unable to parse.*", "", message)
        .removesuffix(".")
        .replace("Input should", "input should")
    )
    return message[:1].lower() + message[1:]


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` only when the block ends without error."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder stands where the file should go", str(path))
    if path.exists() and not path.is_file():  # a pipe or a device can't be replaced, only written to
        yield path
        return
    named = str(path.readlink()) if path.is_symlink() else ""
    if _STREAM.fullmatch(str(path)) or _STREAM.fullmatch(named):  # replaced, it would be lost to who opened it
        raise OSError(errno.EBUSY, "leads to a file that is open already; name another file", str(path))
    path = path.resolve()  # what a symbolic link points to is written, and the link stays
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    temporary.touch(0o666 if mode is None else mode | stat.S_IWUSR, exist_ok=False)
    try:
        yield temporary
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, its line ends as they are, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


class ProgressBar(Protocol):
    """Counts work done; `fields` are shown behind the bar (`loss=0.41`)."""

    def __call__(self, advance: int = 1, **fields: str) -> None:
        """Count `advance` more units as done."""


@contextmanager
def progress_bar(description: str, total: int | None, quiet: bool = False) -> Iterator[ProgressBar]:
    """Show a bar with rate and time left on standard error where that is a terminal, and nothing elsewhere.

    Of several processes of one command, only the main one shows one.
    """
    if quiet or not is_main_process() or not sys.stderr.isatty():
        yield lambda advance=1, **fields: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    note = TextColumn("{task.fields[note]}")
    # By default rich would send what is printed meanwhile to the bar's own stream: results, to standard error.
    with Progress(*columns, note, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(description, total=total, note="")
        started = time.monotonic()

        def update(advance: int = 1, **fields: str) -> None:
            progress.advance(task, advance)
            done = progress.tasks[0].completed
            rate = f"{done / max(time.monotonic() - started, 1e-9):.0f}/s"
            progress.update(task, note=" ".join([rate, *(f"{name} {value}" for name, value in fields.items())]))

        yield update
