"""The training loop: forward, loss, backward, optimizer step, EMA, validation, checkpoint."""

import logging
import math
import time
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn import functional as F

from clothing_classifier.config import TrainSettings
from clothing_classifier.errors import UsageError
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training.augmentation import augment, corrupt
from clothing_classifier.training.checkpoint import State, load_state, save_state, save_weights
from clothing_classifier.training.data import derive_seed, epoch_batches, view_generator
from clothing_classifier.training.distillation import TeacherPredictions
from clothing_classifier.training.ema import EMA
from clothing_classifier.training.optimization import make_optimizer, set_learning_rate, set_train_mode
from clothing_classifier.training.run_folder import WEIGHTS
from clothing_classifier.training.splits import Splits
from clothing_classifier.training.validation import predict_logits, scores
from clothing_classifier.utils import progress_bar

logger = logging.getLogger(__name__)


def fit(
    model: ImageClassifier,
    splits: Splits,
    settings: TrainSettings,
    accelerator: Accelerator,
    teachers: TeacherPredictions | None,
    out: Path,
) -> State:
    """Train `model` and leave `best.safetensors`, `last.safetensors` and `history.csv` in `out`.

    Goes on from `last.safetensors` where there is one. All randomness derives from seed, epoch, step and process, so
    that one process that is resumed at an epoch ends with the same weights as if it had never stopped. The EMA of the
    weights is validated after each epoch; `optimization.keep` decides which epoch's is kept. Raises `UsageError` where
    the loss is no longer finite.
    """
    optimization, device, train = settings.optimization, accelerator.device, splits.train
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload] # its stub lacks this
    ema = EMA(model, optimization.ema_decay, optimization.wise_ft_alpha)
    network, optimizer = accelerator.prepare(model, make_optimizer(model, optimization))
    state = load_state(out, model, ema, optimizer)
    view_size = settings.augmentation.size or settings.image.size
    seed = settings.runtime.seed
    process_seed = seed + (accelerator.process_index << 32)  # each process draws its own views and dropout

    for epoch in range(state.epoch, optimization.epochs):
        view = epoch % settings.distillation.views if settings.distillation.views else epoch
        batches = epoch_batches(len(train), optimization.batch_size, seed, view, accelerator)
        torch.manual_seed(derive_seed(process_seed, epoch))
        set_train_mode(model)
        started, losses = time.monotonic(), torch.zeros(2, dtype=torch.float64)
        with progress_bar(f"epoch {epoch + 1}/{optimization.epochs}", sum(map(len, batches))) as advance:
            for step, (indices, (pixels, targets)) in enumerate(zip(batches, train.batches(batches), strict=True)):
                rate = set_learning_rate(optimizer, epoch + (step + 1) / len(batches), optimization)
                generator = view_generator(process_seed, view, step)
                images = augment(pixels.to(device), view_size, settings.augmentation, generator)
                images = images.contiguous(memory_format=torch.channels_last)
                teacher_probs = teachers.predict(images, indices, view) if teachers else None
                logits = network(corrupt(images, settings.augmentation.corrupt, torch.default_generator))
                loss = training_loss(logits, targets.to(device), teacher_probs, optimization.label_smoothing)
                if not math.isfinite(value := loss.item()):
                    raise _divergence(value, epoch, rate)
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
                ema.update(model)
                losses += torch.tensor([value * len(indices), len(indices)])
                advance(len(indices), loss=f"{value:.3f}")

        speed = len(train) / (time.monotonic() - started)
        total, count = accelerator.reduce(losses.to(device)).tolist()
        kept = ema.model()
        figures = scores(predict_logits(kept, splits.validation, accelerator), splits.validation.targets)
        row = {"epoch": epoch + 1, "loss": total / count, **figures}
        state.history.append(row | {"learning_rate": rate, "images_per_second": speed})
        state.epoch = epoch + 1
        if optimization.keep == "last" or not state.best or _merit(row) > _merit(state.best):
            state.best = row
            if accelerator.is_main_process:
                save_weights(out / WEIGHTS, kept, splits.labels)
        if accelerator.is_main_process:
            save_state(out, state, model, ema, optimizer)
        logger.info(_summary(state.history[-1]))
    return state


def training_loss(logits: Tensor, targets: Tensor, teacher_probs: Tensor | None, label_smoothing: float) -> Tensor:
    """Cross-entropy of logits `(N, K)` with labels `(N,)`, or, where there are teachers, with theirs `(N, K)` instead.

    Hinton, Vinyals and Dean 2015 (https://arxiv.org/abs/1503.02531), at temperature 1 and without the labels.
    """
    if teacher_probs is not None:
        return F.cross_entropy(logits.float(), teacher_probs)
    return F.cross_entropy(logits.float(), targets, label_smoothing=label_smoothing)


def _merit(row: dict[str, float]) -> tuple[float, float]:
    return row["accuracy"], -row["log_loss"]


def _divergence(loss: float, epoch: int, rate: float) -> UsageError:
    return UsageError(f"the loss became {loss} in epoch {epoch + 1}; lower optimization.learning_rate ({rate:g})")


def _summary(row: dict[str, float]) -> str:
    return (
        f"epoch {row['epoch']}: loss {row['loss']:.3f}, validation accuracy {row['accuracy']:.3f}, "
        f"macro-F1 {row['macro_f1']:.3f}, {row['images_per_second']:.0f} images/s"
    )
