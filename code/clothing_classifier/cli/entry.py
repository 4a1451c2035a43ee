"""Running the command line: streams, signals, and errors as one line with exit status 2."""

import io
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from typer.exceptions import TyperException

# Each registers its commands, and the help lists them in this order.
# isort: off
from clothing_classifier.cli import predict, serve, score  # noqa: F401
from clothing_classifier.cli import fetch, audit, split  # noqa: F401
from clothing_classifier.cli import train, export, convert, evaluate  # noqa: F401
from clothing_classifier.cli import analyze, models, compress, report  # noqa: F401

# isort: on
from clothing_classifier.cli.common import app, log_to_stderr
from clothing_classifier.errors import ClothingError
from clothing_classifier.utils import plain_reason

logger = logging.getLogger(__name__)


def main() -> None:
    """Run the command line; every error that a user can cause is one line and exit status 2."""
    _prepare_streams()
    log_to_stderr()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:  # a process that waits for another can't unwind
        _unwind_on_signals()
    try:
        sys.exit(app(prog_name="clothing", standalone_mode=False) or 0)
    except TyperException as error:
        logger.error(_usage_message(error))
    except (ClothingError, OSError) as error:  # OSError: a full disk, a folder that may not be written to
        logger.error("clothing: %s", _reason(error))
    sys.exit(2)


def _prepare_streams() -> None:
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the parent process
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            # UTF-8 in any locale; a file name that is not UTF-8 is passed on unchanged.
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def _unwind_on_signals() -> None:
    """Raise in the main thread on SIGINT, SIGTERM and SIGHUP, so that half-written files are removed."""

    def unwind(number: int, frame: FrameType | None) -> None:
        while frame:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                # A module may swallow what is raised while it loads, and nothing is half written then.
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            frame = frame.f_back
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):  # nohup ignores SIGHUP
            signal.signal(number, unwind)


def _usage_message(error: TyperException) -> str:
    """One line for a wrong command line; the help for an empty one."""
    message, context = error.format_message(), getattr(error, "ctx", None)
    if message.startswith("Usage:"):
        return message
    command = context.command_path if context else "clothing"
    return f"clothing: {plain_reason(message).replace('. Did', ': did')}; see {command} --help"


def _reason(error: Exception) -> str:
    """The error in one line; of an error of the operating system, the file first."""
    if isinstance(error, OSError) and not isinstance(error, ClothingError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
