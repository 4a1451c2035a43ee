"""Runs that were stopped: however often one was killed, it ends with the same weights, and with no other's."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from helpers.runs import command, history, run, weights


@pytest.mark.parametrize(
    "delay", [pytest.param(0.0, marks=pytest.mark.slow), 0.08, pytest.param(0.2, marks=pytest.mark.slow)]
)
def test_a_killed_and_resumed_run_ends_with_the_same_weights(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path, delay: float
) -> None:
    out = tmp_path / "killed"
    kill_after("photos to train on", command(out, "--resume"), environment, delay)
    out.mkdir(exist_ok=True)
    (out / ".last.safetensors.x.part").touch()
    for line in ("epoch 1", "epoch 2"):  # of which a fast machine may have made all when the kill comes
        kill_after(line, command(out, "--resume"), environment, delay)
    result = run(command(out, "--resume"), environment)
    assert result.returncode == 0, result.stderr
    assert not list(out.glob(".*"))
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


@pytest.mark.slow
def test_going_on_with_a_run_that_is_not_there_is_said(environment: dict[str, str], tmp_path: Path) -> None:
    result = run(command(tmp_path / "none", "--resume", epochs=1), environment)
    assert "none: holds no run to go on with; this one begins" in result.stderr


@pytest.mark.slow
def test_resuming_with_other_settings_is_refused(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / "run")
    result = run(command(out, "--resume", epochs=9), environment)
    assert result.returncode == 2
    assert "can't resume the run that was stopped: optimization.epochs was 4, and is 9" in result.stderr


@pytest.mark.slow
def test_a_state_whose_record_is_gone_is_not_gone_on_with(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / "run")
    (out / "run.json").unlink()
    result = run(command(out, "--resume", "--set", "model.settings.width=4", epochs=1), environment)
    assert result.returncode == 0, result.stderr
    assert "this one begins" in result.stderr
    assert [row["epoch"] for row in history(out)] == ["1"]
    (out / "run.json").write_text("{}")
    result = run(command(out, "--resume", epochs=1), environment)
    assert (result.returncode, "run.json: not the record of a run" in result.stderr) == (2, True)
    result = run(command(tmp_path / "student", "--teacher", str(out / "last.safetensors")), environment)
    assert "its weights are best.safetensors beside it" in result.stderr


@pytest.mark.slow
def test_the_state_of_another_network_is_not_gone_on_with(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    other, out = tmp_path / "other", tmp_path / "run"
    run(command(other, "--set", "model.settings.width=4", epochs=1), environment)
    kill_after("epoch 1", command(out), environment, 0)
    shutil.copy(other / "last.safetensors", out)
    result = run(command(out, "--resume"), environment)
    assert result.returncode == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("clothing: ")]
    assert line.endswith("last.safetensors: the state of another network; remove it to begin anew")


@pytest.mark.slow
def test_a_finished_run_is_left_as_it_is(uninterrupted: Path, environment: dict[str, str]) -> None:
    before = {path: path.read_bytes() for path in uninterrupted.iterdir()}
    result = run(command(uninterrupted, "--resume"), environment)
    assert result.returncode == 0, result.stderr
    assert {path: path.read_bytes() for path in uninterrupted.iterdir()} == before
