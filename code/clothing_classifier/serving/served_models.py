"""The models that are served, by name, and what each says of itself."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from pydantic import BaseModel

from clothing_classifier.errors import UsageError
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import Point, Preprocessing
from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.problems import Problem


class ModelSummary(BaseModel):
    """A served model in the list; `version` is the SHA-256 of its bundle."""

    name: str
    version: str
    labels: list[str]
    default: bool


class ModelDescription(ModelSummary):
    """All about a served model; `card` is Markdown, and `limits` are those of this service."""

    preprocessing: Preprocessing
    precision: str
    temperature: float
    precision_curve: list[Point]
    architecture: dict[str, Any]
    stages: list[dict[str, Any]] | None
    validation: dict[str, Any]
    card: str | None
    limits: dict[str, Any]


class ServedModels:
    """Models by name, the first of them the default; raises `UsageError` where two have one name."""

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        self._by_name = {classifier.manifest.name: classifier for classifier in classifiers}
        if len(self._by_name) != len(classifiers):
            names = ", ".join(classifier.manifest.name for classifier in classifiers)
            raise UsageError(f"models {names}: each needs a name of its own ('clothing export --name')")
        self._summaries = {
            name: ModelSummary(
                name=name,
                version=classifier.bundle.sha256,
                labels=classifier.manifest.labels,
                default=classifier is classifiers[0],
            )
            for name, classifier in self._by_name.items()
        }
        for classifier in classifiers:  # has the graphs' memory allocated before the first request
            size = classifier.manifest.preprocessing.size
            classifier.run(np.zeros((1, size, size, 3), np.uint8))

    def get(self, name: str | None) -> Classifier:
        """The model of that name, or the default for None; raises a 422 problem."""
        found = self._by_name.get(name or next(iter(self._by_name)))
        if found is None:
            raise Problem("bad-query", f"model: none is served by that name; there are {', '.join(self._by_name)}")
        return found

    def summaries(self) -> list[ModelSummary]:
        """The list of models."""
        return list(self._summaries.values())

    def describe(self, classifier: Classifier, limits: ServiceLimits) -> ModelDescription:
        """All about one model."""
        path, summary = classifier.bundle.path / "README.md", self._summaries[classifier.manifest.name]
        card = path.read_text("utf-8", "replace") if path.is_file() else None
        return ModelDescription(**vars(classifier.manifest) | summary.model_dump(), card=card, limits=asdict(limits))
