"""Published networks that only timm builds: figures and proof; runs where timm is installed (`make test-timm`)."""

from pathlib import Path
from typing import Any

import pytest
from helpers.gradient import averaging, check_layers, make_positive, replace_modules
from helpers.published_networks import check_figures
from torch import nn

from clothing_classifier.analysis import summarise, trace

NETWORKS = {
    "mobilenet_v2 (torchvision)": ("mobilenetv2_100", 224),
    "mobilenet_v3_small (torchvision)": ("mobilenetv3_small_100", 224),
    "mobilenet_v3_large (torchvision)": ("mobilenetv3_large_100", 224),
    "efficientnet_b0 (torchvision)": ("efficientnet_b0", 224),
    "inception_v3 (torchvision)": ("inception_v3", 299),
    "inception_resnet_v2": ("inception_resnet_v2", 299),
}
OTHERS = (
    "convnext_atto", "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224", "densenet121", "ghostnet_100",
    "mobilevit_xxs", "xcit_nano_12_p16_224", "eca_nfnet_l0", "res2net50_26w_4s",
)  # fmt: skip


@pytest.mark.parametrize("name", list(NETWORKS))
def test_published_figures(name: str, timm: Any, shared: Path) -> None:
    build, size = NETWORKS[name]
    check_figures(name, timm.create_model(build), size, shared)


@pytest.mark.parametrize(("build", "length", "narrow"), [
    ("mobilenetv2_100", 1664, 64), ("mobilenetv3_small_100", 1664, 64), ("mobilenetv3_large_100", 1664, 64),
    ("efficientnet_b0", 2048, 64), ("inception_v3", 2800, 80), ("inception_resnet_v2", 4400, 80),
])  # fmt: skip
def test_every_convolution_by_its_gradient(build: str, length: int, narrow: int, timm: Any) -> None:
    """With the gates of squeeze-and-excitation bypassed; the Inceptions take some minutes."""
    linear = make_positive(timm.create_model(build))
    replace_modules(linear, lambda module: averaging(module) or without_gate(module))
    assert check_layers(linear, linear, (3, length, narrow), "Conv2d") > 10


def without_gate(module: nn.Module) -> nn.Module | None:
    known = ("BatchNormAct2d", "SqueezeExcite", "Hardswish", "SiLU", "Swish")
    return nn.Identity() if type(module).__name__ in known else None


@pytest.mark.parametrize("build", OTHERS)
def test_every_operator_of_other_networks_has_its_rule(build: str, timm: Any) -> None:
    model = timm.create_model(build)
    found = summarise(build, trace(model, (3, 224, 224)))
    assert found["operators_without_a_rule"] == []
    assert found["totals"]["global"]
    assert found["totals"]["params"] == sum(parameter.numel() for parameter in model.parameters())
