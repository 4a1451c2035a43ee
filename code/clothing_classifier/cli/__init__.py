"""The command `clothing`: one thin function a command, with the heavy imports inside."""

from clothing_classifier.cli.common import app
from clothing_classifier.cli.entry import main

__all__ = ["app", "main"]
