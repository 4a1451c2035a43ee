"""From records to a run folder: `train` prepares the photos and the network, `loop.fit` does the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from clothing_classifier.config import DistillationSettings, TrainSettings
from clothing_classifier.errors import ConfigError, DatasetError
from clothing_classifier.evaluation.parity import MIN_GATE_PHOTOS, MORE_VALIDATION
from clothing_classifier.evaluation.provenance import RECORD, provenance, read_any_record
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.training.checkpoint import load_model, weights_sha256
from clothing_classifier.training.data import Photos, epoch_order
from clothing_classifier.training.device import kernels_for, make_accelerator
from clothing_classifier.training.distillation import load_teachers
from clothing_classifier.training.initialisation import initialise
from clothing_classifier.training.loop import STATE, fit, logits_of, to_images
from clothing_classifier.training.optimization import freeze
from clothing_classifier.training.parts import decode_parts, load_parts, parts_sha256
from clothing_classifier.training.processes import processes_of
from clothing_classifier.training.run_folder import (
    WEIGHTS,
    check_same,
    first_difference,
    save_held_out,
    weights_in,
)
from clothing_classifier.training.stored_answers import store_answers
from clothing_classifier.utils import first_process, keep_large_blocks, write_json

_CALIBRATION_PHOTOS = 256
_START_SHARE = "setting optimization.start_share: needs first weights of the same classes; name some with --init"


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
    say: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Train on the data set in `root` and leave a run folder in `out`.

    `init` is a safetensors file (see `initialisation.initialise`); without it the weights are random. `teachers` are
    run folders, or weights that `train` wrote, of the same classes. `resume` goes on from the last finished epoch of
    the run in `out`, or from the start where none is finished; a finished run stays as it is. Raises `UsageError`s.

    Where a launcher started several processes, all of them call this with the same arguments and return the same
    record; only the first says anything and writes to `out`.
    """
    if first_process() and (out / RECORD).exists() and not resume:
        raise ConfigError(f"{out}: holds a run already; go on with --resume or choose another --out")
    keep_large_blocks()
    accelerator = make_accelerator(settings.runtime)
    processes = processes_of(accelerator)
    if not processes.first:
        say = _nothing
    if not teachers and settings.distillation != DistillationSettings():
        raise processes.of_all(ConfigError("settings of distillation need a teacher; name one with --teacher"))
    if settings.optimization.start_share and init is None:
        raise processes.of_all(ConfigError(_START_SHARE))
    if init is None and settings.optimization.frozen_stages:
        raise processes.of_all(ConfigError(_random_and_frozen(settings)))
    for turn in (True, False):  # what the first process of a host decodes, its others find in the cache
        with processes.agree():
            if processes.first_here == turn:
                photos, held_out, labels, failures = _photos(root, settings, say)
                record = _record(settings, photos, held_out, labels, init, teachers, failures)
    kind = {"device": accelerator.device.type, "precision": accelerator.mixed_precision}
    gpu = {"gpu": torch.cuda.get_device_name(accelerator.device)} if kind["device"] == "cuda" else {}
    record |= {"processes": processes.count} | kind | gpu
    firsts = processes.from_first(record)
    before = None
    with processes.agree():
        check_same(firsts, record)
        if resume and processes.first:
            before = _read_same(out, record)
    before = processes.from_first(before)
    if resume and before is None:
        say(f"{out}: holds no run to go on with; this one begins")
    if before and "metrics" in before:
        return Outcome(before, failures)
    if before and before.get("processes", 1) != processes.count:
        say(f"processes: {processes.count}, and {before.get('processes', 1)} before; random views change from here on")
    if settings.distillation.views and processes.count > 1:
        raise processes.of_all(ConfigError("setting distillation.views: stored answers are for one process; use 0"))
    with processes.agree():
        model = _model(settings, labels, photos, init, say)
        taught = load_teachers(teachers, labels, record["data_sha256"], settings.distillation.temperature)
        record |= {"architecture": model.architecture}
        if processes.first:
            if before is None:
                (out / STATE).unlink(missing_ok=True)  # of a run whose record is gone
            for part in out.glob(".*.part"):  # of one that was killed while it wrote
                part.unlink()
            write_json(out / RECORD, record)
    stored = None
    if taught and settings.distillation.views:
        stored = store_answers(photos, labels, settings, record, kind["precision"])
    with kernels_for(model):
        state = fit(
            model, photos, held_out, labels, settings, accelerator, taught, out, before is not None,
            lambda row: say(_line(row)), stored,
        )  # fmt: skip
    record |= {"metrics": {"validation": state.best}}
    if processes.first:
        kept, _ = load_model(out / WEIGHTS)
        groups = [photo.group for photo in held_out.records]
        save_held_out(out, logits_of(kept, held_out), held_out.targets, labels, groups, held_out.keys)
        write_json(out / RECORD, record)
    return Outcome(record, failures)


def _random_and_frozen(settings: TrainSettings) -> str:
    changes = ["optimization.frozen_stages=0"]
    if settings.model.settings.get("batch_norm") is False:  # nothing but trained weights keeps activations in bounds
        changes.append("model.settings.batch_norm=true")
    return (
        f"setting optimization.frozen_stages: {settings.optimization.frozen_stages}, of random weights; start from "
        f"others with --init wardrobe, or let all learn: {' '.join(f'--set {change}' for change in changes)}"
    )


def _photos(
    root: Path, settings: TrainSettings, say: Callable[[str], None]
) -> tuple[Photos, Photos, tuple[str, ...], tuple[str, ...]]:
    """Photos to train on and to validate, their labels, and what can't be used."""
    dataset, train_records, validation_records = load_parts(root, settings.data)
    labels = tuple(sorted({record.label for record in train_records}))
    if len(labels) < 2:
        raise DatasetError(
            f"{root}: all photos to train on have the label '{labels[0]}'; a classifier needs two classes"
        )
    photos, held_out = decode_parts(train_records, validation_records, labels, settings)
    if lost := set(range(len(labels))) - set(photos.targets.tolist()):
        why = f"none of its photos to train on can be read; first: {photos.failures[0]}"
        raise DatasetError(f"{root}: '{labels[min(lost)]}': {why}")
    failures = (*map(str, dataset.bad_rows), *map(str, photos.failures + held_out.failures))
    for failure in failures:
        say(failure)
    for note in dataset.notes:
        say(note)
    unused = len(dataset.records) - len(train_records) - len(validation_records)
    for count, why in (
        (dataset.set_aside, "blank in a column that you named"),
        (unused, "of parts that training leaves alone"),
    ):
        if count:
            say(f"{count} rows set aside: {why}")
    say(f"{len(photos)} photos to train on, {len(held_out)} to validate, {len(labels)} classes")
    if not settings.data.folds and not any(record.split for record in dataset.records):
        say("the data has no split: validation is cut from it, and no photo is left to measure the finished model by")
    if len(held_out) < MIN_GATE_PHOTOS:
        say(f"warning: to validate, 'clothing export' needs at least {MIN_GATE_PHOTOS}: {MORE_VALIDATION}")
    return photos, held_out, labels, failures


def _model(
    settings: TrainSettings, labels: tuple[str, ...], photos: Photos, init: Path | None, say: Callable[[str], None]
) -> ImageClassifier:
    torch.manual_seed(settings.runtime.seed)
    model = create_model(settings.model.name, len(labels), settings.model.dropout, **settings.model.settings)
    if init is not None:
        some = epoch_order(len(photos), _CALIBRATION_PHOTOS, settings.runtime.seed, 0)[0]
        pixels, _ = next(iter(photos.batches([some])))
        taken = initialise(model, init, labels, to_images(pixels))
        if settings.optimization.start_share and not taken.has_classifier:
            raise ConfigError(f"{_START_SHARE}; those of {init} are of others")
        say(taken.sentence)
    freeze(model, settings.optimization.frozen_stages)
    return model


def _record(
    settings: TrainSettings,
    photos: Photos,
    held_out: Photos,
    labels: tuple[str, ...],
    init: Path | None,
    teachers: Sequence[Path],
    failures: tuple[str, ...],
) -> dict[str, Any]:
    return {
        **provenance(),
        "settings": settings.model_dump(mode="json"),
        "init": init.name if init else None,
        "init_sha256": weights_sha256(init) if init else None,
        "teachers_sha256": [weights_sha256(weights_in(path)) for path in teachers],
        "data_sha256": parts_sha256(photos, held_out),
        "seed": settings.runtime.seed,
        "n": {"train": len(photos), "validation": len(held_out), "failed": len(failures)},
        "labels": list(labels),
    }


def _read_same(out: Path, record: dict[str, Any]) -> dict[str, Any] | None:
    """The record in `out`, if there is one; raises `ConfigError` where it is of another run than `record`."""
    if not (out / RECORD).exists():  # stopped before anything was written: there is nothing to contradict
        return None
    before = read_any_record(out)
    difference = first_difference(before, record)
    if difference:
        raise ConfigError(f"{out}: can't resume the run that was stopped: {difference}")
    return before


def _nothing(line: str) -> None:
    pass


def _line(row: dict[str, float]) -> str:
    return (
        f"epoch {row['epoch']}: loss {row['loss']:.3f}, validation accuracy {row['accuracy']:.3f}, "
        f"macro-F1 {row['macro_f1']:.3f}, {row['images_per_second']:.0f} images/s"
    )
