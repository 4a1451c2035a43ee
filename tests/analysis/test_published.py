"""Every layer of networks that people use: figures as published, and fields as gradients show them."""

import copy
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.gradient import derived, make_positive, replace_modules, support
from helpers.published_networks import PUBLISHED
from torch import Tensor, nn

from clothing_classifier.analysis import summarise, trace
from clothing_classifier.models import ARCHITECTURES, create_model

pytestmark = pytest.mark.slow

LENGTH, NARROW = 1664, 64


def prove(model: nn.Module, length: int = LENGTH, narrow: int = NARROW) -> int:
    """Compare every leaf module that still has positions with the gradient of its middle unit, one axis at a time."""
    linear = make_positive(copy.deepcopy(model))
    replace_modules(linear, averaging)
    compared = 0
    for axis in (0, 1):
        shape = (3, length, narrow) if axis == 0 else (3, narrow, length)
        rows = trace(model, shape).layers
        image = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
        outputs = dict(leaf_outputs(linear, image))
        for row in rows:
            output = outputs.get(row.name)
            if output is None or output.ndim != 4 or row.field is None or row.sees_all:
                continue
            middle = [side // 2 for side in output.shape[2:]]
            expected, found = derived(row.field, *middle), support(output, image, *middle)
            assert expected is not None
            assert found is not None
            assert found[axis] == expected[axis], row.name
            compared += 1
    return compared


def averaging(module: nn.Module) -> nn.Module | None:
    """Mean in place of maximum, whose gradient reaches one element of a window only; nothing saturates."""
    if isinstance(module, nn.MaxPool2d):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode)
    return nn.Identity() if isinstance(module, nn.BatchNorm2d | nn.ReLU | nn.ReLU6) else None


def leaf_outputs(model: nn.Module, image: Tensor) -> Iterator[tuple[str, Tensor]]:
    outputs: list[tuple[str, Tensor]] = []
    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda m, args, output, n=name: outputs.append((n, output)))  # type: ignore[misc]
    model(image)
    yield from outputs


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_published_networks_by_their_gradients(name: str) -> None:
    assert prove(PUBLISHED[name](1 / 16)) > 20


@pytest.mark.parametrize(("name", "settings"), [
    ("mobilenet_v2", {"width": 0.1}), ("mobilenet_v2", {"width": 0.1, "batch_norm": False}),
    ("mobilenet_v2", {"width": 0.1, "depth": 0.3, "kernel": 5}),
    ("mobilenet_v2", {"width": 0.1, "dilation": 3, "local_blocks": 2}),
    ("resnet_small", {"width": 4}), ("resnet_small", {"width": 2, "depth": 8}),
])  # fmt: skip
def test_registered_networks_by_their_gradients(name: str, settings: dict[str, float]) -> None:
    assert name in ARCHITECTURES
    assert prove(create_model(name, 10, **settings)) > 20


@pytest.fixture(scope="module")
def figures(shared: Path) -> dict[str, dict[str, str]]:
    with (shared / "anchors" / "published_analysis.csv").open() as file:
        return {row["network"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_published_figures(name: str, figures: dict[str, dict[str, str]]) -> None:
    compare(summarise(name, trace(PUBLISHED[name](1.0), (3, 224, 224)))["totals"], figures[name])


def compare(totals: dict[str, Any], published: dict[str, str]) -> None:
    """Totals of an analysis with a row of published figures, as far as it goes."""
    for key in ("params", "macs"):
        assert not published[key] or totals[key] == int(published[key])
    assert totals["receptive_field"] == [int(published["receptive_field"])] * 2
    assert totals["stride"] == [int(published["effective_stride"])] * 2
    assert totals["start"] == [-int(published["effective_padding"])] * 2
