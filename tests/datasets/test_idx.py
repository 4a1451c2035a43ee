"""Idx files become the records of a table, or are refused."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from clothing_classifier.datasets import FASHION_MNIST_LABELS, load_dataset
from clothing_classifier.errors import DatasetError


def idx(array: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_files(train: int = 12, test: int = 5) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    files = {}
    for prefix, count in (("train", train), ("t10k", test)):
        files[f"{prefix}-images-idx3-ubyte"] = idx(random.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        files[f"{prefix}-labels-idx1-ubyte"] = idx(np.arange(count, dtype=np.uint8) % 10)
    return files


def write_idx(root: Path, files: dict[str, bytes], zipped: bool = False) -> Path:
    for name, data in files.items():
        (root / (f"{name}.gz" if zipped else name)).write_bytes(gzip.compress(data) if zipped else data)
    return root


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_become_records(zipped: bool, tmp_path: Path) -> None:
    files = idx_files()
    dataset = load_dataset(write_idx(tmp_path, files, zipped))
    assert [record.split for record in dataset.records] == ["train"] * 12 + ["test"] * 5
    assert dataset.records[11].label == FASHION_MNIST_LABELS[1]
    assert dataset.records[12].image == "t10k/0"
    pixels = dataset.records[3].source
    assert isinstance(pixels, np.ndarray)
    assert pixels.shape == (28, 28)
    assert pixels.tobytes() == files["train-images-idx3-ubyte"][16:][3 * 784 : 4 * 784]


def with_shape(*shape: int) -> bytes:
    return b"\0\0\x08" + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


IMAGES = idx_files()["train-images-idx3-ubyte"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        IMAGES[:1],
        IMAGES[:4],
        IMAGES[:8],
        IMAGES[:15],
        IMAGES[:16],
        IMAGES[:-1],
        IMAGES + b"x",
        b"\0\0\x0d" + IMAGES[3:],
        b"<html>not found</html>",
        idx(np.zeros((12, 784), np.uint8)),
        idx(np.zeros((11, 28, 28), np.uint8)),
        with_shape(65536, 65536, 65536),
        with_shape(2**31, 2**31, 4),
        with_shape(0, 2**32 - 1, 2**32 - 1),
        with_shape(12, 0, 28),
        with_shape(*[0] * 200),
        with_shape(*[2**16] * 4),
        b"\0\0\x08\xff",
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_damaged_idx_images_are_refused(damaged: bytes, zipped: bool, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files() | {"train-images-idx3-ubyte": damaged}, zipped)
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("damaged", [b"\0\0\x08\x01", with_shape(11) + bytes(11), with_shape(12) + bytes(11)])
def test_damaged_idx_labels_are_refused(damaged: bytes, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files() | {"train-labels-idx1-ubyte": damaged})
    with pytest.raises(DatasetError, match="idx"):
        load_dataset(tmp_path)


def test_two_truncated_idx_files_are_no_empty_part(tmp_path: Path) -> None:
    cut = {"train-images-idx3-ubyte": b"\0\0\x08\x03", "train-labels-idx1-ubyte": b"\0\0\x08\x01"}
    with pytest.raises(DatasetError, match="not a whole idx file"):
        load_dataset(write_idx(tmp_path, idx_files() | cut))


@pytest.mark.parametrize("keep", [0, 5, 20, -9, -1])
def test_truncated_gzip_is_refused(keep: int, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files(), zipped=True)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=path.name):
        load_dataset(tmp_path)


def test_every_flipped_byte_of_gzip_is_refused_or_harmless(tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files(2, 2), zipped=True)
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    expected = [record.label for record in load_dataset(tmp_path).records]
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert [record.label for record in load_dataset(tmp_path).records] == expected
        except DatasetError as error:
            assert str(error).isprintable()


def test_a_label_beyond_the_ten_classes_is_refused(tmp_path: Path) -> None:
    labels = idx(np.array([0] * 11 + [10], np.uint8))
    with pytest.raises(DatasetError, match="label 10"):
        load_dataset(write_idx(tmp_path, idx_files() | {"train-labels-idx1-ubyte": labels}))


@pytest.mark.parametrize("name", sorted(set(idx_files()) - {"train-images-idx3-ubyte"}))
def test_a_missing_idx_file_is_named(name: str, tmp_path: Path) -> None:
    write_idx(tmp_path, idx_files())
    (tmp_path / name).unlink()
    with pytest.raises(DatasetError, match=f"{name} .* is missing"):
        load_dataset(tmp_path)
