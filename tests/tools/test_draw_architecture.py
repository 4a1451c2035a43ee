"""The drawings are well-formed, up to date, and hold every module and command."""

from xml.etree import ElementTree

import pytest
from test_architecture import units

from clothing_classifier.cli import app
from draw_architecture import ARROWS, FIGURES, PLACES, flow, layers


@pytest.mark.parametrize(("name", "draw"), [("flow.svg", flow), ("layers.svg", layers)])
def test_a_drawing_is_up_to_date(name: str, draw: object) -> None:
    assert callable(draw)
    text = draw()
    assert (FIGURES / name).read_text(encoding="utf-8") == text
    ElementTree.fromstring(text)


def test_every_module_is_drawn() -> None:
    assert set(units()) <= set(words(layers()))


def test_every_command_is_drawn() -> None:
    drawn = {word for text in words(flow()) for word in text.split(", ")}
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert commands - {"models"} <= drawn


def test_arrows_join_boxes() -> None:
    for arrow in ARROWS:
        assert set(arrow.split()[:2]) <= set(PLACES)


def words(drawing: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]
