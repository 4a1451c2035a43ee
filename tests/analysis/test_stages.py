"""Fields and costs of stages against hand counts and published figures."""

import csv
from pathlib import Path

import pytest
import torch

from clothing_classifier.analysis.stages import describe_stages
from clothing_classifier.models import create_model


def chain(layers: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Field, stride and start of (kernel, stride, padding before) in sequence, by the recurrence of the literature."""
    field, jump, start = 1, 1, 0
    for kernel, stride, before in layers:
        field, start, jump = field + (kernel - 1) * jump, start - before * jump, jump * stride
    return field, jump, start


def mobilenet_layers() -> list[tuple[int, int, int]]:
    """The 3x3 layers of MobileNetV2 on even sides: strided ones pad after only, the others before and after."""
    strides = [2, 1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    return [(3, stride, 0 if stride == 2 else 1) for stride in strides]


def test_every_stage_of_mobilenet_v2_has_the_field_of_its_layers() -> None:
    stages = describe_stages(create_model("mobilenet_v2", 17), 224)
    depths = {"stem": 1, "blocks.0": 2, "blocks.2": 4, "blocks.5": 7, "blocks.9": 11, "blocks.12": 14,
              "blocks.15": 17, "blocks.16": 18, "head": 18}  # fmt: skip
    assert [stage["name"] for stage in stages] == list(depths)
    for stage in stages:
        field, stride, start = chain(mobilenet_layers()[: depths[stage["name"]]])
        assert stage["receptive_field"] == [field, field]
        assert stage["stride"] == [stride, stride]
        assert stage["start"] == [start, start]


def test_the_published_field_of_mobilenet_v2(shared: Path) -> None:
    with (shared / "anchors" / "published_analysis.csv").open() as file:
        (row,) = (row for row in csv.DictReader(file) if row["network"] == "mobilenet_v2 (torchvision)")
    model = create_model("mobilenet_v2", 1000)
    last = describe_stages(model, 224)[-1]
    assert last["receptive_field"] == [int(row["receptive_field"])] * 2
    assert last["stride"] == [int(row["effective_stride"])] * 2
    assert sum(p.numel() for p in model.parameters()) == int(row["params"])
    head = model.classifier.weight.numel()
    assert sum(stage["macs"] for stage in describe_stages(model, 224)) + head == int(row["macs"])


@pytest.mark.parametrize("size", [28, 32])
def test_the_small_residual_net(size: int) -> None:
    stages = describe_stages(create_model("resnet_small", 10, depth=8, width=16), size)
    # One block a stage: two 3x3 layers, the first with stride 2 from the second stage on.
    expected = {"stem": (3, 1, -1), "stage1": (7, 1, -3), "stage2": (13, 2, -6), "stage3": (25, 4, -12)}
    for stage in stages:
        field, stride, start = expected[stage["name"]]
        assert (stage["receptive_field"], stage["stride"], stage["start"]) == ([field] * 2, [stride] * 2, [start] * 2)
    assert stages[0]["macs"] == size * size * 16 * 27
    assert stages[1]["macs"] == 2 * size * size * 16 * 16 * 9


def test_measuring_leaves_the_network_as_it_was() -> None:
    model = create_model("resnet_small", 10, depth=8)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    describe_stages(model, 32)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_network_without_named_stages_has_none() -> None:
    model = create_model("resnet_small", 10)
    model.stages = ()
    assert describe_stages(model, 32) == []
