"""Blocks on a shipped model that a report tells of any model: the tables are the report's own."""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from clothing_classifier.config import TrainSettings
from clothing_classifier.evaluation.recorded import read_settings
from clothing_classifier.report import markdown, tables
from clothing_classifier.report.document import Table
from clothing_classifier.report.sections.network import corner_view
from clothing_classifier.report.sections.results import weak_classes
from readme.records import ROOT, finished, hardened, manifest, photo_rows, points, result

PARTS = ("train", "validation", "test")
_DEAREST = 5
"""Layers named in the open; the table has all."""
_PACKAGES = ("numpy", "pillow", "onnxruntime", "torch", "safetensors", "scikit-learn", "matplotlib", "fastapi", "ray")


def class_counts(model: str) -> dict[str, dict[str, int]]:
    """Photos of each class of a shipped model by part, from the manifest of the clothing photos."""
    found = Counter((row["label"], row["split"]) for row in photo_rows())
    return {
        label: {part: found[label, part] for part in PARTS if found[label, part]} for label in manifest(model)["labels"]
    }


def photos(model: str) -> str:
    """How many photos, of whom, and what was left out."""
    rows, labels = photo_rows(), manifest(model)["labels"]
    known = [row for row in rows if row["label"] in labels]
    senders = Counter(row["sender_id"] for row in known if row["sender_id"])
    left = Counter(row["label"] for row in rows if row["label"] not in labels)
    listed = ", ".join(f"{label} {count}" for label, count in left.most_common())
    first = f"{len(rows):,} photos, {len(known):,} of them in the {len(labels)} classes that {model} learns"
    who = f"{len(senders):,} people sent these, the most diligent of them {senders.most_common(1)[0][1]:,}"
    kids = sum(row["kids"] == "true" for row in known)
    return f"{first} (left out: {listed}). {who}; {kids} show children's clothes."


def labels(model: str) -> str:
    """The classes of a shipped model, as `predict` writes them."""
    return ", ".join(manifest(model)["labels"]) + "."


def counts(model: str) -> str:
    """Photos of each class by part."""
    table = tables.count_table(class_counts(model), PARTS)
    return markdown.table(Table(table.columns, table.rows, table.numeric, table.marked, "Photos of each class"))


def leaks(models: str) -> str:
    """How many of the photos that a model is judged by come from senders that it has learnt from."""
    lines = ["| split | part | photos | from senders seen in training |", "|---|---|---|---|"]
    for model in models.split(","):
        made = {"wardrobe": "ours, by sender", "benchmark-10": "of clothing-dataset-small, by photo"}[model]
        report = result(f"{model}-evaluation.json")
        for part in ("validation", "test"):
            seen = report[part]["senders_seen"]["photos"]
            lines.append(f"| {made} | {part} | {report[part]['n']} | {seen} |")
    return "\n".join(lines)


def augmentation(model: str) -> str:
    """What training does to a photo, and what only its hardening does."""
    always = tables.augmentation_list(_settings(_chosen(model)))
    learnt = tables.augmentation_list(settings_of(model))
    return "\n".join(f"- {line}" if line in always else f"- {line}, when hardened" for line in learnt)


def network(model: str) -> str:
    """What a shipped network is, in figures."""
    content, record = manifest(model), result(f"{model}-network.json")
    totals, size = record["totals"], content["preprocessing"]["size"]
    graph = (ROOT / "code" / "clothing_classifier" / "bundles" / model / "model.onnx").stat().st_size
    products = sum(bool(row["macs"]) for row in record["layers"])
    return (
        f"**{totals['params']:,} parameters** in {products} convolutional and linear layers, "
        f"{totals['macs'] / 1e6:.0f} million MACs for a photo of {size} x {size} px, {graph / 1e6:.1f} MB on disk in "
        f"{content['precision']}; {len(content['labels'])} classes."
    )


def training_settings(model: str) -> str:
    """How the runs behind a shipped model learnt: its teachers, the chosen student, and what that was hardened to."""
    runs = result(f"{model}-training.json")["runs"]
    kinds = {"teachers": [run for name, run in runs.items() if name.startswith("teacher")], "student": [_chosen(model)]}
    if last := hardened(model):
        kinds["hardened"] = [last]
    columns = [_training_cells(found) for found in kinds.values()]
    if last:
        columns[-1]["first weights"] = "the student's"
    rows = []
    for name in columns[0]:
        cells = [column[name] for column in columns]
        rows.append([name, *("the same" if i and cell == cells[i - 1] else cell for i, cell in enumerate(cells))])
    return markdown.table(Table(["training", *kinds], rows))


def _training_cells(runs: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Each row of `training_table`, with the values of all `runs` where these differ."""
    found: dict[str, list[str]] = {}
    for run in runs:
        for name, cell in tables.training_table(run, _settings(run)).rows:
            found.setdefault(name, []).append(cell)
    return {name: ", ".join(dict.fromkeys(cells)) for name, cells in found.items()}


def blocks(model: str) -> str:
    """What each stage of a shipped MobileNetV2 is made of."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in result(f"{model}-network.json")["layers"]:
        name, _, part = row["name"].removeprefix("extractor.").removesuffix(".conv").rpartition(".")
        if row["macs"]:
            parts.setdefault(name or part, []).append(row)
    names, first, channels, stride = list(parts), 0, 3, 1
    lines = ["| stage | blocks | expansion | channels | stride | parameters |", "|---|---:|---:|---:|---:|---:|"]
    for stage in manifest(model)["stages"]:
        end = names.index(stage["name"]) + 1
        expand, *rest = parts[names[first]]
        expansion = f"{expand['output'][0] // channels}" if len(rest) == 2 else ""
        count = f"{end - first}" if names[first].startswith("blocks") else ""
        params = sum(row["params"] for name in names[first:end] for row in parts[name])
        channels = parts[names[end - 1]][-1]["output"][0]
        step = stage["stride"][0] // stride
        lines.append(f"| {stage['name']} | {count} | {expansion} | {channels} | {step} | {params:,} |")
        first, stride = end, stage["stride"][0]
    last = parts[names[first]][0]
    return "\n".join([*lines, f"| {names[first]} |  |  | {last['output'][0]} |  | {last['params']:,} |"])


def recipe(model: str) -> str:
    """What a shipped model is and how it was trained, for its card."""
    content = manifest(model)
    image, run = content["preprocessing"], content["provenance"]
    views = content.get("views", 1)
    macs = views * sum(stage["macs"] for stage in content["stages"]) / 1e6
    held_out = f"{content['temperature']:.3f}, fitted to {run['calibration']['n']} held-out photos"
    rows = [
        ["classes", ", ".join(content["labels"])],
        ["network", f"{content['architecture']['name']}, {content['precision']}, {macs:.0f} million MACs"],
        ["input", f"{image['size']} px, fitted by '{image['fit']}'" + (" and its mirror image" if views == 2 else "")],
        *tables.training_table(run, settings_of(model)).rows,
        ["temperature", held_out],
    ]
    return markdown.table(Table(["", ""], rows))


def metrics(model: str) -> str:
    """Every figure of a shipped model on validation."""
    return markdown.table(tables.metric_table(result(f"{model}-evaluation.json")["validation"]))


def classes(model: str) -> str:
    """Precision, recall and F1 of each class on validation, or on the part behind a comma."""
    name, _, part = model.partition(",")
    return markdown.table(tables.class_table(result(f"{name}-evaluation.json")[part or "validation"]))


def confusions(model: str) -> str:
    """What is taken for what most often on validation."""
    return markdown.table(tables.confusion_table(result(f"{model}-evaluation.json")["validation"]))


def weaknesses(model: str) -> str:
    """The classes that validation says little or nothing good of."""
    return "\n".join(f"- {line}" for line in weak_classes(result(f"{model}-evaluation.json")["validation"]))


def stages(model: str) -> str:
    """Field, stride and MACs of each stage, from the bundle, and where it was measured the effective field."""
    content = manifest(model)
    size = content["preprocessing"]["size"]
    table = tables.stage_table(content["stages"], size)
    if not (ROOT / "results" / f"{model}-network.json").exists():  # a bundle without torch weights has none to measure
        return f"{markdown.table(table)}\n\n{model}, {size} px. {corner_view(content['stages'][-1], size)}"
    record = result(f"{model}-network.json")
    measured = {field["name"].removeprefix("extractor."): field for field in record["effective"]}
    rows = []
    for stage, cells in zip(content["stages"], table.rows, strict=True):
        field = measured[stage["name"]]
        share = field["area"] ** 0.5 / stage["receptive_field"][0]
        rows.append([*cells[:3], f"{' x '.join(map(str, field['extent']))} px", f"{share:.0%}", *cells[3:]])
    columns = [*table.columns[:3], "effective field", "effective side / field", *table.columns[3:]]
    about = (
        f"{model}, {size} px. {_field_by_hand(record)} {corner_view(content['stages'][-1], size)} Effective: on "
        f"{len(record['photos'])} drawn garments, rows x columns around all above 4.55% of the peak; the share of the "
        "field takes the root of how many these pixels are, not the extent."
    )
    return f"{markdown.table(Table(columns, rows, range(1, 9)))}\n\n{about}"


def _field_by_hand(record: dict[str, Any]) -> str:
    """The field as a sum over the kernels of 3 x 3, each of which adds twice the stride at its input."""
    counted: Counter[int] = Counter()
    field, stride = 1, 1
    for row in record["layers"]:
        if row["macs"] and row["receptive_field"][0] > field:
            assert row["receptive_field"][0] == field + 2 * stride
            counted[stride] += 1
            field = row["receptive_field"][0]
        if row["macs"]:
            stride = row["stride"][0]
    terms = " + ".join(f"{count} x {step}" for step, count in counted.items())
    return f"{field} = 1 + 2 x ({terms}): so many 3x3 kernels, times the stride at their input."


def layers(model: str) -> str:
    """The cost of each convolutional and linear layer, the costliest bold."""
    record = result(f"{model}-network.json")
    table = tables.layer_table(record, "Every layer; bold: the fewest that make up half of the MACs")
    totals = record["totals"]
    kinds: Counter[str] = Counter()
    for row in record["layers"]:
        kinds[row["kind"]] += row["macs"]
    shares = ", ".join(f"{kind} {macs / totals['macs']:.1%}" for kind, macs in kinds.most_common() if macs)
    costs = f"{totals['macs']:,} MACs and {totals['flops']:,} FLOPs a photo"
    marked = len(table.marked)
    dearest = sorted(record["layers"], key=lambda row: -row["macs"])[:_DEAREST]
    listed = ", ".join(
        f"`{row['name'].removeprefix('extractor.')}` {row['macs'] / totals['macs']:.1%}" for row in dearest
    )
    others: Counter[str] = Counter()
    for row in record["layers"]:
        others[row["type"]] += 0 if row["macs"] else row["flops"]
    rest = ", ".join(f"{flops:,} of `{name}`" for name, flops in others.most_common() if flops)
    return (
        f"{costs}; {marked} of {len(table.rows)} layers make up half of the MACs, first of all {listed}. "
        f"By kind: {shares}. FLOPs outside these layers: {rest}.\n\n{markdown.table(table)}"
    )


def quantization(model: str) -> str:
    """A shipped model in 32-bit arithmetic and as it ships, on the same photos."""
    paired = result("quantization.json")["models"][model]
    before, after = finished(model)["metrics"]["validation"], manifest(model)["validation"]
    folder = ROOT / "code" / "clothing_classifier" / "bundles" / model
    whole = result(f"{model}-network.json")["totals"]["params"] * 4 / 1e6
    rows = [
        ["32-bit floats", f"{whole:.1f} MB of weights", f"{paired['float_accuracy']:.1%}", f"{before['macro_f1']:.3f}"],
        ["8-bit integers, as it ships", f"{(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB",
         f"{paired['int8_accuracy']:.1%}", f"{after['macro_f1']:.3f}"],
    ]  # fmt: skip
    table = markdown.table(
        Table([f"{model}, {paired['n']} validation photos, each read once", "size", "accuracy", "macro-F1"], rows)
    )
    low, high = (-end for end in reversed(paired["drop_interval"]))
    change = f"{points(-paired['drop'])} (95% {points(low)} to {points(high)})"
    gain = f"int8 changes accuracy by {change}"
    chance = "which chance alone can do" if low <= 0 <= high else "more than chance alone would do to these photos"
    return f"{table}\n\nPaired by photo, {gain}, {chance}."


def quick_start() -> str:
    """What `make run` prints: its first and last lines."""
    record = result("quick-start.json")
    hidden = record["n"] - len(record["first"]) - len(record["last"])
    return "\n".join(["```", "$ make run", *record["first"], f"... {hidden} more lines", *record["last"], "```"])


def answer() -> str:
    """One answer of predict as JSON, its figures to three decimals."""

    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rounded(part) for key, part in value.items()}
        if isinstance(value, list):
            return [rounded(part) for part in value]
        return round(value, 3) if isinstance(value, float) else value

    found = rounded(result("quick-start.json")["answer"])
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in found.items()]
    return "\n".join(["```", f"$ clothing predict {found['path']} --format json", "{", ",\n".join(lines), "}", "```"])


def limits(model: str) -> str:
    """What the measurements say a shipped model can't do."""
    known = set(manifest(model)["labels"])
    rows = [row for row in photo_rows() if row["label"] in known]
    senders = Counter(row["sender_id"] for row in rows if row["sender_id"])
    most = sum(count for _, count in senders.most_common(10)) / len(rows)
    counted = {label: sum(row.values()) for label, row in class_counts(model).items()}
    rare = ", ".join(f"{label} ({counted[label]})" for label in sorted(counted, key=lambda label: counted[label])[:4])
    corruptions = result("robustness.json")["corruptions"]
    worst = sorted(corruptions.items(), key=lambda kind: -kind[1]["levels"][-1]["drop"])[:3]
    lost = ", ".join(f"{name} ({100 * kind['levels'][-1]['drop']:.0f} points)" for name, kind in worst)
    curve = result("learning-curve.json")
    law = curve["law"]["ten_times"]
    interval = " to ".join(map(points, law["gain_interval"]))
    gain = f"{points(law['gain'])} ({interval}) for ten times as many photos, and less with one"
    people = f"Ten of {len(senders)} senders took {most:.0%} of the photos"
    lines = (
        f"**Few people.** {people}: their floors, lamps and wardrobes are what the model knows best.",
        f"**Few photos of some classes.** {rare} in all: few to learn from, and fewer to measure on.",
        f"**Photos not sharp and whole.** At the strongest level measured, the largest losses are to {lost}.",
        f"**Not enough photos yet.** A law without a floor, fitted to short trainings, gives {gain}.",
    )
    return "\n".join(f"- {line}" for line in lines)


def dependencies() -> str:
    """The versions that results were made with."""
    pinned = dict(
        line.lower().split("==", 1)
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    pinned["torch"] = result("wardrobe-network.json")["versions"]["torch"].partition("+")[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shown = ", ".join(f"{name} {pinned[name]}" for name in _PACKAGES if name in pinned)
    extras = ", ".join(f"`{name}`" for name in project["optional-dependencies"] if name != "dev")
    return f"Python {project['requires-python']}. Pinned: {shown}. Extras: {extras}."


def _chosen(model: str) -> dict[str, Any]:
    record = result(f"{model}-training.json")
    return dict(record["runs"][record["chosen"]])


def settings_of(model: str) -> TrainSettings:
    """What a shipped model was trained with."""
    return _settings(manifest(model)["provenance"])


def _settings(run: dict[str, Any]) -> TrainSettings:
    settings, _ = read_settings(run)
    if settings is None:
        raise SystemExit("the settings of a record can't be read")
    return settings


BLOCKS: dict[str, Callable[..., str]] = {
    "photos": photos,
    "counts": counts,
    "labels": labels,
    "leaks": leaks,
    "augmentation": augmentation,
    "network": network,
    "blocks": blocks,
    "training-settings": training_settings,
    "recipe": recipe,
    "metrics": metrics,
    "classes": classes,
    "confusions": confusions,
    "weaknesses": weaknesses,
    "stages": stages,
    "layers": layers,
    "quantization": quantization,
    "quick-start": quick_start,
    "answer": answer,
    "limits": limits,
    "dependencies": dependencies,
}
