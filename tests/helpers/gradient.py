"""The field as gradients show it: which input rows and columns one unit's gradient reaches."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from clothing_classifier.analysis import moves, trace
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


def averaging(module: nn.Module) -> nn.Module | None:
    """Mean in place of maximum, whose gradient reaches one element of a window only; nothing saturates."""
    if isinstance(module, nn.MaxPool2d):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode)
    return nn.Identity() if isinstance(module, nn.BatchNorm2d | nn.ReLU | nn.ReLU6) else None


def check_layers(model: nn.Module, linear: nn.Module, shape: tuple[int, int, int], kind: str = "") -> int:
    """Compare each module of `model` whose units see a part of the image with the gradients of `linear`.

    `linear` is the same network, such that gradients show all that a unit depends on. The middle unit is compared,
    along the longer side. Returns how many modules were compared; only those whose type begins with `kind` are.
    """
    axis = int(shape[2] > shape[1])
    image = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    outputs: dict[str, Tensor] = {}
    for name, module in linear.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda m, args, output, n=name: outputs.update({n: output}))  # type: ignore[misc]
    rows = trace(model, shape).layers
    linear(image)
    compared = 0
    for row in rows:
        output = outputs.get(row.name)
        if output is None or output.ndim != 4 or row.field is None or row.sees_all or not row.type.startswith(kind):
            continue
        middle = [side // 2 for side in output.shape[2:]]
        expected, found = derived(row.field, *middle), support(output, image, *middle)
        assert expected is not None and found is not None, row.name
        assert found[axis] == expected[axis], row.name
        compared += 1
    return compared
