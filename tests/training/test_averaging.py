"""The mean of several runs: of alike runs only, and exactly the mean."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from clothing_classifier.config import load_settings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import create_model
from clothing_classifier.training import train
from clothing_classifier.training.averaging import average_runs
from clothing_classifier.training.loop import save_weights, scores
from clothing_classifier.training.run_folder import load_held_out

DATA = Path(__file__).parents[2] / "data"
FOLDED = "model.settings={width=0.25, batch_norm=false}"
NORMS = "model.settings={width=0.25, batch_norm=true}"
SETTINGS = ("image.size=32", "optimization.epochs=1", "runtime.threads=1")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    root = tmp_path_factory.mktemp("runs")
    first = root / "first.safetensors"
    save_weights(first, create_model("mobilenet_v2", 3, width=0.25, batch_norm=False), ("a", "b", "c"))
    changes = {
        "one": (FOLDED,),
        "two": (FOLDED, "runtime.seed=1"),
        "other rate": (FOLDED, "optimization.learning_rate=1e-5"),
        "random": (FOLDED,),
        "norms": (NORMS,),
        "norms too": (NORMS, "runtime.seed=1"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        for name, change in changes.items():
            init = None if name == "random" else first
            train(DATA, load_settings(None, (*SETTINGS, *change)), root / name, init)
        yield {name: root / name for name in changes}


def test_the_weights_are_the_mean_and_the_figures_those_of_the_mean(runs: dict[str, Path], tmp_path: Path) -> None:
    record = average_runs([runs["one"], runs["two"]], DATA, tmp_path / "mean")
    one, two, mean = (load_file(run / "best.safetensors") for run in (runs["one"], runs["two"], tmp_path / "mean"))
    assert all(torch.allclose(mean[name], (one[name] + two[name]) / 2) for name in mean)
    assert record == json.loads((tmp_path / "mean" / "run.json").read_text())
    assert record["seed"] == [0, 1]
    held_out = load_held_out([tmp_path / "mean"], record["labels"])
    assert record["metrics"]["validation"] == pytest.approx(scores(*held_out), abs=1e-6)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["one", "other rate"], "other rate: its 'settings' are not those of .*one; only seeds may differ"),
        (["norms", "norms too"], "has batch norm, whose statistics do not average"),
        (["one", "one"], "two runs or more, each of other weights"),
        (["one"], "two runs or more, each of other weights"),
        (["random", "random"], "began with random weights"),
        (["one", "nowhere"], "nowhere: not a run folder"),
    ],
)
def test_what_can_not_be_averaged_is_named(
    runs: dict[str, Path], tmp_path: Path, names: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        average_runs([runs.get(name, tmp_path / name) for name in names], DATA, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_a_run_is_not_overwritten(runs: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="holds a run already"):
        average_runs([runs["one"], runs["two"]], DATA, runs["two"])
