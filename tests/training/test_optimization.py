"""The learning rate's shape, what is decayed, and the average that is shipped."""

import pytest
import torch
from torch import nn

from clothing_classifier.config import OptimizationSettings
from clothing_classifier.models import create_model
from clothing_classifier.training.checkpoint import optimizer_tensors, restore_optimizer
from clothing_classifier.training.optimization import learning_rate, make_average, make_optimizer

SETTINGS = OptimizationSettings(epochs=10, warmup_epochs=2.0, learning_rate=0.4)


@pytest.mark.parametrize(("progress", "rate"), [(0, 0), (1, 0.2), (2, 0.4), (6, 0.2), (10, 0), (11, 0)])
def test_the_rate_warms_up_then_falls_by_half_a_cosine(progress: float, rate: float) -> None:
    assert learning_rate(progress, SETTINGS) == pytest.approx(rate)


def test_a_run_shorter_than_its_warm_up_still_learns() -> None:
    settings = OptimizationSettings(epochs=1, warmup_epochs=3.0, learning_rate=0.3)
    assert learning_rate(1.0, settings) == pytest.approx(0.1)


def test_biases_and_norms_are_not_decayed() -> None:
    model = create_model("resnet_small", 3, depth=8)
    decayed, free = make_optimizer(model, SETTINGS).param_groups
    assert decayed["weight_decay"] > 0
    assert free["weight_decay"] == 0
    assert all(p.ndim > 1 for p in decayed["params"])
    assert len(decayed["params"]) + len(free["params"]) == len(list(model.parameters()))


def test_the_average_follows_closely_at_first_then_slowly() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = make_average(model, decay=0.5)
    values = []
    for value in (1.0, 2.0, 4.0, 8.0):
        model.weight.data.fill_(value)
        average.update_parameters(model)
        values.append(average.module.weight.item())
    # The first update copies; then the rate is min(decay, (1 + n) / (10 + n)) for n = 1, 2, 3.
    expected = [1.0]
    for n, value in ((1, 2.0), (2, 4.0), (3, 8.0)):
        rate = min(0.5, (1 + n) / (10 + n))
        expected.append(rate * expected[-1] + (1 - rate) * value)
    assert values == pytest.approx(expected)


def test_an_optimizer_restored_goes_on_alike() -> None:
    torch.manual_seed(0)
    first, second = (nn.Linear(4, 2) for _ in range(2))
    one, two = (make_optimizer(model, SETTINGS) for model in (first, second))
    steps = torch.rand(6, 5, 4, generator=torch.Generator().manual_seed(1))

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor) -> None:
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()

    for x in steps[:3]:
        step(first, one, x)
    second.load_state_dict(first.state_dict())
    restore_optimizer(two, {name: tensor.clone() for name, tensor in optimizer_tensors(one).items()})
    for x in steps[3:]:
        step(first, one, x)
        step(second, two, x)
    assert torch.equal(first.weight, second.weight)
