"""The command `clothing`: one thin function a command, with the heavy imports inside."""

import io
import os
import sys

from clothing_classifier.cli import (  # noqa: F401 - each has commands
    compressing,
    labelling,
    learning,
    networks,
    reporting,
    tables,
)
from clothing_classifier.cli.common import app, log, needs
from clothing_classifier.errors import ClothingError, LostProcessError, SaidElsewhereError
from clothing_classifier.utils import first_process

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; every error that a user can cause is one line and exit status 2."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # a file's name need not be UTF-8, and is passed on as it is
    try:
        _let_the_first_go_ahead()
        app(prog_name="clothing")
    except SystemExit:  # how a command ends that came to its end
        if "clothing_classifier.training.processes" in sys.modules:
            sys.modules["clothing_classifier.training.processes"].leave()
        raise
    except SaidElsewhereError:
        from clothing_classifier.training.processes import await_the_first

        await_the_first()
        sys.exit(2)
    except (ClothingError, OSError) as error:  # OSError: a full disk, a folder that may not be written to
        if not isinstance(error, LostProcessError) or os.environ.get("LOCAL_RANK", "0") == "0":
            log(f"clothing: {_reason(error)}")  # that a process was lost, one of a host says
        sys.exit(2)


def _reason(error: Exception) -> str:
    """The system's reasons read as ours do: first the file, then what is wrong with it."""
    if isinstance(error, OSError) and not isinstance(error, ClothingError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _let_the_first_go_ahead() -> None:
    """Wait in all processes of a launch but the first until it begins to train: what is wrong for all, it says alone.

    See docs/distributed.md. Where it ends before, the launcher ends the others.
    """
    if first_process() or sys.argv[1:2] != ["train"] or {"-h", "--help"} & set(sys.argv):
        return
    with needs("train"):
        from clothing_classifier.training.processes import join
    join()
