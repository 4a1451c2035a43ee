"""`clothing analyze`, as a user runs it: every kind of model, both formats, pictures, and what goes wrong."""

import importlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from helpers.commands import IMAGES, clothing, clothing_process

from clothing_classifier.analysis import analyze, resolve
from clothing_classifier.analysis.analyzer import measure
from clothing_classifier.analysis.resolve import has_random_weights
from clothing_classifier.errors import BundleError
from clothing_classifier.inference.bundle import SHIPPED, write_manifest
from clothing_classifier.report.network_figures import draw_all

Run = Callable[..., CompletedProcess[str]]

MODELS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.conv(x).mean((2, 3)) @ torch.ones(4, 2)

class Zoo:
    Net = Net

class Choosy(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x) if x.mean() > 0 else x

class Strange(nn.Module):
    def forward(self, x):
        return torch.linalg.inv(x)

class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()

    def forward(self, x):
        return torch.relu(self.conv(self.relu(x)))

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.both, self.conv = Halves(), nn.Conv2d(2, 4, 3)

    def forward(self, x):
        return self.conv(self.both(x)[0])

class Halves(nn.Module):
    def forward(self, x):
        return x[:, :2], x[:, 2:]

class Cut(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x.detach())

def fails():
    raise RuntimeError("no such weights\\nand more")

def leaves():
    raise SystemExit(3)

number = 3
double = nn.Conv2d(3, 4, 3).double()
layer = nn.Conv2d(3, 1, 5)
deep = nn.Conv2d(4, 1, 5)
flat = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clothing analyze` in a folder that holds MODELS."""
    (tmp_path / "mine.py").write_text(MODELS)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which analyze adds the working directory
    importlib.invalidate_caches()

    def call(*arguments: str, status: int = 0) -> CompletedProcess[str]:
        result = clothing("analyze", *arguments, cwd=tmp_path)
        assert result.returncode == status, result.stderr
        return result

    return call


def test_json_of_a_model_of_ones_own(run: Run, tmp_path: Path) -> None:
    arguments = ("analyze", "mine:Zoo.Net", "--input", "3x20x30", "--format", "json", "--all")
    result = clothing_process(*arguments, cwd=tmp_path)
    report = json.loads(result.stdout)
    assert report["model"] == "mine:Zoo.Net"
    assert report["input"] == [3, 20, 30]
    assert [row["name"] for row in report["layers"]] == ["conv", "mean", "mm"]
    assert report["layers"][0] | {"arithmetic_intensity": 0} == {
        "name": "conv", "type": "Conv2d", "kind": "convolution", "output": [4, 20, 30], "params": 112,
        "macs": 20 * 30 * 4 * 27, "flops": 2 * 20 * 30 * 4 * 27, "receptive_field": [3, 3], "stride": [1, 1],
        "start": [-1, -1], "global": False, "activation_bytes": 4 * 4 * 20 * 30, "arithmetic_intensity": 0,
    }  # fmt: skip
    assert report["totals"]["macs"] == 20 * 30 * 4 * 27 + 8
    assert report["totals"]["receptive_field"] == [3, 3]
    assert clothing(*arguments, cwd=tmp_path).stdout == result.stdout
    products = json.loads(run(*arguments[1:-1]).stdout)["layers"]
    assert [row["name"] for row in products] == ["conv", "mm"]


def test_the_table_and_two_models_side_by_side(run: Run) -> None:
    table = run("resnet_small", "--input", "3x32x32").stdout
    assert "receptive field  81 px, stride 4; by global operators, the whole image" in table
    assert "half of the MACs" in table
    beside = run("mobilenet_v2", "--compare", "mobilenet_v2:width=0.5,kernel=5", "--compare-input", "3x160x160").stdout
    assert "3x224x224" in beside
    assert "3x160x160" in beside
    assert "1.99" in next(line for line in beside.splitlines() if line.startswith("receptive field"))


def test_a_bundle_is_read_at_its_own_size() -> None:
    report = analyze("wardrobe")
    assert report["input"] == [3, 256, 256]
    assert report["totals"]["receptive_field"] == [491, 491]


@pytest.mark.parametrize(("arguments", "words"), [
    (["nonsense"], "neither of mobilenet_v2, resnet_small"),
    (["mobilenet_v2:heads=3"], "has no setting 'heads'"),
    (["mobilenet_v2:width"], "write settings as name:width=0.5"),
    (["nosuchmodule:Net"], "importing nosuchmodule failed: ModuleNotFoundError"),
    (["mine:Missing"], "mine has no 'Missing'"),
    (["mine:number"], "not a callable, but int"),
    (["mine:fails"], "does not build when called without arguments: RuntimeError: no such weights"),
    (["collections:OrderedDict"], "gives OrderedDict, not a torch.nn.Module"),
    (["mine:Choosy"], "module (the model itself) (Choosy), operator local_scalar_dense: what it computes depends on"),
    (["mine:Net", "--input", "4x20x20"], "module conv (Conv2d), operator convolution: can't take an image of 4x20x20"),
    (["mine:leaves"], "does not build when called without arguments: SystemExit: 3"),
    (["mine:Cut", "--figures", "pictures"], "module conv: no gradient of its output reaches the image"),
    (["mine:Net", "--input", "3x20x99999999999"], "no side may be over 1,000,000"),
    (["mine:Net", "--input", "20x20"], "write channels, height and width, as in 3x224x224"),
    (["mine:Strange", "--strict"], "no rule for linalg_inv_ex (first in linalg_inv_ex)"),
    (["mine:Net", "--figures", "pictures", "--photo", "none.jpg"], "none.jpg: "),
    (["mine:deep", "--input", "4x20x20", "--figures", "pictures", "--photo", "none.jpg"], "4 channels is no photo"),
])  # fmt: skip
def test_what_goes_wrong_is_one_line(arguments: list[str], words: str, run: Run) -> None:
    error = run(*arguments, status=2).stderr
    assert words in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_an_operator_without_a_rule_is_warned_of(run: Run) -> None:
    assert "warning: mine:Strange: no rule for linalg_inv_ex" in run("mine:Strange", "--input", "3x8x8").stderr


def test_a_layer_of_torch_is_one_row(run: Run) -> None:
    (row,) = json.loads(run("mine:layer", "--input", "3x9x9", "--format", "json").stdout)["layers"]
    assert (row["name"], row["type"], row["receptive_field"]) == ("", "Conv2d", [5, 5])


def test_pictures_are_drawn_of_what_there_is(run: Run, tmp_path: Path) -> None:
    said = run("mine:flat", "--input", "3x4x4", "--figures", "flat").stderr
    assert said == "mine:flat: no picture of fields: no layer has a local receptive field\n"
    assert {path.stem for path in (tmp_path / "flat").iterdir()} == {"growth", "costs"}
    said = run("resnet_small", "--input", "3x32x32", "--figures", "small").stderr
    assert said == "resnet_small: the effective fields are those of random weights\n"
    assert {path.stem for path in (tmp_path / "small").iterdir()} == {"fields", "growth", "costs"}


def test_a_bundle_of_ones_own_has_the_weights_in_its_folder(tmp_path: Path) -> None:
    mine = shutil.copytree(SHIPPED / "wardrobe", tmp_path / "mine")
    shipped, own = (resolve(str(name)).state_dict() for name in ("wardrobe", mine))
    assert all(torch.equal(shipped[name], own[name]) for name in shipped)
    assert not has_random_weights(str(mine))
    assert has_random_weights("wardrobe-small")
    (mine / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(BundleError, match="another SHA-256 than recorded; copy the bundle again"):
        resolve(str(mine))


def test_a_bundle_of_another_tool_is_one_line(run: Run, tmp_path: Path) -> None:
    theirs = shutil.copytree(SHIPPED / "wardrobe-tiny", tmp_path / "theirs")
    manifest = json.loads((theirs / "bundle.json").read_text())
    del manifest["hashes"]
    write_manifest(theirs, manifest | {"architecture": {}})
    error = run(str(theirs), status=2).stderr
    assert error == f"clothing: {theirs}: the bundle's architecture is none that this package builds\n"


def test_pictures_time_and_effective_fields(tmp_path: Path) -> None:
    report, measured = measure("resnet_small:depth=8,width=4", (3, 48, 32), timed=True, photos=[IMAGES[0]])
    draw_all(report, measured, tmp_path)
    names = {f"{name}.{kind}" for name in ("fields", "growth", "costs", "roofline") for kind in ("png", "svg")}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert [row["name"] for row in report["effective"]] == [
        f"extractor.{stage}" for stage in ("stem", "stage1", "stage2", "stage3")
    ]
    assert all(0 < row["share_of_theoretical_side"] <= 1 for row in report["effective"])
    timed = [row["seconds"] for row in report["layers"] if row["type"] == "Conv2d"]
    assert timed and all(timed)


def test_an_operator_may_be_called_as_a_module_is(run: Run) -> None:
    report = json.loads(run("mine:Twice", "--input", "3x20x20", "--all", "--time", "--format", "json").stdout)
    assert [(row["type"], row["seconds"] is not None) for row in report["layers"]] == [
        ("ReLU", True), ("Conv2d", True), ("relu", False)
    ]  # fmt: skip


@pytest.mark.parametrize("model", ["double", "Pair", "Twice"])
def test_pictures_and_times_of_unusual_networks(model: str, run: Run, tmp_path: Path) -> None:
    run(f"mine:{model}", "--input", "3x20x20", "--time", "--figures", "pictures")
    assert (tmp_path / "pictures" / "fields.png").exists()


def test_a_folder_of_an_architectures_name_does_not_hide_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "resnet_small").mkdir()
    assert "3x224x224" in run("resnet_small").stdout
