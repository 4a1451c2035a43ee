"""Where first weights come from: a safetensors file of ours, or published features with folded batch norm."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier
from clothing_classifier.models.base import ConvNorm
from clothing_classifier.training.checkpoint import Tensors, below, load_tensors


def initialise(model: ImageClassifier, path: Path, labels: Sequence[str], images: Tensor) -> str:
    """Load the weights in `path` into `model` and return a sentence on what was taken.

    A file that this package wrote brings the extractor, and the classifier too where its labels equal `labels`. A file
    of folded features (a `weight` and a `bias` for each convolution) brings the extractor; its batch norms are made
    from the statistics of `images`, `(N, 3, H, W) float32 in [0, 1]`. Raises `ConfigError` where shapes do not fit.
    """
    tensors, metadata = load_tensors(path)
    if "architecture" in metadata:
        _load_own(model, path, tensors, keep_head=metadata.get("labels") == list(labels))
        kept = "with its classifier" if metadata.get("labels") == list(labels) else "with a new classifier"
        return f"started from {path.name} ({metadata['architecture']['name']}), {kept}"
    _load_folded(model, path, tensors, images)
    return f"started from the features in {path.name}, batch norm from {len(images)} photos"


def _load_own(model: ImageClassifier, path: Path, tensors: Tensors, keep_head: bool) -> None:
    _check_shapes(path, model.extractor.state_dict(), below("extractor", tensors))
    model.extractor.load_state_dict(below("extractor", tensors))
    if keep_head:
        model.classifier.load_state_dict(below("classifier", tensors))


def _load_folded(model: ImageClassifier, path: Path, tensors: Tensors, images: Tensor) -> None:
    """Insert batch norms that leave the folded network's function as it is on `images`."""
    layers = {name: layer for name, layer in model.extractor.named_modules() if isinstance(layer, ConvNorm)}
    expected = {f"{name}.weight": layer.conv.weight for name, layer in layers.items()}
    expected |= {f"{name}.bias": layer.norm.bias for name, layer in layers.items()}
    _check_shapes(path, expected, tensors)
    hooks = []
    for name, layer in layers.items():
        layer.conv.weight.data.copy_(tensors[f"{name}.weight"])
        hooks.append(layer.conv.register_forward_hook(_norm_from_output(layer.norm, tensors[f"{name}.bias"])))
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
    missing = [name for name in expected if name not in found]
    if missing:
        raise ConfigError(f"{path}: no tensor '{missing[0]}'; these weights are of another architecture")
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            shapes = f"{tuple(found[name].shape)} where the network has {tuple(tensor.shape)}"
            raise ConfigError(f"{path}: '{name}' is {shapes}; set the width that the weights were made with")
