"""docs/architecture.md shows the layers that the code is held to, and its drawing every command."""

from pathlib import Path
from xml.etree import ElementTree

from test_architecture import LAYERS

from clothing_classifier.cli import app

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_shows_the_layers() -> None:
    assert f"```text{LAYERS}```" in (DOCS / "architecture.md").read_text(encoding="utf-8")


def test_every_command_is_drawn() -> None:
    texts = ElementTree.parse(DOCS / "figures" / "flow.svg").iter("{http://www.w3.org/2000/svg}text")
    drawn = {word for element in texts for word in (element.text or "").split(", ")}
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert commands - {"models"} <= drawn
