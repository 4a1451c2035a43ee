"""Device, threads, precision and determinism of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from accelerate.state import AcceleratorState
from torch import nn

from clothing_classifier.config import RuntimeSettings
from clothing_classifier.errors import UsageError
from clothing_classifier.utils import available_cpus

_TIMEOUT = timedelta(hours=6)
"""How long a process waits for another: as long as a large data set takes to decode."""


def make_accelerator(settings: RuntimeSettings) -> Accelerator:
    """Set threads and determinism for the process; the returned accelerator knows device and precision."""
    threads = settings.threads
    if here := int(os.environ.get("LOCAL_WORLD_SIZE", "0")):  # a launcher's choice is one thread each
        threads = threads or max(1, available_cpus() // here)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # else accelerate chooses, and warns
    if threads:
        torch.set_num_threads(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else deterministic cuBLAS refuses to multiply
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.allow_tf32 = False  # a third of the digits; training's own fast precision is bf16
    # Otherwise each new tensor is first filled with NaN, a third of a step; nothing here reads such memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # not in its stub
    name = ("cuda" if torch.cuda.is_available() else "cpu") if settings.device == "auto" else settings.device
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("setting runtime.device: cuda was asked for and torch finds no GPU")
    bf16 = settings.precision == "bf16" or (settings.precision == "auto" and _has_bf16(name))
    AcceleratorState._reset_state(reset_partial_state=True)  # of a run before, in the same process
    precision = "bf16" if bf16 else "no"
    return Accelerator(
        cpu=name == "cpu", mixed_precision=precision, kwargs_handlers=[InitProcessGroupKwargs(timeout=_TIMEOUT)]
    )


@contextmanager
def kernels_for(model: nn.Module) -> Iterator[None]:
    """Switch oneDNN's kernels off inside of the block, where they would crash on `model`.

    On processors without AVX-512 those of torch 2.13 (oneDNN 3.12) end the process in the gradient to the weights of a
    strided 1x1 convolution of fewer than eight channels, channels last.
    """
    crashes = any(
        isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1) and max(part.stride) > 1 and part.in_channels < 8
        for part in model.modules()
    )
    before = bool(torch.backends.mkldnn.enabled)
    setattr(torch.backends.mkldnn, "enabled", before and not crashes)  # noqa: B010 - its stub knows no assignment
    try:
        yield
    finally:
        setattr(torch.backends.mkldnn, "enabled", before)  # noqa: B010


def _has_bf16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Without these instructions a processor emulates bf16, many times slower than fp32.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
