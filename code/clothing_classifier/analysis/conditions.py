"""Context managers that change torch and the network while it is traced, and undo that afterwards."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.overrides import TorchFunctionMode

from clothing_classifier.errors import AnalysisError
from clothing_classifier.utils import one_line


def initialise_lazy(model: nn.Module, shape: Sequence[int]) -> None:
    """Let lazy layers find their sizes, by one real run."""
    kinds = UninitializedParameter | UninitializedBuffer
    if not any(isinstance(tensor, kinds) for tensor in (*model.parameters(), *model.buffers())):
        return
    flags = [(module, module.training) for module in model.modules()]
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *shape))
    except Exception as error:  # any error of a foreign model is reported in one line
        raise AnalysisError(f"the model's lazy layers can't be made: {one_line(str(error))}") from error
    for module, flag in flags:
        module.training = flag


@contextmanager
def left_as_it_was(model: nn.Module) -> Iterator[None]:
    """Put back every module's attributes afterwards: training flags, and what a forward keeps for later."""
    modules = [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]
    before = [(module, dict(vars(module)), dict(module._buffers)) for module in modules]
    try:
        yield
    finally:
        for module, attributes, buffers in before:
            vars(module).clear()
            vars(module).update(attributes)
            module._buffers.clear()
            module._buffers.update(buffers)


@contextmanager
def without_fused_layers() -> Iterator[None]:
    """Attention and recurrent layers operator by operator, since a fused one hides what it multiplies."""
    attention, recurrent = torch.backends.mha.get_fastpath_enabled(), torch._C._get_mkldnn_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(attention)
        torch._C._set_mkldnn_enabled(recurrent)


@contextmanager
def without_torchs_log() -> Iterator[None]:
    """Silence torch's log, which prints a traceback of each failed operator; the error is reported in one line."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


class CircularAsZero(TorchFunctionMode):
    """Pads with zeros where circular padding is asked for: both count as the image going on."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in (torch._C._nn.pad, nn.functional.pad):
            given = dict(zip(("input", "pad", "mode", "value"), args, strict=False)) | kwargs
            if given.get("mode") == "circular":
                return func(given["input"], given["pad"], "constant", 0.0)
        return func(*args, **kwargs)
