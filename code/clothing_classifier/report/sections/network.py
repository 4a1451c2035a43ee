"""Which network, its receptive field, and its cost."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from clothing_classifier.report import network, pictures
from clothing_classifier.report.document import Code, Part, Picture, Section, Text
from clothing_classifier.report.subject import Subject


def architecture(subject: Subject) -> Section:
    """Name, settings, size, and the overview drawn."""
    settings = ", ".join(f"{key} {value}" for key, value in subject.architecture.get("settings", {}).items())
    about = f"{subject.architecture.get('name', 'unknown')}" + (f" ({settings})" if settings else "")
    lines = [f"The network is {about}, with {len(subject.labels)} logits."]
    if subject.analysis:
        lines.append("Its last feature map is averaged over all positions, and one linear layer gives the logits.")
        lines.append(f"It has {subject.analysis['totals']['params']:,} parameters.")
    if subject.bundle:
        kind = {"int8": "8-bit integers", "fp32": "32-bit floats"}[subject.bundle.manifest.precision]
        lines.append(f"The bundle's graph computes in {kind} and takes {len(subject.bundle.graph) / 1e6:.1f} MB.")
    parts: list[Part] = [Text(" ".join(lines))]
    if subject.stages:
        layers = subject.analysis["layers"] if subject.analysis else []
        channels = end_channels(subject.stages, layers)
        draw = partial(pictures.draw_network, subject.stages, subject.size, len(subject.labels), channels)
        alt = "the stages of the network: feature map, channels, receptive field, fraction of the MACs"
        parts.append(Picture("architecture", draw, alt))
    return Section("Approach: Model Architecture", parts)


def end_channels(stages: Sequence[Mapping[str, Any]], layers: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Channels at the end of each stage, by the rows of an analysis."""
    if not layers:
        return {}
    from clothing_classifier.analysis.stages import within

    found = {}
    for name in (stage["name"] for stage in stages):
        module = f"extractor.{name}"
        if inside := [row for row in layers if within(row["name"], module)]:
            found[name] = inside[-1]["output"][0]
    return found


def receptive_field(subject: Subject) -> Section | None:
    """The receptive field of each stage; None where it is not known."""
    ends = subject.stages or ([subject.analysis["totals"]] if subject.analysis else [])
    if not ends:
        return None
    last = ends[-1]
    text = (
        f"A unit of the last feature map sees {max(last['receptive_field'])} px at an effective stride of "
        f"{max(last['stride']):g} px. {corner_view(last, subject.size)}"
    )
    parts: list[Part] = [Text(text)]
    if subject.stages:
        parts.append(network.stage_table(subject.stages, subject.size))
    if subject.analysis:
        from clothing_classifier.report.network_figures import draw_growth

        parts.append(Picture("growth", partial(draw_growth, subject.analysis, []), "receptive field by depth"))
    model = subject.reference if subject.bundle else "BUNDLE"
    parts.append(Text("To measure the effective receptive field on your own photos:"))
    parts.append(Code(f"clothing analyze {model} --figures pictures --photo PHOTO"))
    return Section("Receptive Field", parts)


def corner_view(stage: Mapping[str, Any], size: int) -> str:
    """How much of a photo's side the units at its centre and in its corner see, in a sentence."""
    field, stride, start = (stage[key][0] for key in ("receptive_field", "stride", "start"))
    units = math.ceil(size / stride) if stride else 1
    last = start + (units - 1) * stride
    seen = min(min(size, start + field), size - max(0, last)) / size
    middle = min(field, size) / size
    return f"At the centre of the photo that is {middle:.0%} of each side, in a corner {seen:.0%}."


def cost(subject: Subject) -> Section | None:
    """MACs and FLOPs; of each layer, where the network was analysed. None where nothing is known."""
    mirrored = subject.bundle is not None and subject.bundle.manifest.views == 2
    what = "A view costs" if mirrored else "A photo costs"
    both = " The bundle averages a photo and its mirror image, at twice that." if mirrored else ""
    if subject.analysis is None:
        if not subject.stages:
            return None
        total = sum(stage["macs"] for stage in subject.stages)
        text = f"{what} {total / 1e6:,.1f} million MACs in the stages above, about two FLOPs each.{both}"
        return Section("FLOPs and MACs", [Text(text)])
    from clothing_classifier.report.network_figures import draw_costs

    totals, layers = subject.analysis["totals"], [row for row in subject.analysis["layers"] if row["macs"]]
    table = network.layer_table({**subject.analysis, "layers": layers}, "Every layer with MACs")
    text = (
        f"{what} {totals['macs'] / 1e6:,.1f} million MACs and {totals['flops'] / 1e6:,.1f} million FLOPs: two for "
        "each MAC, and one for each output element of every other arithmetic operator. "
        f"{len(table.marked)} of {len(table.rows)} layers make up half of the MACs.{both}"
    )
    if unknown := subject.analysis["operators_without_a_rule"]:
        text += f" There is no rule for {', '.join(unknown)}: their arithmetic counts as none."
    return Section(
        "FLOPs and MACs", [Text(text), Picture("costs", partial(draw_costs, subject.analysis), "cost by layer"), table]
    )
