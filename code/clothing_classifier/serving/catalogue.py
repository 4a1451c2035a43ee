"""The models that are served: which one a request means, and what each says of itself."""

import math
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

_LONGEST_CARD = 200_000


class ModelSummary(BaseModel):
    """A served model in the list; `version` names its very bundle (SHA-256)."""

    name: str
    version: str
    labels: list[str]
    default: bool


class ModelDescription(ModelSummary):
    """All that a served model says of itself; `card` is Markdown, and `limits` are those of this service."""

    preprocessing: Preprocessing
    precision: str
    temperature: float
    precision_curve: list[Point]
    architecture: dict[str, Any]
    stages: list[dict[str, Any]] | None
    validation: dict[str, Any]
    card: str | None
    limits: dict[str, Any]


_OF_MANIFEST = set(ModelDescription.model_fields) - set(ModelSummary.model_fields) - {"card", "limits"}


class Catalogue:
    """Models by name, the first of them the default; raises `UsageError` where two have one name."""

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        self._classifiers = {classifier.manifest.name: classifier for classifier in classifiers}
        if len(self._classifiers) != len(classifiers):
            names = ", ".join(classifier.manifest.name for classifier in classifiers)
            raise UsageError(f"models {names}: each needs a name of its own ('clothing export --name')")

        # One evaluation each, which also has the graphs' memory allocated before the first request.
        self._map_cells = {name: _map_cells(classifier) for name, classifier in self._classifiers.items()}

    @property
    def classifiers(self) -> list[Classifier]:
        """All of them, in order."""
        return list(self._classifiers.values())

    def get(self, name: str | None) -> Classifier:
        """The model of that name, or the default for None; raises a 422 problem."""
        if name is None:
            return self.classifiers[0]
        if name not in self._classifiers:
            raise Problem("bad-query", f"model: none is served by that name; there are {', '.join(self._classifiers)}")
        return self._classifiers[name]

    def map_cells(self, classifier: Classifier) -> int:
        """Rows times columns of the model's class map; 0 where its graph gives none, as one that another tool made."""
        return self._map_cells[classifier.manifest.name]

    def summaries(self) -> list[ModelSummary]:
        """The list of models."""
        return [ModelSummary(**self._summary(classifier)) for classifier in self.classifiers]

    def describe(self, classifier: Classifier, limits: ServiceLimits) -> ModelDescription:
        """All about one model."""
        summary, manifest = self._summary(classifier), classifier.manifest
        own = {key: getattr(manifest, key) for key in _OF_MANIFEST}
        return ModelDescription(**summary, **own, card=_card(classifier), limits=asdict(limits))

    def _summary(self, classifier: Classifier) -> dict[str, Any]:
        manifest = classifier.manifest
        return {
            "name": manifest.name,
            "version": classifier.bundle.sha256,
            "labels": manifest.labels,
            "default": classifier is self.classifiers[0],
        }


def _map_cells(classifier: Classifier) -> int:
    size, has_map = classifier.manifest.preprocessing.size, "class_map" in classifier.outputs
    found = classifier.run(np.zeros((1, size, size, 3), np.uint8), "class_map" if has_map else "probabilities")
    return math.prod(found.shape[2:]) if has_map else 0


def _card(classifier: Classifier) -> str | None:
    path = classifier.bundle.path / "README.md"
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_LONGEST_CARD)
