"""The linear head that predicts the rotation of a photo, fitted on features of photos in all four rotations."""

import torch
from torch.nn import functional as F

from clothing_classifier.evaluation.metrics import Floats
from clothing_classifier.inference.orientation import ROTATIONS

_DECAY = 1e-3
_STEPS = 100


def fit_orientation(features: Floats) -> tuple[Floats, Floats]:
    """Fit weight `(D, 4)` and bias `(4,)` on `features` `(N, 4, D)`: of N photos, rotated clockwise by k quarter turns.

    Logistic regression on standardised features with a quadratic penalty, by L-BFGS: it has one minimum, so that no
    seed matters. A photo rotated by k needs 4 - k more to be upright.
    """
    flat = torch.from_numpy(features).flatten(0, 1).float()
    needed = (-torch.arange(ROTATIONS) % ROTATIONS).repeat(len(features))
    mean, deviation = flat.mean(0), flat.std(0).clamp(min=1e-6)
    inputs = (flat - mean) / deviation
    weight = torch.zeros(flat.shape[1], ROTATIONS, requires_grad=True)
    bias = torch.zeros(ROTATIONS, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(inputs @ weight + bias, needed) + _DECAY * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    scaled = weight.detach() / deviation[:, None]
    return scaled.numpy(), (bias.detach() - mean @ scaled).numpy()
