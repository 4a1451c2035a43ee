"""The learning rate's shape, what is decayed, and the average that is shipped."""

import pytest
import torch
from torch import nn

from clothing_classifier.config import OptimizationSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.training.checkpoint import optimizer_tensors, restore_optimizer
from clothing_classifier.training.optimization import (
    freeze,
    learning_rate,
    make_average,
    make_optimizer,
    set_train_mode,
    towards,
)

SETTINGS = OptimizationSettings(epochs=10, warmup_epochs=2.0, learning_rate=0.4)


@pytest.mark.parametrize(("progress", "rate"), [(0, 0), (1, 0.2), (2, 0.4), (6, 0.2), (10, 0), (11, 0)])
def test_the_rate_warms_up_then_falls_by_half_a_cosine(progress: float, rate: float) -> None:
    assert learning_rate(progress, SETTINGS) == pytest.approx(rate)


def test_a_run_shorter_than_its_warm_up_still_learns() -> None:
    settings = OptimizationSettings(epochs=1, warmup_epochs=3.0, learning_rate=0.3)
    assert learning_rate(1.0, settings) == pytest.approx(0.1)


def test_biases_and_norms_are_not_decayed() -> None:
    model = create_model("resnet_small", 3, depth=8)
    groups = make_optimizer(model, SETTINGS).param_groups
    assert all((group["weight_decay"] > 0) == (p.ndim > 1) for group in groups for p in group["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


def test_sgd_steps_by_nesterovs_momentum() -> None:
    model = create_model("resnet_small", 3, depth=8, width=4)
    settings = OptimizationSettings(optimizer="sgd", learning_rate=0.5, weight_decay=0.0)
    optimizer = make_optimizer(model, settings)
    bias, start = model.classifier.bias, model.classifier.bias.detach().clone()
    for moved in (0.5 * 1.9, 0.5 * (1.9 + 1 + 0.9 * 1.9)):
        bias.grad = torch.ones_like(bias)
        optimizer.step()
        torch.testing.assert_close(bias.detach(), start - moved)


def test_frozen_stages_keep_weights_and_statistics() -> None:
    model = create_model("mobilenet_v2", 3, width=0.25)
    freeze(model, 2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = make_optimizer(model, SETTINGS)
    set_train_mode(model)
    model(torch.rand(4, 3, 32, 32)).square().sum().backward()
    optimizer.step()
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name in before if not name.startswith(("extractor.stem.", "extractor.blocks.0."))}


def test_more_frozen_stages_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"optimization\.frozen_stages: 5, and the network has 4"):
        freeze(create_model("resnet_small", 3, depth=8), 5)


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


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_an_optimizer_restored_goes_on_alike(kind: str) -> None:
    settings = OptimizationSettings.model_validate({**SETTINGS.model_dump(), "optimizer": kind})
    torch.manual_seed(0)
    first, second = (create_model("resnet_small", 2, depth=8, width=4).eval() for _ in range(2))
    one, two = (make_optimizer(model, settings) for model in (first, second))
    steps = torch.rand(6, 5, 3, 8, 8, generator=torch.Generator().manual_seed(1))

    def step(model: ImageClassifier, optimizer: torch.optim.Optimizer, x: torch.Tensor) -> None:
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
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_mixed_weights_lie_by_their_share_between_the_first_and_the_learnt() -> None:
    model = create_model("resnet_small", 3, depth=8, width=4)
    learnt = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start = {name: tensor + 1 if tensor.is_floating_point() else tensor + 7 for name, tensor in learnt.items()}
    mixed = towards(start, model, 0.25).state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, learnt[name])  # the run goes on from what it learnt
        torch.testing.assert_close(mixed[name], tensor + 0.25 if tensor.is_floating_point() else tensor)
    assert towards({}, model, 0) is model
