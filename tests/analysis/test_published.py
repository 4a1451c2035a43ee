"""Every layer of networks that people use: figures as published, and fields as gradients show them."""

import copy
from pathlib import Path

import pytest
from helpers.gradient import averaging, check_layers, make_positive, replace_modules
from helpers.published_networks import PUBLISHED, check_figures
from torch import nn

from clothing_classifier.models import ARCHITECTURES, create_model

LENGTH, NARROW = 1664, 64
QUICK = ("resnet18 (torchvision)", "squeezenet1_1 (torchvision)")


def check_both_axes(model: nn.Module) -> None:
    linear = make_positive(copy.deepcopy(model))
    replace_modules(linear, averaging)
    for shape in ((3, LENGTH, NARROW), (3, NARROW, LENGTH)):
        assert check_layers(model, linear, shape) > 10


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in PUBLISHED]
)
def test_published_networks_by_their_gradients(name: str) -> None:
    check_both_axes(PUBLISHED[name](1 / 16))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "settings"), [
    ("mobilenet_v2", {"width": 0.1}), ("mobilenet_v2", {"width": 0.1, "batch_norm": False}),
    ("mobilenet_v2", {"width": 0.1, "depth": 0.3, "kernel": 5}),
    ("mobilenet_v2", {"width": 0.1, "dilation": 3, "local_blocks": 2}),
    ("resnet_small", {"width": 4}), ("resnet_small", {"width": 2, "depth": 8}),
])  # fmt: skip
def test_registered_networks_by_their_gradients(name: str, settings: dict[str, float]) -> None:
    assert name in ARCHITECTURES
    check_both_axes(create_model(name, 10, **settings))


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_published_figures(name: str, shared: Path) -> None:
    check_figures(name, PUBLISHED[name](1.0), 224, shared)
