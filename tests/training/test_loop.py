"""The loss, and the teachers in it."""

import torch
from torch.nn import functional as F

from clothing_classifier.models import create_model
from clothing_classifier.training.distillation import Teachers
from clothing_classifier.training.loop import training_loss

LOGITS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
TARGETS = torch.tensor([0, 1, 2, 3, 1])
TEACHER_PROBS = torch.rand(5, 4, generator=torch.Generator().manual_seed(2)).softmax(1)


def test_without_teachers_smoothed_labels_are_learnt() -> None:
    wanted = F.one_hot(TARGETS, 4) * 0.8 + 0.2 / 4
    expected = -(wanted * LOGITS.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(training_loss(LOGITS, TARGETS, None, 0.2), expected)


def test_teachers_probabilities_replace_the_labels() -> None:
    expected = -(TEACHER_PROBS * LOGITS.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(training_loss(LOGITS, TARGETS, TEACHER_PROBS, 0.2), expected)


def test_several_teachers_predict_their_mean() -> None:
    networks = [create_model("resnet_small", 3, depth=8, width=4) for _ in range(2)]
    images = torch.rand(2, 3, 16, 16)
    one, two = (network.eval()(images).softmax(1) for network in networks)
    probabilities = Teachers(networks)(images)
    torch.testing.assert_close(probabilities, (one + two) / 2)
    assert not probabilities.requires_grad
