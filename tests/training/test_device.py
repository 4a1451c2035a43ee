"""What a run computes on."""

import pytest
import torch

from clothing_classifier.models import create_model
from clothing_classifier.training.device import kernels_for


@pytest.mark.parametrize(("width", "enabled"), [(4, False), (8, True)])
def test_narrow_networks_learn_without_the_kernels_that_crash_on_them(width: int, enabled: bool) -> None:
    model = create_model("resnet_small", 3, depth=8, width=width).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.rand(8, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    with kernels_for(model):
        assert torch.backends.mkldnn.enabled is enabled
        model(images).logsumexp(1).sum().backward()
    assert torch.backends.mkldnn.enabled
