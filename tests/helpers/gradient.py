"""The field as gradients show it: which input rows and columns one unit's gradient reaches."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from clothing_classifier.analysis import moves
from clothing_classifier.analysis.field import Field

Interval = tuple[int, int]


def derived(field: Field, row: int, column: int) -> tuple[Interval, Interval] | None:
    """What `field` says of a unit of an output `(N, C, H, W)`, all channels together: input rows and columns."""
    field = moves.reduced(moves.reduced(field, 0), 1)
    field = moves.pinned(moves.pinned(field, 2, row), 3, column)
    rows, columns = ((int(spread.lo[0, 0, 0, 0]), int(spread.hi[0, 0, 0, 0])) for spread in field.axes)
    return (rows, columns) if rows[0] <= rows[1] else None


def support(output: Tensor, image: Tensor, row: int, column: int) -> tuple[Interval, Interval] | None:
    """First and last input row and column that the unit, `(N, C, H, W)` with all its channels, depends on."""
    (gradient,) = torch.autograd.grad(output[0, :, row, column].sum(), image, retain_graph=True, allow_unused=True)
    if gradient is None or not gradient.any():
        return None
    rows, columns = (gradient[0].abs().sum(dims).nonzero().flatten() for dims in ((0, 2), (0, 1)))
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def make_positive(model: nn.Module) -> nn.Module:
    """`model` in float64 with positive weights that keep values near 1, so that nothing cancels or saturates."""
    model = model.double().eval()
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if parameter.ndim > 1:
                nn.init.constant_(parameter, 1 / parameter[0].numel())
    return model


def replace_modules(model: nn.Module, make: Callable[[nn.Module], nn.Module | None]) -> None:
    """Put what `make` gives in the place of each module for which it gives something."""
    for name, module in list(model.named_modules()):
        other = make(module)
        if name and other is not None:
            model.set_submodule(name, other)
