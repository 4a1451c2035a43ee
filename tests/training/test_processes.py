"""Two processes, started for real by torchrun and by accelerate, train as one; one that is killed ends the launch."""

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file

from clothing_classifier.training.data import epoch_order
from clothing_classifier.training.processes import Processes

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TORCHRUN = [str(BIN / "torchrun"), "--standalone", "--nproc-per-node", "2"]
ACCELERATE = [str(BIN / "accelerate"), "launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
MODULE = ["-m", "clothing_classifier"]
TINY = (
    "model.name=resnet_small", "model.settings.depth=8", "model.settings.width=8", "image.size=32",
    "optimization.batch_size=23", "runtime.threads=1", "runtime.precision=fp32",
)  # fmt: skip
STILL = (
    "augmentation.scale=[1.0, 1.0]", "augmentation.aspect=1.0", "augmentation.rotation=0.0", "augmentation.flip=false",
    "augmentation.brightness=0.0", "augmentation.contrast=0.0", "augmentation.saturation=0.0", "augmentation.erase=0.0",
    "model.dropout=0.0", "optimization.micro_batches=5",
)  # fmt: skip
"""No random views, and parts of a batch of which the last may hold one photo, so that one of two processes has none."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


def training(out: Path, *settings: str, epochs: int = 2) -> list[str]:
    changes = [part for change in (*TINY, f"optimization.epochs={epochs}", *settings) for part in ("--set", change)]
    return ["train", "--data", str(ROOT / "data"), "--out", str(out), *changes]


def start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, env=environment, timeout=300)


def on_two_hosts(tmp_path: Path, first: list[str], second: list[str]) -> list[tuple[int, str, str]]:
    """Status, output and errors of two launches of one process each, which share nothing but a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hosts = []
    for rank, arguments in enumerate((first, second)):
        place = ["--nnodes", "2", "--node-rank", str(rank), "--nproc-per-node", "1"]
        address = ["--master-addr", "127.0.0.1", "--master-port", str(port)]
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / f"cache-{rank}")}
        hosts.append(start([TORCHRUN[0], *place, *address, *MODULE, *arguments], environment))
    ends = []
    for host in hosts:
        # torchrun waits 300 s for the other host's at the end, where that left before it could be told.
        output, errors = host.communicate(timeout=420)
        ends.append((host.returncode, output, errors))
    return ends


def history(out: Path) -> list[dict[str, str]]:
    with (out / "history.csv").open() as file:
        return list(csv.DictReader(file))


def said(errors: str) -> list[str]:
    return [line for line in errors.splitlines() if line.startswith("clothing: ")]


@pytest.mark.parametrize(("n", "batch_size", "parts", "count"), [(144, 23, 5, 2), (100, 7, 3, 3), (9, 4, 9, 4)])
def test_an_epoch_shows_every_photo_to_one_process(n: int, batch_size: int, parts: int, count: int) -> None:
    for epoch in range(3):
        seen = []
        for batch in epoch_order(n, batch_size, 0, epoch):
            shares = [Processes(count, index).share(batch, parts) for index in range(count)]
            assert len({len(share) for share in shares}) == 1
            sizes = [sum(map(len, share)) for share in shares]
            assert max(sizes) - min(sizes) <= 1
            seen += [photo for share in shares for part in share for photo in part]
        assert sorted(seen) == list(range(n))


def test_one_process_has_the_whole_batch_in_its_order() -> None:
    batch = np.array([5, 3, 9, 1, 7])
    assert [part.tolist() for part in Processes().share(batch, 2)] == [[5, 3, 9], [1, 7]]


def test_processes_exchange_values_errors_and_batch_norm(environment: dict[str, str]) -> None:
    result = run([*TORCHRUN, str(ROOT / "tests" / "helpers" / "exchange.py")], environment)
    assert result.returncode == 0, result.stderr


def test_two_hosts_train_as_one_process(environment: dict[str, str], tmp_path: Path) -> None:
    """The second host has a cache of its own, and needs no run folder."""
    outs = [tmp_path / name for name in ("two", "unused", "one")]
    ends = on_two_hosts(tmp_path, *(training(out, *STILL, epochs=1) for out in outs[:2]))
    assert [status for status, _, _ in ends] == [0, 0], ends
    alone = run([str(BIN / "clothing"), *training(outs[2], *STILL, epochs=1)], environment)
    assert alone.returncode == 0, alone.stderr
    assert ends[1][1] == ""
    assert not outs[1].exists()
    assert ends[0][1] == alone.stdout.replace(str(outs[2]), str(outs[0]))
    assert sorted(path.name for path in outs[0].iterdir()) == sorted(path.name for path in outs[2].iterdir())
    assert [json.loads((out / "run.json").read_text())["processes"] for out in (outs[0], outs[2])] == [2, 1]
    for two, one in zip(history(outs[0]), history(outs[2]), strict=True):
        assert two["accuracy"] == one["accuracy"]
        for key in ("loss", "log_loss"):
            assert float(two[key]) == pytest.approx(float(one[key]), rel=1e-4)
    assert_near(load_file(outs[0] / "last.safetensors"), load_file(outs[2] / "last.safetensors"))


def assert_near(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> None:
    """Weights, averages, batch norm's statistics, and the optimizer's moments, which show the gradients' size."""
    assert set(some) == set(others)
    for name, tensor in others.items():
        difference = (some[name].double() - tensor.double()).norm() / tensor.double().norm().clamp(min=1e-12)
        assert difference < 0.1, (name, difference)  # gradients added up wrongly differ by half or more


def test_a_host_with_another_command_is_refused_in_one_line(tmp_path: Path) -> None:
    ends = on_two_hosts(tmp_path, training(tmp_path / "run"), training(tmp_path / "run", "runtime.seed=1"))
    assert all(status != 0 for status, _, _ in ends)
    lines = [line for _, _, errors in ends for line in said(errors)]
    assert len(lines) == 1
    assert "process 1 on " in lines[0]
    assert "'settings' differs from that of the first process" in lines[0]
    assert not (tmp_path / "run").exists()


def test_a_killed_process_ends_the_launch_and_the_run_goes_on(environment: dict[str, str], tmp_path: Path) -> None:
    """Under either launcher it ends with the weights of a run that nothing stopped, to the last bit."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    result = run([*ACCELERATE, *MODULE, *training(whole, epochs=2)], environment)
    assert result.returncode == 0, result.stderr
    launch = start([*TORCHRUN, *MODULE, *training(killed, epochs=2)], environment)
    errors = kill(launch, "1", "epoch 1:")
    assert launch.returncode != 0
    assert "clothing_classifier/training" not in errors  # no traceback of ours; the launcher's own report is its own
    assert not list(killed.glob(".*"))
    other = shutil.copytree(killed, tmp_path / "other")

    result = run([*TORCHRUN, *MODULE, *training(killed, epochs=2), "--resume"], environment)
    assert result.returncode == 0, result.stderr
    assert "epoch 1:" not in result.stderr
    for name in ("best.safetensors", "held_out.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    states = [load_file(out / "last.safetensors") for out in (killed, whole)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])

    result = run([str(BIN / "clothing"), *training(other, epochs=2), "--resume"], environment)
    assert result.returncode == 0, result.stderr
    assert "processes: 1, and 2 before; random views change from here on" in result.stderr
    assert len(history(other)) == 2


def kill(launch: subprocess.Popen[str], rank: str, when: str) -> str:
    """SIGKILL the process of that rank when a line comes; return what standard error had until the launch ended."""
    assert launch.stderr is not None
    errors = ""
    for line in launch.stderr:
        errors += line
        if when in line:
            for worker in psutil.Process(launch.pid).children():
                if worker.environ().get("RANK") == rank:
                    worker.send_signal(signal.SIGKILL)
            break
    errors += launch.communicate(timeout=300)[1]
    return errors
