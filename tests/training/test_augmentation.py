"""Augmentation by its definition: nothing asked, nothing changed; each change against an independent computation."""

import pytest
import torch
from torch import Generator, Tensor

from clothing_classifier.config import AugmentationSettings
from clothing_classifier.training.augmentation import augment, corrupt

NOTHING = {
    "scale": (1.0, 1.0), "aspect": 1.0, "rotation": 0.0, "flip": False,
    "brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "erase": 0.0,
}  # fmt: skip


@pytest.fixture
def pixels() -> Tensor:
    return torch.randint(0, 256, (16, 32, 32, 3), dtype=torch.uint8, generator=Generator().manual_seed(3))


def view(pixels: Tensor, seed: int = 0, **changes: object) -> Tensor:
    settings = AugmentationSettings.model_validate({**NOTHING, **changes})
    return augment(pixels, pixels.shape[1], settings, Generator().manual_seed(seed))


def as_images(pixels: Tensor) -> Tensor:
    return pixels.permute(0, 3, 1, 2).float() / 255


def test_nothing_asked_leaves_the_photo(pixels: Tensor) -> None:
    torch.testing.assert_close(view(pixels), as_images(pixels), rtol=0, atol=1e-5)


def test_flip_mirrors_about_half(pixels: Tensor) -> None:
    images, flipped = as_images(pixels), view(pixels, flip=True)
    kept = [bool(torch.allclose(a, b, atol=1e-4)) for a, b in zip(flipped, images, strict=True)]
    mirrored = [bool(torch.allclose(a, b.flip(2), atol=1e-4)) for a, b in zip(flipped, images, strict=True)]
    assert all(a != b for a, b in zip(kept, mirrored, strict=True))
    assert 3 < sum(mirrored) < 13


def test_brightness_multiplies_each_photo_by_one_factor(pixels: Tensor) -> None:
    dark = pixels // 2
    factors = view(dark, brightness=0.5).flatten(1).sum(1) / as_images(dark).flatten(1).sum(1)
    assert factors.min() >= 0.5
    assert factors.max() <= 1.5
    assert len(set(factors.tolist())) > 10


def test_saturation_keeps_luma_and_greys(pixels: Tensor) -> None:
    grey = pixels[..., :1].expand(-1, -1, -1, 3).contiguous()
    torch.testing.assert_close(view(grey, saturation=0.9), as_images(grey), rtol=0, atol=1e-5)


def test_contrast_leaves_a_flat_photo() -> None:
    flat = torch.full((4, 16, 16, 3), 90, dtype=torch.uint8)
    torch.testing.assert_close(view(flat, contrast=0.9), as_images(flat), rtol=0, atol=1e-5)


def test_a_smaller_scale_zooms_in() -> None:
    ramp = torch.arange(64, dtype=torch.uint8).expand(4, 64, 64)[..., None].expand(-1, -1, -1, 3).contiguous()
    steps = view(ramp, scale=(0.25, 0.25))[:, 0, 32].diff(dim=1)
    torch.testing.assert_close(steps, torch.full_like(steps, 0.5 / 255), rtol=0, atol=1e-5)


def test_outside_the_photo_its_edge_repeats() -> None:
    framed = torch.zeros(4, 16, 16, 3, dtype=torch.uint8)
    framed[:, [0, 15]] = 255
    framed[:, :, [0, 15]] = 255
    smaller = view(framed, scale=(4.0, 4.0), rotation=0.0)
    assert (smaller.amax(dim=(1, 2)) == 1).all()
    assert (smaller[:, :, [0, -1]] == 1).sum() > 0


def test_the_generator_decides(pixels: Tensor) -> None:
    settings = AugmentationSettings()
    one, two, three = (augment(pixels, 24, settings, Generator().manual_seed(seed)) for seed in (5, 5, 6))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
    assert one.shape == (16, 3, 24, 24)
    assert one.min() >= 0
    assert one.max() <= 1


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_erasing_covers_one_rectangle_with_one_colour(probability: float) -> None:
    flat = torch.full((64, 40, 40, 3), 90, dtype=torch.uint8)
    covered = (view(flat, erase=probability) - 90 / 255).abs().amax(1) > 1e-5
    share = covered.float().mean((1, 2))
    assert (share > 0).float().mean().item() == pytest.approx(probability, abs=0.15)
    assert share[share > 0].numel() == 0 or 0.01 < share[share > 0].min() <= share.max() < 0.28
    for photo in covered:
        assert torch.equal(photo, photo.any(1)[:, None] & photo.any(0)[None])


def test_a_shift_moves_by_whole_pixels_and_repeats_the_edge(pixels: Tensor) -> None:
    padded = torch.nn.functional.pad(as_images(pixels), (2, 2, 2, 2), mode="replicate")
    places = set()
    for photo, images in zip(view(pixels, shift=2), padded, strict=True):
        (place,) = [
            (row, column) for row in range(5) for column in range(5)
            if torch.equal(photo, images[:, row : row + 32, column : column + 32])
        ]  # fmt: skip
        places.add(place)
    assert len(places) > 8


def test_a_smaller_view_is_cut_out_around_the_middle(pixels: Tensor) -> None:
    settings = AugmentationSettings.model_validate(NOTHING)
    cut = augment(pixels, 28, settings, Generator().manual_seed(0))
    assert torch.equal(cut, as_images(pixels)[:, :, 2:30, 2:30])


@pytest.mark.parametrize("change", [{"scale": (0.9, 1.0)}, {"aspect": 1.1}, {"rotation": 5.0}])
def test_whole_pixels_and_sampling_between_them_exclude_each_other(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a shift by whole pixels needs"):
        AugmentationSettings.model_validate({**NOTHING, "shift": 1, **change})


def test_a_grey_photo_is_covered_by_a_grey() -> None:
    flat = torch.full((32, 20, 20, 3), 90, dtype=torch.uint8)
    flat[16:, ..., 0] = 91
    views = view(flat, erase=1.0)
    is_grey = (views.amax(1) == views.amin(1)).all(2).all(1)
    colours = views.flatten(2).std(2)
    assert is_grey[:16].all()
    assert not is_grey[16:].any()
    assert (colours > 0.01).any()


def test_corruption_blurs_some_photos_and_adds_noise_to_some(pixels: Tensor) -> None:
    images = as_images(pixels).repeat(8, 1, 1, 1) * 0.5 + 0.25
    assert torch.equal(corrupt(images, 0.0, Generator()), images)
    seen = corrupt(images, 0.5, Generator().manual_seed(0))
    left = (seen == images).flatten(1).all(1).float().mean().item()
    assert left == pytest.approx(0.25, abs=0.1)  # half of them each, independently
    assert seen.min() >= 0
    assert seen.max() <= 1
    flat = torch.full((64, 3, 32, 32), 0.5)
    noise = corrupt(flat, 0.5, Generator().manual_seed(0)).flatten(1).std(1)
    assert (noise < 1e-4).float().mean().item() == pytest.approx(0.5, abs=0.15)
    assert noise.max() < 0.31
    rough = images.diff(dim=3).square().flatten(1).mean(1)
    assert (seen.diff(dim=3).square().flatten(1).mean(1) < rough / 2).float().mean() > 0.1


def test_parts_of_a_batch_are_corrupted_as_the_whole_is(pixels: Tensor) -> None:
    images, generator = as_images(pixels), Generator().manual_seed(7)
    whole = corrupt(images, 0.5, Generator().manual_seed(7))
    parts = [corrupt(part, 0.5, generator) for part in images.split(5)]
    assert torch.equal(torch.cat(parts), whole)
