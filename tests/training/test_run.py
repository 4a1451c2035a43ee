"""Whole runs on the drawn data: the same seed, the same weights, and what a run does with settings and data."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.runs import ROOT, TINY, command, history, run, weights

from clothing_classifier.config import load_settings
from clothing_classifier.training.checkpoint import load_model, load_tensors
from clothing_classifier.training.loop import logits_of, scores
from clothing_classifier.training.parts import decode_parts, load_parts


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
    assert [row["epoch"] for row in history(uninterrupted)] == ["1", "2", "3", "4"]
    assert sorted(path.name for path in uninterrupted.iterdir()) == [
        "best.safetensors", "held_out.safetensors", "history.csv", "last.safetensors", "run.json"
    ]  # fmt: skip


def test_the_same_seed_gives_identical_weights(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert run(command(tmp_path / "again"), environment).returncode == 0
    assert weights(tmp_path / "again") == weights(uninterrupted)


@pytest.mark.slow
def test_another_seed_gives_other_weights(uninterrupted: Path, environment: dict[str, str], tmp_path: Path) -> None:
    assert run(command(tmp_path / "other", "--set", "runtime.seed=20260725"), environment).returncode == 0
    assert weights(tmp_path / "other") != weights(uninterrupted)


def test_the_figures_of_a_run_are_those_of_its_weights(uninterrupted: Path) -> None:
    settings = load_settings(None, TINY)
    _, train, validation = load_parts(ROOT / "data", settings.data)
    model, labels = load_model(uninterrupted / "best.safetensors")
    _, photos = decode_parts(train, validation, labels, settings)
    found = scores(logits_of(model, photos), photos.targets)
    recorded = json.loads((uninterrupted / "run.json").read_text())["metrics"]["validation"]
    best = max(history(uninterrupted), key=lambda row: (float(row["accuracy"]), -float(row["log_loss"])))
    for key, value in found.items():
        assert recorded[key] == pytest.approx(value, abs=1e-5)
        assert float(best[key]) == pytest.approx(value, abs=1e-5)


@pytest.mark.slow
def test_label_smoothing_and_the_average_are_part_of_training(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    losses = []
    for change in ("optimization.label_smoothing=0.0", "optimization.ema_decay=0.0"):
        out = tmp_path / change
        assert run(command(out, "--set", change, epochs=1), environment).returncode == 0
        losses.append(float(history(out)[0]["loss"]))
        assert (out / "best.safetensors").read_bytes() != (uninterrupted / "best.safetensors").read_bytes()
    smoothed = float(history(uninterrupted)[0]["loss"])
    assert losses[0] != pytest.approx(smoothed, rel=1e-4)
    assert history(tmp_path / "optimization.ema_decay=0.0")[0]["accuracy"] != history(uninterrupted)[0]["accuracy"]


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


@pytest.mark.slow
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


@pytest.mark.slow
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
        ("data.fold=1", "setting data: a fold needs data.folds"),
        ("data.group_column=owner", "no column 'owner'"),
        ("distillation.views=2", "settings of distillation need a teacher; name one with --teacher"),
        ("optimization.start_share=0.5", "needs first weights of the same classes; name some with --init"),
    ],
)
def test_a_setting_that_can_not_work_gets_one_line(
    environment: dict[str, str], tmp_path: Path, change: str, message: str
) -> None:
    result = run(command(tmp_path / "run", "--set", change, epochs=2), environment)
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_every_photo_of_train_is_held_out_in_one_fold(environment: dict[str, str], tmp_path: Path) -> None:
    sizes = []
    for fold in range(2):
        out = tmp_path / f"fold-{fold}"
        result = run(command(out, "--set", "data.folds=2", "--set", f"data.fold={fold}", epochs=1), environment)
        assert result.returncode == 0, result.stderr
        sizes.append(json.loads((out / "run.json").read_text())["n"])
    assert sizes[0]["validation"] == sizes[1]["train"]
    assert sizes[1]["validation"] == sizes[0]["train"]


@pytest.mark.slow
def test_a_student_learns_from_its_teachers(uninterrupted: Path, environment: dict[str, str], tmp_path: Path) -> None:
    teacher = uninterrupted / "best.safetensors"
    result = run(command(tmp_path / "run", "--teacher", str(teacher), "--teacher", str(teacher)), environment)
    assert result.returncode == 0, result.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["teachers_sha256"] == [hashlib.sha256(teacher.read_bytes()).hexdigest()] * 2
    assert weights(tmp_path / "run") != weights(uninterrupted)


@pytest.mark.slow
def test_a_teacher_of_other_classes_is_refused(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    teacher = uninterrupted / "best.safetensors"
    result = run(command(tmp_path / "run", "--teacher", str(teacher), "--labels", "Hat,Dress"), environment)
    assert result.returncode == 2
    assert "a teacher of 12 classes that are not the 2 of this run" in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_teacher_that_saw_what_is_held_out_is_refused(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    fold = ("--set", "data.folds=2", "--teacher", str(uninterrupted))
    result = run(command(tmp_path / "run", *fold), environment)
    assert result.returncode == 2
    assert f"{uninterrupted}: a teacher of other photos, or of another split" in result.stderr


@pytest.mark.slow
def test_the_last_epoch_is_kept_where_validation_may_choose_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    result = run(command(tmp_path / "run", "--set", "optimization.keep=last"), environment)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["metrics"]["validation"]["epoch"] == 4


@pytest.mark.slow
def test_weights_may_lie_on_the_way_from_the_first_to_the_learnt(
    uninterrupted: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    init = ("--init", str(uninterrupted / "best.safetensors"), "--set", "optimization.keep=last")
    shares = {"far": "0", "near": "0.75"}
    for name, share in shares.items():
        result = run(command(tmp_path / name, *init, "--set", f"optimization.start_share={share}"), environment)
        assert result.returncode == 0, result.stderr
    start, far, near = (
        load_tensors(path / "best.safetensors")[0] for path in (uninterrupted, *map(tmp_path.joinpath, shares))
    )
    for name, tensor in start.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(near[name], torch.lerp(far[name], tensor, 0.75))
    result = run(
        command(tmp_path / "other", *init, "--set", "optimization.start_share=0.5", "--labels", "Hat,Dress"),
        environment,
    )
    assert result.returncode == 2
    assert "optimization.start_share: needs first weights of the same classes" in result.stderr


@pytest.mark.slow
def test_patience_ends_a_run_that_no_longer_gets_better(environment: dict[str, str], tmp_path: Path) -> None:
    still = ("--set", "optimization.learning_rate=1e-30", "--set", "optimization.patience=2")
    result = run(command(tmp_path / "run", *still, epochs=9), environment)
    assert result.returncode == 0, result.stderr
    assert len(history(tmp_path / "run")) == 3
    assert run(command(tmp_path / "run", *still, "--resume", epochs=9), environment).returncode == 0
    assert len(history(tmp_path / "run")) == 3


@pytest.mark.slow
def test_a_batch_in_parts_trains_as_a_whole_one(environment: dict[str, str], tmp_path: Path) -> None:
    """Without batch norm, whose statistics are of a part, the gradients add up to those of the whole batch."""
    settings = (
        "model.settings={width=0.25, batch_norm=false}", "model.dropout=0.0", "image.size=32", "runtime.threads=1",
        "runtime.precision=fp32", "optimization.batch_size=24",
    )  # fmt: skip
    rows = []
    for parts in (1, 5):
        out = tmp_path / f"parts-{parts}"
        more = ("--set", f"optimization.micro_batches={parts}")
        result = run(command(out, *more, epochs=2, settings=settings), environment)
        assert result.returncode == 0, result.stderr
        rows.append(history(out)[-1])
    for key in ("loss", "log_loss"):
        assert float(rows[0][key]) == pytest.approx(float(rows[1][key]), rel=1e-3)


@pytest.mark.slow
def test_a_training_view_may_be_smaller_than_the_networks_input(environment: dict[str, str], tmp_path: Path) -> None:
    """As fast as a smaller network, and the bundle's contract stays `image.size`."""
    result = run(command(tmp_path / "run", "--set", "augmentation.size=16", epochs=1), environment)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["settings"]["image"]["size"] == 32


@pytest.mark.slow
def test_batch_norm_of_one_value_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    settings = ("model.settings.width=0.25", "image.size=32", "runtime.threads=1", "optimization.batch_size=1")
    result = run(command(tmp_path / "run", settings=settings), environment)
    assert result.returncode == 2
    assert "setting optimization.batch_size: 1, in 1 parts, has parts of one photo" in result.stderr.splitlines()[-1]


@pytest.mark.slow
def test_class_folders_without_a_split_are_cut_into_folds(environment: dict[str, str], tmp_path: Path) -> None:
    data = class_folders(tmp_path / "folders")
    result = run(command(tmp_path / "run", "--set", "data.folds=2", data=data, epochs=1), environment)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["n"] == {"train": 20, "validation": 20, "failed": 0}
    result = run(command(tmp_path / "other", "--group-column", "sender", data=data, epochs=1), environment)
    assert (result.returncode, "no column 'sender', since there is no dataset.csv" in result.stderr) == (2, True)


@pytest.mark.slow
def test_a_class_of_which_no_photo_can_be_read_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    data = class_folders(tmp_path / "folders")
    for photo in (data / "hat").iterdir():
        photo.write_bytes(b"nothing")
    result = run(command(tmp_path / "run", data=data, epochs=1), environment)
    assert result.returncode == 2
    assert "'hat': none of its photos to train on can be read; first: " in result.stderr.splitlines()[-1]


def class_folders(root: Path) -> Path:
    for label in ("hat", "dress"):
        (root / label).mkdir(parents=True)
        for photo in sorted((ROOT / "data" / "images").glob(f"{label}-*"))[:20]:
            shutil.copy(photo, root / label)
    return root
