"""The command `clothing`: one thin function a command, with the heavy imports inside."""

import io
import sys

from clothing_classifier.cli import compressing, labelling, learning, networks, tables  # noqa: F401 - each registers its commands
from clothing_classifier.cli.common import app, log
from clothing_classifier.errors import ClothingError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; every error that a user can cause is one line and exit status 2."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # a file's name need not be UTF-8, and is passed on as it is
    try:
        app()
    except (ClothingError, OSError) as error:  # OSError: a full disk, a folder that may not be written to
        log(f"clothing: {error}")
        sys.exit(2)
