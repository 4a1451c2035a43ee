"""The training loop, top to bottom: forward, loss, backward, step, average, validate, checkpoint."""

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier.config import TrainSettings
from clothing_classifier.errors import ConfigError, UsageError
from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.calibration import softmax
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training import checkpoint
from clothing_classifier.training.augmentation import augment, degrade
from clothing_classifier.training.batch_norm import check_parts, share_batch_norm
from clothing_classifier.training.data import Photos, derived, epoch_order, in_order, view_generator
from clothing_classifier.training.distillation import Teachers
from clothing_classifier.training.objective import distillation_loss, micro_batches
from clothing_classifier.training.optimization import (
    learning_rate,
    make_average,
    make_optimizer,
    set_train_mode,
    towards,
)
from clothing_classifier.training.processes import Processes, processes_of
from clothing_classifier.training.stored_answers import StoredAnswers
from clothing_classifier.utils import progress_bar, write_text

STATE = "last.safetensors"
"""What a run goes on from, in its folder."""
_ALONE = Processes()
_VALIDATED_AT_ONCE = 64

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
    accelerator: Accelerator,
    teachers: Teachers | None,
    out: Path,
    resume: bool,
    on_epoch: Callable[[dict[str, float]], None],
    stored: StoredAnswers | None = None,
) -> State:
    """Train `model` and leave `best.safetensors`, `last.safetensors` and `history.csv` in `out`.

    Teachers are asked about each view as the student sees it, or, with `stored`, once for all runs of one process.
    The averaged weights, mixed with the first by `optimization.start_share`, are validated after each epoch and the
    best of them kept (accuracy, then log loss), or the last, as `optimization.keep` says. All randomness derives from
    seed, epoch and step, so a run that is resumed at an epoch ends as if never stopped.

    Where there are several processes, each batch is split over them: the gradient, batch norm and loss are those of the
    whole batch, and so are the weights, which every process has. Random views and dropout depend on the process too.
    """
    run, optimization, processes = settings.runtime, settings.optimization, processes_of(accelerator)
    model.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload] # its stub lacks this
    if processes.count > 1:
        _check_batches(len(train), optimization.batch_size, processes)
        share_batch_norm(model)
    else:
        check_parts(model, len(train), settings)
    _take_from_first(processes, model)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()} if optimization.start_share else {}
    average = make_average(model, optimization.ema_decay)
    # For evaluation: gradients are added up below, in one piece and for shares of any size.
    network = accelerator.prepare_model(model, evaluation_mode=True)
    optimizer = accelerator.prepare_optimizer(make_optimizer(model, optimization))
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    own = (processes.index << 32,) if processes.index else ()  # no step has such a number
    if teachers is not None:
        teachers = accelerator.prepare_model(teachers, evaluation_mode=True)
    views = settings.distillation.views if stored else 0
    side = settings.augmentation.size or settings.image.size
    state = _restore(out, processes, model, average, optimizer) if resume else State()
    for epoch in range(state.epoch, optimization.epochs):
        if _stalled(state, optimization.patience):
            break
        torch.manual_seed(derived(run.seed, epoch, *own))  # for dropout and `degrade`: anew where views come again
        view = epoch % views if views else epoch
        batches = epoch_order(len(train), optimization.batch_size, run.seed, view)
        answers = stored.of(view, teachers, accelerator.device) if stored and teachers is not None else None
        shares = [processes.share(batch, optimization.micro_batches) for batch in batches]
        started, losses = time.monotonic(), 0.0
        set_train_mode(model)
        with progress_bar(f"epoch {epoch + 1}/{optimization.epochs}", len(train)) as advance:
            for step, (pixels, classes) in enumerate(train.batches([np.concatenate(share) for share in shares])):
                n, sizes = len(batches[step]), [len(part) for part in shares[step]]
                generator = view_generator(run.seed, view, step, *own)
                images = augment(pixels.to(accelerator.device), side, settings.augmentation, generator)
                rate = learning_rate(epoch + (step + 1) / len(batches), optimization)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                loss, taught = 0.0, None if answers is None else answers[torch.from_numpy(batches[step])]
                for part, wanted, told in micro_batches(images, classes, sizes, accelerator.device, taught):
                    seen = degrade(part, settings.augmentation.degrade, torch.default_generator)
                    logits = network(seen)
                    objective = F.cross_entropy(logits.float(), wanted, label_smoothing=optimization.label_smoothing)
                    if teachers is not None:
                        told = teachers(part) if told is None else told
                        objective = distillation_loss(objective, logits, told, settings.distillation)
                    if not len(part):  # nothing to learn, but others wait for this process's share of batch norm
                        objective = logits.sum()
                    accelerator.backward(objective * len(part) / n)
                    loss += objective.item() * len(part) / n
                loss = _add_up(processes, learning, loss)
                if not math.isfinite(loss):
                    raise processes.of_all(_divergence(loss, epoch, rate))
                optimizer.step()
                optimizer.zero_grad()
                average.update_parameters(model)
                losses += loss * n
                advance(n, loss=f"{loss:.3f}")
        speed = len(train) / (time.monotonic() - started)
        _take_from_first(processes, model, average)
        kept = towards(start, average.module, optimization.start_share)
        row = {
            "epoch": epoch + 1,
            "loss": losses / len(train),
            **scores(logits_of(kept, validation, processes=processes), validation.targets),
        }
        state.history.append(row | {"learning_rate": rate, "images_per_second": speed})
        state.epoch = epoch + 1
        if optimization.keep == "last" or not state.best or _merit(row) > _merit(state.best):
            state.best = row
            if processes.first:
                save_weights(out / "best.safetensors", kept, labels)
        if processes.first:
            _save_state(out, state, model, average, optimizer)
            on_epoch(state.history[-1])
    if processes.first:
        write_history(out / "history.csv", state.history)  # a kill may have come between state and history
    return state


def scores(logits: metrics.Floats, targets: metrics.Integers) -> dict[str, float]:
    """Accuracy, macro-F1 and log loss of logits `(N, K)`."""
    probabilities = softmax(logits)
    predicted = probabilities.argmax(1)
    confusion = metrics.confusion_matrix(targets, predicted, probabilities.shape[1])
    return {
        "accuracy": metrics.accuracy(targets, predicted),
        "macro_f1": metrics.macro_f1(confusion),
        "log_loss": metrics.log_loss(targets, probabilities),
    }


@torch.inference_mode()
def logits_of(model: nn.Module, photos: Photos, processes: Processes = _ALONE) -> metrics.Floats:
    """Logits of `photos` in float32 arithmetic, `(N, K) float64`, each seen as the image contract gives it.

    `processes` take the batches in turn, and each gets the logits of all.
    """
    device = next(model.parameters()).device
    model.eval()
    mine = in_order(len(photos), _VALIDATED_AT_ONCE)[processes.index :: processes.count]
    parts = [model(to_images(pixels).to(device)).double().cpu() for pixels, _ in photos.batches(mine)]
    if processes.count == 1:
        return torch.cat(parts).numpy()
    classes = max(processes.gather(parts[0].shape[1] if parts else 0))
    logits = torch.zeros(len(photos), classes, dtype=torch.float64)
    for rows, part in zip(mine, parts, strict=True):
        logits[rows] = part
    processes.add_up([logits])  # each row is of one process and zero in all others
    return logits.numpy()


def to_images(pixels: Tensor) -> Tensor:
    """`(N, H, W, 3) uint8` to `(N, 3, H, W) float32 in [0, 1]`, channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float() / 255


def save_weights(path: Path, model: ImageClassifier | nn.Module, labels: tuple[str, ...]) -> None:
    """Write weights with the architecture and the labels that they belong to."""
    metadata = {"architecture": model.architecture, "labels": list(labels)}
    checkpoint.save_tensors(path, model.state_dict(), metadata)


def _stalled(state: State, patience: int) -> bool:
    return bool(patience and state.best) and state.epoch - state.best["epoch"] >= patience


def _merit(row: dict[str, float]) -> tuple[float, float]:
    return row["accuracy"], -row["log_loss"]


def _check_batches(n: int, batch_size: int, processes: Processes) -> None:
    smallest = n // -(-n // batch_size)
    if smallest < processes.count:
        what = f"{n} photos make batches of {smallest}, too few for {processes.count} processes"
        raise processes.of_all(ConfigError(f"setting optimization.batch_size: {batch_size}; {what}"))


def _take_from_first(processes: Processes, *networks: nn.Module) -> None:
    """Give every process the first one's weights and statistics.

    Processors of several kinds round differently, and batch norms of timm have statistics of each process's share.
    """
    if processes.count > 1:
        for network in networks:
            network.load_state_dict(processes.tensors_from_first(network.state_dict()))


def _add_up(processes: Processes, parameters: Sequence[nn.Parameter], loss: float) -> float:
    """Add up the gradients over the processes, in place, and return the sum of `loss`."""
    if processes.count == 1:
        return loss
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total = gradients[0].new_tensor([loss])
    processes.add_up([*gradients, total])
    return total.item()


def _divergence(loss: float, epoch: int, rate: float) -> UsageError:
    return UsageError(f"the loss became {loss} in epoch {epoch + 1}; lower optimization.learning_rate ({rate:g})")


def _save_state(
    out: Path, state: State, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    parts = {"model": model.state_dict(), "average": average.state_dict()}
    parts["optimizer"] = checkpoint.optimizer_tensors(optimizer)
    tensors = {name: t for key, part in parts.items() for name, t in checkpoint.with_prefix(key, part).items()}
    metadata = {"epoch": state.epoch, "history": state.history, "best": state.best}
    checkpoint.save_tensors(out / STATE, tensors, metadata)
    write_history(out / "history.csv", state.history)


def _restore(
    out: Path, processes: Processes, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> State:
    path, found = out / STATE, None
    if processes.first and path.exists():  # the run folder may be on the first host only
        found = checkpoint.load_tensors(path)
    tensors, metadata = found or ({}, None)
    metadata = processes.from_first(metadata)
    if metadata is None:
        return State()
    tensors = processes.tensors_from_first(tensors)
    try:
        model.load_state_dict(checkpoint.below("model", tensors))
        average.load_state_dict(checkpoint.below("average", tensors))
        checkpoint.restore_optimizer(optimizer, checkpoint.below("optimizer", tensors))
    except (RuntimeError, ValueError, KeyError) as error:
        raise processes.of_all(ConfigError(f"{path}: the state of another network; remove it to begin anew")) from error
    return State(metadata["epoch"], metadata["history"], metadata["best"])


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """Write one row an epoch as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HISTORY, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(path, text.getvalue())
