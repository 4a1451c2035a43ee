"""Every form of a data set gives the same records, and a fingerprint names them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from helpers.small_tables import make_table, touch

from clothing_classifier.datasets import (
    FASHION_MNIST_LABELS,
    Columns,
    content_sha256,
    fingerprint,
    load_dataset,
    read_table,
)


def test_table_and_class_folders_give_the_same_photos(tmp_path: Path) -> None:
    photos = [("train", "Hat", "1.jpg"), ("test", "Hat", "2.jpg"), ("test", "Shoes", "3.jpg")]
    touch(tmp_path / "folders", *(f"{split}/{label}/{name}" for split, label, name in photos))
    rows = "".join(f"{name},{label},{split}\n" for split, label, name in photos)
    make_table(tmp_path / "table", f"image,label,split\n{rows}", [name for _, _, name in photos])

    def facts(root: Path) -> set[tuple[str, str, str | None, str | None]]:
        records = load_dataset(root).records
        return {(Path(record.image).name, record.label, record.group, record.split) for record in records}

    assert facts(tmp_path / "folders") == facts(tmp_path / "table")


def test_the_real_clothing_table_loads_whole(shared: Path) -> None:
    root = shared / "data" / "clothing"
    dataset = load_dataset(root, Columns(group="sender_id"))
    _, rows = read_table(root / "dataset.csv")
    assert len(dataset.records) == len(rows)
    assert (dataset.bad_rows, dataset.set_aside) == ((), 0)
    benchmark = load_dataset(root, Columns(label="benchmark_label", split="benchmark_split"))
    assert len(benchmark.records) + benchmark.set_aside == len(rows)
    assert {record.split for record in benchmark.records} == {"train", "validation", "test"}


def test_the_real_fashion_mnist_loads(shared: Path) -> None:
    dataset = load_dataset(shared / "data" / "fashion-mnist")
    assert (len(dataset.part("train")), len(dataset.part("test"))) == (60_000, 10_000)
    assert dataset.labels == tuple(sorted(FASHION_MNIST_LABELS))


def test_a_fingerprint_hangs_on_content_not_on_order_or_place(tmp_path: Path) -> None:
    table = "image,label\na.jpg,Hat\nb.jpg,Shoes\n"
    here, there = (load_dataset(make_table(tmp_path / name, table)).records for name in ("here", "there"))
    assert fingerprint(here, ["1", "2"]) == fingerprint(there[::-1], ["2", "1"])
    assert fingerprint(here, ["1", "2"]) != fingerprint(here, ["2", "1"])


def test_the_content_hash_of_pixels_knows_their_shape(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8)
    assert content_sha256(pixels.reshape(3, 4)) != content_sha256(pixels.reshape(4, 3))
    path = tmp_path / "a.jpg"
    path.write_bytes(os.urandom(10))
    assert len(content_sha256(path)) == 64
