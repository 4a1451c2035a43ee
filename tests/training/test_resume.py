"""Runs that were stopped: however often one was killed, it ends with the same weights, and with no other's."""

import shutil
import time
from pathlib import Path

import pytest
from helpers.runs import CLOTHING, command, history, run, start, trained, weights

from clothing_classifier.errors import ConfigError
from clothing_classifier.training import loop

MANY = ("optimization.epochs=30",)


def kill_after(text: str, arguments: list[str], delay: float = 0) -> None:
    """SIGKILL the command `delay` seconds after a line with `text`."""
    process = start([CLOTHING, *arguments])
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            time.sleep(delay)
            process.kill()
            break
    process.stderr.close()
    process.wait()


def stop_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next run in this process end, as if killed, when it has saved that many epochs."""
    save = loop.save_state

    def save_then_stop(out: Path, state: loop.State, *rest: object) -> None:
        save(out, state, *rest)  # type: ignore[arg-type]
        if state.epoch == epochs:
            monkeypatch.setattr(loop, "save_state", save)
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_state", save_then_stop)


def test_a_killed_and_resumed_run_ends_with_the_same_weights(data: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    trained(data, whole, *MANY)
    kill_after("epoch 2:", command(data, killed, changes=MANY))
    (killed / ".last.safetensors.x.part").touch()  # what a kill in the middle of writing leaves
    result = run([CLOTHING, *command(data, killed, "--resume", changes=MANY)])
    assert result.returncode == 0, result.stderr
    assert "epoch 2:" not in result.stderr
    assert sorted(path.name for path in killed.iterdir()) == sorted(path.name for path in whole.iterdir())
    assert weights(killed) == weights(whole)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_a_run_killed_again_and_again_ends_with_the_same_weights(data: Path, tmp_path: Path, delay: float) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    trained(data, whole, *MANY)
    for line in ("photos to train on", "epoch 1:", "epoch 4:", "epoch 9:"):
        kill_after(line, command(data, killed, "--resume", changes=MANY), delay)
    result = run([CLOTHING, *command(data, killed, "--resume", changes=MANY)])
    assert result.returncode == 0, result.stderr
    assert not list(killed.glob(".*"))
    assert weights(killed) == weights(whole)


@pytest.mark.parametrize(
    "changes",
    [
        ("optimization.optimizer=sgd",),
        ("optimization.wise_ft_alpha=0.4", "augmentation.corrupt=0.5"),
        ("distillation.views=2", "optimization.keep=last"),
    ],
)
def test_an_interrupted_run_goes_on_to_the_same_weights(
    finished: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: tuple[str, ...]
) -> None:
    options = {
        "init": finished / "best.safetensors" if "wise_ft" in changes[0] else None,
        "teachers": [finished] if "distillation" in changes[0] else [],
    }
    trained(data, tmp_path / "whole", *changes, **options)
    stop_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trained(data, tmp_path / "stopped", *changes, **options)
    assert len(history(tmp_path / "stopped")) == 2
    trained(data, tmp_path / "stopped", *changes, resume=True, **options)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


def test_a_finished_run_is_neither_overwritten_nor_changed(finished: Path, data: Path) -> None:
    before = {path: path.read_bytes() for path in finished.iterdir()}
    with pytest.raises(ConfigError, match="holds a run already; go on with --resume or choose another --out"):
        trained(data, finished)
    trained(data, finished, resume=True)
    assert {path: path.read_bytes() for path in finished.iterdir()} == before


@pytest.mark.parametrize("change", ["optimization.epochs=9", "augmentation.scale=[0.5, 1.0]", "model.settings.width=4"])
def test_resuming_with_other_settings_is_refused(finished: Path, data: Path, change: str) -> None:
    key = change.partition("=")[0].removesuffix(".width")
    with pytest.raises(ConfigError, match=f"can't resume the run that was stopped: {key} was .*, and is "):
        trained(data, finished, change, resume=True)


def test_resuming_from_other_weights_is_refused(finished: Path, data: Path) -> None:
    with pytest.raises(ConfigError, match="can't resume the run that was stopped: the first weights changed"):
        trained(data, finished, init=finished / "best.safetensors", resume=True)


def test_a_state_whose_record_is_gone_is_not_resumed_from(
    finished: Path, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = shutil.copytree(finished, tmp_path / "run")
    (out / "run.json").unlink()
    caplog.set_level("INFO", "clothing_classifier")
    trained(data, out, "model.settings.width=4", "optimization.epochs=1", resume=True)
    assert "run: holds no run to go on with; this one begins" in caplog.text
    assert [row["epoch"] for row in history(out)] == ["1"]
    (out / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"run\.json: not the record of a run"):
        trained(data, out, resume=True)


def test_the_state_of_another_network_is_not_resumed_from(
    finished: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trained(data, tmp_path / "run", "model.settings.width=4")
    shutil.copy(finished / "last.safetensors", tmp_path / "run")
    with pytest.raises(ConfigError, match=r"last\.safetensors: the state of another network; remove it to begin anew"):
        trained(data, tmp_path / "run", "model.settings.width=4", resume=True)
