"""`python -m benchmarks models`: recipes are read strictly, and a killed program goes on with the same command."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks import model_records
from benchmarks.jobs import plan
from benchmarks.models import RECIPES, ROOT
from benchmarks.recipes import Trained, flatten, load_recipe

from clothing_classifier.config import load_settings
from clothing_classifier.errors import ConfigError
from clothing_classifier.inference import Classifier

ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
PRESET = """
[image]
size = 32
[model.settings]
width = 0.25
depth = 0.3
[augmentation]
size = 32
[optimization]
epochs = 1
learning_rate = 0.01
"""
RECIPE = """
data = "clothing"
preset = "{preset}"

[steps.teacher]
do = "train"

[steps.student]
do = "train"
teachers = ["teacher"]
settings.optimization.epochs = 8

[steps.pruned]
do = "prune"
init_from = "student"
macs = 400_000

[steps.robust]
do = "train"
init_from = "pruned"
teachers = ["student", "teacher"]
settings.optimization.wise_ft_alpha = 0.4
settings.augmentation.corrupt = 0.25

[steps.bundle]
do = "export"
run = "robust"

[steps.evaluation]
do = "evaluate"
bundle = "bundle"
splits = ["validation", "test", "drawn"]
subsets = {{ tops = {{ label = ["Shirt", "T-Shirt"] }} }}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe of every kind of step, small enough for seconds."""
    (tmp_path / "preset.toml").write_text(PRESET)
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE.format(preset=tmp_path / "preset.toml"))
    return path


def command(recipe: Path, *more: str) -> list[str]:
    base = [sys.executable, "-m", "benchmarks", "models", str(recipe), "--data", str(ROOT / "data")]
    return [*base, "--runs", str(recipe.parent / "runs"), *more]


def run(recipe: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(recipe, *more), cwd=ROOT, env=ONE_THREAD, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_killed_program_goes_on_with_the_same_command(recipe: Path) -> None:
    runs = recipe.parent / "runs" / "tiny"
    killed = subprocess.Popen(command(recipe), cwd=ROOT, env=ONE_THREAD, stderr=subprocess.DEVNULL)
    while not (runs / "student-0.part" / "last.safetensors").exists():
        assert killed.poll() is None and not (runs / "student-0").exists()
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    teacher = (runs / "teacher-0" / "run.json").stat()
    assert "started  tiny/student-0" in run(recipe, "--dry-run").stdout

    finished = run(recipe)
    assert finished.returncode == 0, finished.stderr
    assert (runs / "teacher-0" / "run.json").stat() == teacher
    names = ["teacher-0", "student-0", "pruned", "robust-0", "bundle", "evaluation-validation", "evaluation-drawn"]
    assert {path.name for path in runs.iterdir()} == {*names, "training.json", "evaluation.json"}
    listed = run(recipe, "--dry-run").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [["done", f"tiny/{name}"] for name in names]

    training, evaluation = (json.loads((runs / f"{kind}.json").read_text()) for kind in ("training", "evaluation"))
    assert training["chosen"] == "robust-0" and set(training["runs"]) == {"teacher-0", "student-0", "robust-0"}
    assert set(evaluation) > {"model", "validation", "validation, tops", "drawn"} and "test" not in evaluation
    assert evaluation["model"]["macs"] <= 400_000
    assert Classifier.load(runs / "bundle" / "tiny").manifest.name == "tiny"

    recipe.write_text(recipe.read_text().replace("wise_ft_alpha = 0.4", "wise_ft_alpha = 0.5"))
    changed = run(recipe)
    assert (
        changed.returncode
        and "robust-0: was made with another settings.optimization.wise_ft_alpha; remove it" in changed.stderr
    )


def test_installing_puts_bundle_and_records_in_place_and_keeps_the_model_card(tmp_path: Path) -> None:
    bundle, target = tmp_path / "made" / "tiny", tmp_path / "code" / "clothing_classifier" / "bundles" / "tiny"
    for folder in (bundle, target, tmp_path / "results"):
        folder.mkdir(parents=True)
    (bundle / "model.onnx").write_text("new")
    (target / "README.md").write_text("card")
    (target / "weights.safetensors").write_text("old")
    record = tmp_path / "training.json"
    record.write_text("{}")
    model_records.install(bundle, {"training": record}, tmp_path)
    assert {path.name for path in target.parent.rglob("*")} == {"tiny", "model.onnx", "README.md"}
    assert (tmp_path / "results" / "tiny-training.json").read_text() == "{}"


def test_every_shipped_model_has_a_recipe_that_can_be_planned() -> None:
    paths = sorted(RECIPES.glob("*.toml"))
    shipped = ROOT / "code" / "clothing_classifier" / "bundles"
    assert {path.stem for path in paths} == {path.name for path in shipped.iterdir()}
    names = {job.name for job in plan(paths, with_test=True)}
    assert {"wardrobe/robust-0", "wardrobe-tiny/pruned", "benchmark-10/evaluation-test"} <= names


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_holds_only_what_differs_from_its_preset(path: Path) -> None:
    recipe = load_recipe(path)
    for step in recipe.steps.values():
        if isinstance(step, Trained):
            preset = dict(flatten(load_settings(recipe.preset_of(step)).model_dump()))
            assert not [key for key, value in flatten(step.settings) if preset.get(key) == value]


def test_only_what_a_recipe_needs_of_others_is_planned() -> None:
    names = [job.name for job in plan([RECIPES / "wardrobe-small.toml"], with_test=False)]
    assert "wardrobe/student-1" in names and "wardrobe/bundle" in names
    assert not any(name.startswith("wardrobe/evaluation") or name.endswith("-test") for name in names)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("macs =", "mac =", "steps.pruned.prune.macs: field required"),
        ('init_from = "student"\n', "", "steps.pruned.prune.init_from: field required"),
        ('init_from = "pruned"', 'init = "x"\ninit_from = "pruned"', "init and init_from exclude each other"),
        ('do = "export"', 'do = "export"\nquick = true', "steps.bundle.export.quick: unknown key"),
        ("epochs = 8", "epoch = 40", "steps.student: setting optimization.epoch: unknown"),
        ('run = "robust"', 'run = "pruned"', "steps.bundle.run: 'pruned' names no earlier step of the kind train"),
        ('["teacher"]', '["robust"]', "steps.student.teachers: 'robust' names no earlier step of the kind train"),
        ('init_from = "student"', 'init_from = "other/student"', "other.toml: there is no such recipe"),
        ('do = "train"\nteachers', 'do = "train"\nseeds = [0, 1]\nteachers', "write 'student.best'"),
    ],
)
def test_what_is_wrong_in_a_recipe_is_named(recipe: Path, old: str, new: str, message: str) -> None:
    recipe.write_text(recipe.read_text().replace(old, new))
    with pytest.raises(ConfigError) as raised:
        plan([recipe], with_test=False)
    assert message in str(raised.value)


def test_a_variable_that_is_not_set_is_named_before_any_work(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe.write_text(recipe.read_text().replace('do = "train"\n', 'do = "train"\ninit = "${FEATURES}"\n', 1))
    monkeypatch.delitem(ONE_THREAD, "FEATURES", raising=False)
    refused = run(recipe)
    assert refused.returncode and "set the environment variable FEATURES" in refused.stderr
