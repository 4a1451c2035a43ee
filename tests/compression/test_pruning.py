"""Pruning is exact surgery to a budget, and importance is what a channel's absence does to the loss."""

import pytest
import torch
from torch import Tensor

from clothing_classifier.compression.channels import find_groups, keep_channels
from clothing_classifier.compression.importance import measure_importance
from clothing_classifier.compression.pruning import Budget, channel_costs, choose, cost, prune
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model

SIZE = 32


def network(batch_norm: bool = False) -> ImageClassifier:
    torch.manual_seed(0)
    return create_model("mobilenet_v2", 4, width=0.25, depth=0.3, batch_norm=batch_norm).eval()


def widths(model: ImageClassifier) -> dict[str, int]:
    return {group.name: group.channels for group in find_groups(model)}


def photos() -> list[Tensor]:
    return [torch.rand(6, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(i)) for i in range(2)]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_channels_that_give_a_constant_go_without_a_trace(batch_norm: bool) -> None:
    model = network(batch_norm)
    kept = {group.name: torch.arange(group.channels) for group in find_groups(model)}
    for name in ("blocks.2", "head"):
        group = next(group for group in find_groups(model) if group.name == name)
        conv = model.get_submodule(group.producers[-1]).conv
        with torch.no_grad():
            conv.weight[:8] = 0
            bias = model.get_submodule(group.producers[-1]).norm.bias if batch_norm else conv.bias
            bias[:8] = 0.5
        kept[name] = torch.arange(8, group.channels)
    found = measure_importance(model, photos, seed=0)
    child = keep_channels(model, kept, found.means)
    images = photos()[0]
    assert widths(child)["blocks.2"] == widths(model)["blocks.2"] - 8
    torch.testing.assert_close(child(images), model(images), atol=1e-5, rtol=1e-4)
    assert all(float(found.importance[name][:8].max()) < 1e-9 for name in ("blocks.2", "head"))


def test_importance_is_half_the_mean_square_of_the_gates_gradient() -> None:
    model, images = network(), photos()
    found = measure_importance(model, lambda: images, seed=3)
    group = find_groups(model)[2]
    generator, squares = torch.Generator().manual_seed(3), []
    for batch in images:
        gate = torch.ones(len(batch), group.channels, requires_grad=True)
        mean = found.means[group.name]

        def gated(module: object, inputs: object, output: Tensor, gate: Tensor = gate, mean: Tensor = mean) -> Tensor:
            return mean[:, None, None] + gate[:, :, None, None] * (output - mean[:, None, None])

        hook = model.get_submodule(group.watched).register_forward_hook(gated)
        logits = model(batch)
        hook.remove()
        drawn = torch.multinomial(logits.detach().softmax(1), 1, generator=generator)[:, 0]
        loss = torch.nn.functional.cross_entropy(logits, drawn, reduction="sum")
        squares.append(torch.autograd.grad(loss, gate)[0].square() / 2)
    torch.testing.assert_close(found.importance[group.name], torch.cat(squares).mean(0), atol=1e-9, rtol=1e-3)


def test_a_budget_is_kept_and_the_network_rebuilds_from_its_settings() -> None:
    model = network()
    before = cost(model, SIZE)
    child = prune(model, SIZE, Budget(macs=before[0] // 2, params=before[1] // 2), photos, rounds=2)
    after = cost(child, SIZE)
    assert after[0] <= before[0] // 2 and after[1] <= before[1] // 2
    again = create_model("mobilenet_v2", 4, **child.architecture["settings"])
    again.load_state_dict(child.state_dict())
    assert all(width % 8 == 0 or width < 8 for width in widths(child).values())


def test_costs_of_a_channel_are_what_its_going_saves() -> None:
    model = network()
    rates, groups = channel_costs(model, SIZE), find_groups(model)
    for gone in groups:
        kept = {group.name: torch.arange(group.channels - (group.name == gone.name)) for group in groups}
        child = keep_channels(model, kept, {group.name: torch.zeros(group.channels) for group in groups})
        saved = [a - b for a, b in zip(cost(model, SIZE), cost(child, SIZE), strict=True)]
        assert saved == list(rates[gone.name])


def test_what_is_worth_least_for_its_cost_goes_first() -> None:
    model = network()
    worth = {name: torch.ones(width) for name, width in widths(model).items()}
    worth["head"][:16] = 1e-9
    params = cost(model, SIZE)[1]
    kept = choose(model, SIZE, worth, [10**9, params - 1])
    assert len(kept["head"]) == widths(model)["head"] - 8 and int(kept["head"][0]) == 8
    assert all(len(kept[name]) == width for name, width in widths(model).items() if name != "head")


def test_what_can_not_be_pruned_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"pruning can't reach 0\.0 million MACs"):
        prune(network(), SIZE, Budget(1000), photos, rounds=1)
    with pytest.raises(ConfigError, match="pruning knows mobilenet_v2, not resnet_small"):
        find_groups(create_model("resnet_small", 2, depth=8))
