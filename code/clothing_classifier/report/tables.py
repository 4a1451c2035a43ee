"""Tables that tell the same thing in a report, in README.md and in the model cards: figures in, `Table` out."""

from collections.abc import Mapping, Sequence
from typing import Any

from clothing_classifier.config import TrainSettings
from clothing_classifier.evaluation.calibration import PrecisionPoint, point_that_kept
from clothing_classifier.evaluation.metrics import takes_photos_as_independent
from clothing_classifier.report.document import Table
from clothing_classifier.utils import costliest

METRICS = {
    "accuracy": ("accuracy", "of the photos as they come, how many get the right label"),
    "balanced_accuracy": ("balanced accuracy", "mean recall, each class alike: rare classes count"),
    "macro_f1": ("macro-F1", "mean F1, each class alike: sees classes that fill up with what belongs elsewhere"),
    "weighted_f1": ("weighted F1", "mean F1, each photo alike"),
    "auroc": ("AUROC", "how well a class's photos are sorted before the rest; mean over classes"),
    "top3": ("top-3 accuracy", "how often the right label is among three suggestions"),
    "log_loss": ("log loss", "whether the probabilities are good; confident mistakes cost most (nats, 0 is best)"),
    "brier": ("Brier score", "squared distance of the probabilities from the truth (0 is best, 2 worst)"),
    "ece": ("calibration error", "how far confidence is from being right as often as it says"),
    "aurc": ("risk over coverage", "whether confidence puts mistakes last (0 is best)"),
}
"""Each figure of an evaluation: its name, and the question that it answers."""

_SHARES = frozenset({"accuracy", "balanced_accuracy", "top3", "ece"})
_PRECISIONS = (0.9, 0.95, 0.97, 0.99)
_CONFUSIONS, _VALUES = 6, 12


def number(key: str, value: float) -> str:
    """A figure of an evaluation as it is written: a share in percent, another one with three decimals."""
    return f"{value:.1%}" if key in _SHARES else f"{value:.3f}"


def span(interval: Sequence[float]) -> str:
    """Both ends of an interval of shares."""
    return f"{interval[0]:.1%} to {interval[1]:.1%}"


def metric_table(figures: Mapping[str, Any]) -> Table:
    """Each figure that was measured, with its interval where it has one, and what it says."""
    rows = []
    for key, (name, meaning) in METRICS.items():
        if key in figures:
            interval = f" ({span(figures['accuracy_interval'])})" if key == "accuracy" else ""
            rows.append([name, number(key, figures[key]) + interval, meaning])
    return Table(["figure", "value", "what it says"], rows)


def class_table(figures: Mapping[str, Any]) -> Table:
    """Precision, recall and F1 of each class that occurs, the best first."""
    rows = [
        (
            label,
            row["support"],
            [f"{row[key]:.2f}" if key in row else "–" for key in ("precision", "recall", "f1")],
            row["f1"],
        )
        for label, row in figures["per_class"].items()
        if row["support"]
    ]
    rows.sort(key=lambda row: -row[3])
    columns = ["class", "photos", "precision", "recall", "F1"]
    return Table(columns, [[label, str(support), *values] for label, support, values, _ in rows], [1, 2, 3, 4])


def confusion_table(figures: Mapping[str, Any]) -> Table:
    """The pairs of classes that are taken for one another most often."""
    labels, matrix = figures["labels"], figures["confusion"]
    found = [
        (count, sum(row), labels[i], labels[j])
        for i, row in enumerate(matrix)
        for j, count in enumerate(row)
        if count and i != j
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1]))
    rows = [[truth, taken, str(count), f"{count / of:.0%}"] for count, of, truth, taken in found[:_CONFUSIONS]]
    return Table(["labelled", "taken for", "photos", "of the class"], rows, [2, 3])


def slice_table(name: str, values: Mapping[str, Mapping[str, Any]]) -> Table:
    """Accuracy at each value of a column, those with the most photos; * where photos are taken as independent."""
    rows = [
        [value, str(row["n"]), f"{row['accuracy']:.1%}", f"{span(row['accuracy_interval'])}{_mark(row)}"]
        for value, row in list(values.items())[:_VALUES]
    ]
    return Table([name, "photos", "accuracy", "95% interval"], rows, [1, 2, 3])


def _mark(row: Mapping[str, Any]) -> str:
    return " *" if takes_photos_as_independent(row["interval_method"]) else ""


def abstention_table(curve: Sequence[Mapping[str, float]]) -> Table:
    """For the precisions within reach, the threshold that kept them on validation, and how many photos it answers."""
    points = [PrecisionPoint(**point) for point in curve]
    rows = [
        [f"{wanted:g}", f"{point.threshold:.3f}", f"{point.coverage:.1%}"]
        for wanted in _PRECISIONS
        if (point := point_that_kept(points, wanted))
    ]
    return Table(["--min-precision", "confidence from", "photos answered"], rows, [0, 1, 2])


def count_table(counts: Mapping[str, Mapping[str, int]], parts: Sequence[str]) -> Table:
    """Photos of each class in all and in each part, the most frequent class first."""
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    rows = [[label, f"{sum(row.values()):,}", *(f"{row.get(part, 0):,}" for part in parts)] for label, row in ordered]
    columns = [sum(row.get(part, 0) for row in counts.values()) for part in parts]
    total = sum(sum(row.values()) for row in counts.values())
    rows.append(["all", f"{total:,}", *(f"{count:,}" for count in columns)])
    return Table(["class", "photos", *parts], rows, range(1, 2 + len(parts)), frozenset({len(rows) - 1}))


def stage_table(stages: Sequence[Mapping[str, Any]], size: int) -> Table:
    """Field, stride, place and cost of each stage, for a photo of `size` px."""
    total = sum(stage["macs"] for stage in stages)
    rows = []
    for stage in stages:
        field, stride, start = (_sides(stage[key]) for key in ("receptive_field", "stride", "start"))
        rows_seen, columns_seen = (min(side, size) for side in stage["receptive_field"])
        area = rows_seen * columns_seen / size**2
        of_photo = f"{area:.1%}" if area >= 0.001 else "< 0.1%"
        rows.append([stage["name"], f"{field} px", of_photo, f"{stride} px", f"{start} px",
                     f"{stage['macs']:,}", f"{stage['macs'] / max(total, 1):.1%}"])  # fmt: skip
    columns = ["stage", "receptive field", "of the photo", "effective stride", "starts at", "MACs", "share"]
    return Table(columns, rows, range(1, 7))


def layer_table(report: Mapping[str, Any], summary: str) -> Table:
    """Cost of each layer with products; marked are the fewest that make up half of the MACs."""
    layers, totals = [row for row in report["layers"] if row["macs"]], report["totals"]
    rows = [
        [row["name"].removeprefix("extractor."), row["kind"], " x ".join(map(str, row["output"])), f"{row['params']:,}",
         f"{row['macs']:,}", f"{row['flops']:,}", f"{row['macs'] / totals['macs']:.1%}"]
        for row in layers
    ]  # fmt: skip
    columns = ["layer", "kind", "output", "parameters", "MACs", "FLOPs", "share of MACs"]
    return Table(columns, rows, [3, 4, 5, 6], frozenset(costliest([row["macs"] for row in layers])), summary)


_OPTIMIZERS = {"adamw": "AdamW", "sgd": "SGD with Nesterov's momentum"}


def training_table(record: Mapping[str, Any], settings: TrainSettings) -> Table:
    """How a run learnt, from its record and settings."""
    chosen, image = settings.optimization, settings.image
    start = f"{record['init']} (SHA-256 {record['init_sha256'][:12]})" if record.get("init") else "random"
    teachers = len(record.get("teachers_sha256", []))
    kept = "the last" if chosen.keep == "last" else "the best on validation"
    epochs = f"{chosen.warmup_epochs:g} epoch{'' if chosen.warmup_epochs == 1 else 's'}"
    rates = f"learning rate {chosen.learning_rate:g}, weight decay {chosen.weight_decay:g}"
    photos, revision = record.get("n"), record.get("revision")
    rows = [
        *(
            [["photos", f"{photos['train']:,} to learn from, {photos['validation']:,} to validate on"]]
            if photos
            else []
        ),
        ["first weights", start],
        ["frozen", f"the first {chosen.frozen_stages} stages" if chosen.frozen_stages else "nothing"],
        ["objective", _objective(settings, teachers)],
        ["optimizer", f"{_OPTIMIZERS[chosen.optimizer]}, {rates}"],
        ["schedule", f"linear warm-up over {epochs}, then half a cosine down to 0"],
        ["batch", f"{chosen.batch_size} views of {settings.augmentation.size or image.size} px"],
        ["epochs", f"{chosen.epochs}; kept: {kept}{_wise_ft(chosen.wise_ft_alpha)}"],
        ["regularisation", _regularisation(settings, teachers)],
        ["seed", str(settings.runtime.seed)],
        *([["revision", f"{revision[:12]}{' with changes' if record.get('dirty') else ''}"]] if revision else []),
    ]
    return Table(["training", ""], rows)


def _wise_ft(alpha: float) -> str:
    return f", interpolated with the first weights (WiSE-FT, alpha {alpha:g})" if alpha < 1 else ""


def augmentation_list(settings: TrainSettings) -> list[str]:
    """What happens to a photo each time that it is learnt from."""
    chosen = settings.augmentation
    least, most = chosen.scale
    crop = f"a crop of {least:.0%} to {most:.0%} of the photo's area, stretched by up to {chosen.aspect:g}"
    found = [f"{crop}; over 100% it shrinks and its edge repeats" if most > 1 else crop] if chosen.resamples else []
    if chosen.shift:
        found.append(f"a shift of up to {chosen.shift} pixels to either side, where its edge repeats")
    if chosen.rotation:
        found.append(f"a turn of up to {chosen.rotation:g} degrees to either side")
    if chosen.flip:
        found.append("a mirror image, every second time")
    colours = {key: getattr(chosen, key) for key in ("brightness", "contrast", "saturation") if getattr(chosen, key)}
    if colours:
        found.append(f"{', '.join(f'{key} ± {value:.0%}' for key, value in colours.items())}")
    if chosen.erase:
        found.append(f"a rectangle covered, with a probability of {chosen.erase:.0%}")
    if chosen.corrupt:
        found.append(f"blur, down to an eighth of its resolution, with a probability of {chosen.corrupt:.0%}")
        found.append(f"noise of a deviation of up to 0.3 of full scale, with a probability of {chosen.corrupt:.0%}")
    return found


def _objective(settings: TrainSettings, teachers: int) -> str:
    smoothing = settings.optimization.label_smoothing
    labels = f"cross-entropy, labels smoothed by {smoothing:g}" if smoothing else "cross-entropy"
    if not teachers:
        return labels
    those = "one teacher" if teachers == 1 else f"{teachers} teachers"
    if settings.distillation.views:
        those += f" to {settings.distillation.views} views of each photo"
    return f"cross-entropy against the answers of {those}"


def _regularisation(settings: TrainSettings, teachers: int) -> str:
    parts = [f"weight decay {settings.optimization.weight_decay:g}", f"dropout {settings.model.dropout:g}"]
    if settings.optimization.label_smoothing and not teachers:
        parts.append(f"label smoothing {settings.optimization.label_smoothing:g}")
    if settings.optimization.ema_decay:
        parts.append(f"an exponential average of the weights ({settings.optimization.ema_decay:g})")
    return ", ".join([*parts, "augmentation"])


def _sides(values: Sequence[float]) -> str:
    shown = [f"{value:g}" for value in values]
    return shown[0] if shown[0] == shown[1] else " x ".join(shown)
