"""A network starts exactly as the weights say: folded features keep their function, our own files keep their head."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.models.base import ConvNorm
from clothing_classifier.models.mobilenet_v2 import STAGES
from clothing_classifier.training.checkpoint import save_weights
from clothing_classifier.training.initialisation import initialise

LABELS = ("Dress", "Hat", "Shirt")


@pytest.fixture
def images() -> Tensor:
    return torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def folded_weights(model: ImageClassifier) -> dict[str, Tensor]:
    """Random weights and biases, shaped and named as published features with folded batch norm are."""
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for name, layer in model.extractor.named_modules():
        if isinstance(layer, ConvNorm):
            tensors[f"{name}.weight"] = torch.randn(layer.conv.weight.shape, generator=generator) * 0.3
            tensors[f"{name}.bias"] = torch.randn(layer.conv.out_channels, generator=generator)
    return tensors


def same_padding(x: Tensor, stride: int) -> Tensor:
    """TensorFlow's SAME for a 3x3 kernel, by its definition."""
    pads: list[int] = []
    for side in (x.shape[3], x.shape[2]):
        total = max((-(-side // stride) - 1) * stride + 3 - side, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def folded_mobilenet(tensors: dict[str, Tensor], images: Tensor) -> Tensor:
    """MobileNetV2 written as a plain function of folded weights: what `initialise` must reproduce."""

    def conv(name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        return F.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], stride, groups=groups)

    x = F.relu6(conv("stem", same_padding(images * 2 - 1, 2), 2))
    strides = [first if i == 0 else 1 for _, _, count, first in STAGES for i in range(count)]
    for i, stride in enumerate(strides):
        name = f"blocks.{i}"
        y = F.relu6(conv(f"{name}.expand", x)) if f"{name}.expand.weight" in tensors else x
        y = F.relu6(conv(f"{name}.depthwise", same_padding(y, stride), stride, y.shape[1]))
        y = conv(f"{name}.project", y)
        x = x + y if stride == 1 and x.shape == y.shape else y
    return F.relu6(conv("head", x))


@pytest.mark.parametrize("size", [64, 57])
def test_folded_features_keep_their_function(tmp_path: Path, size: int) -> None:
    images = torch.rand(8, 3, size, size, generator=torch.Generator().manual_seed(0))
    model = create_model("mobilenet_v2", 3, width=0.25)
    tensors = folded_weights(model)
    save_file(tensors, tmp_path / "features.safetensors")
    initialise(model, tmp_path / "features.safetensors", LABELS, images)
    with torch.no_grad():
        torch.testing.assert_close(
            model.eval().feature_map(images), folded_mobilenet(tensors, images), rtol=1e-3, atol=1e-3
        )


def test_batch_norms_made_from_folded_features_see_normalised_values(tmp_path: Path, images: Tensor) -> None:
    """In training mode, too, the network starts with the function it was given: batch and stored statistics agree."""
    model = create_model("mobilenet_v2", 3, width=0.25)
    save_file(folded_weights(model), tmp_path / "features.safetensors")
    initialise(model, tmp_path / "features.safetensors", LABELS, images)
    with torch.no_grad():
        stored, batch = model.eval().feature_map(images), model.train().feature_map(images)
    torch.testing.assert_close(batch, stored, rtol=1e-3, atol=1e-3)


def test_folded_features_load_as_they_are_where_there_is_no_batch_norm(tmp_path: Path, images: Tensor) -> None:
    model = create_model("mobilenet_v2", 3, width=0.25, batch_norm=False)
    tensors = folded_weights(model)
    save_file(tensors, tmp_path / "features.safetensors")
    initialise(model, tmp_path / "features.safetensors", LABELS, images)
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        assert torch.equal(model.extractor.get_parameter(f"{layer}.conv.{kind}"), tensor)


@pytest.mark.parametrize("norms", [(True, False), (False, True), (False, False)], ids=["fold", "insert", "as it is"])
def test_our_own_weights_keep_their_function_with_or_without_batch_norm(
    tmp_path: Path, images: Tensor, norms: tuple[bool, bool]
) -> None:
    parent, child = (create_model("mobilenet_v2", 3, width=0.25, batch_norm=norm) for norm in norms)
    with torch.no_grad():
        for _ in range(3):
            parent.train()(images)  # so that statistics are not those of a new norm
        save_weights(tmp_path / "best.safetensors", parent, LABELS)
        initialise(child, tmp_path / "best.safetensors", LABELS, images)
        torch.testing.assert_close(child.eval()(images), parent.eval()(images), rtol=1e-3, atol=1e-3)


def test_published_features_load_as_they_are(shared: Path, images: Tensor) -> None:
    path = shared / "pretrained" / "mobilenet_v2_imagenet.safetensors"
    model = create_model("mobilenet_v2", 3)
    summary, _ = initialise(model, path, LABELS, images)
    with torch.no_grad():
        expected = folded_mobilenet(load_file(path), images)
        torch.testing.assert_close(model.eval().feature_map(images), expected, rtol=1e-3, atol=1e-3)
    assert summary == "started from the features in mobilenet_v2_imagenet.safetensors, batch norm from 8 photos"


@pytest.mark.parametrize(("labels", "kept"), [(LABELS, True), (("Coat", "Hat", "Shirt"), False)])
def test_our_own_weights_keep_the_classifier_of_the_same_labels(
    tmp_path: Path, images: Tensor, labels: tuple[str, ...], kept: bool
) -> None:
    parent, child = (create_model("resnet_small", 3, depth=8, width=8) for _ in range(2))
    save_weights(tmp_path / "best.safetensors", parent, LABELS)
    summary, has_classifier = initialise(child, tmp_path / "best.safetensors", labels, images)
    assert summary.endswith("with its classifier" if kept else "with a new classifier")
    assert has_classifier == kept
    assert torch.equal(child.classifier.weight, parent.classifier.weight) == kept
    assert all(
        torch.equal(a, b)
        for a, b in zip(child.extractor.state_dict().values(), parent.extractor.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        (
            ("resnet_small", {"width": 8}),
            ("resnet_small", {"width": 16}),
            "set the width that the weights were made with",
        ),
        (("resnet_small", {}), ("mobilenet_v2", {}), "these weights are of another architecture"),
        (
            ("resnet_small", {"depth": 14, "width": 8}),
            ("resnet_small", {"depth": 8, "width": 8}),
            r"more than the network has: 'stage1\.1\..*of another architecture",
        ),
    ],
)
def test_weights_of_another_network_are_refused(
    tmp_path: Path, images: Tensor, theirs: tuple[str, dict[str, int]], ours: tuple[str, dict[str, int]], message: str
) -> None:
    save_weights(tmp_path / "best.safetensors", create_model(theirs[0], 3, **theirs[1]), LABELS)
    with pytest.raises(ConfigError, match=message):
        initialise(create_model(ours[0], 3, **ours[1]), tmp_path / "best.safetensors", LABELS, images)


def test_folded_weights_are_refused_by_a_network_of_another_making(tmp_path: Path, images: Tensor) -> None:
    save_weights(tmp_path / "best.safetensors", create_model("mobilenet_v2", 3, batch_norm=False), LABELS)
    block = nn.Sequential(OrderedDict(norm=nn.BatchNorm2d(4)))
    extractor = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), block=block))
    model = ImageClassifier(extractor, 4, 3, {"name": "theirs", "settings": {}})
    with pytest.raises(ConfigError, match=r"no tensor 'conv\.weight'; these weights are of another architecture"):
        initialise(model, tmp_path / "best.safetensors", LABELS, images)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"\x10\0\0\0\0\0\0\0{}"])
def test_a_file_that_is_no_safetensors_is_named(tmp_path: Path, images: Tensor, content: bytes) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"weights\.pt: not a whole safetensors file"):
        initialise(create_model("resnet_small", 3), path, LABELS, images)
