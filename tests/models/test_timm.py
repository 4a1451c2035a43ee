"""Networks of timm under our head; runs where timm is installed (`make test-timm`)."""

import pytest
import torch

from clothing_classifier.errors import ConfigError, MissingExtraError
from clothing_classifier.models import create_model


@pytest.mark.usefixtures("timm")
@pytest.mark.parametrize("name", ["mobilenetv3_small_100", "resnet18", "efficientnet_b0"])
def test_a_network_of_timm_is_rebuilt_from_its_architecture(name: str) -> None:
    parent = create_model(f"timm:{name}", 5, 0.1).eval()
    child = create_model(parent.architecture["name"], 5, **parent.architecture["settings"]).eval()
    child.load_state_dict(parent.state_dict())
    images = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        assert parent(images).shape == (2, 5)
        assert torch.equal(parent(images), child(images))


@pytest.mark.usefixtures("timm")
def test_an_unknown_name_or_a_network_without_a_map_is_named() -> None:
    with pytest.raises(ConfigError, match="timm can't build it"):
        create_model("timm:nope", 5)
    with pytest.raises(ConfigError, match=r"its features are \(1, 197, 192\), not a map"):
        create_model("timm:vit_tiny_patch16_224", 5)


def test_without_timm_the_extra_is_named() -> None:
    try:
        import timm  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"pip install '\.\[timm\]'"):
            create_model("timm:resnet18", 5)
