"""The moving average follows closely at first, and WiSE-FT lies between the first weights and the average."""

import pytest
import torch
from torch import nn

from clothing_classifier.models import create_model
from clothing_classifier.training.ema import EMA


def test_the_average_follows_closely_at_first_then_slowly() -> None:
    model = nn.Linear(1, 1, bias=False)
    ema = EMA(model, decay=0.5)
    values = []
    for value in (1.0, 2.0, 4.0, 8.0):
        model.weight.data.fill_(value)
        ema.update(model)
        values.append(ema.model().weight.item())
    # The first update copies; then the rate is min(decay, (1 + n) / (10 + n)) for n = 1, 2, 3.
    expected = [1.0]
    for n, value in ((1, 2.0), (2, 4.0), (3, 8.0)):
        rate = min(0.5, (1 + n) / (10 + n))
        expected.append(rate * expected[-1] + (1 - rate) * value)
    assert values == pytest.approx(expected)


def test_wise_ft_interpolates_weights_and_leaves_the_average_alone() -> None:
    model = create_model("resnet_small", 3, depth=8, width=4)
    ema = EMA(model, decay=0.0, wise_ft_alpha=0.75)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor += 4  # the count of batch norm's updates, which is no weight, too
    ema.update(model)
    average = {name: tensor.clone() for name, tensor in ema.state_dict().items()}
    for name, tensor in ema.model().state_dict().items():
        trained = model.state_dict()[name]
        torch.testing.assert_close(tensor, trained - 1 if tensor.is_floating_point() else trained)
    assert all(torch.equal(tensor, average[name]) for name, tensor in ema.state_dict().items())
