"""A data set of drawn stripes and a trained run of it, small enough to be made smaller in seconds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clothing_classifier.config import load_settings
from clothing_classifier.training import train

SETTINGS = (
    "image.size=32", "model.settings={width=0.25, depth=0.3, batch_norm=false}", "optimization.epochs=1",
    "optimization.batch_size=16", "runtime.threads=1", "data.group_column=sender",
)  # fmt: skip


@pytest.fixture(scope="session")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Upright and lying stripes: 32 photos to train on, 40 to validate, of ten senders."""
    root = tmp_path_factory.mktemp("stripes")
    (root / "images").mkdir()
    random, rows = np.random.default_rng(0), ["image,label,sender,split"]
    for i in range(72):
        wave = np.uint8(255 * (np.sin(np.arange(32) * random.uniform(0.5, 1.5)) > 0))
        pixels = np.tile(wave, (32, 1)) if i % 2 else np.tile(wave[:, None], (1, 32))
        Image.fromarray(np.stack([pixels] * 3, 2) ^ random.integers(0, 40, (32, 32, 3), dtype=np.uint8)).save(
            root / "images" / f"{i}.png"
        )
        rows.append(f"{i}.png,{'upright' if i % 2 else 'lying'},{i // 4},{'train' if i < 32 else 'validation'}")
    (root / "dataset.csv").write_text("\n".join(rows))
    return root


@pytest.fixture(scope="session")
def run(stripes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on `stripes`."""
    out = tmp_path_factory.mktemp("run") / "run"
    train(stripes, load_settings(None, SETTINGS), out)
    return out
