"""Whole runs: the same seed, the same weights, and what a run does with settings and data."""

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.runs import LABELS, TINY, command, history, make_folders, trained, weights

from clothing_classifier.cli import app
from clothing_classifier.config import load_settings
from clothing_classifier.errors import ClothingError, ConfigError, DatasetError
from clothing_classifier.training.checkpoint import load_model, load_tensors
from clothing_classifier.training.splits import decode_splits, load_splits
from clothing_classifier.training.validation import predict_logits, scores


def record(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "run.json").read_text())
    return content


def test_a_run_folder_holds_what_the_format_says(finished: Path) -> None:
    keys = {"command", "settings", "revision", "dirty", "data_sha256", "versions", "seed", "machine", "n", "metrics"}
    assert keys <= set(record(finished))
    assert [row["epoch"] for row in history(finished)] == ["1", "2", "3"]
    assert sorted(path.name for path in finished.iterdir()) == [
        "best.safetensors", "held_out.safetensors", "history.csv", "last.safetensors", "run.json"
    ]  # fmt: skip


def test_the_seed_decides_the_weights(finished: Path, data: Path, tmp_path: Path) -> None:
    trained(data, tmp_path / "again")
    trained(data, tmp_path / "other", "runtime.seed=20260725")
    assert weights(tmp_path / "again") == weights(finished)
    assert weights(tmp_path / "other")[0] != weights(finished)[0]


def test_the_figures_of_a_run_are_those_of_its_weights(finished: Path, data: Path) -> None:
    settings = load_settings(None, TINY)
    _, train, validation = load_splits(data, settings.data)
    model, labels = load_model(finished / "best.safetensors")
    photos = decode_splits(train, validation, labels, settings).validation
    found = scores(predict_logits(model, photos), photos.targets)
    recorded = record(finished)["metrics"]["validation"]
    best = max(history(finished), key=lambda row: (float(row["accuracy"]), -float(row["log_loss"])))
    for key, value in found.items():
        assert recorded[key] == pytest.approx(value, abs=1e-5)
        assert float(best[key]) == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("change", ["label_smoothing=0.0", "ema_decay=0.0", "optimizer='sgd'", "frozen_stages=1"])
def test_settings_of_optimization_are_part_of_training(finished: Path, data: Path, tmp_path: Path, change: str) -> None:
    init = {"init": finished / "best.safetensors"} if "frozen" in change else {}
    trained(data, tmp_path / "run", f"optimization.{change}", **init)
    assert weights(tmp_path / "run")[0] != weights(finished)[0]


def test_the_command_trains_and_says_what_comes_next(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = shutil.copytree(data, tmp_path / "data")
    (broken / "images" / "0.png").write_bytes(b"<!DOCTYPE html><html></html>")
    (broken / "images" / "1.png").unlink()
    caplog.set_level(logging.INFO, "clothing_classifier")
    status = app(command(broken, tmp_path / "run"), standalone_mode=False)
    printed = capsys.readouterr()
    assert status == 1
    assert "0.png: this is an HTML page" in caplog.text
    assert f"there is no file {broken / 'images' / '1.png'}" in caplog.text
    assert "epoch 3: loss " in caplog.text
    assert "clothing: 2 inputs failed: see above; the others were processed" in caplog.text
    assert printed.out.startswith("validation: accuracy ")
    assert f"next: clothing export {tmp_path / 'run'} --data {broken} --out BUNDLE" in printed.out
    assert record(tmp_path / "run")["n"] == {"train": 34, "validation": 12, "failed": 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimization.epoch=3", "setting optimization.epoch: unknown; optimization has optimizer, epochs"),
        ("optimization.epochs=many", "setting optimization.epochs: input should be a valid integer"),
        ("model.name=mobilenet", "model 'mobilenet': unknown; use mobilenet_v2, resnet_small or timm:NAME"),
        ("model.settings.depth=9", "model depth 9: resnet_small needs 6n + 2 layers"),
        ("model.settings.height=9", "model resnet_small has no setting 'height' (settings: depth, width)"),
        ("optimization.learning_rate=1e30", "the loss became"),
        ("optimization.frozen_stages=2", "optimization.frozen_stages: 2, of random weights; start from others with"),
        ("optimization.batch_size=1", "optimization.batch_size: batch norm needs two photos or more in every batch"),
        ("data.fold=1", "setting data: a fold needs data.folds"),
        ("data.group_column=owner", "no column 'owner'"),
        ("distillation.views=2", "settings of distillation need a teacher; name one with --teacher"),
        ("optimization.wise_ft_alpha=0.5", "needs first weights of the same classes; name some with --init"),
    ],
)
def test_a_setting_that_can_not_work_gets_one_line(data: Path, tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ClothingError) as raised:
        app(command(data, tmp_path / "run", changes=(change,)), standalone_mode=False)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_without_a_validation_split_whole_groups_are_split_off(data: Path, tmp_path: Path) -> None:
    unsplit = shutil.copytree(data, tmp_path / "data")
    rows = (unsplit / "dataset.csv").read_text().splitlines()
    (unsplit / "dataset.csv").write_text("\n".join(row.rpartition(",")[0] for row in rows))
    n = trained(unsplit, tmp_path / "run", "data.validation_fraction=0.25").record["n"]
    assert n == {"train": 36, "validation": 12, "failed": 0}


def test_every_photo_of_train_is_held_out_in_one_fold(data: Path, tmp_path: Path) -> None:
    outs = [tmp_path / str(fold) for fold in range(2)]
    sizes = [trained(data, out, "data.folds=2", f"data.fold={i}").record["n"] for i, out in enumerate(outs)]
    assert (sizes[0]["validation"], sizes[0]["train"]) == (sizes[1]["train"], sizes[1]["validation"])
    assert sizes[0]["train"] + sizes[0]["validation"] == 36


def test_class_folders_are_cut_into_folds(data: Path, tmp_path: Path) -> None:
    folders = make_folders(tmp_path / "folders", data)
    assert trained(folders, tmp_path / "run", "data.folds=2").record["n"] == {
        "train": 16,
        "validation": 16,
        "failed": 0,
    }
    with pytest.raises(DatasetError, match=r"no column 'sender', since there is no dataset\.csv"):
        trained(folders, tmp_path / "other", "data.group_column=sender")


def test_a_class_of_which_no_photo_can_be_read_is_named(data: Path, tmp_path: Path) -> None:
    folders = make_folders(tmp_path / "folders", data)
    for photo in (folders / "Hat").iterdir():
        photo.write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="'Hat': none of its photos to train on can be read; first: "):
        trained(folders, tmp_path / "run")


def test_a_student_learns_from_its_teachers(finished: Path, data: Path, tmp_path: Path) -> None:
    teacher = finished / "best.safetensors"
    found = trained(data, tmp_path / "run", teachers=[teacher, finished]).record
    assert found["teachers_sha256"] == [hashlib.sha256(teacher.read_bytes()).hexdigest()] * 2
    assert weights(tmp_path / "run")[0] != weights(finished)[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.labels=['Hat', 'Dress']", "a teacher of 3 classes that are not the 2 of this run"),
        ("data.folds=2", "a teacher of other photos, or of another split"),
    ],
)
def test_a_teacher_of_other_classes_or_photos_is_refused(
    finished: Path, data: Path, tmp_path: Path, change: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        trained(data, tmp_path / "run", change, teachers=[finished])
    assert not (tmp_path / "run").exists()


def test_the_state_of_a_run_is_no_teacher(finished: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"its weights are best\.safetensors beside it"):
        trained(data, tmp_path / "run", teachers=[finished / "last.safetensors"])


def test_the_last_epoch_is_kept_where_validation_may_choose_nothing(data: Path, tmp_path: Path) -> None:
    still = ("optimization.learning_rate=1e-30", "optimization.keep=last")
    assert trained(data, tmp_path / "run", *still).record["metrics"]["validation"]["epoch"] == 3


def test_wise_ft_interpolates_between_the_first_weights_and_the_trained(
    finished: Path, data: Path, tmp_path: Path
) -> None:
    first = finished / "best.safetensors"
    for name, alpha in (("trained", 1.0), ("mixed", 0.25)):
        trained(data, tmp_path / name, f"optimization.wise_ft_alpha={alpha}", "optimization.keep=last", init=first)
    start, far, mixed = (
        load_tensors(path / "best.safetensors")[0] for path in (finished, tmp_path / "trained", tmp_path / "mixed")
    )
    for name, tensor in start.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(mixed[name], torch.lerp(tensor, far[name], 0.25))
    with pytest.raises(ConfigError, match=r"optimization\.wise_ft_alpha: needs first weights of the same classes"):
        trained(data, tmp_path / "other", "optimization.wise_ft_alpha=0.5", "data.labels=['Hat', 'Dress']", init=first)


def test_a_training_view_may_be_smaller_than_the_networks_input(data: Path, tmp_path: Path) -> None:
    """As fast as a smaller network, and the bundle's contract stays `image.size`."""
    found = trained(data, tmp_path / "run", "augmentation.size=8", "augmentation.corrupt=0.5").record
    assert found["settings"]["image"]["size"] == 16
    assert found["labels"] == list(LABELS)
