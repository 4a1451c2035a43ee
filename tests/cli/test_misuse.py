"""Whatever is wrong with a command line is one line, with status 2, and no traceback."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from helpers.commands import CLOTHING, IMAGES, ROOT, clothing, clothing_process

COMMANDS = (
    "predict", "evaluate", "split", "train", "export", "convert", "fetch", "models", "serve", "score", "report",
    "audit", "analyze", "compress",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    result = clothing(command, "--help")
    assert result.returncode == 0
    assert f"Example: clothing {command}" in result.stdout
    assert command in clothing("--help").stdout


def test_python_runs_the_package_under_the_commands_name() -> None:
    arguments = [sys.executable, "-m", "clothing_classifier", "train", "--help"]
    result = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert result.stdout.split()[:3] == ["Usage:", "clothing", "train"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict"], "clothing: missing argument 'PATH...|-'; see clothing predict --help"),
        (["predikt"], "clothing: no such command 'predikt': did you mean 'predict'?; see clothing --help"),
        (["predict", "--tpo", "3"], "clothing: no such option: --tpo"),
        (["predict", "data/images", "--top", "x"], "clothing: invalid value for '--top': input should be a valid int"),
        (["predict", "data/images", "--format", "xml"], "'xml' is not one of 'table', 'json', 'csv'; see clothing"),
        (["predict", "data/images", "--top", "0"], "clothing: top is 0; ask for at least 1 candidate"),
        (["predict", "data/images", "--model", "nope"], "clothing: model 'nope': neither a shipped model"),
        (["predict", "tests/training", "--format", "json"], "clothing: no images: give photos"),
        (["predict", "data/images", "--min-precision", "2"], "clothing: min_precision is 2"),
        (["evaluate", "--data", "nope"], "clothing: nope: there is no such folder"),
        (["evaluate", "--data", "data", "--split", "tset"], "clothing: data: no photos in the split 'tset'"),
        (["evaluate", "--data", "data", "--labels", "Hat,Sock"], "clothing: data: no row has the label 'Sock'"),
        (["evaluate", "--data", "data", "--label-column", "kind"], "no column 'kind' for the label"),
        (
            ["evaluate", "--data", "data", "--slice", "kids"],
            "clothing: no column 'kids' to slice by (columns: image, label, group, split)",
        ),
        (["evaluate", "--data", "data", "--against", "nope"], "clothing: model 'nope': neither a shipped model"),
        (
            ["evaluate", "--data", "data", "--against", "benchmark-10"],
            "clothing: model 'benchmark-10' has no class for Hoodie,Polo; leave them out with --exclude-labels",
        ),
        (
            ["evaluate", "--data", "data", "--model", "benchmark-10", "--labels", "Hoodie,Hat"],
            "clothing: the model has no class for Hoodie; leave them out with --exclude-labels 'Hoodie'",
        ),
        (["split", "--data", "data", "--seed", "-1"], "clothing: invalid value for '--seed'"),
        (["analyze", "resnet_small", "--photo", "a.jpg"], "clothing: --photo needs --figures"),
        (
            ["analyze", "resnet_small", "--compare-input", "3x9x9"],
            "clothing: --compare-input needs --compare",
        ),
        (["train", "--data", "data", "--out", "x", "--init", "x.zip"], "clothing: model 'x.zip': neither"),
        (
            ["train", "--data", "data", "--out", "x", "--set", "augmentation.scale=[1.2, 0.4]"],
            "clothing: setting augmentation: scale is a smallest and a largest fraction of the area, both above 0",
        ),
        (
            ["train", "--data", "data", "--out", "x", "--set", "optimization.learning_rate=inf"],
            "clothing: setting optimization.learning_rate: input should be a finite number",
        ),
        (["split", "--data", "data"], "has a split column already; replace it with --overwrite"),
        (["train", "--data", "data", "--out", "x", "--set", "epochs=3"], "clothing: --set epochs=3: write section.key"),
        (["train", "--data", "data", "--out", "x", "--preset", "nope"], "clothing: preset 'nope': neither a preset"),
        (
            ["train", "--data", "data", "--out", "x", "--init", "nope"],
            "nope: there is no such run or file of weights, nor a shipped model",
        ),
        (
            ["train", "--data", "data", "--out", "x", "--labels", "Hat"],
            "have the label 'Hat'; a classifier needs two classes",
        ),
        (["report", "benchmark-10", "--out", "README.md"], "README.md/figures: Not a directory"),
        (["export", "data", "--data", "data", "--out", "x"], "clothing: data: not a run folder of 'clothing train'"),
        (["fetch", "shoes", "--out", "x"], "clothing: "),
        (["models", "--path", "nope"], "clothing: no shipped model 'nope'"),
    ],
)
def test_a_wrong_command_is_one_line_and_status_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "x") if argument == "x" else argument for argument in arguments]
    result = clothing(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert [line.startswith("clothing: ") for line in result.stderr.splitlines()].count(True) == 1
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_paths_that_end_in_null_bytes_are_named_as_one_that_is_no_file() -> None:
    result = clothing_process("predict", "-", stdin=f"{IMAGES[0]}\0{IMAGES[1]}\0")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_the_version_is_that_of_the_package() -> None:
    assert clothing("--version").stdout.strip() == version("clothing-classifier")


def test_an_unreachable_precision_says_what_is_reached(tmp_path: Path) -> None:
    bundle = shutil.copytree(clothing("models", "--path", "wardrobe").stdout.strip(), tmp_path / "bundle")
    from clothing_classifier.inference.bundle import manifest_sha256

    content = json.loads((bundle / "bundle.json").read_text())
    content["precision_curve"] = [{"threshold": 0.1, "precision": 0.875, "coverage": 1.0}]
    content["hashes"]["bundle.json"] = manifest_sha256(content)
    (bundle / "bundle.json").write_text(json.dumps(content))
    result = clothing("predict", IMAGES[0], "--model", bundle, "--min-precision", "0.97")
    assert result.returncode == 2
    assert "0.97 is out of reach: on validation the model gets to 0.875" in result.stderr


def test_models_path_is_one_absolute_line() -> None:
    result = clothing("models", "--path", "wardrobe")
    path = Path(result.stdout.strip())
    assert path.is_absolute()
    assert (path / "model.onnx").is_file()
    assert "wardrobe" in clothing("models").stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{shlex.quote(CLOTHING)} predict data/images --format json | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert json.loads(result.stdout)["path"].startswith("data/images/")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_who_ends_it_finds_no_half_written_file(number: signal.Signals, status: int, tmp_path: Path) -> None:
    saved = tmp_path / "predictions.csv"
    process = subprocess.Popen(
        [CLOTHING, "predict", "-", "--format", "json", "--save", str(saved)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(str(path) for path in IMAGES) + "\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["table", *(pytest.param(form, marks=pytest.mark.slow) for form in ("json", "csv"))])
def test_a_terminal_gets_a_bar_and_a_pipe_none(tmp_path: Path, form: str) -> None:
    arguments = [CLOTHING, "predict", *map(str, IMAGES[:40]), "--format", form]
    leader, follower = os.openpty()
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(arguments, stderr=follower, stdout=out)
        os.close(follower)
        seen = b""
        while True:
            try:
                chunk = os.read(leader, 4096)
            except OSError:  # Linux ends a pseudo-terminal that nobody holds with an error
                break
            if not chunk:
                break
            seen += chunk
        process.wait()
    os.close(leader)
    assert b"predicting" in seen
    piped = subprocess.run(arguments, capture_output=True)
    assert piped.stderr == b""
    assert piped.stdout == (tmp_path / "out").read_bytes()


def test_fetch_names_every_file_that_failed_and_leaves_with_1(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    result = clothing("fetch", "fashion-mnist", "--from", tmp_path / "mirror", "--out", tmp_path / "out")
    assert result.returncode == 1
    *named, last = result.stderr.splitlines()
    assert sorted(line.split(":")[0] for line in named) == [
        "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
        "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
    ]  # fmt: skip
    assert last.startswith("clothing: 4 of 4 files of fashion-mnist could not be fetched")


def test_fetch_from_a_folder_gives_a_data_set(shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "fashion-mnist"
    result = clothing("fetch", "fashion-mnist", "--from", source, "--out", tmp_path / "out", "--format", "json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == {"folder": str(tmp_path / "out"), "fetched": 4, "kept": 0}
    from clothing_classifier.datasets import load_dataset

    assert len(load_dataset(tmp_path / "out").part("test")) == 10_000
