"""Exponential moving average of the weights (EMA), and its interpolation with the initial weights (WiSE-FT)."""

from copy import deepcopy
from typing import Any

import torch
from accelerate.utils import broadcast
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


class EMA:
    """An exponential moving average of a network's weights and buffers.

    `decay` is the weight of the average at each update; early updates weigh more, by (1 + n) / (10 + n), as
    TensorFlow's do. `wise_ft_alpha` under 1 interpolates the average with the weights that `model` has now.
    """

    def __init__(self, model: nn.Module, decay: float, wise_ft_alpha: float = 1.0) -> None:
        self._average = AveragedModel(model, multi_avg_fn=_update_rule(decay), use_buffers=True)
        self._alpha = wise_ft_alpha
        self._start = {} if wise_ft_alpha == 1 else {name: t.clone() for name, t in model.state_dict().items()}

    def update(self, model: nn.Module) -> None:
        """Take in the weights after an optimizer step."""
        self._average.update_parameters(model)

    def model(self) -> nn.Module:
        """The network with the averaged weights, or with `(1 - alpha) * first + alpha * average` (WiSE-FT).

        Wortsman et al. 2022 (https://arxiv.org/abs/2109.01903). Buffers are the main process's.
        """
        broadcast(list(self._average.buffers()))
        if self._alpha == 1:
            return self._average.module
        mixed = deepcopy(self._average.module)
        with torch.no_grad():
            for name, tensor in mixed.state_dict().items():
                if tensor.is_floating_point():
                    tensor.lerp_(self._start[name], 1 - self._alpha)
        return mixed

    def state_dict(self) -> dict[str, Any]:
        """The average and its number of updates."""
        return self._average.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` gave."""
        self._average.load_state_dict(state)


def _update_rule(decay: float):  # type: ignore[no-untyped-def] # torch's own type
    def update(averages: Tensors, currents: Tensors, updates: Tensor | int) -> None:
        if averages[0].is_floating_point():
            rate = min(decay, (1 + int(updates)) / (10 + int(updates)))
            get_ema_multi_avg_fn(rate)(averages, currents, updates)  # type: ignore[no-untyped-call] # torch's stub
        else:
            for average, current in zip(averages, currents, strict=True):
                average.copy_(current)

    return update
