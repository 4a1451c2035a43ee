"""Every architecture: published size, any input, a head that makes the class activation map exact."""

import pytest
import torch

from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ARCHITECTURES, create_model
from clothing_classifier.models.mobilenet_v2 import SameConv2d


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("size", [(28, 28), (65, 33), (1, 1)])
def test_any_input_size_gives_logits(name: str, size: tuple[int, int]) -> None:
    model = create_model(name, 5).eval()
    with torch.no_grad():
        assert model(torch.rand(2, 3, *size)).shape == (2, 5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_class_map_sums_up_to_the_logits(name: str) -> None:
    model = create_model(name, 4).eval()
    model.classifier.bias.data.uniform_(-1, 1)
    images = torch.rand(2, 3, 64, 48)
    with torch.no_grad():
        weight = model.classifier.weight[:, :, None, None]
        class_map = torch.nn.functional.conv2d(model.feature_map(images), weight)
        torch.testing.assert_close(class_map.mean((2, 3)) + model.classifier.bias, model(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "classes", "settings", "parameters"),
    [
        ("mobilenet_v2", 1000, {}, 3_504_872),  # torchvision's count
        ("resnet_small", 10, {"depth": 20}, 272_474),  # He et al.: 0.27M, here with 1x1 shortcuts
    ],
)
def test_the_published_number_of_parameters(
    name: str, classes: int, settings: dict[str, float], parameters: int
) -> None:
    model = create_model(name, classes, **settings)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_an_architecture_rebuilds_the_network() -> None:
    parent = create_model("mobilenet_v2", 3, width=0.35)
    child = create_model(parent.architecture["name"], 3, **parent.architecture["settings"])
    child.load_state_dict(parent.state_dict())
    images = torch.rand(1, 3, 40, 40)
    assert torch.equal(parent.eval()(images), child.eval()(images))


@pytest.mark.parametrize("side", [7, 8, 9, 224])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_padding_gives_a_stride_th_of_the_side_rounded_up(side: int, stride: int) -> None:
    conv = SameConv2d(1, 1, 3, stride, bias=False)
    assert conv(torch.zeros(1, 1, side, side)).shape[2:] == (-(-side // stride),) * 2


def test_a_strided_layer_pads_below_and_to_the_right_on_even_sides() -> None:
    conv = SameConv2d(1, 1, 3, 2, bias=False)
    torch.nn.init.ones_(conv.weight)
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 0, 0] = 1
    assert conv(image)[0, 0].tolist() == [[1, 0], [0, 0]]
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 3, 3] = 1
    assert conv(image)[0, 0].tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("mobilenet", {}, "model 'mobilenet': unknown; use mobilenet_v2, resnet_small or timm:NAME"),
        ("mobilenet_v2", {"heads": 3}, r"model mobilenet_v2 has no setting 'heads' \(settings: width, batch_norm, "),
        ("mobilenet_v2", {"width": "wide"}, "model mobilenet_v2, setting 'width': 'wide' is not a number"),
        ("mobilenet_v2", {"kernel": 4}, "an odd kernel and at most 17 local_blocks"),
        ("mobilenet_v2", {"local_blocks": 18}, "an odd kernel and at most 17 local_blocks"),
        ("mobilenet_v2", {"local_blocks": -1}, "setting 'local_blocks': -1 is not above 0"),
        ("mobilenet_v2", {"width": 0}, "model mobilenet_v2, setting 'width': 0 is not above 0"),
        ("resnet_small", {"depth": 21}, "resnet_small needs 6n"),
        ("resnet_small", {"depth": 20.0}, "model resnet_small, setting 'depth': 20.0 is not a whole number"),
    ],
)
def test_what_can_not_be_built_is_named(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_model(name, 3, **settings)
