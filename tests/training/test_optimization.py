"""Learning-rate schedule, weight decay, momentum and frozen stages."""

import pytest
import torch

from clothing_classifier.config import OptimizationSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import create_model
from clothing_classifier.training.optimization import freeze_stages, learning_rate, make_optimizer, set_train_mode

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
    freeze_stages(model, 2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = make_optimizer(model, SETTINGS)
    set_train_mode(model)
    model(torch.rand(4, 3, 32, 32)).square().sum().backward()
    optimizer.step()
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name in before if not name.startswith(("extractor.stem.", "extractor.blocks.0."))}


def test_more_frozen_stages_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"optimization\.frozen_stages: 5, and the network has 4"):
        freeze_stages(create_model("resnet_small", 3, depth=8), 5)
