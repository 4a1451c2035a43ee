"""Train on a data set into a run folder: `train` prepares photos, network and teachers, `loop.fit` does the rest."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from clothing_classifier.config import DistillationSettings, TrainSettings
from clothing_classifier.datasets import Dataset
from clothing_classifier.errors import ConfigError, DatasetError
from clothing_classifier.evaluation.parity import MIN_GATE_PHOTOS, MORE_VALIDATION
from clothing_classifier.evaluation.provenance import RECORD, provenance
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.training.checkpoint import STATE, load_model, weights_sha256
from clothing_classifier.training.data import epoch_batches
from clothing_classifier.training.device import kernels_for, make_accelerator
from clothing_classifier.training.distillation import TeacherPredictions, load_teachers
from clothing_classifier.training.initialisation import initialise
from clothing_classifier.training.loop import fit
from clothing_classifier.training.optimization import check_batch_norm, freeze_stages
from clothing_classifier.training.run_folder import WEIGHTS, clean, read_resumed, save_held_out, weights_in
from clothing_classifier.training.splits import Splits, decode_splits, load_splits
from clothing_classifier.training.teacher_cache import cached_predictions
from clothing_classifier.training.validation import images_from_pixels, predict_logits
from clothing_classifier.utils import keep_large_blocks, write_json

_CALIBRATION_PHOTOS = 256
_WISE_FT = "setting optimization.wise_ft_alpha: needs first weights of the same classes; name some with --init"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """A finished run: its record (`run.json`), and the rows and photos that could not be used."""

    record: dict[str, Any]
    failures: tuple[str, ...]


def train(
    root: Path,
    settings: TrainSettings,
    out: Path,
    init: Path | None = None,
    resume: bool = False,
    teachers: Sequence[Path] = (),
) -> Outcome:
    """Train on the data set in `root` and leave a run folder in `out`.

    `init` is a safetensors file (see `initialisation.initialise`); without it the weights are random. `teachers` are
    run folders, or weights that `train` wrote, of the same classes. `resume` goes on from the last finished epoch of
    the run in `out`, or from the start where none is finished; a finished run stays as it is. Raises `UsageError`s.

    Where a launcher started several processes, all of them call this with the same arguments and return the same
    record; the main process writes to `out`.
    """
    if (out / RECORD).exists() and not resume:
        raise ConfigError(f"{out}: holds a run already; go on with --resume or choose another --out")
    _check_settings(settings, init, teachers)
    keep_large_blocks()
    accelerator = make_accelerator(settings.runtime)
    with accelerator.local_main_process_first():  # what it decodes, the others of its host find in the cache
        splits, failures = _read(root, settings)
    record = _record(settings, splits, init, teachers, failures) | _hardware(accelerator)
    before = read_resumed(out, record) if resume else None
    _check_processes(accelerator, record, out if before else None)
    if resume and before is None:
        logger.info(f"{out}: holds no run to go on with; this one begins")
    if before and "metrics" in before:
        accelerator.end_training()
        return Outcome(before, failures)
    if before and before["processes"] != record["processes"]:
        logger.info(f"{before['processes']} processes before, {record['processes']} now: random views change")

    model = _model(settings, splits, init)
    batches = epoch_batches(len(splits.train), settings.optimization.batch_size, 0, 0, accelerator)
    check_batch_norm(model, min(map(len, batches)))
    predictions = _teacher_predictions(teachers, settings, splits, record, accelerator)
    record |= {"architecture": model.architecture}
    if accelerator.is_main_process:
        clean(out, resume=before is not None)
        write_json(out / RECORD, record)
    accelerator.wait_for_everyone()
    with kernels_for(model):
        state = fit(model, splits, settings, accelerator, predictions, out)

    record |= {"metrics": {"validation": state.best}}
    if accelerator.is_main_process:
        kept, _ = load_model(out / WEIGHTS)
        save_held_out(out, predict_logits(kept, splits.validation), splits.validation, splits.labels)
        write_json(out / RECORD, record)
    accelerator.end_training()
    return Outcome(record, failures)


def _check_settings(settings: TrainSettings, init: Path | None, teachers: Sequence[Path]) -> None:
    if not teachers and settings.distillation != DistillationSettings():
        raise ConfigError("settings of distillation need a teacher; name one with --teacher")
    if init is not None:
        return
    if settings.optimization.wise_ft_alpha < 1:
        raise ConfigError(_WISE_FT)
    if settings.optimization.frozen_stages:
        changes = ["optimization.frozen_stages=0"]
        if settings.model.settings.get("batch_norm") is False:  # only trained weights keep activations in bounds
            changes.append("model.settings.batch_norm=true")
        raise ConfigError(
            f"setting optimization.frozen_stages: {settings.optimization.frozen_stages}, of random weights; start from "
            f"others with --init wardrobe, or train all: {' '.join(f'--set {change}' for change in changes)}"
        )


def _read(root: Path, settings: TrainSettings) -> tuple[Splits, tuple[str, ...]]:
    """Photos to train on and to validate on, and the rows and photos that can't be used."""
    dataset, train_records, validation_records = load_splits(root, settings.data)
    labels = tuple(sorted({record.label for record in train_records}))
    if len(labels) < 2:
        raise DatasetError(
            f"{root}: all photos to train on have the label '{labels[0]}'; a classifier needs two classes"
        )
    splits = decode_splits(train_records, validation_records, labels, settings)
    if lost := set(range(len(labels))) - set(splits.train.targets.tolist()):
        why = f"none of its photos to train on can be read; first: {splits.train.failures[0]}"
        raise DatasetError(f"{root}: '{labels[min(lost)]}': {why}")
    failures = (*map(str, dataset.bad_rows), *map(str, splits.train.failures + splits.validation.failures))
    unused = len(dataset.records) - len(train_records) - len(validation_records)
    for message in (*failures, *dataset.notes, *_remarks(dataset, splits, unused, bool(settings.data.folds))):
        logger.info(message)
    return splits, failures


def _remarks(dataset: Dataset, splits: Splits, unused: int, folds: bool) -> list[str]:
    remarks = []
    if dataset.set_aside:
        remarks.append(f"{dataset.set_aside} rows ignored: blank in a column that you named")
    if unused:
        remarks.append(f"{unused} rows ignored: in splits that training does not use")
    train, validation = splits.train, splits.validation
    remarks.append(f"{len(train)} photos to train on, {len(validation)} to validate, {len(splits.labels)} classes")
    if not folds and not any(record.split for record in dataset.records):
        remarks.append(
            "the data has no split: validation is cut from it, and no photo is left to measure the finished model by"
        )
    if len(validation) < MIN_GATE_PHOTOS:
        remarks.append(f"warning: to validate, 'clothing export' needs at least {MIN_GATE_PHOTOS}: {MORE_VALIDATION}")
    return remarks


def _record(
    settings: TrainSettings, splits: Splits, init: Path | None, teachers: Sequence[Path], failures: tuple[str, ...]
) -> dict[str, Any]:
    return {
        **provenance(),
        "settings": settings.model_dump(mode="json"),
        "init": init.name if init else None,
        "init_sha256": weights_sha256(init) if init else None,
        "teachers_sha256": [weights_sha256(weights_in(path)) for path in teachers],
        "data_sha256": splits.sha256,
        "seed": settings.runtime.seed,
        "n": {"train": len(splits.train), "validation": len(splits.validation), "failed": len(failures)},
        "labels": list(splits.labels),
    }


def _hardware(accelerator: Accelerator) -> dict[str, Any]:
    device = accelerator.device
    gpu = {"gpu": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}
    kind = {"device": device.type, "precision": accelerator.mixed_precision}
    return {"processes": accelerator.num_processes, **kind, **gpu}


def _check_processes(accelerator: Accelerator, record: dict[str, Any], resumed: Path | None) -> None:
    """Raise `ConfigError` in every process where one has other settings, files or hardware than the main one."""
    if accelerator.num_processes == 1:
        return
    keys = ("settings", "init_sha256", "teachers_sha256", "data_sha256", "device", "precision")
    mine = {key: record[key] for key in keys}
    mine["state"] = weights_sha256(resumed / STATE) if resumed and (resumed / STATE).exists() else None
    main, *others = gather_object([mine])
    for process, other in enumerate(others, 1):
        if different := [key for key in main if other[key] != main[key]]:
            raise ConfigError(
                f"process {process}: '{different[0]}' differs from the main process's; give every process the same "
                "command, data, weights and run folder"
            )


def _model(settings: TrainSettings, splits: Splits, init: Path | None) -> ImageClassifier:
    torch.manual_seed(settings.runtime.seed)
    model = create_model(settings.model.name, len(splits.labels), settings.model.dropout, **settings.model.settings)
    if init is not None:
        some = epoch_batches(len(splits.train), _CALIBRATION_PHOTOS, settings.runtime.seed, 0)[0]
        pixels, _ = next(iter(splits.train.batches([some])))
        loaded = initialise(model, init, splits.labels, images_from_pixels(pixels))
        if settings.optimization.wise_ft_alpha < 1 and not loaded.has_classifier:
            raise ConfigError(f"{_WISE_FT}; those of {init} are of others")
        logger.info(loaded.summary)
    freeze_stages(model, settings.optimization.frozen_stages)
    return model


def _teacher_predictions(
    paths: Sequence[Path], settings: TrainSettings, splits: Splits, record: dict[str, Any], accelerator: Accelerator
) -> TeacherPredictions | None:
    """What the student learns from: teachers, or their predictions in the cache; None without teachers."""
    teachers = load_teachers(paths, splits.labels, record["data_sha256"])
    if teachers is None:
        return None
    accelerator.prepare_model(teachers, evaluation_mode=True)
    if not settings.distillation.views:
        return teachers
    if accelerator.num_processes > 1:
        raise ConfigError("setting distillation.views: cached teacher predictions are for one process; use 0")
    cached = cached_predictions(splits.train, splits.labels, settings, record)
    cached.fill(teachers, accelerator.device)
    return cached
