"""Whole runs on the drawn data: the same seed, the same weights, however often the run was killed."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLOTHING = Path(sys.executable).parent / "clothing"
TINY = (
    "model.name=resnet_small", "model.settings.depth=8", "model.settings.width=8", "image.size=32",
    "optimization.batch_size=24", "runtime.threads=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


def command(out: Path, *more: str, data: Path = ROOT / "data", epochs: int = 4) -> list[str]:
    settings = [part for change in (*TINY, f"optimization.epochs={epochs}") for part in ("--set", change)]
    return [str(CLOTHING), "train", "--data", str(data), "--out", str(out), *settings, *more]


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def uninterrupted(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    result = run(command(out), environment)
    assert result.returncode == 0, result.stderr
    return out


def weights(out: Path) -> tuple[bytes, bytes]:
    """The best weights, and the tensors of the last state (its header also holds speeds, which differ)."""
    last = (out / "last.safetensors").read_bytes()
    return (out / "best.safetensors").read_bytes(), last[8 + int.from_bytes(last[:8], "little") :]


def test_a_run_folder_holds_what_the_format_says(uninterrupted: Path) -> None:
    record = json.loads((uninterrupted / "run.json").read_text())
    assert {
        "command",
        "settings",
        "revision",
        "dirty",
        "data_sha256",
        "versions",
        "seed",
        "machine",
        "n",
        "metrics",
    } <= set(record)
    with (uninterrupted / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert sorted(path.name for path in uninterrupted.iterdir()) == [
        "best.safetensors", "history.csv", "last.safetensors", "run.json"
    ]  # fmt: skip


def test_the_same_seed_gives_identical_weights(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert run(command(tmp_path / "again"), environment).returncode == 0
    assert weights(tmp_path / "again") == weights(uninterrupted)


def test_another_seed_gives_other_weights(uninterrupted: Path, environment: dict[str, str], tmp_path: Path) -> None:
    assert run(command(tmp_path / "other", "--set", "runtime.seed=1"), environment).returncode == 0
    assert weights(tmp_path / "other") != weights(uninterrupted)


@pytest.mark.parametrize("delay", [0.0, 0.08, 0.2])
def test_a_killed_and_resumed_run_ends_with_the_same_weights(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path, delay: float
) -> None:
    out = tmp_path / "killed"
    for line in ("photos to train on", "epoch 1", "epoch 2"):
        kill_after(line, command(out, "--resume"), environment, delay)
    result = run(command(out, "--resume"), environment)
    assert result.returncode == 0, result.stderr
    assert weights(out) == weights(uninterrupted)


def kill_after(text: str, arguments: list[str], environment: dict[str, str], delay: float) -> None:
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            break
    process.stderr.close()
    process.wait()


def test_a_finished_run_is_not_overwritten(uninterrupted: Path, environment: dict[str, str]) -> None:
    result = run(command(uninterrupted), environment)
    assert result.returncode == 2
    assert result.stderr.strip() == (
        f"clothing: {uninterrupted}: holds a run already; go on with --resume or choose another --out"
    )


def test_resuming_with_other_settings_is_refused(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / "run")
    result = run(command(out, "--resume", epochs=9), environment)
    assert result.returncode == 2
    assert "can't resume: 'settings' differs" in result.stderr


def test_bad_rows_and_photos_are_named_and_the_rest_is_trained_on(environment: dict[str, str], tmp_path: Path) -> None:
    data = shutil.copytree(ROOT / "data", tmp_path / "data")
    names = sorted(path.name for path in (data / "images").iterdir())
    (data / "images" / names[0]).write_bytes(b"<!DOCTYPE html><html></html>")
    (data / "images" / names[1]).unlink()
    result = run(command(tmp_path / "run", data=data, epochs=1), environment)
    assert result.returncode == 1
    assert f"{names[0]}: this is an HTML page" in result.stderr
    assert f"there is no file {data / 'images' / names[1]}" in result.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["n"]["failed"] == 2


def test_without_a_validation_part_whole_groups_are_split_off(environment: dict[str, str], tmp_path: Path) -> None:
    data = shutil.copytree(ROOT / "data", tmp_path / "data")
    with (data / "dataset.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    drop = rows[0].index("split")
    with (data / "dataset.csv").open("w", newline="") as file:
        csv.writer(file).writerows([cells[:drop] + cells[drop + 1 :] for cells in rows])
    result = run(command(tmp_path / "run", data=data, epochs=1), environment)
    assert result.returncode == 0, result.stderr
    n = json.loads((tmp_path / "run" / "run.json").read_text())["n"]
    assert n["train"] + n["validation"] == len(rows) - 1
    assert 0.1 < n["validation"] / (len(rows) - 1) < 0.2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimization.epoch=3", "setting optimization.epoch: unknown; optimization has epochs"),
        ("optimization.epochs=many", "setting optimization.epochs: input should be a valid integer"),
        ("model.name=mobilenet", "model 'mobilenet': unknown; use mobilenet_v2, resnet_small or timm:NAME"),
        ("model.settings.depth=9", "model depth 9: resnet_small needs 6n + 2 layers"),
        ("model.settings.height=9", "model resnet_small has no setting 'height' (settings: depth, width)"),
        ("optimization.learning_rate=1e30", "the loss became"),
    ],
)
def test_a_setting_that_can_not_work_gets_one_line(
    environment: dict[str, str], tmp_path: Path, change: str, message: str
) -> None:
    result = run(command(tmp_path / "run", "--set", change, epochs=2), environment)
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
