"""Two processes, started by torchrun and by accelerate on CPUs, train together; one that is killed ends the launch."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from helpers.runs import CLOTHING, command, history, run, start
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ACCELERATE = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
MODULE = ["-m", "clothing_classifier"]
PLAIN = (
    "augmentation.scale=[1.0, 1.0]", "augmentation.aspect=1.0", "augmentation.rotation=0.0", "augmentation.flip=false",
    "augmentation.brightness=0.0", "augmentation.contrast=0.0", "augmentation.saturation=0.0", "augmentation.erase=0.0",
    "model.dropout=0.0", "model.settings={width=0.25, batch_norm=false}", "image.size=32", "runtime.precision=fp32",
    "optimization.epochs=2", "optimization.batch_size=12", "runtime.threads=1",
)  # fmt: skip
"""Nothing random and no batch norm: two processes compute what one does, up to rounding."""
OTHER_SEEDS = """
import os, sys
from clothing_classifier.cli import main
sys.argv += ["--set", "runtime.seed=" + os.environ["RANK"]]
main()
"""


@pytest.mark.parametrize(
    "launcher", [TORCHRUN, [*ACCELERATE, "--main_process_port", "0"]], ids=["torchrun", "accelerate"]
)
def test_two_processes_train_as_one(data: Path, tmp_path: Path, launcher: list[str]) -> None:
    two, one = tmp_path / "two", tmp_path / "one"
    changes = [part for change in PLAIN for part in ("--set", change)]
    launched = run([*launcher, *MODULE, "train", "--data", str(data), "--out", str(two), *changes])
    assert launched.returncode == 0, launched.stderr
    alone = run([CLOTHING, "train", "--data", str(data), "--out", str(one), *changes])
    assert alone.returncode == 0, alone.stderr
    assert launched.stdout == alone.stdout.replace(str(one), str(two))
    assert launched.stderr.count("photos to train on") == launched.stderr.count("epoch 1:") == 1
    assert sorted(path.name for path in two.iterdir()) == sorted(path.name for path in one.iterdir())
    assert [json.loads((out / "run.json").read_text())["processes"] for out in (two, one)] == [2, 1]
    for joint, single in zip(history(two), history(one), strict=True):
        assert joint["accuracy"] == single["accuracy"]
        for key in ("loss", "log_loss"):
            assert float(joint[key]) == pytest.approx(float(single[key]), rel=1e-4)
    states = [load_file(out / "last.safetensors") for out in (two, one)]
    for name, tensor in states[1].items():
        difference = (states[0][name].double() - tensor.double()).norm() / tensor.double().norm().clamp(min=1e-12)
        assert difference < 0.1, (name, difference)  # wrongly averaged gradients differ by half or more


def test_a_killed_process_ends_the_launch_and_the_run_is_resumed(data: Path, tmp_path: Path) -> None:
    """With batch norm, random views and batches that two processes can't share evenly."""
    changes = ("optimization.batch_size=7", "optimization.epochs=8")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    result = run([*TORCHRUN, *MODULE, *command(data, whole, changes=changes)])
    assert result.returncode == 0, result.stderr
    launch = start([*TORCHRUN, *MODULE, *command(data, killed, changes=changes)])
    kill_second_process(launch, "epoch 2:")
    assert launch.returncode != 0
    result = run([*TORCHRUN, *MODULE, *command(data, killed, "--resume", changes=changes)])
    assert result.returncode == 0, result.stderr
    assert "epoch 2:" not in result.stderr
    assert not list(killed.glob(".*"))
    states = [load_file(out / "last.safetensors") for out in (whole, killed)]
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=1e-2, atol=1e-3)


def kill_second_process(launch: subprocess.Popen[str], when: str) -> None:
    assert launch.stderr is not None
    for line in launch.stderr:
        if when in line:
            for worker in psutil.Process(launch.pid).children():
                if worker.environ().get("RANK") == "1":
                    worker.send_signal(signal.SIGKILL)
            break
    launch.communicate(timeout=120)


def test_processes_with_other_settings_or_with_cached_teacher_predictions_are_refused(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    script = tmp_path / "other_seeds.py"
    script.write_text(OTHER_SEEDS)
    result = run([*TORCHRUN, str(script), *command(data, tmp_path / "run")])
    assert result.returncode != 0
    assert "process 1: 'settings' differs from the main process's; give every process the same command" in result.stderr
    taught = command(data, tmp_path / "run", "--teacher", str(finished), changes=("distillation.views=2",))
    result = run([*TORCHRUN, *MODULE, *taught])
    assert result.returncode != 0
    assert "setting distillation.views: cached teacher predictions are for one process; use 0" in result.stderr
    assert not (tmp_path / "run").exists()
