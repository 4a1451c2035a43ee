"""One network from several runs of one recipe: the mean of their weights, at the cost of one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from clothing_classifier.config import parse_settings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.provenance import provenance
from clothing_classifier.training.checkpoint import load_tensors, weights_sha256
from clothing_classifier.training.loop import logits_of, save_weights, scores
from clothing_classifier.training.parts import decode_parts, load_parts, parts_sha256
from clothing_classifier.training.run_folder import RECORD, WEIGHTS, first_difference, read_record, save_held_out
from clothing_classifier.utils import write_json


def average_runs(
    runs: Sequence[Path], data: Path, out: Path, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Average the kept weights of finished `runs` and leave a run folder in `out`, validated on `data`.

    Runs that start from the same weights and differ in their seed lie in one basin, where the mean generalises better
    than its parts (Wortsman et al. 2022, https://arxiv.org/abs/2203.05482). Statistics of batch norm do not average, so
    that networks with it are refused. Raises `ConfigError`.
    """
    if (out / RECORD).exists():
        raise ConfigError(f"{out}: holds a run already; choose another --out")
    records = [read_record(run) for run in runs]
    _check_alike(runs, records)
    model = _mean([run / WEIGHTS for run in runs], records[0])
    settings, labels = parse_settings(records[0]["settings"]), tuple(records[0]["labels"])
    _, train, validation = load_parts(data, settings.data)
    if {photo.label for photo in train} != set(labels):
        raise ConfigError(f"{data}: its classes are not those that {runs[0]} was trained on")
    photos, held_out = decode_parts(train, validation, labels, settings)
    if parts_sha256(photos, held_out) != records[0]["data_sha256"]:
        raise ConfigError(f"{data}: not the data set that {runs[0]} was trained on: photos, labels or splits differ")
    logits = logits_of(model, held_out)
    out.mkdir(parents=True, exist_ok=True)
    save_weights(out / WEIGHTS, model, labels)
    save_held_out(out, logits, held_out.targets, labels)
    record = records[0] | provenance() | {
        "seed": [record["seed"] for record in records],
        "averaged_sha256": [weights_sha256(run / WEIGHTS) for run in runs],
        "metrics": {"validation": scores(logits, held_out.targets)},
    }  # fmt: skip
    write_json(out / RECORD, record)
    say(f"averaged {len(runs)} runs")
    return record


def _mean(paths: Sequence[Path], record: dict[str, Any]) -> ImageClassifier:
    weights = [load_tensors(path)[0] for path in paths]
    architecture = record["architecture"]
    model = create_model(architecture["name"], len(record["labels"]), **architecture["settings"])
    if any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules()):
        raise ConfigError(f"{paths[0]}: has batch norm, whose statistics do not average; train with it folded")
    model.load_state_dict({name: torch.stack([part[name] for part in weights]).mean(0) for name in weights[0]})
    return model.eval()


def _check_alike(runs: Sequence[Path], records: Sequence[dict[str, Any]]) -> None:
    for run, record in zip(runs, records, strict=True):
        key = first_difference(records[0], record, but_seed=True)
        if key:
            raise ConfigError(f"{run}: its '{key}' are not those of {runs[0]}; only seeds may differ")
    if records[0].get("init_sha256") is None:
        raise ConfigError(f"{runs[0]}: began with random weights; only runs from the same first weights average")
    if len({weights_sha256(run / WEIGHTS) for run in runs}) < max(2, len(runs)):
        raise ConfigError("averaging needs two runs or more, each of other weights")
