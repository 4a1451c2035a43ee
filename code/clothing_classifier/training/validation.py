"""A network's logits on photos, and the figures that training compares epochs by."""

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.calibration import softmax
from clothing_classifier.training.data import Photos, in_order, indices_of_process

_BATCH_SIZE = 64


@torch.inference_mode()
def predict_logits(model: nn.Module, photos: Photos, accelerator: Accelerator | None = None) -> metrics.Floats:
    """Logits of `photos` in float32 arithmetic, `(N, K) float64`, each seen as the image contract gives it.

    The processes of `accelerator` share the photos out, and each returns the logits of all.
    """
    device = next(model.parameters()).device
    model.eval()
    mine = indices_of_process(np.arange(len(photos)), accelerator)
    batches = [mine[batch] for batch in in_order(len(mine), _BATCH_SIZE)]
    logits = torch.cat([model(images_from_pixels(pixels).to(device)).double() for pixels, _ in photos.batches(batches)])
    if accelerator is None or accelerator.num_processes == 1:
        return logits.cpu().numpy()
    indices, gathered = accelerator.gather((torch.from_numpy(mine).to(device), logits))
    result = np.empty((len(photos), logits.shape[1]))
    result[indices.cpu().numpy()] = gathered.cpu().numpy()
    return result


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


def images_from_pixels(pixels: Tensor) -> Tensor:
    """`(N, H, W, 3) uint8` to `(N, 3, H, W) float32 in [0, 1]`, channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float() / 255
