"""The settings that a run's record holds, read back by a version that may know others."""

from typing import Any

from clothing_classifier.config import TrainSettings, parse_settings
from clothing_classifier.errors import ConfigError

_RETIRED = {
    "augmentation.quarter_turns": 0.0, "augmentation.policy": 0.0, "augmentation.mix": 0.0,
    "optimization.logit_adjustment": 0.0, "optimization.layer_decay": 1.0,
}  # fmt: skip
"""Settings of earlier versions, and the value at which each did nothing."""


def recorded_settings(values: dict[str, Any]) -> tuple[TrainSettings, list[str]]:
    """The settings of a run's record, and those that `known_settings` names; raises `ConfigError`."""
    known, gone = known_settings(values)
    return parse_settings(known), gone


def read_settings(record: dict[str, Any]) -> tuple[TrainSettings | None, list[str]]:
    """The settings of a record, and those that this version no longer knows; None where it is no record of a run."""
    sections = record.get("settings")
    try:
        return recorded_settings(sections) if isinstance(sections, dict) else (None, [])
    except ConfigError:
        return None, []


def known_settings(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Of a record's settings those that are known, and, as `section.key=value`, those of others that did something."""
    known: dict[str, Any] = {}
    gone = []
    for name, section in values.items():
        here = getattr(TrainSettings(), name, None)
        if here is None or not isinstance(section, dict):
            gone.append(name)
            continue
        fields = type(here).model_fields
        known[name] = {key: value for key, value in section.items() if key in fields}
        others = {f"{name}.{key}": value for key, value in section.items() if key not in fields}
        gone += [f"{key}={value}" for key, value in others.items() if _RETIRED.get(key) != value]
    return known, gone
