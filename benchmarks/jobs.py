"""From recipes to jobs: one for each output of a step, after the jobs that it needs."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.recipes import Evaluate, Export, Prune, Recipe, Step, Train, Trained, load_recipe, parse_reference
from clothing_classifier.errors import ConfigError

WEIGHTS = "best.safetensors"
"""Of a run folder."""
_KINDS: dict[str, tuple[type[Any], ...]] = {
    "init_from": (Train, Prune), "teachers": (Train,), "run": (Train,), "calibration": (Train,),
    "bundle": (Export,), "against": (Export,),
}  # fmt: skip
"""The keys of a step that refer to others, and to which kinds."""


class Source(NamedTuple):
    """Jobs that another one needs the outputs of: all, or the run that is best on validation."""

    jobs: tuple["Job", ...]
    best: bool


@dataclass(frozen=True, eq=False)
class Job:
    """An output of a step. `variant` is the seed of a training or the split of an evaluation."""

    recipe: str
    step_name: str
    variant: str
    step: Step
    definition: Recipe
    sources: dict[str, list[Source]]

    @property
    def name(self) -> str:
        """`RECIPE/STEP-VARIANT`, which is also where its output is."""
        return f"{self.recipe}/{self.step_name}" + (f"-{self.variant}" if self.variant else "")

    @property
    def needs(self) -> list["Job"]:
        """The jobs before it, each once."""
        return list(dict.fromkeys(job for some in self.sources.values() for source in some for job in source.jobs))

    @property
    def product(self) -> str:
        """The file that stands for the output: where it is the same, so is what is made of it."""
        if isinstance(self.step, Export):
            return f"{self.recipe}/bundle.json"
        return "evaluation.json" if isinstance(self.step, Evaluate) else WEIGHTS

    @property
    def content(self) -> dict[str, Any]:
        """What in the recipe and its presets decides the output."""
        about = self.step.model_dump(mode="json", exclude={"preset", "settings", "seeds", "splits"})
        if isinstance(self.step, Trained):
            about["settings"] = self.definition.settings_of(self.step).model_dump(mode="json", exclude={"runtime"})
        return {**about, "variant": self.variant}

    def init(self) -> str:
        """`--init` of a training from published weights, its environment variables filled in; raises `ConfigError`."""
        text = os.path.expandvars(getattr(self.step, "init", ""))
        if missing := re.search(r"\$\{?(\w+)", text):
            raise ConfigError(f"{self.name}: init: set the environment variable {missing[1]} (see CONTRIBUTING.md)")
        return text


def plan(paths: Sequence[Path], with_test: bool) -> list[Job]:
    """The jobs of the recipes in `paths` and those that they need, in an order to make them in.

    Test photos are measured `with_test` only. Raises `ConfigError`.
    """
    steps: dict[tuple[str, str], list[Job]] = {}
    for path in paths:
        _add(path, steps, with_test)
    jobs, wanted = [job for some in steps.values() for job in some], {path.stem for path in paths}
    needed: set[Job] = set()
    for job in reversed(jobs):
        if job in needed or job.recipe in wanted:
            needed |= {job, *job.needs}
    return [job for job in jobs if job in needed]


def _add(path: Path, steps: dict[tuple[str, str], list[Job]], with_test: bool) -> None:
    """Add the jobs of a recipe, and of those that it refers to, unless they are there or being added."""
    if (path.stem, "") in steps:
        return
    steps[path.stem, ""] = []
    recipe = load_recipe(path)
    for name, step in recipe.steps.items():
        sources: dict[str, list[Source]] = {}
        for key, text in _references(step):
            reference = parse_reference(text, path.stem)
            _add(path.with_name(f"{reference.recipe}.toml"), steps, with_test)
            jobs = steps.get((reference.recipe, reference.step), [])
            if not jobs or not isinstance(jobs[0].step, _KINDS[key]):
                wanted = " or ".join(kind.__name__.lower() for kind in _KINDS[key])
                raise ConfigError(f"{path}: steps.{name}.{key}: '{text}' names no earlier step of the kind {wanted}")
            if len(jobs) > 1 and not reference.best and isinstance(getattr(step, key), str):
                raise ConfigError(f"{path}: steps.{name}.{key}: '{text}' has {len(jobs)} runs; write '{text}.best'")
            sources.setdefault(key, []).append(Source(tuple(jobs), reference.best))
        steps[path.stem, name] = [
            Job(path.stem, name, variant, step, recipe, sources) for variant in _variants(step, with_test)
        ]


def _references(step: Step) -> list[tuple[str, str]]:
    """The keys of a step that refer to others, each with one reference."""
    found = {key: getattr(step, key, "") for key in _KINDS}
    return [(key, text) for key, some in found.items() for text in ([some] if isinstance(some, str) else some) if text]


def _variants(step: Step, with_test: bool) -> list[str]:
    if isinstance(step, Train):
        return [str(seed) for seed in step.seeds]
    if isinstance(step, Evaluate):
        return [split for split in step.splits if split != "test" or with_test]
    return [""]
