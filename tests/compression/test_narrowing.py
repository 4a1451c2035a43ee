"""A narrower network has the published widths and its parent's heaviest channels."""

import pytest
import torch

from clothing_classifier.compression.narrowing import narrow
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import create_model


@pytest.mark.parametrize("batch_norm", [False, True])
def test_widths_are_those_of_the_published_narrower_network(batch_norm: bool) -> None:
    parent = create_model("mobilenet_v2", 3, batch_norm=batch_norm)
    child = narrow(parent, 0.5)
    published = create_model("mobilenet_v2", 3, width=0.5, batch_norm=batch_norm)
    assert {n: p.shape for n, p in child.named_parameters()} == {n: p.shape for n, p in published.named_parameters()}
    assert child(torch.rand(2, 3, 32, 32)).shape == (2, 3)


def test_channels_that_weigh_nothing_go_first_and_nothing_is_lost_with_them() -> None:
    torch.manual_seed(0)
    small = create_model("mobilenet_v2", 3, width=0.25, depth=0.3, batch_norm=False).eval()
    wide = create_model("mobilenet_v2", 3, width=0.5, depth=0.3, batch_norm=False).eval()
    state = {name: torch.zeros_like(tensor) for name, tensor in wide.state_dict().items()}
    for name, tensor in small.state_dict().items():
        state[name][tuple(slice(side) for side in tensor.shape)] = tensor
    wide.load_state_dict(state)
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(narrow(wide, 0.5)(images), small(images))


def test_a_pruned_network_is_not_narrowed() -> None:
    settings = {"depth": 0.3, "hidden": [8] * 7, "head": 16}
    with pytest.raises(ConfigError, match="narrow first, then prune"):
        narrow(create_model("mobilenet_v2", 2, **settings), 0.5)
