"""Structured pruning to a budget: the channels that are worth least for what they cost go first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from clothing_classifier.analysis.tracing import trace
from clothing_classifier.compression.channels import find_groups, keep_channels
from clothing_classifier.compression.importance import measure_importance
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier

CHUNK = 8
"""Channels go by so many: kernels compute them so, and nothing is won by an odd one."""


@dataclass(frozen=True)
class Budget:
    """What a network may cost on one image: MACs, and parameters where they are limited."""

    macs: int
    params: int | None = None


def prune(
    model: ImageClassifier,
    size: int,
    budget: Budget,
    batches: Callable[[], Iterable[Tensor]],
    rounds: int = 4,
    seed: int = 0,
) -> ImageClassifier:
    """A network within `budget` on images of `size` px, as like `model` as pruning makes it without training.

    Importance is measured again after each of `rounds`, since what stays takes over for what went. `batches` yields
    training images `(N, 3, size, size) float32 in [0, 1]`. Raises `ConfigError` where the budget can't be reached.
    """
    start = cost(model, size)
    for step in range(1, rounds + 1):
        share = step / rounds
        wanted = [round(a + (b - a) * share) for a, b in zip(start, _limits(budget, start), strict=True)]
        found = measure_importance(model, batches, seed)
        worth = found.importance
        kept = choose(model, size, worth, wanted)
        model = keep_channels(model, kept, found.means)
    return model


def choose(model: ImageClassifier, size: int, worth: Mapping[str, Tensor], wanted: list[int]) -> dict[str, Tensor]:
    """The channels to keep, by group: chunks of least worth for the cost they save go until `wanted` is reached.

    `wanted` is MACs and parameters. Costs are exact: those of a group are linear in its channels.
    """
    rates = channel_costs(model, size)
    order = {name: torch.argsort(values, stable=True) for name, values in worth.items()}
    taken = dict.fromkeys(order, 0)
    left: list[float] = [have - want for have, want in zip(cost(model, size), wanted, strict=True)]
    while any(excess > 0 for excess in left):
        best, chosen = float("inf"), ""
        for name, indices in order.items():
            chunk = indices[taken[name] : taken[name] + CHUNK]
            if len(indices) - taken[name] - len(chunk) < CHUNK:
                continue
            saved = sum(CHUNK * rate / excess for rate, excess in zip(rates[name], left, strict=True) if excess > 0)
            price = float(worth[name][chunk].sum()) / saved
            if price < best:
                best, chosen = price, name
        if not chosen:
            units = zip(wanted, cost(model, size), ("MACs", "parameters"), strict=True)
            goal = " and ".join(f"{want / 1e6:.1f} million {unit}" for want, have, unit in units if want < have)
            raise ConfigError(f"pruning can't reach {goal}; take a smaller input, too")
        taken[chosen] += CHUNK
        left = [excess - CHUNK * rate for excess, rate in zip(left, rates[chosen], strict=True)]
    return {name: indices[taken[name] :].sort().values for name, indices in order.items()}


def channel_costs(model: ImageClassifier, size: int) -> dict[str, tuple[float, float]]:
    """MACs and parameters that one channel of each group costs, in its producers and its reader."""
    macs = {layer.name: layer.macs for layer in trace(model, (3, size, size)).layers}
    costs = {}
    for group in find_groups(model):
        reader = group.consumer if group.consumer in macs else f"{group.consumer}.conv"
        work = sum(macs[name] for name in (*(f"{name}.conv" for name in group.producers), reader))
        weights = [p for name in group.producers for p in model.get_submodule(name).parameters()]
        params = sum(p.numel() for p in (*weights, model.get_parameter(f"{reader}.weight")))
        costs[group.name] = (work / group.channels, params / group.channels)
    return costs


def least_macs(model: ImageClassifier, size: int) -> float:
    """The MACs on one image that are left where every group has given all that it can."""
    rates = channel_costs(model, size)
    gone = {group.name: max(0, group.channels - CHUNK) // CHUNK * CHUNK for group in find_groups(model)}
    return cost(model, size)[0] - sum(rates[name][0] * channels for name, channels in gone.items())


def cost(model: ImageClassifier, size: int) -> list[int]:
    """MACs on one image of `size` x `size` px, and parameters."""
    layers = trace(model, (3, size, size)).layers
    return [sum(layer.macs for layer in layers), sum(parameter.numel() for parameter in model.parameters())]


def _limits(budget: Budget, start: list[int]) -> list[int]:
    return [budget.macs, start[1] if budget.params is None else budget.params]
