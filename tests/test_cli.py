"""The command line as a user meets it: real processes, their output, their exit status."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from clothing_classifier import Classifier

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
IMAGES = sorted((DATA / "images").iterdir())
CLOTHING = str(Path(sys.executable).parent / "clothing")
COMMANDS = (
    "predict", "evaluate", "split", "train", "export", "convert", "fetch", "models", "serve", "score", "report",
    "audit", "analyze",
)  # fmt: skip


def clothing(*arguments: str | Path, stdin: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CLOTHING, *map(str, arguments)], input=stdin, capture_output=True, text=True, cwd=cwd, encoding="utf-8"
    )


def rows(result: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


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


def test_json_is_one_object_a_line_in_input_order() -> None:
    paths = [f"data/images/{path.name}" for path in (IMAGES[9], IMAGES[2], IMAGES[100])]
    result = clothing("predict", *paths, "--format", "json")
    assert result.returncode == 0
    assert result.stderr == ""
    assert [row["path"] for row in rows(result)] == paths
    for row in rows(result):
        assert list(row) == ["path", "label", "confidence", "abstained", "top", "error", "unfamiliarity", "turn"]
        assert row["error"] is None
        assert len(row["top"]) == 3
        assert row["top"][0] == {"label": row["label"], "confidence": row["confidence"]}


def test_a_folder_means_its_image_named_files_sorted(tmp_path: Path) -> None:
    (tmp_path / "in" / "b").mkdir(parents=True)
    shutil.copy(IMAGES[0], tmp_path / "in" / "z.JPG")
    shutil.copy(IMAGES[1], tmp_path / "in" / "b" / "a.jpg")
    (tmp_path / "in" / "notes.txt").write_text("not an image")
    (tmp_path / "in" / "link.jpg").symlink_to(IMAGES[2])
    (tmp_path / "in" / "b" / "loop").symlink_to(tmp_path / "in")
    result = clothing("predict", "in", "--format", "json", cwd=tmp_path)
    assert [row["path"] for row in rows(result)] == ["in/b/a.jpg", "in/link.jpg", "in/z.JPG"]
    assert result.returncode == 0


def test_paths_come_from_standard_input() -> None:
    paths = [str(path) for path in IMAGES[:12]]
    result = clothing("predict", "-", "--format", "json", stdin="\n".join(paths) + "\n\n")
    assert [row["path"] for row in rows(result)] == paths


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_a_name_that_is_not_utf_8_comes_back_as_given(tmp_path: Path, form: str) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    Path(os.fsdecode(name)).write_bytes(IMAGES[0].read_bytes())
    command = [CLOTHING, "predict", name, b"gone\xe9.jpg", "--format", form]
    result = subprocess.run(command, capture_output=True)
    assert result.returncode == 1
    piped = subprocess.run(
        [CLOTHING, "predict", "-", "--format", form], input=name + b"\r\ngone\xe9.jpg", capture_output=True
    )
    assert piped.stdout == result.stdout
    assert b"Traceback" not in result.stderr
    if form == "json":
        assert [os.fsencode(json.loads(line)["path"]) for line in result.stdout.splitlines()] == [name, b"gone\xe9.jpg"]
    else:
        assert (b"caf\xe9.jpg" if form == "csv" else rb"caf\udce9.jpg") in result.stdout


def test_names_that_look_like_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    for name in ("[/c].jpg", "[red]x.jpg", "new\nline.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(IMAGES[0], tmp_path / name)
    result = clothing("predict", ".", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == ["[/c].jpg", "[red]x.jpg", "new\\nline.jpg"]


def test_a_folder_on_standard_input_means_its_files() -> None:
    result = clothing("predict", "-", "--format", "json", stdin="data/images\nnope.jpg\n")
    assert result.returncode == 1
    assert [row["path"] for row in rows(result)] == [*(f"data/images/{path.name}" for path in IMAGES), "nope.jpg"]


def test_saving_to_a_folder_is_refused_and_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    result = clothing("predict", IMAGES[0], "--save", tmp_path / "folder")
    assert result.returncode == 2
    assert "a folder stands where the file should go" in result.stderr
    assert clothing("predict", IMAGES[0], "--save", tmp_path / "link.csv").returncode == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("path,label")
    assert clothing("predict", IMAGES[0], "--save", "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()


def test_bad_rows_of_the_truth_are_named(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    with (data / "dataset.csv").open("a") as file:
        file.write("gone.jpg,Hat,hat-99,test\n")
    result = clothing("predict", data / "images" / IMAGES[0].name, "--truth", data)
    assert result.returncode == 1
    assert "row 242: there is no file" in result.stderr


def test_threads_and_batch_may_be_chosen() -> None:
    paths = [str(path) for path in IMAGES[:20]]
    chosen = clothing("predict", *paths, "--format", "json", "--threads", "3", "--batch", "4")
    assert [(row["path"], row["label"]) for row in rows(chosen)] == [
        (row["path"], row["label"]) for row in rows(clothing("predict", *paths, "--format", "json"))
    ]
    assert clothing("predict", *paths, "--threads", "0").returncode == 2


def test_one_unreadable_image_among_a_thousand(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(IMAGES[0].read_bytes()[:1500])
    paths = [str(IMAGES[i % len(IMAGES)]) for i in range(999)]
    paths.insert(500, str(broken))
    result = clothing("predict", "-", "--format", "json", stdin="\n".join(paths))
    answers = rows(result)
    assert result.returncode == 1
    assert [row["path"] for row in answers] == paths
    assert sum(row["label"] is not None for row in answers) == 999
    failed = answers[500]
    assert (failed["label"], failed["confidence"], failed["top"], failed["abstained"]) == (None, None, [], False)
    assert str(failed["error"]).startswith(f"{broken}: the image is truncated or damaged")
    assert result.stderr.splitlines()[0] == failed["error"]


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_precision_is_answered_with_its_threshold_and_its_coverage(form: str) -> None:
    result = clothing("predict", IMAGES[0], "--min-precision", "0.95", "--format", form)
    point = Classifier.load().operating_point(0.95)
    assert result.stderr == (
        f"abstaining below a confidence of {point.threshold:.3f}: on validation that kept a precision of "
        f"{point.precision:.3f} on {point.coverage:.1%} of the photos\n"
    )
    assert point.precision >= 0.95


def test_csv_quotes_what_needs_it(tmp_path: Path) -> None:
    name = tmp_path / 'odd, "name".jpg'
    shutil.copy(IMAGES[0], name)
    result = clothing("predict", name, "nope.jpg", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["path"] for row in table] == [str(name), "nope.jpg"]
    assert table[0]["label"]
    assert table[1]["error"] == "nope.jpg: there is no such file"
    assert result.returncode == 1


def test_the_table_names_label_confidence_and_truth(tmp_path: Path) -> None:
    saved = tmp_path / "out" / "predictions.csv"
    result = clothing("predict", "data/images", "--truth", "data", "--save", saved)
    assert result.returncode == 0
    assert f"of {len(IMAGES)} images have the label of the table" in result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("data/images/")]
    assert len(lines) == len(IMAGES)
    assert all("%" in line and ("✓" in line or "✗" in line) for line in lines)
    with saved.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(IMAGES)
    right = sum(row["label"] == row["true_label"] for row in table)
    assert f"accuracy {right / len(table):.3f}" in result.stdout


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
        (["evaluate", "--data", "data", "--split", "tset"], "clothing: data: no rows in the split 'tset'"),
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
        (["split", "--data", "data"], "has a split column already; replace it with --overwrite"),
        (["train", "--data", "data", "--out", "x", "--set", "epochs=3"], "clothing: --set epochs=3: write section.key"),
        (["train", "--data", "data", "--out", "x", "--preset", "nope"], "clothing: preset 'nope': neither a preset"),
        (
            ["train", "--data", "data", "--out", "x", "--init", "nope"],
            "nope: there is no such file of weights, nor a shipped model",
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
    result = clothing("predict", "-", stdin=f"{IMAGES[0]}\0{IMAGES[1]}\0")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_the_version_is_that_of_the_package() -> None:
    assert clothing("--version").stdout.strip() == version("clothing-classifier")


def test_an_unreachable_precision_says_what_is_reached(tmp_path: Path) -> None:
    bundle = shutil.copytree(clothing("models", "--path", "wardrobe").stdout.strip(), tmp_path / "bundle")
    from clothing_classifier.bundle import manifest_sha256

    content = json.loads((bundle / "bundle.json").read_text())
    content["precision_curve"] = [{"threshold": 0.1, "precision": 0.875, "coverage": 1.0}]
    content["hashes"]["bundle.json"] = manifest_sha256(content)
    (bundle / "bundle.json").write_text(json.dumps(content))
    result = clothing("predict", IMAGES[0], "--model", bundle, "--min-precision", "0.97")
    assert result.returncode == 2
    assert "0.97 is out of reach: on validation the model gets to 0.875" in result.stderr


def test_evaluate_prints_the_figures_of_the_contract() -> None:
    result = clothing("evaluate", "--data", "data", "--split", "test", "--format", "json")
    figures = json.loads(result.stdout)
    assert set(figures) == {
        "n", "accuracy", "accuracy_interval", "interval_method", "balanced_accuracy", "macro_f1", "weighted_f1",
        "auroc", "top3", "log_loss", "brier", "ece", "aurc", "labels", "confusion", "per_class", "slices",
        "reliability", "risk_coverage",
    }  # fmt: skip
    assert figures["n"] == sum(sum(row) for row in figures["confusion"])
    assert figures["interval_method"] == "bootstrap over 24 groups"


def test_evaluate_slices_by_any_column() -> None:
    arguments = ("evaluate", "--data", "data", "--slice", "label", "--slice", "group", "--slice", "split")
    figures = json.loads(clothing(*arguments, "--format", "json").stdout)
    assert list(figures["slices"]) == ["label", "group", "split"]
    assert figures["slices"]["split"] == {
        "test": {key: figures[key] for key in ("n", "accuracy", "accuracy_interval", "interval_method")}
    }
    assert len(figures["slices"]["group"]) == 24
    assert set(figures["slices"]["label"]["Hat"]) == {"n", "accuracy", "accuracy_interval", "interval_method"}
    table = clothing(*arguments).stdout
    assert "and 12 more" in table
    assert "if the least confident are left to a person" in table


def test_evaluate_restricts_the_candidates() -> None:
    result = clothing("evaluate", "--data", "data", "--labels", "Hat,Shoes,Skirt", "--format", "json")
    assert json.loads(result.stdout)["labels"] == ["Hat", "Shoes", "Skirt"]
    assert result.stderr == "3 of the model's 17 classes are candidates; their probabilities are rescaled\n"


def test_evaluate_compares_two_models_on_the_same_photos(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    table = csv.DictReader((data / "dataset.csv").read_text().splitlines())
    broken = next(row["image"] for row in table if row["split"] == "test")
    (data / "images" / broken).write_bytes(b"")
    arguments = ("evaluate", "--data", data, "--exclude-labels", "Hoodie,Polo", "--against", "benchmark-10")
    result = clothing(*arguments, "--format", "json")
    assert result.returncode == 1
    assert result.stderr.count(f"{data}/images/{broken}: the file is empty") == 1
    assert "compared on the 10 classes that both can choose" in result.stderr
    found = json.loads(result.stdout)["comparison"]
    counts = [found[key] for key in ("only_this_right", "only_against_right", "both_right", "both_wrong")]
    assert found["against"] == "benchmark-10"
    assert sum(counts) == found["n"] == 39
    assert found["difference"] == pytest.approx((counts[0] - counts[1]) / 39)
    assert found["interval_method"] == "paired bootstrap over 20 groups"
    assert found["mcnemar"]["method"] == "exact, two-sided; photos taken as independent"
    assert "against benchmark-10, on the same photos" in clothing(*arguments).stdout


def test_evaluate_shows_few_groups_one_by_one(tmp_path: Path) -> None:
    figures = json.loads(clothing("evaluate", "--data", "data", "--labels", "Hat,Shoes", "--format", "json").stdout)
    assert figures["interval_method"] == "Wilson, photos taken as independent: 4 groups are too few to resample"
    assert len(figures["groups"]) == 4
    table = clothing("evaluate", "--data", "data", "--labels", "Hat,Shoes").stdout
    assert "4 groups are too few to resample" in table
    assert "one group left out" in table


def test_evaluate_says_that_groups_are_blank_and_that_one_class_tells_little(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    table = data / "dataset.csv"
    lines = table.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.endswith(",test"))
    image, label, _, split = lines[place].split(",")
    lines[place] = f"{image},{label},,{split}"
    table.write_text("\n".join(lines) + "\n")
    result = clothing("evaluate", "--data", data, "--labels", label, "--format", "json")
    assert result.returncode == 0
    assert "1 of 4 photos have no group: intervals take the photos as independent" in result.stderr
    assert f"every photo is of the class '{label}': AUROC is undefined" in result.stderr
    assert "auroc" not in json.loads(result.stdout)
    named = clothing("evaluate", "--data", data, "--group-column", "group", "--format", "json")
    assert "1 rows set aside: blank in a column that you named" in named.stderr
    assert json.loads(named.stdout)["n"] == 47


def test_evaluate_writes_a_page(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="needs the extra 'report'")
    page = tmp_path / "deep" / "page.html"
    result = clothing("evaluate", "--data", "data", "--html", page, "--slice", "label", "--format", "json")
    assert result.returncode == 0, result.stderr
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "The worst mistakes" in text
    assert [path.name for path in page.parent.iterdir()] == ["page.html"]


def test_a_foreign_bundle_without_probabilities_is_refused_by_a_photos_name(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")
    from clothing_classifier.bundle import load_bundle, write_manifest

    manifest = load_bundle("wardrobe").manifest
    size, classes = manifest.preprocessing.size, len(manifest.labels)
    image = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["N", size, size, 3])
    scores = onnx.helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, ["N", classes])
    weights = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [3, classes], [1.0] * 3 * classes)
    nodes = [
        onnx.helper.make_node("Cast", ["image"], ["pixels"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2], keepdims=0),
        onnx.helper.make_node("MatMul", ["mean", "w"], ["probabilities"]),
    ]
    graph = onnx.helper.make_graph(nodes, "scores", [image], [scores], [weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    write_manifest(tmp_path, manifest.model_dump(exclude={"hashes", "format"}))
    result = clothing("evaluate", "--data", "data", "--model", tmp_path)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(
        r"clothing: dress-\S+\.jpg: the model's probabilities sum to \S+, not to 1; are they scores\?", line
    )


def test_evaluate_in_a_table_names_bad_rows_and_leaves_with_1(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    with (data / "dataset.csv").open("a") as file:
        file.write("gone.jpg,Hat,hat-99,test\n")
    result = clothing("evaluate", "--data", data)
    assert result.returncode == 1
    assert f"dataset.csv, row 242: there is no file {data / 'images' / 'gone.jpg'}" in result.stderr
    assert "macro-F1" in result.stdout


def test_classes_asked_for_match_without_case_and_it_is_said() -> None:
    result = clothing("evaluate", "--data", "data", "--labels", "hat,Shoes", "--format", "json")
    assert json.loads(result.stdout)["n"] == 8
    assert result.stderr.splitlines()[0] == "'hat' is taken as the label 'Hat'"


def test_split_leaves_out_the_classes_that_it_is_told_to(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    result = clothing("split", "--data", "data", "--overwrite", "--exclude-labels", "Hat", "--out", table)
    assert result.returncode == 0
    with table.open(newline="") as file:
        splits = {(row["label"], row["split"]) for row in csv.DictReader(file)}
    assert [split for label, split in splits if label == "Hat"] == [""]
    assert all(split for label, split in splits if label != "Hat")


def test_split_writes_the_column_back(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    before = (data / "dataset.csv").read_text().splitlines()
    result = clothing("split", "--data", data, "--overwrite", "--seed", "3", "--format", "json")
    assert result.returncode == 0
    parts = json.loads(result.stdout)["parts"]
    after = (data / "dataset.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[0] for line in after] == [line.rsplit(",", 1)[0] for line in before]
    assert sum(part["photos"] for part in parts.values()) == len(after) - 1
    assert {line.rsplit(",", 1)[1] for line in after[1:]} == {"train", "validation", "test"}


def test_models_path_is_one_absolute_line() -> None:
    result = clothing("models", "--path", "wardrobe")
    path = Path(result.stdout.strip())
    assert path.is_absolute()
    assert (path / "model.onnx").is_file()
    assert "wardrobe" in clothing("models").stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{CLOTHING} predict data/images --format json | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert json.loads(result.stdout)["path"].startswith("data/images/")
    assert "Traceback" not in result.stderr


def test_ctrl_c_leaves_no_half_written_file(tmp_path: Path) -> None:
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
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, 1)
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["table", "json", "csv"])
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
    assert last.startswith("clothing: fashion-mnist: 4 of 4 files could not be fetched")


def test_fetch_from_a_folder_gives_a_data_set(shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "fashion-mnist"
    result = clothing("fetch", "fashion-mnist", "--from", source, "--out", tmp_path / "out", "--format", "json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == {"folder": str(tmp_path / "out"), "fetched": 4, "kept": 0}
    from clothing_classifier.dataset import load_dataset

    assert len(load_dataset(tmp_path / "out").part("test")) == 10_000
