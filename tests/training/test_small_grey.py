"""Small grey images in idx files go through the same commands as photos do, from training to an answer."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clothing_classifier.datasets import FASHION_MNIST_LABELS, load_dataset

pytestmark = pytest.mark.slow

CLOTHING = Path(sys.executable).parent / "clothing"
CHANGES = tuple(
    part
    for change in (
        "model.settings.depth=8", "model.settings.width=8", "data.folds=4", "optimization.epochs=4",
        "optimization.batch_size=16", "optimization.warmup_epochs=0.5", "optimization.ema_decay=0.8",
        "augmentation.flip=false", "augmentation.erase=0.0", "runtime.threads=1",
    )
    for part in ("--set", change)
)  # fmt: skip


def clothing(*arguments: object) -> subprocess.CompletedProcess[str]:
    result = subprocess.run([CLOTHING, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


def draw(label: int, random: np.random.Generator) -> np.ndarray:
    """A dim noise with a bright block whose place is the class."""
    image = random.integers(0, 60, (28, 28), dtype=np.uint8)
    row, column = divmod(label, 4)
    image[2 + 8 * row : 9 + 8 * row, 1 + 7 * column : 6 + 7 * column] += 180
    return image


def idx(array: np.ndarray) -> bytes:
    head = b"\0\0\x08" + bytes([array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(head + array.tobytes())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, random = tmp_path_factory.mktemp("idx"), np.random.default_rng(0)
    for prefix, n in (("train", 480), ("t10k", 60)):
        labels = np.arange(n, dtype=np.uint8) % 10
        (root / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
        images = np.stack([draw(label, random) for label in labels])
        (root / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(images))
    return root


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "grey"
    clothing("train", "--data", data, "--preset", "fashion-mnist", "--out", out, *CHANGES)
    return out


@pytest.fixture(scope="module")
def bundle(data: Path, run: Path) -> Path:
    out = run.parent / "bundle"
    clothing("export", run, "--data", data, "--out", out)
    return out


def test_a_fold_of_train_is_held_out_and_the_test_files_are_not_read(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert record["n"] == {"train": 360, "validation": 120, "failed": 0}
    assert record["labels"] == sorted(FASHION_MNIST_LABELS)


def test_a_killed_run_of_sgd_goes_on_to_the_same_weights(data: Path, run: Path, tmp_path: Path) -> None:
    command = ["train", "--data", data, "--preset", "fashion-mnist", "--out", tmp_path / "again", *CHANGES, "--resume"]
    process = subprocess.Popen([CLOTHING, *map(str, command)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    next(line for line in process.stderr if line.startswith("epoch 1"))
    process.kill()
    process.stderr.close()
    process.wait()
    clothing(*command)
    assert (tmp_path / "again" / "best.safetensors").read_bytes() == (run / "best.safetensors").read_bytes()


def test_the_four_files_are_evaluated(data: Path, bundle: Path) -> None:
    found = json.loads(
        clothing("evaluate", "--data", data, "--split", "test", "--model", bundle, "--format", "json").stdout
    )
    assert found["n"] == 60
    assert found["labels"] == sorted(FASHION_MNIST_LABELS)
    assert found["accuracy"] > 0.5


def test_the_shipped_model_reads_the_four_files(data: Path) -> None:
    arguments = ("--data", data, "--split", "test", "--model", "fashion-mnist", "--format", "json")
    assert json.loads(clothing("evaluate", *arguments).stdout)["n"] == 60


def test_the_shipped_model_knows_the_images_that_it_learnt_from(shared: Path) -> None:
    from clothing_classifier import Classifier

    records = load_dataset(shared / "data" / "fashion-mnist").part("train")[:300]
    answers = Classifier.load("fashion-mnist").predict_many([record.source for record in records])
    assert np.mean([answer.label == record.label for answer, record in zip(answers, records, strict=True)]) > 0.9


def test_a_grey_png_is_answered_as_its_array_is(data: Path, bundle: Path, tmp_path: Path) -> None:
    record = load_dataset(data).part("test")[3]
    Image.fromarray(np.asarray(record.source)).save(tmp_path / "grey.png")
    line = json.loads(clothing("predict", tmp_path / "grey.png", "--model", bundle, "--format", "json").stdout)
    from clothing_classifier import Classifier

    expected = Classifier.load(bundle).predict(np.asarray(record.source))
    assert line["label"] == expected.label
    assert line["confidence"] == pytest.approx(expected.confidence, abs=1e-5)
    assert line["ood_score"] == pytest.approx(expected.ood_score, abs=1e-5)


def test_the_network_is_analyzed_at_its_own_size(bundle: Path) -> None:
    found = json.loads(clothing("analyze", bundle, "--format", "json").stdout)
    assert found["input"] == [3, 28, 28]
    assert found["layers"][0]["output"] == [8, 28, 28]
    assert found["totals"]["stride"] == [4, 4]


def test_a_strange_picture_is_stranger_than_those_learnt_from(data: Path, bundle: Path) -> None:
    from clothing_classifier import Classifier

    classifier = Classifier.load(bundle)
    strange = np.zeros((28, 28), np.uint8)
    strange[::2] = 255
    known = classifier.predict(np.asarray(load_dataset(data).part("test")[0].source))
    assert classifier.predict(strange).ood_score > known.ood_score
