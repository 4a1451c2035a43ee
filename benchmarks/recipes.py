"""How each shipped model is made, as data: recipes/NAME.toml is a list of steps, each with its inputs."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clothing_classifier.config import TrainSettings, load_settings
from clothing_classifier.errors import ConfigError
from clothing_classifier.utils import plain_reason

_BEST = ".best"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trained(_Strict):
    """What trainings and prunings share: a preset (by default the recipe's), and the weights that they start from."""

    preset: str = ""
    settings: dict[str, dict[str, Any]] = {}
    """What differs from the preset: the sections of `clothing train --set`."""
    init_from: str = ""
    """A run of an earlier step."""

    def overrides(self) -> list[str]:
        """`settings` as `--set` takes them: `optimization.epochs=8`."""
        return [f"{key}={json.dumps(value)}" for key, value in flatten(self.settings)]


class Train(Trained):
    """One run per seed. It starts from `init`, from an earlier run, or from random weights."""

    do: Literal["train"]
    init: str = ""
    """As in `clothing train --init`; environment variables in it are filled in: `${FEATURES}`."""
    teachers: tuple[str, ...] = ()
    """Steps, of which every run teaches, or runs."""
    seeds: tuple[int, ...] = Field((0,), min_length=1)

    @model_validator(mode="after")
    def _starts_once(self) -> Self:
        if self.init and self.init_from:
            raise ValueError("init and init_from exclude each other")
        return self


class Prune(Trained):
    """Structured pruning to a budget at the preset's image size."""

    do: Literal["prune"]
    init_from: str
    macs: int
    params: int | None = None


class Export(_Strict):
    """A bundle of a run. The options are those of `clothing export`."""

    do: Literal["export"]
    run: str
    calibration: tuple[str, ...] = ()
    weights: bool = False
    mirror: bool = False


class Evaluate(_Strict):
    """Metrics of a bundle on each of `splits`, and on subsets of their photos. Test photos are used on install only."""

    do: Literal["evaluate"]
    bundle: str
    splits: tuple[Literal["validation", "test", "drawn"], ...] = Field(min_length=1)
    subsets: dict[str, dict[str, list[str]]] = {}
    """Name, column and the values that belong to the subset; the column `label` is the class."""
    against: str = ""
    """Another bundle, compared on the validation photos."""


Step = Train | Prune | Export | Evaluate


class Recipe(_Strict):
    """How one model is made from `data` (a name that `clothing fetch` knows). Steps only refer to those before them."""

    data: str
    preset: str = ""
    steps: dict[str, Annotated[Step, Field(discriminator="do")]]

    def preset_of(self, step: Trained) -> str | None:
        """The preset of a training or pruning."""
        return step.preset or self.preset or None

    def settings_of(self, step: Trained) -> TrainSettings:
        """All settings of a training or pruning; raises `ConfigError`."""
        return load_settings(self.preset_of(step), step.overrides())


class Reference(NamedTuple):
    """Runs of a step, of this recipe or of another: all of them, or the one that is best on validation."""

    recipe: str
    step: str
    best: bool


def parse_reference(text: str, recipe: str) -> Reference:
    """Read `STEP`, `STEP.best`, `RECIPE/STEP` or `RECIPE/STEP.best` in the recipe called `recipe`."""
    other, _, step = text.rpartition("/")
    return Reference(other or recipe, step.removesuffix(_BEST), step.endswith(_BEST))


def load_recipe(path: Path) -> Recipe:
    """Read a recipe strictly; raises `ConfigError` naming the file, the key and what is expected."""
    try:
        recipe = Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: there is no such recipe") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path}: {key}: {_explain(first['type'], first['msg'])}") from error
    if sum(isinstance(step, Export) for step in recipe.steps.values()) != 1:
        raise ConfigError(f"{path}: steps: a recipe has one step of the kind export")
    for name, step in recipe.steps.items():
        if not re.fullmatch(r"[a-z0-9-]+", name):
            raise ConfigError(f"{path}: steps.{name}: write a step's name in small letters, digits and hyphens")
        if isinstance(step, Trained):
            try:
                recipe.settings_of(step)
            except ConfigError as error:
                raise ConfigError(f"{path}: steps.{name}: {error}") from error
    return recipe


def _explain(kind: str, message: str) -> str:
    return "unknown key" if kind == "extra_forbidden" else plain_reason(message)


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested tables with their dotted keys."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
