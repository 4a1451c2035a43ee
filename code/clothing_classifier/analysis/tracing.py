"""Run a network once on tensors without data, and read it as the operators that it calls.

Every operator is seen, whoever calls it: functional code, modules that are used again, einsum, `@`, attention. Nothing
is computed and nothing allocated, so that an image of 4,096 px costs what one of 224 px costs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from clothing_classifier.analysis import compute
from clothing_classifier.analysis.aliasing import write_through
from clothing_classifier.analysis.conditions import (
    CircularAsZero,
    initialise_lazy,
    left_as_it_was,
    without_fused_layers,
    without_torchs_log,
)
from clothing_classifier.analysis.extent import extent_of
from clothing_classifier.analysis.field import Field, image_field
from clothing_classifier.analysis.layers import Layer, Reached, Trace
from clothing_classifier.analysis.rules import Call, seen_by, unknown
from clothing_classifier.errors import AnalysisError
from clothing_classifier.utils import reason_of

_CONSTANT = frozenset({"zeros_like", "ones_like", "empty_like", "full_like", "new_empty", "new_zeros", "new_ones",
                       "new_full", "rand_like", "randn_like"})  # fmt: skip
"""Operators that take only a shape from their input."""


def trace(model: nn.Module, shape: Sequence[int]) -> Trace:
    """Read `model`, in evaluation mode, on one image of `shape` `(C, H, W)`; raises `AnalysisError`."""
    initialise_lazy(model, shape)
    recorder = _Recorder()
    with (
        left_as_it_was(model),
        torch.no_grad(),
        without_fused_layers(),
        without_torchs_log(),
        FakeTensorMode(allow_non_fake_inputs=True),
        _paths(model, recorder),
    ):
        model.eval()
        like = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(()))
        image = torch.empty(1, *shape, dtype=like.dtype, device=like.device)
        recorder.see(image, image_field(image.shape))
        with CircularAsZero(), recorder:
            output = _run(model, image, recorder)
    ends = [end for tensor in _tensors(output) if (end := recorder.field_of(tensor)) is not None]
    if not ends:
        raise AnalysisError("the model's output holds no tensor that depends on the image")
    return Trace(
        tuple(shape),
        recorder.layers,
        recorder.modules,
        sum(recorder.sizes[key] for key in {key for layer in recorder.layers for key in layer.parameters}),
        max(ends, key=lambda end: extent.size if (extent := extent_of(end)) else (0, 0)),
    )


def _run(model: nn.Module, image: Tensor, recorder: "_Recorder") -> Any:
    try:
        return model(image)
    except (DataDependentOutputException, DynamicOutputShapeException) as error:
        what = f"{recorder.where()}: what it computes depends on pixel values (operator {error.func})"
        raise AnalysisError(f"{what}, so that no one graph stands for the model") from error
    except Exception as error:  # any error of a foreign model is reported in one line
        if recorder.fault is not None:
            raise recorder.fault from None
        raise AnalysisError(
            f"{recorder.where()}: can't take an image of {'x'.join(map(str, image.shape[1:]))}: {reason_of(error)}"
        ) from error


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's own hook
    """Keeps the field of every tensor, and adds every operator to the layer that it belongs to."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch's own
        self.layers: list[Layer] = []
        self.modules: dict[str, Reached] = {}
        self.stack: list[tuple[str, nn.Module, Layer | None]] = []
        self.sizes: dict[int, int] = {}
        self.macs = 0
        self.operator = ""
        self.guessed = ""  # an operator that wrote where it is not worked out
        self.fault: Exception | None = None  # of ours, not of the network
        self._fields: dict[int, Field] = {}
        self._parameters: dict[int, frozenset[int]] = defaultdict(frozenset)
        self._alive: list[Any] = []  # ids stay unique while their tensors live
        self._views: dict[int, Call] = {}

    def see(self, tensor: Tensor, seen: Field) -> None:
        """Set what a tensor's elements see."""
        self._alive.append(tensor)
        self._fields[id(tensor)] = seen

    def field_of(self, value: Any) -> Field | None:
        """What a tensor's elements see, None for constants and whatever is no tensor."""
        return self._fields.get(id(value)) if isinstance(value, Tensor) else None

    def where(self) -> str:
        """The module that runs, and the last operator."""
        name, module = next(((name, module) for name, module, _ in reversed(self.stack)), ("", None))
        place = f"module {name or '(the model itself)'} ({type(module).__name__})" if module else "the model"
        return f"{place}, operator {self.operator}" if self.operator else place

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.namespace != "prim":
            self.operator = compute.operator_name(func)
        result = func(*args, **(kwargs or {}))
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        if outputs and func.namespace != "prim":
            try:
                self._record(Call(func, _bound(func, args, kwargs or {}), self.field_of, outputs[0]), outputs)
            except Exception as error:
                self.fault = error
                raise
        return result

    def _record(self, call: Call, outputs: list[Tensor]) -> None:
        self._alive.append(outputs)
        inputs = [leaf for leaf in tree_leaves(list(call.arguments.values())) if isinstance(leaf, Tensor)]
        self._alive.append(inputs)
        used = frozenset().union(*(self._used(tensor) for tensor in inputs))
        depends = bool(call.seeing) and self.operator not in _CONSTANT
        missing = ""
        if depends:
            found, has_rule = seen_by(call)
            self._set(call, found, outputs)
            missing, self.guessed = self.guessed if has_rule else self.operator, ""
        else:
            for output in outputs:
                self._parameters[id(output)] |= used
        if call.operator.is_view:
            self._views.update((id(output), call) for output in outputs)
        self._add(call, inputs, used, depends, missing)

    def _set(self, call: Call, found: Field | list[Field], outputs: list[Tensor]) -> None:
        written = [call[a.name] for a in call.operator._schema.arguments if a.alias_info and a.alias_info.is_write]
        for tensor in written:
            if isinstance(tensor, Tensor):
                assert isinstance(found, Field)
                if not write_through(tensor, found, self._fields, self._views):
                    self.guessed = self.operator
        for i, output in enumerate(outputs):
            if isinstance(found, list):
                seen = found[i]
            elif tuple(output.shape) == outputs[0].shape:
                seen = found
            else:  # as the statistics that a normalisation gives beside its result
                seen = unknown(replace(call, output=output))
            self.see(output, seen)

    def _used(self, tensor: Tensor) -> frozenset[int]:
        if isinstance(tensor, nn.Parameter):
            self.sizes[id(tensor)] = tensor.numel()
            return frozenset({id(tensor)})
        return self._parameters.get(id(tensor), frozenset())

    def _add(self, call: Call, inputs: list[Tensor], used: frozenset[int], depends: bool, missing: str) -> None:
        name, _, layer = self.stack[-1] if self.stack else ("", None, None)
        work = compute.flops(call)
        if layer is None:
            if not depends and not work:
                return  # constants being made ready
            layer = Layer(f"{name}/{self.operator}".lstrip("/"), self.operator)
            self.layers.append(layer)
            self._close(layer, call.output)
        products = compute.macs(call)
        self.macs += products
        layer.macs += products
        layer.flops += work
        layer.kind = compute.kind(call) or layer.kind
        layer.parameters |= used
        layer.params = sum(self.sizes[key] for key in layer.parameters)
        if not call.operator.is_view:
            layer.bytes_moved += sum(t.numel() * t.element_size() for t in (*inputs, call.output))
        layer.unknown += (missing,) if missing else ()

    def _close(self, layer: Layer, output: Tensor) -> None:
        layer.output = tuple(output.shape[1:])
        layer.activation_bytes = output.numel() * output.element_size()
        layer.field = self.field_of(output)

    def enter(self, name: str, module: nn.Module, is_leaf: bool) -> None:
        """Note that a module starts."""
        layer = Layer(name, type(module).__name__) if is_leaf else None
        if layer:
            self.layers.append(layer)
        self.stack.append((name, module, layer))

    def leave(self, output: Any) -> None:
        """Note that the module that started last ends."""
        name, _, layer = self.stack.pop()
        tensors = _tensors(output)
        if layer and tensors:
            self._close(layer, tensors[0])
            for tensor in tensors:  # its parameters are in this layer's row, and in no other
                self._parameters.pop(id(tensor), None)
        seen = self.field_of(tensors[0]) if tensors else None
        self.modules[name] = Reached(extent_of(seen) if seen else None, self.macs)


@contextmanager
def _paths(model: nn.Module, recorder: _Recorder) -> Iterator[None]:
    """Tell the recorder of every module's start and end."""
    handles = []
    for name, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):  # takes no hooks: its operators count as its container's
            continue
        # A network without modules of its own is read operator by operator, unless it is one of torch's layers.
        is_leaf = not list(module.children()) and (name != "" or type(module).__module__.startswith("torch.nn."))
        start: Callable[..., None] = lambda m, args, n=name, leaf=is_leaf: recorder.enter(n, m, leaf)  # noqa: E731
        end: Callable[..., None] = lambda m, args, output: recorder.leave(output)  # noqa: E731
        handles += [module.register_forward_pre_hook(start), module.register_forward_hook(end)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _bound(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name, defaults filled in."""
    names = [argument.name for argument in func._schema.arguments]
    defaults = {a.name: a.default_value for a in func._schema.arguments if a.has_default_value()}
    return defaults | dict(zip(names, args, strict=False)) | kwargs


def _tensors(output: Any) -> list[Tensor]:
    leaves = tree_leaves(output)
    inside = [vars(leaf) for leaf in leaves if hasattr(leaf, "__dict__") and not isinstance(leaf, Tensor)]
    return [leaf for leaf in (*leaves, *tree_leaves(inside)) if isinstance(leaf, Tensor)]
