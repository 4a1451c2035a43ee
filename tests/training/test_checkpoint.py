"""Weights and resume state go to disk whole and come back exactly."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from clothing_classifier.config import OptimizationSettings
from clothing_classifier.errors import ConfigError
from clothing_classifier.models import ImageClassifier, create_model
from clothing_classifier.training.checkpoint import (
    State,
    load_model,
    load_state,
    load_tensors,
    save_state,
    save_tensors,
    save_weights,
)
from clothing_classifier.training.ema import EMA
from clothing_classifier.training.optimization import make_optimizer


def test_weights_come_back_with_their_network_and_labels(tmp_path: Path) -> None:
    model = create_model("resnet_small", 2, depth=8, width=4).eval()
    save_weights(tmp_path / "a.safetensors", model, ("Hat", "Größe"))
    again, labels = load_model(tmp_path / "a.safetensors")
    images = torch.rand(2, 3, 16, 16)
    assert labels == ("Hat", "Größe")
    assert torch.equal(again(images), model(images))


def test_a_failed_write_leaves_the_file_that_was_there_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"a": torch.ones(3)}, {})
    with pytest.raises(ValueError, match="Circular"):
        circle: dict[str, object] = {}
        circle["self"] = circle
        save_tensors(path, {"a": torch.zeros(3)}, circle)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        save_tensors(path, {"a": torch.zeros(3)}, {})
    assert [found.name for found in tmp_path.iterdir()] == ["a.safetensors"]
    assert load_tensors(path)[0]["a"].tolist() == [1, 1, 1]


def test_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.ones(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ConfigError, match=r"foreign\.safetensors: these weights name no architecture"):
        load_model(tmp_path / "foreign.safetensors")
    (tmp_path / "pickle.pt").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ConfigError, match=r"pickle\.pt: not a whole safetensors file"):
        load_model(tmp_path / "pickle.pt")


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_a_restored_state_goes_on_alike(tmp_path: Path, kind: str) -> None:
    settings = OptimizationSettings.model_validate({"optimizer": kind})
    first, second = (create_model("resnet_small", 2, depth=8, width=4).eval() for _ in range(2))
    one, two = (make_optimizer(model, settings) for model in (first, second))
    averages = [EMA(model, 0.9) for model in (first, second)]
    steps = torch.rand(6, 5, 3, 8, 8, generator=torch.Generator().manual_seed(1))

    def step(model: ImageClassifier, optimizer: torch.optim.Optimizer, ema: EMA, x: torch.Tensor) -> None:
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
        ema.update(model)

    for x in steps[:3]:
        step(first, one, averages[0], x)
    assert load_state(tmp_path, second, averages[1], two) == State()
    save_state(tmp_path, State(3, [{"epoch": 3}], {"epoch": 2}), first, averages[0], one)
    assert load_state(tmp_path, second, averages[1], two) == State(3, [{"epoch": 3}], {"epoch": 2})
    for x in steps[3:]:
        step(first, one, averages[0], x)
        step(second, two, averages[1], x)
    for some, other in ((first, second), (averages[0], averages[1])):
        assert all(torch.equal(some.state_dict()[name], tensor) for name, tensor in other.state_dict().items())
