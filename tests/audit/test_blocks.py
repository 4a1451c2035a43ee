"""Edges on the grid of blocks and colours that none is tell of wrong bytes; those of a real scene do not."""

import io

import numpy as np
import pytest
from PIL import Image

from clothing_classifier.audit.blocks import BLOCK, blocks_shifted, colours_impossible


def shifted(luma: np.ndarray, row: int, column: int, by: int) -> np.ndarray:
    """`luma` with what follows a block, in the order in which blocks are coded, brighter by `by`."""
    changed = luma.astype(int)
    top = row * BLOCK
    changed[top : top + BLOCK, column * BLOCK :] += by
    changed[top + BLOCK :] += by
    return changed.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """Texture below a wall, the edge between them beside the grid."""
    noise = np.random.default_rng(0).normal(0, 4, (160, 200))
    return (100 + noise + 40 * (np.arange(160) >= 83)[:, None]).clip(0, 255).astype(np.uint8)


def test_an_edge_beside_the_grid_is_of_the_scene(scene: np.ndarray) -> None:
    assert not blocks_shifted(scene)


def test_a_soft_edge_on_the_grid_is_of_the_scene(scene: np.ndarray) -> None:
    ramp = np.clip((np.arange(160) - 78) / 4, 0, 1)[:, None] * 60
    assert not blocks_shifted((scene[:, ::-1] * 0.5 + ramp).astype(np.uint8))


@pytest.mark.parametrize("column", [2, 7, 22])
def test_one_shift_is_told_by_the_step_in_its_edge(scene: np.ndarray, column: int) -> None:
    assert blocks_shifted(shifted(scene, 4, column, 25))
    assert blocks_shifted(shifted(scene, 14, column, -25))


def test_of_straight_edges_two_are_needed(scene: np.ndarray) -> None:
    assert not blocks_shifted(shifted(scene, 4, 0, 25))
    assert blocks_shifted(shifted(shifted(scene, 4, 0, 25), 14, 0, -25))


def test_bars_of_black_and_white_are_no_damage(scene: np.ndarray) -> None:
    barred = scene.copy()
    barred[:24], barred[-24:] = 0, 255
    assert not blocks_shifted(barred)


@pytest.mark.parametrize("shape", [(4, 200), (16, 200), (200, 4), (1, 1)])
def test_small_pictures_are_never_shifted(shape: tuple[int, int]) -> None:
    assert not blocks_shifted(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("quality", [5, 30, 90])
def test_compression_alone_is_no_damage(scene: np.ndarray, quality: int) -> None:
    file = io.BytesIO()
    Image.fromarray(scene).save(file, "JPEG", quality=quality)
    assert not blocks_shifted(np.asarray(Image.open(file)))


def as_coded(picture: np.ndarray, quality: int) -> np.ndarray:
    """The YCbCr of an RGB picture in a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    image = Image.open(file)
    image.draft("YCbCr", None)
    return np.asarray(image)


def test_black_that_is_coloured_is_no_rgb() -> None:
    pixels = np.full((80, 80, 3), 128, np.uint8)
    pixels[40:, :, 0] = 0
    assert not colours_impossible(pixels)
    pixels[40:, :, 1] = 128 + 40
    assert colours_impossible(pixels)
    pixels[40:, :, 0] = 255
    assert colours_impossible(pixels)
    assert not colours_impossible(pixels[:50])  # fewer blocks than four


@pytest.mark.parametrize("quality", [10, 30, 90])
def test_every_colour_of_rgb_is_possible(quality: int) -> None:
    """Also those of stripes so fine that black ones take on the colour beside them."""
    levels = np.array([0, 20, 40, 60, 128, 200, 235, 255], np.uint8)
    patches = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 16, 3).repeat(32, 0).repeat(32, 1)
    assert not colours_impossible(as_coded(patches, quality))
    stripes = np.zeros((160, 160, 3), np.uint8)
    stripes[:, ::2] = [255, 0, 0]
    assert not colours_impossible(as_coded(stripes, quality))
