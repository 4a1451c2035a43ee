"""The loss against probabilities, its gradient, and the teachers' share in it."""

import pytest
import torch
from torch.nn import functional as F

from clothing_classifier.config import DistillationSettings
from clothing_classifier.models import create_model
from clothing_classifier.training.distillation import Teachers
from clothing_classifier.training.objective import distillation_loss, micro_batches

LOGITS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
TARGETS = torch.rand(5, 4, generator=torch.Generator().manual_seed(1)).softmax(1)
TAUGHT = torch.rand(5, 4, generator=torch.Generator().manual_seed(2)).softmax(1)


@pytest.mark.parametrize(("weight", "temperature"), [(0.0, 3.0), (0.4, 1.0), (1.0, 2.0)])
def test_teachers_have_their_share_at_their_temperature(weight: float, temperature: float) -> None:
    label_loss = F.cross_entropy(LOGITS, TARGETS)
    of_teachers = -(TAUGHT * (LOGITS / temperature).log_softmax(1)).sum(1).mean() * temperature**2
    settings = DistillationSettings(weight=weight, temperature=temperature)
    torch.testing.assert_close(
        distillation_loss(label_loss, LOGITS, TAUGHT, settings), (1 - weight) * label_loss + weight * of_teachers
    )


def test_several_teachers_answer_with_their_mean() -> None:
    networks = [create_model("resnet_small", 3, depth=8, width=4) for _ in range(2)]
    images = torch.rand(2, 3, 16, 16)
    answers = [(network.eval()(images) / 2).softmax(1) for network in networks]
    taught = Teachers(networks, temperature=2.0)(images)
    torch.testing.assert_close(taught, (answers[0] + answers[1]) / 2)
    assert not taught.requires_grad


def test_parts_are_the_whole_batch_in_order() -> None:
    images, targets = torch.rand(7, 3, 4, 4), torch.rand(7, 2)
    parts = list(micro_batches(images, targets, [3, 3, 1], torch.device("cpu"), targets + 1))
    assert [len(part) for part, _, _ in parts] == [3, 3, 1]
    assert torch.equal(torch.cat([part for part, _, _ in parts]), images)
    assert torch.equal(torch.cat([wanted for _, wanted, _ in parts]), targets)
    assert torch.equal(torch.cat([told for _, _, told in parts if told is not None]), targets + 1)
    assert all(told is None for _, _, told in micro_batches(images, targets, [7], torch.device("cpu")))
