"""The effective field against what is known of it: uniform layers, whose gradients are binomial-like."""

import numpy as np
import pytest
import torch
from torch import nn

from clothing_classifier.analysis import summarise, trace
from clothing_classifier.analysis.effective import effective_fields, measure
from clothing_classifier.errors import AnalysisError
from clothing_classifier.report.figure import to_png
from clothing_classifier.report.network_figures import draw_fields


def uniform(layers: int) -> nn.Sequential:
    """`layers` one-dimensional layers of three equal taps."""
    convolutions = [nn.Conv2d(1, 1, (1, 3), padding=(0, 1), bias=False) for _ in range(layers)]
    for convolution in convolutions:
        nn.init.constant_(convolution.weight, 1 / 3)
    return nn.Sequential(*convolutions)


@pytest.mark.parametrize(("layers", "extent"), [(5, 9), (10, 13), (20, 19), (40, 25)])
def test_uniform_layers(layers: int, extent: int) -> None:
    name = str(layers - 1)
    (found,) = effective_fields(
        uniform(layers).double(), torch.rand(2, 1, 1, 161).double(), {name: (1, 2 * layers + 1)}
    )
    assert found.extent == (1, extent)
    assert found.area == extent
    assert found.deviation[1] == pytest.approx(np.sqrt(2 / 3 * layers))
    assert found.share == pytest.approx(np.sqrt(extent) / np.sqrt(2 * layers + 1))


def test_the_same_map_however_it_is_batched() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    images = torch.rand(5, 3, 20, 20)
    one, other = (effective_fields(model, images, {"2": (5, 5)}, size)[0].gradient for size in (2, 5))
    np.testing.assert_allclose(one, other, rtol=1e-5)
    assert np.ptp(np.flatnonzero(one.any(0))) == 4


def test_a_gaussian_has_its_own_deviation() -> None:
    y, x = np.mgrid[-40:41, -40:41]
    found = measure("", np.exp(-(y**2) / (2 * 5.0**2) - x**2 / (2 * 8.0**2)), (81, 81))
    assert found.deviation == (pytest.approx(5, rel=0.01), pytest.approx(8, rel=0.01))
    # exp(-r^2 / 2) falls to 4.55% at 2.486 deviations.
    assert found.extent == (2 * 12 + 1, 2 * 19 + 1)


def test_a_module_without_positions_is_named() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(AnalysisError, match=r"module 1: its output \(1, 2\) has no rows and columns"):
        effective_fields(model, torch.rand(1, 3, 2, 2), {"1": (1, 1)})


def test_a_unit_that_no_image_moves() -> None:
    dead = nn.Conv2d(3, 2, 3, padding=1)
    nn.init.constant_(dead.bias, -100.0)
    model = nn.Sequential(dead, nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1))
    report = summarise("dead", trace(model, (3, 16, 16)))
    (field,) = effective_fields(model, torch.rand(2, 3, 16, 16), {"2": (5, 5)})
    assert (field.extent, field.area, field.share) == ((0, 0), 0, 0.0)
    photo = np.zeros((16, 16, 3), np.uint8)
    figure = draw_fields(photo, [row for row in report["layers"] if row["name"] == "2"], [field])
    assert to_png(figure).startswith(b"\x89PNG")
