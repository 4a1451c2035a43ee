"""Networks themselves: `analyze` any, list the `models` that are here."""

from pathlib import Path
from typing import Annotated, Any

import typer

from clothing_classifier.cli.common import Format, Output, app, log, needs, print_json
from clothing_classifier.errors import UsageError

_LONGEST_SIDE = 1_000_000


@app.command(epilog="Example: clothing analyze mobilenet_v2 --input 3x224x224 --compare mobilenet_v2:width=0.5")
def analyze(
    model: Annotated[
        str, typer.Argument(help="A registered name (NAME:width=0.5 sets it), a bundle, timm:NAME or module:callable.")
    ],
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="CxHxW", help="The image. Default: a bundle's, or 3x224x224."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every layer and operator, not only products.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail where an operator has no rule.")] = False,
    time_: Annotated[bool, typer.Option("--time", help="Measure each layer's time, too.")] = False,
    compare: Annotated[str | None, typer.Option(help="Another model, shown beside.")] = None,
    compare_input: Annotated[str | None, typer.Option(metavar="CxHxW", help="Its image. Default: the same.")] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for pictures: fields, growth, costs, roofline.")] = None,
    photo: Annotated[
        list[Path] | None, typer.Option(help="Photo for the effective field; may be repeated. Default: noise.")
    ] = None,
    format: Output = Format.table,
) -> None:
    """Show the receptive field and cost of any network. Parameters, MACs and FLOPs, layer by layer."""
    if photo and not figures:
        raise UsageError("--photo is for the pictures of --figures FOLDER")
    if compare_input and not compare:
        raise UsageError("--compare-input is the image of --compare MODEL")
    with needs("train"):
        from clothing_classifier import analysis
        from clothing_classifier.analysis.analyzer import measure

    def look(name: str, size: str | None, drawn: Path | None) -> dict[str, Any]:
        shape = _image_shape(size) if size else None
        if drawn:
            from clothing_classifier.report.network_figures import draw_all

            report, measured = measure(name, shape, time_, photo or [])
            draw_all(report, measured, drawn)
        else:
            report = analysis.analyze(name, shape, time_)
        if operators := report["operators_without_a_rule"]:
            first = next(row["name"] for row in report["layers"] if "operators_without_a_rule" in row)
            what = f"{name}: no rule for {', '.join(operators)} (first in {first})"
            if strict:
                raise UsageError(what)
            log(f"warning: {what}: their outputs count as seeing the whole image, their arithmetic as none")
        if drawn and not report["effective"]:
            log(f"{name}: no picture of fields, since no layer of it has rows and columns of which it sees a part")
        elif drawn and report["effective_of_random_weights"]:
            log(f"{name}: the effective fields are those of random weights, as it holds no others here")
        return report if everything else report | {"layers": [row for row in report["layers"] if row["macs"]]}

    reports = [look(model, input_, figures)]
    if compare:
        reports.append(look(compare, compare_input or input_, None))
    if format is Format.json:
        print_json({"models": reports} if compare else reports[0])
        return
    from clothing_classifier.report.terminal import analysis_tables, comparison_table, show

    show(*(comparison_table(*reports) if compare else analysis_tables(reports[0])))


def _image_shape(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
        raise UsageError(f"input {text}: write channels, height and width, as in 3x224x224")
    channels, height, width = map(int, parts)
    if max(channels, height, width) > _LONGEST_SIDE:
        raise UsageError(f"input {text}: no side may be over {_LONGEST_SIDE:,}")
    return channels, height, width


@app.command(epilog="Example: clothing models --path wardrobe")
def models(
    path: Annotated[str | None, typer.Option(help="Print only the folder of this shipped bundle.")] = None,
    format: Output = Format.table,
) -> None:
    """List networks and shipped models. What train builds, and what predict finds by name."""
    from clothing_classifier.config import ARCHITECTURES
    from clothing_classifier.inference import bundle

    if path is not None:
        if path not in bundle.shipped():
            raise UsageError(f"no shipped model '{path}' (shipped: {', '.join(bundle.shipped()) or 'none'})")
        print(bundle.find(path).resolve())
        return
    manifests = [bundle.load_bundle(name).manifest for name in bundle.shipped()]
    rows = [
        {"name": m.name, "classes": len(m.labels), "size": m.preprocessing.size, "precision": m.precision,
         "architecture": m.architecture, "validation_accuracy": m.validation["accuracy"]}
        for m in manifests
    ]  # fmt: skip
    if format is Format.json:
        print_json({"architectures": [*ARCHITECTURES, "timm:NAME"], "bundles": rows})
        return
    print("architectures:", ", ".join([*ARCHITECTURES, "timm:NAME"]))
    for row in rows:
        about = f"{row['classes']} classes, {row['size']} px, {row['precision']}"
        print(f"bundle {row['name']}: {about}, validation accuracy {row['validation_accuracy']:.3f} as photos came")
