"""A small run, its photos and its bundle, made once for the tests of export."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from clothing_classifier import export
from clothing_classifier.config import load_settings
from clothing_classifier.datasets import load_dataset
from clothing_classifier.export.onnx_graph import Graph, to_onnx
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.preprocessing import ImageContract, prepare
from clothing_classifier.training import train
from clothing_classifier.training.data import Photos
from clothing_classifier.training.splits import decode_splits, load_splits

DATA = Path(__file__).parents[2] / "data"
SETTINGS = (
    "model.name=resnet_small", "model.settings.depth=8", "image.size=32", "optimization.epochs=8",
    "optimization.batch_size=12", "optimization.learning_rate=0.005", "optimization.ema_decay=0.9",
)  # fmt: skip


@pytest.fixture(scope="package", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def settings() -> tuple[str, ...]:
    """What `run` changes in the default settings."""
    return SETTINGS


@pytest.fixture(scope="package")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "tiny"
    train(DATA, load_settings(None, SETTINGS), out)
    return out


@pytest.fixture(scope="package")
def photos() -> Photos:
    """The validation photos of `run`."""
    settings = load_settings(None, SETTINGS)
    _, train, validation = load_splits(DATA, settings.data)
    return decode_splits(train, validation, sorted({record.label for record in train}), settings).validation


@pytest.fixture(scope="package")
def network() -> ImageClassifier:
    """A small network of random weights."""
    torch.manual_seed(0)
    return create_model("resnet_small", 17, depth=8).eval()


@pytest.fixture(scope="package")
def float_graph(network: ImageClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`network` in ONNX, of 32 px."""
    path = tmp_path_factory.mktemp("graph") / "float.onnx"
    to_onnx(Graph(network).eval(), 32, path)
    return path


@pytest.fixture(scope="package")
def bundle(run: Path) -> Path:
    out = run.parent / "bundle"
    export.export_bundle(run, DATA, out, "tiny", quantize=False, keep_weights=True)
    return out


@pytest.fixture(scope="package")
def pixels() -> np.ndarray:
    photos = load_dataset(DATA).part("test")[:9]
    return np.stack([prepare(photo.source, ImageContract(32, "pad")) for photo in photos])
