"""A narrower network of the same design: of every layer, the channels that weigh most."""

import torch
from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model


def narrow(model: ImageClassifier, width: float) -> ImageClassifier:
    """`model` at a `width` multiplier of what it has, in evaluation mode; the last layer keeps its channels.

    Unlike pruning's, these widths are those of the published narrower networks, the streams between blocks included.
    A channel's weight is the norm of the kernels that write it. Raises `ConfigError`.
    """
    settings = model.architecture["settings"]
    if model.architecture["name"] != "mobilenet_v2" or "hidden" in settings:
        raise ConfigError("narrow takes an unpruned mobilenet_v2; narrow first, then prune")
    child = create_model(
        model.architecture["name"],
        model.classifier.out_features,
        model.dropout.p,
        **settings | {"width": settings["width"] * width},
    )
    state, wanted = dict(model.state_dict()), child.state_dict()
    kept: dict[str, Tensor] = {}
    for name, inputs, ties in _convolutions(child):
        weight = state[f"{name}.conv.weight"]
        if f"{name}.conv.weight" in wanted:
            depthwise = weight.shape[1] == 1
            chosen = kept[inputs] if depthwise else kept.get(ties, _heaviest(weight, wanted[f"{name}.conv.weight"]))
            kept.setdefault(ties, chosen)
            for key in [key for key in state if key.startswith(f"{name}.") and state[key].ndim]:
                state[key] = state[key][chosen]
            if inputs and not depthwise:
                state[f"{name}.conv.weight"] = state[f"{name}.conv.weight"][:, kept[inputs]]
    child.load_state_dict(state)
    return child.eval()


def _convolutions(model: ImageClassifier) -> list[tuple[str, str, str]]:
    """Name of each convolution, the stream that it reads, and the one that it writes; "" reads the image.

    A residual block writes to the stream that it reads.
    """
    found, stream = [("extractor.stem", "", "stem")], "stem"
    for name, block in model.extractor.get_submodule("blocks").named_children():
        prefix, hidden = f"extractor.blocks.{name}", stream
        if not isinstance(block.expand, nn.Identity):
            hidden = f"{name}.hidden"
            found.append((f"{prefix}.expand", stream, hidden))
        found.append((f"{prefix}.depthwise", hidden, hidden))
        stream = stream if block.residual else f"{name}.out"
        found.append((f"{prefix}.project", hidden, stream))
    return [*found, ("extractor.head", stream, "head")]


def _heaviest(weight: Tensor, wanted: Tensor) -> Tensor:
    norms = weight.flatten(1).square().sum(1)
    return torch.argsort(norms, descending=True, stable=True)[: len(wanted)].sort().values
