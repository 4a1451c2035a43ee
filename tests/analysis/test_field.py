"""Fields against gradients: networks drawn at random, and networks that people use."""

import torch
from gradient import derived, support
from hypothesis import HealthCheck, assume, given, settings
from random_networks import networks
from torch import nn

from clothing_classifier.analysis.field import Field
from clothing_classifier.analysis.trace import trace

SIDE, MARGIN = 128, 24


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


def check(field: Field, output: torch.Tensor, image: torch.Tensor) -> None:
    """Compare units around the middle whose field lies well inside the image."""
    assert field.shape == tuple(output.shape)
    height, width = output.shape[2:]
    for row in range(max(height // 2 - 2, 0), min(height // 2 + 3, height)):
        for column in range(max(width // 2 - 2, 0), min(width // 2 + 3, width)):
            expected = derived(field, row, column)
            if expected is None or all(lo >= MARGIN and hi < side - MARGIN for (lo, hi), side in
                                       zip(expected, image.shape[2:], strict=True)):  # fmt: skip
                assert support(output, image, row, column) == expected
