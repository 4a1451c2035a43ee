"""The reference names every command, option, setting and preset, and is what the code gives."""

import pytest
import typer

from clothing_classifier import config
from clothing_classifier.cli import app
from write_reference import PAGE, attribute_docstrings, page


def test_the_page_is_what_the_code_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("command", typer.main.get_command(app).commands)
def test_every_command_has_a_section(command: str) -> None:
    assert f"\n## {command}\n" in page()


def test_every_setting_has_a_row() -> None:
    for section, values in config.TrainSettings().model_dump().items():
        for key in values:
            assert f"| `{section}.{key}` |" in page()


@pytest.mark.parametrize("preset", config.presets())
def test_every_preset_is_shown(preset: str) -> None:
    assert f"\n- `{preset}`: " in page()


def test_what_stands_below_a_field_is_its_meaning() -> None:
    assert dict(attribute_docstrings(config.AugmentationSettings))["rotation"] == "Degrees to either side."
