"""The channels of a network that can go without changing any other layer's width, and the network without some."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.models.mobilenet_v2 import InvertedResidual

HEAD = "head"


@dataclass(frozen=True)
class Group:
    """Channels that live and die together: `producers` write them one by one, `consumer` alone reads them.

    Names are those of the network's `named_modules()`. `watched` is the module whose output the channels are.
    """

    name: str
    producers: tuple[str, ...]
    watched: str
    consumer: str
    channels: int


def find_groups(model: ImageClassifier) -> list[Group]:
    """The hidden channels of each inverted residual, in order, and the head's last; raises `ConfigError`.

    Expansion, depthwise filter and projection share a hidden channel, and nothing else sees it, so that to leave it out
    is exact surgery. The streams between blocks stay: a residual ties them across a whole stage.
    """
    if model.architecture["name"] != "mobilenet_v2":
        raise ConfigError(f"pruning knows mobilenet_v2, not {model.architecture['name']}")
    blocks = [(name, block) for name, block in model.named_modules() if isinstance(block, InvertedResidual)]
    groups = []
    for name, block in blocks:
        first = "extractor.stem" if isinstance(block.expand, nn.Identity) else f"{name}.expand"
        depthwise = f"{name}.depthwise"
        width = block.depthwise.conv.out_channels
        short = name.removeprefix("extractor.")
        groups.append(Group(short, (first, depthwise), depthwise, f"{name}.project", width))
    head = "extractor.head"
    return [*groups, Group(HEAD, (head,), head, "classifier", model.classifier.in_features)]


def keep_channels(model: ImageClassifier, kept: Mapping[str, Tensor], means: Mapping[str, Tensor]) -> ImageClassifier:
    """A network of the channels `kept` (sorted indices by group), in evaluation mode.

    What a channel that goes gave on average (`means` by group, one number a channel) stays, in its reader's bias.
    """
    groups = find_groups(model)
    state = dict(model.state_dict())
    for group in groups:
        _slice(state, group, kept[group.name], means[group.name])
    left = [len(kept[group.name]) for group in groups]
    architecture = model.architecture
    settings: dict[str, Any] = architecture["settings"] | {"hidden": left[:-1], "head": left[-1]}
    child = create_model(architecture["name"], model.classifier.out_features, model.dropout.p, **settings)
    child.load_state_dict(state)
    return child.eval()


def _slice(state: dict[str, Tensor], group: Group, kept: Tensor, means: Tensor) -> None:
    for producer in group.producers:
        for name in [name for name in state if name.startswith(f"{producer}.") and state[name].ndim]:
            state[name] = state[name][kept]
    is_linear = f"{group.consumer}.weight" in state
    weight = f"{group.consumer}.weight" if is_linear else f"{group.consumer}.conv.weight"
    gone = torch.ones(group.channels, dtype=torch.bool)
    gone[kept] = False
    lost = state[weight].flatten(1)[:, gone] @ means[gone]
    bias, norm = weight.replace("weight", "bias"), f"{group.consumer}.norm.running_mean"
    if bias in state:
        state[bias] = state[bias] + lost
    else:
        state[norm] = state[norm] - lost
    state[weight] = state[weight][:, kept]
