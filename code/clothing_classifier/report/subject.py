"""The subject of a report: a bundle or a run with its record, its photos and its network's analysis."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clothing_classifier import evaluation
from clothing_classifier.config import TrainSettings, parse_settings
from clothing_classifier.datasets import TABLE, Columns, Dataset, Record, load_dataset, match_labels, read_table
from clothing_classifier.errors import ClothingError, ConfigError, UsageError
from clothing_classifier.evaluation.calibration import softmax
from clothing_classifier.evaluation.predictions import ProbabilityFunction
from clothing_classifier.evaluation.provenance import RECORD, read_record
from clothing_classifier.inference.bundle import Bundle, find, load_bundle
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.utils import ProgressBar


@dataclass(frozen=True)
class Measured:
    """Figures of an evaluation (`evaluation.figures`), and `on` which photos, in words."""

    on: str
    figures: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """A model and what is known of it; what is not is None, and `missing` says what would add it.

    `reference` is the name or path that the user gave; `record` the run's, also for a bundle; `measured` the
    evaluations, the most relevant first; `history` the run's history.csv; `unknown` counts the data set's photos of
    classes that the model does not know, which `dataset` is without; `analysis` is that of `clothing analyze`.
    """

    name: str
    labels: tuple[str, ...]
    record: dict[str, Any]
    settings: TrainSettings
    architecture: dict[str, Any]
    contract: ImageContract
    reference: str
    bundle: Bundle | None = None
    measured: tuple[Measured, ...] = ()
    history: Path | None = None
    dataset: Dataset | None = None
    columns: Columns = field(default_factory=Columns)
    unknown: dict[str, int] = field(default_factory=dict)
    analysis: dict[str, Any] | None = None
    missing: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The side of the network's input, px."""
        return self.contract.size

    @property
    def stages(self) -> list[dict[str, Any]]:
        """Stages as a bundle or the analysis has them; empty where neither is known."""
        if self.bundle:
            return self.bundle.manifest.stages
        return list(self.analysis["stages"]) if self.analysis else []

    def without(self, line: str) -> "Subject":
        """The subject with one more line in `missing`."""
        return replace(self, missing=(*self.missing, line))


def read_subject(model: str, run: Path | None = None) -> Subject:
    """Read a run folder, or a bundle by name, folder or zip file, with the `run` that it was exported from.

    Raises `UsageError`s.
    """
    path = Path(model)
    if (path / RECORD).is_file():
        if run:
            raise UsageError(f"{model}: a run already; --run goes with a bundle")
        return _read_run(path)
    subject = _read_bundle(model)
    if run is None:
        return subject.without("the training history: a bundle does not hold it; give --run, its run folder")
    record = read_record(run)
    if record != {key: subject.record.get(key) for key in record}:
        raise UsageError(f"{run}: not the run that {model} was exported from: their records differ")
    return _with_history(subject, run)


def _read_bundle(model: str) -> Subject:
    loaded = load_bundle(find(model))
    manifest = loaded.manifest
    on = "validation, when it was exported" + (", without orientation correction" if manifest.orientation else "")
    return Subject(
        manifest.name, tuple(manifest.labels), manifest.provenance, parse_settings(manifest.provenance["settings"]),
        manifest.architecture, loaded.contract, model, loaded, (Measured(on, manifest.validation),),
    )  # fmt: skip


def _read_run(path: Path) -> Subject:
    record = read_record(path)
    settings = parse_settings(record["settings"])
    subject = Subject(
        path.resolve().name, tuple(record["labels"]), record, settings, record["architecture"],
        ImageContract(settings.image.size, settings.image.fit), str(path),
    )  # fmt: skip
    subject = _with_history(subject, path)
    try:
        measured = _held_out(path, subject.labels)
    except ModuleNotFoundError as error:
        return subject.without(_not_installed(error, "results"))
    except ConfigError as error:
        return subject.without(f"results on what the run held out: {error}")
    return replace(subject, measured=(measured,)).without(
        "calibrated confidence and thresholds: 'clothing export' finds them; make a report of its bundle"
    )


def _with_history(subject: Subject, run: Path) -> Subject:
    if not (run / "history.csv").is_file():
        return subject.without(f"the training history: {run} has no history.csv")
    return replace(subject, history=run / "history.csv")


def _held_out(run: Path, labels: Sequence[str]) -> Measured:
    """The run's own predictions on its validation photos, before calibration."""
    from clothing_classifier.training.run_folder import load_held_out

    held_out = load_held_out([run], labels)
    figures = evaluation.figures(held_out.targets, softmax(held_out.logits), labels, held_out.groups)
    return Measured("validation, before calibration", figures)


def with_data(subject: Subject, root: Path, given: Columns) -> Subject:
    """The subject with a data set: columns as `given`, else as the run read them where the table has them.

    Photos of classes that the model does not know are counted in `unknown` and left out. Raises `UsageError`s.
    """
    trained = subject.settings.data
    header = read_table(root / TABLE)[0] if (root / TABLE).is_file() else []

    def choose(own: str | None, theirs: str | None) -> str | None:
        return own or (theirs if theirs in header else None)

    columns = Columns(
        choose(given.label, trained.label_column),
        choose(given.group, trained.group_column),
        choose(given.split, trained.split_column),
    )
    dataset = load_dataset(root, columns)
    known = match_labels(dataset.labels, subject.labels)
    records = tuple(record for record in dataset.records if record.label in known)
    if not records:
        raise UsageError(f"{root}: no photo is of a class that {subject.name} knows ({', '.join(subject.labels)})")
    unknown = Counter(record.label for record in dataset.records if record.label not in known)
    return replace(subject, dataset=replace(dataset, records=records), columns=columns, unknown=dict(unknown))


def choose_split(dataset: Dataset, split: str | None) -> tuple[str, tuple[Record, ...]]:
    """The photos to measure on: of `split`, else of test, else of validation, else all. Raises `DatasetError`."""
    found = {record.split for record in dataset.records}
    name = split or next((name for name in ("test", "validation") if name in found), "all")
    return name, dataset.part_or_all(name)


def with_measurement(
    subject: Subject,
    predict: ProbabilityFunction,
    split: str,
    records: Sequence[Record],
    slices: Sequence[str],
    advance: ProgressBar,
) -> Subject:
    """The subject measured on `records`, by the columns `slices`; raises `UsageError`s."""
    dataset = subject.dataset
    if dataset is None:
        raise UsageError("nothing to measure on: give --data")
    readers = {name: evaluation.column_reader(name, dataset.records, subject.columns) for name in slices}
    report = evaluation.evaluate(predict, records, subject.labels, advance, slices=readers)
    on = f"{'all' if split == 'all' else f'the {split}'} photos of '{dataset.root.resolve().name}'"
    notes = report.notes
    if split in ("all", "train"):
        notes += ("the model may have been trained on some of these photos: the metrics can be too high",)
    measured = (Measured(on, report.figures, notes), *subject.measured)
    return replace(subject, measured=measured, failures=(*subject.failures, *report.failures))


def with_analysis(subject: Subject) -> Subject:
    """The subject with its network analysed, where torch and what the network needs are installed."""
    try:
        from clothing_classifier import analysis
        from clothing_classifier.analysis.stages import describe_stages
        from clothing_classifier.models import create_model

        architecture = subject.architecture
        model = create_model(architecture["name"], len(subject.labels), **architecture["settings"])
        traced = analysis.trace(model, (3, subject.size, subject.size))
    except ModuleNotFoundError as error:
        return subject.without(_not_installed(error, "the cost of each layer"))
    except ClothingError as error:
        return subject.without(f"the cost of each layer: {error}")
    found = analysis.summarise(subject.name, traced)
    return replace(subject, analysis=found | {"stages": describe_stages(model, subject.size)})


def _not_installed(error: ModuleNotFoundError, what: str) -> str:
    if (error.name or "").startswith("clothing_classifier"):
        raise error
    return f"{what}: {error.name} is not installed (pip install '.[train]' in the project's folder)"
