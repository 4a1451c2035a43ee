"""`clothing analyze`: receptive field and cost of any network."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, needs, print_json
from clothing_classifier.errors import UsageError

logger = logging.getLogger(__name__)
_MAX_SIDE = 1_000_000


@app.command(epilog="Example: clothing analyze mobilenet_v2 --input 3x224x224 --compare mobilenet_v2:width=0.5")
def analyze(
    model: Annotated[
        str, typer.Argument(help="A registered name (NAME:width=0.5 sets it), a bundle, timm:NAME or module:callable.")
    ],
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="CxHxW", help="Input shape. Default: a bundle's, or 3x224x224."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also layers and operators without MACs.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail where an operator has no rule.")] = False,
    time_: Annotated[bool, typer.Option("--time", help="Also measure each layer's time.")] = False,
    compare: Annotated[str | None, typer.Option(help="Another model to compare with.")] = None,
    compare_input: Annotated[
        str | None, typer.Option(metavar="CxHxW", help="Its input shape. Default: the same.")
    ] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for figures: fields, growth, costs, roofline.")] = None,
    photo: Annotated[
        list[Path] | None, typer.Option(help="Photo for the effective field; may be repeated. Default: noise.")
    ] = None,
    format: options.Output = options.Format.table,
) -> None:
    """Show receptive field and cost of any network. Parameters, MACs and FLOPs, layer by layer."""
    if photo and not figures:
        raise UsageError("--photo needs --figures FOLDER")
    if compare_input and not compare:
        raise UsageError("--compare-input needs --compare MODEL")
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
            logger.warning("warning: %s: their outputs count as global, their arithmetic as none", what)
        if drawn and not report["effective"]:
            logger.info("%s: no picture of fields: no layer has a local receptive field", name)
        elif drawn and report["effective_of_random_weights"]:
            logger.info("%s: the effective fields are those of random weights", name)
        return report if everything else report | {"layers": [row for row in report["layers"] if row["macs"]]}

    reports = [look(model, input_, figures)]
    if compare:
        reports.append(look(compare, compare_input or input_, None))
    if format is options.Format.json:
        print_json({"models": reports} if compare else reports[0])
        return
    from clothing_classifier.report import network, terminal

    terminal.show(*([network.networks_table(*reports)] if compare else network.analysis_parts(reports[0])))


def _image_shape(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
        raise UsageError(f"input {text}: write channels, height and width, as in 3x224x224")
    channels, height, width = map(int, parts)
    if max(channels, height, width) > _MAX_SIDE:
        raise UsageError(f"input {text}: no side may be over {_MAX_SIDE:,}")
    return channels, height, width
