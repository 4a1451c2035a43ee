"""Initial weights from a file: safetensors of this package, or published features with folded batch norm."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.inference import bundle
from clothing_classifier.models import ImageClassifier
from clothing_classifier.models.base import ConvNorm
from clothing_classifier.training.checkpoint import Tensors, below, check_is_weights, load_tensors

_EPS = nn.BatchNorm2d(1).eps


class LoadedWeights(NamedTuple):
    """What was loaded from a file: a summary for people, and whether the classifier was."""

    summary: str
    has_classifier: bool


def initialise(model: ImageClassifier, path: Path, labels: Sequence[str], images: Tensor) -> LoadedWeights:
    """Load the weights in `path` into `model` and return what was loaded.

    A file that this package wrote brings the extractor, and the classifier too where its labels equal `labels`. A file
    of published features has a `weight` and a `bias` for each convolution, its batch norm folded in. Norms that the
    file has and `model` has not are folded; norms that `model` has and the file has not are made from the statistics
    of `images`, `(N, 3, H, W) float32 in [0, 1]`. Raises `ConfigError` where shapes do not fit.
    """
    tensors, metadata = load_tensors(path)
    check_is_weights(path, metadata)
    if "architecture" not in metadata:
        features = {f"{name.rpartition('.')[0]}.conv.{name.rpartition('.')[2]}": t for name, t in tensors.items()}
        norms = _load_features(model, path, features, images)
        return LoadedWeights(f"started from the features in {path.name}{norms}", has_classifier=False)
    norms = _load_features(model, path, below("extractor", tensors), images)
    keep_head = metadata.get("labels") == list(labels)
    if keep_head:
        model.classifier.load_state_dict(below("classifier", tensors))
    kept = "with its classifier" if keep_head else "with a new classifier"
    name = path.parent.name if path.name == bundle.WEIGHTS else path.name
    return LoadedWeights(f"started from {name} ({metadata['architecture']['name']}), {kept}{norms}", keep_head)


def _load_features(model: ImageClassifier, path: Path, found: Tensors, images: Tensor) -> str:
    """Load the extractor; return a remark about its batch norms."""
    expected = model.extractor.state_dict()
    has_norms, wants_norms = (any(".norm." in name for name in names) for names in (found, expected))
    if has_norms and not wants_norms:
        found = _folded(found)
    if wants_norms and not has_norms:
        _insert_norms(model, path, found, images)
        return f", batch norm from {len(images)} photos"
    _check_shapes(path, expected, found)
    model.extractor.load_state_dict({name: found[name] for name in expected})
    return ", batch norm folded" if has_norms and not wants_norms else ""


def _folded(tensors: Tensors) -> Tensors:
    """The same function without batch norm: each one's scale and shift go into the convolution before it."""
    folded = {}
    for name in (name.removesuffix(".norm.weight") for name in tensors if name.endswith(".norm.weight")):
        norm = {key: tensor.double() for key, tensor in below(f"{name}.norm", tensors).items()}
        scale = norm["weight"] / (norm["running_var"] + _EPS).sqrt()
        folded[f"{name}.conv.weight"] = (tensors[f"{name}.conv.weight"] * scale.view(-1, 1, 1, 1)).float()
        folded[f"{name}.conv.bias"] = (norm["bias"] - norm["running_mean"] * scale).float()
    return folded


def _insert_norms(model: ImageClassifier, path: Path, found: Tensors, images: Tensor) -> None:
    """Give `model` batch norms that leave the folded network's function as it is on `images`."""
    layers = {name: layer for name, layer in model.extractor.named_modules() if isinstance(layer, ConvNorm)}
    expected = {f"{name}.conv.weight": layer.conv.weight for name, layer in layers.items()}
    expected |= {f"{name}.conv.bias": layer.norm.bias for name, layer in layers.items()}
    for name, _ in model.extractor.named_parameters():
        if not name.startswith(tuple(f"{layer}." for layer in layers)):
            raise ConfigError(f"{path}: no tensor '{name}'; these weights are of another architecture")
    _check_shapes(path, expected, found)
    hooks = []
    for name, layer in layers.items():
        layer.conv.weight.data.copy_(found[f"{name}.conv.weight"])
        hooks.append(layer.conv.register_forward_hook(_norm_from_output(layer.norm, found[f"{name}.conv.bias"])))
    training = model.training
    with torch.no_grad():
        model.eval().feature_map(images)
    model.train(training)
    for hook in hooks:
        hook.remove()


def _norm_from_output(norm: nn.BatchNorm2d, bias: Tensor):  # type: ignore[no-untyped-def] # torch's hook type
    def set_statistics(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        variance, mean = torch.var_mean(output, dim=(0, 2, 3), correction=0)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean + bias)

    return set_statistics


def _check_shapes(path: Path, expected: Tensors, found: Tensors) -> None:
    for what, names in (
        ("no tensor", expected.keys() - found),
        ("more than the network has:", found.keys() - expected),
    ):
        if names:
            raise ConfigError(f"{path}: {what} '{min(names)}'; these weights are of another architecture")
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            shapes = f"{tuple(found[name].shape)} where the network has {tuple(tensor.shape)}"
            raise ConfigError(f"{path}: '{name}' is {shapes}; set the width that the weights were made with")
