"""Mixed photos: every pixel comes from one of two photos, and the target says how much of each there is."""

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from clothing_classifier.training.mixing import cutmix, mix, mixup

N, SIZE = 6, 20
PARTNERS = torch.tensor([3, 4, 5, 0, 1, 2])


@pytest.fixture
def images() -> Tensor:
    """Photo i is i everywhere."""
    return torch.arange(N, dtype=torch.float32).view(N, 1, 1, 1).expand(N, 3, SIZE, SIZE).contiguous()


@pytest.fixture
def targets() -> Tensor:
    return F.one_hot(torch.arange(N), N).float()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("way", [mixup, cutmix])
def test_the_target_is_the_share_of_each_photo(images: Tensor, targets: Tensor, way: type, seed: int) -> None:
    """Since photo i is i everywhere, the mean of a mixed photo must be the mean of the classes in its target."""
    mixed, wanted = way(images, targets, PARTNERS, Generator().manual_seed(seed))
    torch.testing.assert_close(mixed.mean(dim=(1, 2, 3)), wanted @ torch.arange(N, dtype=torch.float32))
    torch.testing.assert_close(wanted.sum(1), torch.ones(N))


def test_cutmix_pastes_one_rectangle(images: Tensor, targets: Tensor) -> None:
    mixed, _ = cutmix(images, targets, PARTNERS, Generator().manual_seed(0))
    pasted = mixed[0, 0] == 3
    rows, columns = pasted.any(1), pasted.any(0)
    assert 0 < int(pasted.sum()) < SIZE * SIZE
    assert torch.equal(pasted, rows[:, None] & columns[None])
    assert set(mixed[0].unique().tolist()) == {0.0, 3.0}


def test_the_batch_given_stays_as_it_was(images: Tensor, targets: Tensor) -> None:
    before = images.clone(), targets.clone()
    for seed in range(8):
        mix(images, targets, 1.0, Generator().manual_seed(seed))
    assert torch.equal(images, before[0])
    assert torch.equal(targets, before[1])


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_so_many_batches_are_mixed(images: Tensor, targets: Tensor, probability: float) -> None:
    generator = Generator().manual_seed(0)
    count = sum(mix(images, targets, probability, generator)[0] is not images for _ in range(400))
    assert count / 400 == pytest.approx(probability, abs=0.06)


def test_mixup_shares_follow_their_distribution(images: Tensor, targets: Tensor) -> None:
    """Beta(0.4, 0.4) has mean 1/2 and variance 1 / (4 (2 * 0.4 + 1))."""
    generator = Generator().manual_seed(0)
    shares = torch.stack([mixup(images, targets, PARTNERS, generator)[1][0, 0] for _ in range(2000)])
    assert shares.mean().item() == pytest.approx(0.5, abs=0.03)
    assert shares.var().item() == pytest.approx(1 / 7.2, abs=0.01)
