"""Batch norm over the photos of all processes: torch's own SyncBatchNorm does not run on a processor."""

import torch
from torch import Tensor, distributed, nn

from clothing_classifier.config import TrainSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training.data import epoch_order
from clothing_classifier.training.processes import Processes, sum_over_processes


class SharedBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose statistics are those of the whole batch, of which each process has a share.

    Shares may differ in size and be empty. Means and variances are joined as by Chan, Golub and LeVeque 1979, which
    loses no digits to large means.
    """

    def forward(self, images: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, H, W)`; a process without photos takes part with N = 0."""
        if not self.training:
            return super().forward(images)
        values = images.float()
        mean, variance, count = self._statistics(values)
        self._follow(mean.detach(), variance.detach(), count)
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return torch.addcmul(shift.view(1, -1, 1, 1), values, scale.view(1, -1, 1, 1)).to(images.dtype)

    def _statistics(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean `(C,)`, variance `(C,)` and number of values of the whole batch."""
        over = (0, 2, 3)
        count = values.numel() // values.shape[1]
        if count:
            variance, mean = torch.var_mean(values, over, correction=0)
        else:
            variance = mean = values.sum(over)
        rows = [values.new_zeros(2 * len(mean) + 1)] * distributed.get_world_size()
        rows[distributed.get_rank()] = torch.cat([mean.new_tensor([count]), mean, variance])
        every = sum_over_processes(torch.stack(rows))
        counts, means, variances = torch.split(every, [1, len(mean), len(mean)], 1)
        whole = counts.sum()
        mean = (counts * means).sum(0) / whole
        return mean, (counts * (variances + (means - mean) ** 2)).sum(0) / whole, whole

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Update the running statistics; their variance is the unbiased one, as torch's."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)


def share_batch_norm(model: nn.Module) -> None:
    """Turn every `nn.BatchNorm2d` of `model` into a `SharedBatchNorm2d`, in place; weights and names stay."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:  # a subclass, as timm's, does more in forward
            module.__class__ = SharedBatchNorm2d


@torch.inference_mode()
def check_parts(model: ImageClassifier, n: int, settings: TrainSettings) -> None:
    """Raise `ConfigError` where batch norm sees a single value of a channel in a part of a batch of `n` photos."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        return
    optimization, side = settings.optimization, settings.augmentation.size or settings.image.size
    batches = epoch_order(n, optimization.batch_size, 0, 0)
    smallest = min(len(part) for batch in batches for part in Processes().share(batch, optimization.micro_batches))
    pixels = model.eval().feature_map(torch.zeros(1, 3, side, side, device=next(model.parameters()).device))
    if smallest * pixels.shape[2] * pixels.shape[3] == 1:
        raise ConfigError(
            f"setting optimization.batch_size: {optimization.batch_size}, in {optimization.micro_batches} parts, has "
            f"parts of one photo, of which batch norm can't learn at {settings.image.size} px; take more photos at once"
        )
