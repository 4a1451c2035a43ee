"""What is written becomes candidates, each once, and errors say what is known."""

import pytest

from clothing_classifier.compression.strategy import Strategy, default_strategies, parse_strategies
from clothing_classifier.errors import ConfigError


def test_steps_without_a_value_try_several() -> None:
    found = parse_strategies(["prune+smaller-input"], 256)
    assert [candidate.name for candidate in found] == [
        "smaller-input:192+prune:0.7", "smaller-input:192+prune:0.5", "smaller-input:128+prune:0.7",
        "smaller-input:128+prune:0.5",
    ]  # fmt: skip


def test_candidates_come_once_and_share_trainings() -> None:
    found = parse_strategies(["quantize+prune:0.5", "prune:0.5+quantize", "prune:0.5"], 256)
    assert found == [Strategy(share=0.5, quantize=True), Strategy(share=0.5)]
    assert {candidate.trained for candidate in found} == {"prune:0.5"}


def test_by_default_each_strategy_is_tried_alone() -> None:
    steps = default_strategies({"name": "mobilenet_v2", "settings": {}}, 256, 5)
    assert [candidate.name for candidate in parse_strategies(steps, 256)] == [
        "quantize", "distil", "prune:0.7", "prune:0.5", "narrow:0.75", "narrow:0.5", "smaller-input:192",
        "smaller-input:128",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings", "size", "epochs", "names"),
    [
        ("resnet_small", {}, 28, 5, ["quantize", "distil"]),
        ("resnet_small", {}, 64, 0, ["quantize", "smaller-input:32"]),
        ("mobilenet_v2", {"hidden": [16]}, 32, 0, ["quantize", "prune:0.7", "prune:0.5"]),
    ],
)
def test_by_default_nothing_is_tried_that_a_parent_can_not_take(
    name: str, settings: dict, size: int, epochs: int, names: list[str]
) -> None:
    steps = default_strategies({"name": name, "settings": settings}, size, epochs)
    assert [candidate.name for candidate in parse_strategies(steps, size)] == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "shrink",
            "strategy 'shrink': 'shrink' is not a step; the steps are prune, narrow, smaller-input",
        ),
        ("prune:much", "strategy 'prune:much': 'much' is not a number"),
        ("prune:1.5", "strategy 'prune:1.5': prune takes a fraction between 0 and 1, as in prune:0.5"),
        ("prune:nan", "'nan' is not a number"),
        ("smaller-input:inf", "'inf' is not a number"),
        ("quantize:8", "strategy 'quantize:8': quantize takes no value"),
        ("smaller-input:512", "from 8 to the parent's 256"),
        ("smaller-input:100.5", "a whole number of pixels"),
        ("prune+prune:0.5", "each step can be given once"),
    ],
)
def test_what_can_not_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_strategies([text], 256)
