import json
import tomllib
from pathlib import Path

import pytest
from benchmarks.__main__ import app
from benchmarks.audit import count_verdicts
from benchmarks.experiment import FOLDER, Experiment, draw
from benchmarks.learning_law import fit_law
from typer.testing import CliRunner

from clothing_classifier.config import load_settings
from clothing_classifier.datasets import Record

ROOT = Path(__file__).parents[2]
COMMANDS = [
    ["audit"], ["experiment"], ["guides"], ["network", "layers"], ["network", "what-if"], ["pareto"], ["quantization"],
    ["robustness"], ["scoring"], ["serving"], ["speed", "engines"], ["speed", "predict"], ["speed", "training"],
]  # fmt: skip
EXPERIMENT = """
preset = "quick"
base = "plain"
set = [
    "image.size=28", "augmentation.size=0", "model.name=resnet_small", "model.settings={depth=8, width=8}",
    "optimization.epochs=1", "optimization.frozen_stages=0",
]
init = "random"
report = ["classes"]
law = ["half", "plain"]

[variants.plain]

[variants.half]
photos = 0.5
"""


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_program_says_what_it_measures(command: list[str]) -> None:
    assert "Record to write" in run(*command, "--help")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_each_experiment_has_settings_that_training_knows(path: Path) -> None:
    plan = Experiment.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    assert plan.base in plan.variants
    assert set(plan.law) <= set(plan.variants)
    for variant in plan.variants.values():
        load_settings(plan.preset, [*plan.set, *variant.set])
        assert (variant.against or plan.base) in plan.variants


def test_an_experiment_trains_its_variants_and_compares_them(tmp_path: Path) -> None:
    plan, out, runs = tmp_path / "tiny.toml", tmp_path / "tiny.json", tmp_path / "runs"
    plan.write_text(EXPERIMENT, encoding="utf-8")
    run("experiment", str(plan), "--data", str(ROOT / "data"), "--runs", str(runs), "--out", str(out))
    record = json.loads(out.read_text(encoding="utf-8"))
    assert {"command", "revision", "machine"} <= record.keys()
    plain, half = record["variants"]["plain"], record["variants"]["half"]
    assert "ahead" not in plain
    low, high = half["ahead_interval"]
    assert low <= half["ahead"] <= high
    assert half["ahead"] == pytest.approx(half["accuracy"]["mean"] - plain["accuracy"]["mean"])
    assert half["photos"] == pytest.approx(plain["photos"] / 2, rel=0.1)
    assert sum(about["support"] for about in plain["per_class"].values()) == record["n"]


def test_a_fraction_is_drawn_by_whole_groups_with_every_class() -> None:
    records = [Record(f"{i}.jpg", Path(f"{i}.jpg"), "ab"[i % 2], group=str(i // 4)) for i in range(400)]
    drawn = draw(records, 0.25, seed=3)
    assert 90 <= len(drawn) <= 110
    assert len({record.group for record in drawn}) * 4 == len(drawn)
    assert len(draw(records, 50, seed=3)) == 50


def test_the_law_of_a_learning_curve_is_found() -> None:
    import numpy as np

    sizes = {"small": 100.0, "middle": 1000.0, "large": 10000.0}
    groups = [str(i // 10) for i in range(1000)]
    right = {name: (np.arange(1000) % 1000 >= 1000 * 2 * n**-0.4)[None].astype(float) for name, n in sizes.items()}
    law = fit_law(right, sizes, groups)
    assert law["b"] == pytest.approx(0.4, abs=0.01)
    assert law["ten_times"]["photos"] == 100_000


def test_verdicts_are_counted_of_warnings_alone() -> None:
    row = {"kind": "suspect-label", "severity": "warning", "verdict": "wrong"}
    counted = count_verdicts([row, row | {"verdict": "right"}, row | {"severity": "note", "verdict": ""}])
    assert counted["verdicts"] == {"wrong": 1, "either": 0, "right": 1}
    assert counted["precision"] == 0.5
