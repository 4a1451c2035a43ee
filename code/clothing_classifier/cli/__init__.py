"""The command `clothing`: one thin function a command, with the heavy imports inside."""

import io
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from typer.exceptions import TyperException

# Each has commands, and the help lists them in this order.
# isort: off
from clothing_classifier.cli import labelling, tables, learning, networks, compressing, reporting  # noqa: F401

# isort: on
from clothing_classifier.cli.common import app, configure_logging, log
from clothing_classifier.errors import ClothingError
from clothing_classifier.utils import plain_reason

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; every error that a user can cause is one line and exit status 2."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            # Names, labels and bars in any locale; a file's name need not be UTF-8, and is passed on as it is.
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    configure_logging()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:  # a process that waits for another's tensors runs no handlers
        _leave_in_order()
    _run()


def _leave_in_order() -> None:
    """Let whoever ends the process, or closes its terminal, leave no half-written file behind."""

    def leave(number: int, frame: FrameType | None) -> None:
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
        number = getattr(signal, name, None)  # Windows lacks the last
        if number and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):  # nohup has it ignored
            signal.signal(number, leave)


def _run() -> None:
    try:
        sys.exit(app(prog_name="clothing", standalone_mode=False) or 0)
    except TyperException as error:
        sys.exit(_misuse(error))
    except (ClothingError, OSError) as error:  # OSError: a full disk, a folder that may not be written to
        log(f"clothing: {_reason(error)}")
        sys.exit(2)


def _misuse(error: TyperException) -> int:
    """A misspelt command line is one line too; what an empty one gets is the help."""
    message, context = error.format_message(), getattr(error, "ctx", None)
    if message.startswith("Usage:"):
        log(message)
    else:
        command = context.command_path if context else "clothing"
        log(f"clothing: {plain_reason(message).replace('. Did', ': did')}; see {command} --help")
    return 2


def _reason(error: Exception) -> str:
    """The system's reasons read as ours do: first the file, then what is wrong with it."""
    if isinstance(error, OSError) and not isinstance(error, ClothingError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
