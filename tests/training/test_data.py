"""No photo is lost or repeated on its way in, and a decoded copy is found by content alone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clothing_classifier.datasets import Record
from clothing_classifier.errors import DatasetError, ImageCorruptError, ImageNotFoundError
from clothing_classifier.preprocessing import ImageContract, prepare
from clothing_classifier.training.cache import PixelCache
from clothing_classifier.training.data import epoch_batches, prepare_photos

CONTRACT = ImageContract(8, "pad")


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for i, path in enumerate(paths):
        Image.new("RGB", (6 + i, 9), (40 * i, 10, 200)).save(path)
    return paths


@pytest.mark.parametrize(("n", "batch_size"), [(1, 8), (7, 8), (8, 8), (9, 8), (100, 8), (3604, 48)])
def test_an_epoch_sees_every_photo_once(n: int, batch_size: int) -> None:
    batches = epoch_batches(n, batch_size, seed=0, epoch=3)
    assert sorted(np.concatenate(batches)) == list(range(n))
    assert max(map(len, batches)) <= batch_size
    assert max(map(len, batches)) - min(map(len, batches)) <= 1


def test_epochs_and_seeds_shuffle_differently_and_repeatably() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return list(np.concatenate(epoch_batches(50, 8, seed, epoch)))

    assert order(0, 1) == order(0, 1)
    assert len({tuple(order(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def test_batches_come_in_the_order_asked_for(tmp_path: Path, photos: list[Path]) -> None:
    records = [Record(path.name, path, "AB"[i % 2]) for i, path in enumerate(photos)]
    prepared = prepare_photos(records, ("A", "B"), PixelCache(tmp_path / "cache", CONTRACT), "")
    order = [np.array([4, 0]), np.array([2]), np.array([1, 3]), np.array([4]), np.array([0])]
    for part, (pixels, targets) in zip(order, prepared.batches(order), strict=True):
        assert targets.tolist() == [i % 2 for i in part]
        assert all(
            np.array_equal(array, prepare(photos[i], CONTRACT)) for array, i in zip(pixels.numpy(), part, strict=True)
        )


def test_a_cached_copy_is_found_by_content_not_by_name(tmp_path: Path, photos: list[Path]) -> None:
    cache = PixelCache(tmp_path / "cache", CONTRACT)
    renamed = photos[0].rename(tmp_path / "renamed.png")
    (first,), (copy,) = cache.fill([renamed], lambda: None), cache.fill([renamed.rename(photos[0])], lambda: None)
    assert first == copy
    Image.new("RGB", (6, 9), "red").save(photos[0])
    (changed,) = cache.fill([photos[0]], lambda: None)
    assert isinstance(changed, str)
    assert changed != first
    assert np.array_equal(cache.load([changed])[0], prepare(photos[0], CONTRACT))


def test_another_contract_is_another_copy(tmp_path: Path, photos: list[Path]) -> None:
    for contract in (CONTRACT, ImageContract(8, "crop"), ImageContract(6, "pad")):
        cache = PixelCache(tmp_path / "cache", contract)
        (key,) = cache.fill([photos[4]], lambda: None)
        assert isinstance(key, str)
        assert np.array_equal(cache.load([key])[0], prepare(photos[4], contract))


def test_photos_that_can_not_be_read_are_kept_as_failures(tmp_path: Path, photos: list[Path]) -> None:
    photos[1].write_bytes(photos[1].read_bytes()[:45])
    photos[3].unlink()
    records = [Record(path.name, path, "A") for path in photos]
    prepared = prepare_photos(records, ("A",), PixelCache(tmp_path / "cache", CONTRACT), "")
    assert [record.image for record in prepared.records] == ["0.png", "2.png", "4.png"]
    assert [type(failure) for failure in prepared.failures] == [ImageCorruptError, ImageNotFoundError]
    assert all(str(path) in str(failure) for path, failure in zip(photos[1::2], prepared.failures, strict=True))


def test_no_readable_photo_is_an_error(tmp_path: Path) -> None:
    records = [Record("a.png", tmp_path / "a.png", "A")]
    with pytest.raises(DatasetError, match="none of 1 photos can be read"):
        prepare_photos(records, ("A",), PixelCache(tmp_path / "cache", CONTRACT), "decoding train")


def test_pixels_without_a_file_stay_in_memory(tmp_path: Path) -> None:
    cache = PixelCache(tmp_path / "cache", CONTRACT)
    array = np.arange(48, dtype=np.uint8).reshape(6, 8)
    (key,) = cache.fill([array], lambda: None)
    assert isinstance(key, str)
    assert np.array_equal(cache.load([key])[0], prepare(array, CONTRACT))
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_a_truncated_copy_is_decoded_again(tmp_path: Path, photos: list[Path]) -> None:
    cache = PixelCache(tmp_path / "cache", CONTRACT)
    (key,) = cache.fill(photos[:1], lambda: None)
    (file,) = (tmp_path / "cache").rglob("*.npy")
    for size, rest in ((0, b""), (150, b""), (0, bytes(file.stat().st_size))):  # the last: a name without its blocks
        file.write_bytes(file.read_bytes()[:size] + rest)
        assert PixelCache(tmp_path / "cache", CONTRACT).fill(photos[:1], lambda: None) == [key]
        assert np.array_equal(cache.load([key])[0], prepare(photos[0], CONTRACT))
