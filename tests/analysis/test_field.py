"""Fields against gradients: networks drawn at random, and networks that people use."""

import pytest
import torch
from helpers.gradient import derived, support
from helpers.random_networks import Functional, networks
from hypothesis import HealthCheck, assume, given, settings
from torch import nn
from torch.nn import functional as F

from clothing_classifier.analysis.field import Field
from clothing_classifier.analysis.tracing import trace

SIDE, MARGIN = 128, 24


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(networks())
def test_random_networks_see_what_their_gradients_show(network: nn.Sequential) -> None:
    torch.manual_seed(0)
    image = torch.ones(1, 4, SIDE, SIDE + 2, dtype=torch.float64, requires_grad=True)
    try:
        output = network(image)
    except RuntimeError:  # what is left of the image is smaller than a kernel
        assume(False)
    assume(output.numel() and output.shape[2] * output.shape[3] < 2_000_000)
    traced = trace(network.double(), (4, SIDE, SIDE + 2))
    assert not any(layer.unknown for layer in traced.layers)
    check(traced.field, output, image)


def check(field: Field, output: torch.Tensor, image: torch.Tensor, margin: int = MARGIN) -> None:
    """Compare units around the middle whose field lies well inside the image."""
    assert field.shape == tuple(output.shape)
    height, width = output.shape[2:]
    for row in range(max(height // 2 - 2, 0), min(height // 2 + 3, height)):
        for column in range(max(width // 2 - 2, 0), min(width // 2 + 3, width)):
            expected = derived(field, row, column)
            if expected is None or all(lo >= margin and hi < side - margin for (lo, hi), side in
                                       zip(expected, image.shape[2:], strict=True)):  # fmt: skip
                assert support(output, image, row, column) == expected


@pytest.mark.parametrize(("mode", "corners", "antialias", "sizes"), [
    ("bilinear", True, False, (100, 67)), ("bilinear", True, False, (32, 95)), ("bicubic", False, False, (64, 96)),
    ("bicubic", True, False, (41, 75)), ("bilinear", False, True, (16, 22)), ("bicubic", False, True, (16, 22)),
    ("nearest", None, False, (43, 71)), ("nearest-exact", None, False, (43, 71)), ("area", None, False, (16, 21)),
])  # fmt: skip
def test_resizing_to_any_size(mode: str, corners: bool | None, antialias: bool, sizes: tuple[int, int]) -> None:
    def resize(x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, sizes, mode=mode, align_corners=corners, antialias=antialias)

    image = torch.ones(1, 4, 54, 75, dtype=torch.float64, requires_grad=True)
    check(trace(Functional(mode, resize), (4, 54, 75)).field, resize(image), image, margin=6)
