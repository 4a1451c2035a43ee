"""Run by torchrun in two processes: what they exchange, and batch norm over both, against one process's."""

import os

import torch
from torch import nn

from clothing_classifier.config import RuntimeSettings
from clothing_classifier.errors import ConfigError, SaidElsewhereError, UsageError
from clothing_classifier.training.batch_norm import share_batch_norm
from clothing_classifier.training.device import make_accelerator
from clothing_classifier.training.processes import Processes, processes_of

_SIZES = {"even": (3, 3), "uneven": (5, 1), "one has none": (6, 0)}


def main() -> None:
    processes = processes_of(make_accelerator(RuntimeSettings(device="cpu", threads=1)))
    assert (processes.count, processes.first_here) == (2, processes.index == 0)
    exchange(processes)
    agree(processes)
    for sizes in _SIZES.values():
        normalise(processes, sizes)


def exchange(processes: Processes) -> None:
    mine = {"name": "Größe" * (1 + processes.index), "index": processes.index}
    assert processes.gather(mine) == [{"name": "Größe", "index": 0}, {"name": "GrößeGröße", "index": 1}]
    assert processes.from_first(processes.index) == 0
    tensors = {"a": torch.tensor([[1.5, 2.5]]).bfloat16(), "n": torch.tensor(7)}
    received = processes.tensors_from_first(tensors if processes.first else {})
    assert {name: (t.dtype, t.tolist()) for name, t in received.items()} == {
        "a": (torch.bfloat16, [[1.5, 2.5]]), "n": (torch.int64, 7)
    }  # fmt: skip
    ones, image = torch.ones(2, 2), torch.arange(24.0).view(1, 2, 3, 4).to(memory_format=torch.channels_last)
    processes.add_up([ones, image])
    assert ones.tolist() == [[2, 2], [2, 2]]
    assert torch.equal(image, 2 * torch.arange(24.0).view(1, 2, 3, 4))


def agree(processes: Processes) -> None:
    """What fails in one process, whichever, fails in both, and the first has the words."""
    with processes.agree():
        pass
    for culprit in (0, 1):
        try:
            with processes.agree():
                if processes.index == culprit:
                    raise ConfigError("no such file")
        except UsageError as error:
            assert str(error).endswith("no such file")
            assert isinstance(error, SaidElsewhereError) != processes.first
            assert ("process 1 on " in str(error)) == (culprit == 1)
        else:
            raise AssertionError("both should have failed")


def normalise(processes: Processes, sizes: tuple[int, int]) -> None:
    """Output, gradients and running statistics are those of the whole batch."""
    generator = torch.Generator().manual_seed(0)
    whole = (3 + torch.randn(6, 4, 5, 5, generator=generator)).requires_grad_()
    weighting = torch.randn(6, 4, 5, 5, generator=generator)
    alone, shared = nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4))
    share_batch_norm(shared)
    expected = alone(whole)
    (expected * weighting).sum().backward()
    mine = slice(0, sizes[0]) if processes.first else slice(sizes[0], 6)
    part = whole.detach()[mine].clone().requires_grad_()
    output = shared(part)
    (output * weighting[mine]).sum().backward()
    assert part.grad is not None and whole.grad is not None
    torch.testing.assert_close(output, expected[mine])
    torch.testing.assert_close(part.grad, whole.grad[mine])
    gradients = [parameter.grad for parameter in shared.parameters() if parameter.grad is not None]
    processes.add_up(gradients)
    torch.testing.assert_close(gradients, [parameter.grad for parameter in alone.parameters()])
    torch.testing.assert_close(shared[0].state_dict(), alone.state_dict())
    torch.testing.assert_close(shared.eval()(part), alone.eval()(whole)[mine])


if __name__ == "__main__":
    main()
    os._exit(0)  # the interpreter's own end may be aborted by gloo's threads, as in cli/__init__.py
