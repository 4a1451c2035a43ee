"""The smaller tables: data sets, training runs, compression, scoring, abstention."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clothing_classifier.config import TrainSettings
from clothing_classifier.evaluation.calibration import PrecisionPoint, point_that_kept
from clothing_classifier.report.document import Cell, Part, Table, Text

_PRECISIONS = (0.9, 0.95, 0.97, 0.99)


def compression_table(report: Mapping[str, Any]) -> Table:
    """The parent, then each candidate: accuracy, paired drop, cost, speed relative to the parent, and the verdict."""
    parent = report["parent"]
    rows: list[list[str | Cell]] = [["parent", f"{parent['accuracy']:.1%}", "", "", *_sizes(parent), "1x", "1x", ""]]
    for entry in report["candidates"]:
        drops = (f"{100 * entry['drop']:.1f}", f"{100 * entry['drop_upper']:.1f}")
        speeds = (f"{entry['speedup'][case]:.2g}x" for case in ("latency", "batch"))
        verdict = Cell(entry["verdict"], "good" if entry["accepted"] else "bad")
        rows.append([entry["name"], f"{entry['accuracy']:.1%}", *drops, *_sizes(entry), *speeds, verdict])
    columns = ["candidate", "accuracy", "drop", "at most", "MACs", "params", "MB", "latency", "batch", "verdict"]
    note = (
        f"drop: points of accuracy, paired, on {parent['n']} validation photos; at most: its one-sided 90% bound, "
        f"accepted up to {100 * report['max_drop']:.1f}; latency and batch: speed-up on one thread"
    )
    return Table(columns, rows, range(1, 9), note=note)


def _sizes(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{entry['macs'] / 1e6:.0f}M", f"{entry['params'] / 1e6:.2f}M", f"{entry['bytes'] / 1e6:.2f}"


def score_parts(output: Path, report: Mapping[str, Any]) -> list[Part]:
    """A scored collection: its labels, its errors, and what this run did."""
    tables = [
        _frequency_table(name, report[key], report["rows"]) for name, key in (("label", "labels"), ("error", "errors"))
    ]
    done = [f"{output}: {report['rows']:,} rows"]
    if report["abstained"]:
        done.append(f"{report['abstained']:,} abstained")
    if report["kept"]:
        done.append(f"{report['kept']:,} of them from earlier runs")
    if report["scored"]:
        done.append(f"{report['scored']:,} in {report['seconds']:.1f} s, {report['rows_per_second']:.0f} a second")
    return [*(table for table in tables if table.rows), Text("; ".join(done))]


def _frequency_table(name: str, counts: Mapping[str, int], total: int) -> Table:
    rows: list[list[str | Cell]] = [
        [key, f"{n:,}", Cell(f"{n / total:.1%}", fraction=n / total)] for key, n in counts.items()
    ]
    return Table([name, "photos", "fraction"], rows, [1, 2])


def abstention_table(curve: Sequence[Mapping[str, float]]) -> Table:
    """For each precision that was reached on validation, its threshold and the fraction of photos above it."""
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
