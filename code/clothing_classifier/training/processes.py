"""The processes of one run, on one host or several, as torchrun or accelerate started them, and what they exchange.

Everything travels as tensors, text as bytes: nothing that comes over the network is unpickled.
"""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from torch import Tensor, distributed

from clothing_classifier.errors import ClothingError, LostProcessError, SaidElsewhereError, UsageError

_PATIENCE = timedelta(hours=6)
"""How long a process waits for another: as long as a large data set takes to decode. One that dies is noticed at once,
since its connections close."""


@dataclass(frozen=True)
class Processes:
    """How many there are, which of them this is, and whether it is the first of its host; one alone by default."""

    count: int = 1
    index: int = 0
    first_here: bool = True

    @property
    def first(self) -> bool:
        """Whether this process writes, logs and draws the bar."""
        return self.index == 0

    def share(self, batch: npt.NDArray[np.int64], parts: int) -> list[npt.NDArray[np.int64]]:
        """Cut a batch into at most `parts` parts, as one process would, and return what is this process's of each.

        Every process has the same number of parts, so that collectives within them meet; some may be empty. Over all
        parts, shares differ by at most one photo.
        """
        size = -(-len(batch) // parts)
        return [
            np.array_split(batch[start : start + size], self.count)[(self.index - start) % self.count]
            for start in range(0, len(batch), size)
        ]

    def gather(self, value: Any) -> list[Any]:
        """What each process gave, in their order; JSON values."""
        if self.count == 1:
            return [value]
        mine = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        sizes = [int(size) for size in self._gather(torch.tensor([len(mine)]))]
        padded = torch.zeros(max(sizes), dtype=torch.uint8)
        padded[: len(mine)] = mine
        texts = [bytes(text[:size].numpy()) for text, size in zip(self._gather(padded), sizes, strict=True)]
        return [json.loads(text) for text in texts]

    def from_first(self, value: Any) -> Any:
        """What the first process gave; JSON values."""
        return self.gather(value if self.first else None)[0]

    def tensors_from_first(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """The first process's tensors, on the CPU; what others give is not looked at."""
        if self.count == 1:
            return tensors
        layout = {name: (list(t.shape), str(t.dtype).removeprefix("torch.")) for name, t in tensors.items()}
        received = {}
        for name, (shape, dtype) in self.from_first(layout).items():
            tensor = torch.empty(shape, dtype=getattr(torch, dtype))
            if self.first:
                tensor.copy_(tensors[name])
            with _answered():
                distributed.broadcast(tensor, 0)
            received[name] = tensor
        return received

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one type by their sums over all processes, in one exchange.

        One buffer of always the same layout: the order of additions, and so the last bit, does not depend on when a
        run was resumed, as it does with the buckets of DistributedDataParallel.
        """
        if self.count == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _answered():
            distributed.all_reduce(flat)
        for tensor, total in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(total.view(tensor.shape))

    @contextmanager
    def agree(self) -> Iterator[None]:
        """Run a block in every process, then go on only if all can; else each raises, and the first says why.

        The block itself must not exchange anything.
        """
        if self.count == 1:
            yield
            return
        failure = None
        try:
            yield
        except (ClothingError, OSError) as error:
            failure = error
        where = f"process {self.index} on {platform.node()}"
        told = [entry for entry in self.gather([where, str(failure)] if failure else None) if entry]
        if failure and self.first:
            raise failure
        if told:
            raise self.of_all(UsageError(": ".join(told[0])))

    def of_all(self, error: UsageError) -> UsageError:
        """The error to raise where every process meets the same `error`: the first alone says it."""
        return error if self.first else SaidElsewhereError(str(error))

    def _gather(self, tensor: Tensor) -> list[Tensor]:
        received = [torch.empty_like(tensor) for _ in range(self.count)]
        with _answered():
            distributed.all_gather(received, tensor)
        return received


def join() -> None:
    """Meet the other processes, where a launcher has started some; returns once all are there."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        with _answered():
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            distributed.init_process_group(backend, timeout=_PATIENCE)


def processes_of(accelerator: Accelerator) -> Processes:
    """The processes that `accelerator` found."""
    return Processes(accelerator.num_processes, accelerator.process_index, accelerator.is_local_main_process)


def await_the_first() -> None:
    """Return when the first process has ended: a launcher stops all as soon as one fails, and it may still speak."""
    try:
        distributed.barrier()
    except RuntimeError:
        return


def sum_over_processes(tensor: Tensor) -> Tensor:
    """The sum of each process's `tensor`, through which gradients flow back to all of them."""
    return _Sum.apply(tensor)  # type: ignore[no-any-return, no-untyped-call] # torch's stub


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        with _answered():
            distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return _Sum.forward(context, gradient.contiguous())


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what gloo and NCCL raise where a connection breaks
        raise LostProcessError from error
