"""The model that is made smaller: a finished run, or a bundle that travels with its weights."""

from pathlib import Path
from typing import Any

from clothing_classifier.errors import ConfigError
from clothing_classifier.evaluation.provenance import RECORD, read_record
from clothing_classifier.inference import bundle
from clothing_classifier.training.checkpoint import load_tensors, save_tensors
from clothing_classifier.training.run_folder import WEIGHTS
from clothing_classifier.utils import write_json


def find_parent(model: str) -> tuple[dict[str, Any], Path]:
    """The record and the file of weights of `model`: a run folder, a shipped name or a bundle's folder.

    Raises `ConfigError` or `BundleError`.
    """
    path = Path(model)
    if path.is_dir() and not (path / bundle.MANIFEST).exists():
        record, weights = read_record(path), path / WEIGHTS
    else:
        weights = bundle.weights_of(model)
        record = bundle.load_bundle(model).manifest.provenance
        if "settings" not in record:
            raise ConfigError(f"{model}: this bundle does not tell how it was trained; give its run folder")
    return record, weights


def write_run(out: Path, record: dict[str, Any], weights: Path) -> None:
    """A run folder of weights that are there already, half-precision ones made single; the record last: it finishes."""
    tensors, metadata = load_tensors(weights)
    save_tensors(out / WEIGHTS, {name: tensor.float() for name, tensor in tensors.items()}, metadata)
    write_json(out / RECORD, record)
