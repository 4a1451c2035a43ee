"""The training loop, top to bottom: forward, loss, backward, step, average, validate, checkpoint."""

import csv
import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier import metrics
from clothing_classifier.config import RuntimeSettings, TrainSettings
from clothing_classifier.errors import UsageError
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training import checkpoint
from clothing_classifier.training.augmentation import augment
from clothing_classifier.training.data import Photos, epoch_order, in_order
from clothing_classifier.training.optimization import learning_rate, make_average, make_optimizer
from clothing_classifier.utils import progress_bar, write_text

HISTORY = ("epoch", "loss", "accuracy", "macro_f1", "log_loss", "learning_rate", "images_per_second")


@dataclass
class State:
    """What a run has reached: the next epoch, a row of figures for each finished one, and the best so far."""

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)


def fit(
    model: ImageClassifier,
    train: Photos,
    validation: Photos,
    labels: tuple[str, ...],
    settings: TrainSettings,
    out: Path,
    resume: bool,
    on_epoch: Callable[[dict[str, float]], None],
) -> State:
    """Train `model` and leave `best.safetensors`, `last.safetensors` and `history.csv` in `out`.

    The averaged weights are validated after each epoch and the best of them kept (accuracy, then log loss). All
    randomness derives from seed, epoch and step, so a run that is resumed at an epoch ends as if never stopped.
    """
    run, optimization = settings.runtime, settings.optimization
    device, autocast = compute_settings(run)
    model.to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # its stub lacks this overload
    average = make_average(model, optimization.ema_decay)
    optimizer = make_optimizer(model, optimization)
    state = _restore(out, model, average, optimizer) if resume else State()
    for epoch in range(state.epoch, optimization.epochs):
        torch.manual_seed(run.seed * 1_000_003 + epoch)  # dropout draws from the global generator
        batches = epoch_order(len(train), optimization.batch_size, run.seed, epoch)
        started, losses = time.monotonic(), 0.0
        model.train()
        with progress_bar(f"epoch {epoch + 1}/{optimization.epochs}", len(train)) as advance:
            for step, (pixels, targets) in enumerate(train.batches(batches)):
                generator = torch.Generator().manual_seed((run.seed * 1_000_003 + epoch) * 1_000_003 + step)
                images = augment(pixels, settings.image.size, settings.augmentation, generator)
                rate = learning_rate(epoch + (step + 1) / len(batches), optimization)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                with autocast():
                    logits = model(images.to(device, memory_format=torch.channels_last))
                loss = F.cross_entropy(logits.float(), targets.to(device), label_smoothing=optimization.label_smoothing)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
                optimizer.step()
                average.update_parameters(model)
                losses += _finite(loss, epoch, rate) * len(targets)
                advance(len(targets), loss=f"{loss.item():.3f}")
        speed = len(train) / (time.monotonic() - started)
        row = {"epoch": epoch + 1, "loss": losses / len(train), **validate(average.module, validation)}
        state.history.append(row | {"learning_rate": rate, "images_per_second": speed})
        state.epoch = epoch + 1
        if not state.best or _merit(row) > _merit(state.best):
            state.best = row
            save_weights(out / "best.safetensors", average.module, labels)
        _save_state(out, state, model, average, optimizer)
        on_epoch(state.history[-1])
    write_history(out / "history.csv", state.history)  # a kill may have come between state and history
    return state


def validate(model: nn.Module, photos: Photos) -> dict[str, float]:
    """Accuracy, macro-F1 and log loss of `model` on `photos`, in float32."""
    probabilities = predict(model, photos)
    predicted = probabilities.argmax(1)
    confusion = metrics.confusion_matrix(photos.targets, predicted, probabilities.shape[1])
    return {
        "accuracy": metrics.accuracy(photos.targets, predicted),
        "macro_f1": metrics.macro_f1(confusion),
        "log_loss": metrics.log_loss(photos.targets, probabilities),
    }


@torch.inference_mode()
def predict(model: nn.Module, photos: Photos, batch_size: int = 64) -> metrics.Floats:
    """Probabilities of `photos`, `(N, K) float64`, each photo seen as the image contract gives it."""
    device = next(model.parameters()).device
    model.eval()
    parts = [
        model(to_images(pixels).to(device)).double().softmax(1).cpu().numpy()
        for pixels, _ in photos.batches(in_order(len(photos), batch_size))
    ]
    return np.concatenate(parts)


def to_images(pixels: Tensor) -> Tensor:
    """`(N, H, W, 3) uint8` to `(N, 3, H, W) float32 in [0, 1]`, channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float() / 255


def compute_settings(settings: RuntimeSettings) -> tuple[torch.device, Callable[[], AbstractContextManager[Any]]]:
    """Set threads and determinism for the process; return the device and a context that sets the precision."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    # Otherwise each new tensor is first filled with NaN, a third of a step; nothing here reads such memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # not in its stub
    name = ("cuda" if torch.cuda.is_available() else "cpu") if settings.device == "auto" else settings.device
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("setting runtime.device: cuda was asked for and torch finds no GPU")
    if settings.precision == "bf16" or (settings.precision == "auto" and _has_bf16(name)):
        return torch.device(name), lambda: torch.autocast(name, torch.bfloat16)
    return torch.device(name), nullcontext


def save_weights(path: Path, model: ImageClassifier | nn.Module, labels: tuple[str, ...]) -> None:
    """Write weights with the architecture and the labels that they belong to."""
    metadata = {"architecture": model.architecture, "labels": list(labels)}
    checkpoint.save_tensors(path, model.state_dict(), metadata)


def _has_bf16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Without these instructions a processor emulates bf16, many times slower than fp32.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _merit(row: dict[str, float]) -> tuple[float, float]:
    return row["accuracy"], -row["log_loss"]


def _finite(loss: Tensor, epoch: int, rate: float) -> float:
    value = loss.item()
    if not np.isfinite(value):
        raise UsageError(f"the loss became {value} in epoch {epoch + 1}; lower optimization.learning_rate ({rate:g})")
    return value


def _save_state(
    out: Path, state: State, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    parts = {"model": model.state_dict(), "average": average.state_dict()}
    parts["optimizer"] = checkpoint.optimizer_tensors(optimizer)
    tensors = {name: t for key, part in parts.items() for name, t in checkpoint.with_prefix(key, part).items()}
    metadata = {"epoch": state.epoch, "history": state.history, "best": state.best}
    checkpoint.save_tensors(out / "last.safetensors", tensors, metadata)
    write_history(out / "history.csv", state.history)


def _restore(out: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> State:
    path = out / "last.safetensors"
    if not path.exists():
        return State()
    tensors, metadata = checkpoint.load_tensors(path)
    model.load_state_dict(checkpoint.below("model", tensors))
    average.load_state_dict(checkpoint.below("average", tensors))
    checkpoint.restore_optimizer(optimizer, checkpoint.below("optimizer", tensors))
    return State(metadata["epoch"], metadata["history"], metadata["best"])


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """Write one row an epoch as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HISTORY, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(path, text.getvalue())
