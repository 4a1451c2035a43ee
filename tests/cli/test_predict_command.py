"""`clothing predict` as a user meets it: its inputs, its forms of output, its exit status."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.commands import CLOTHING, DATA, IMAGES, clothing, clothing_process, rows

from clothing_classifier import Classifier


def test_json_is_one_object_a_line_in_input_order() -> None:
    paths = [f"data/images/{path.name}" for path in (IMAGES[9], IMAGES[2], IMAGES[100])]
    result = clothing("predict", *paths, "--format", "json")
    assert result.returncode == 0
    assert result.stderr == ""
    assert [row["path"] for row in rows(result)] == paths
    for row in rows(result):
        assert list(row) == ["path", "label", "confidence", "abstained", "top", "error", "ood_score", "rotation"]
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
    result = clothing_process("predict", "-", "--format", "json", stdin="\n".join(paths) + "\n\n")
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


def test_what_is_printed_is_utf_8_in_any_locale() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    result = subprocess.run([CLOTHING, "predict", IMAGES[0]], capture_output=True, env=environment)
    assert "█" in result.stdout.decode()
    assert result.stderr == b""


def test_names_that_look_like_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    for name in ("[/c].jpg", "[red]x.jpg", "new\nline.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(IMAGES[0], tmp_path / name)
    result = clothing("predict", ".", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == ["[/c].jpg", "[red]x.jpg", "new\\nline.jpg"]


def test_a_folder_on_standard_input_means_its_files() -> None:
    result = clothing_process("predict", "-", "--format", "json", stdin="data/images\nnope.jpg\n")
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


@pytest.mark.slow
def test_one_unreadable_image_among_a_thousand(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(IMAGES[0].read_bytes()[:1500])
    paths = [str(IMAGES[i % len(IMAGES)]) for i in range(999)]
    paths.insert(500, str(broken))
    result = clothing_process("predict", "-", "--format", "json", stdin="\n".join(paths))
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
        f"abstaining below a confidence of {point.threshold:.3f}, which kept a precision of {point.precision:.3f} "
        f"on {point.coverage:.1%} of the held-out photos\n"
    )
    assert point.precision >= 0.95


def test_a_name_too_long_to_be_one_fails_alone() -> None:
    result = clothing("predict", "x" * 300, IMAGES[0], "--format", "json")
    rows = list(map(json.loads, result.stdout.splitlines()))
    assert rows[0]["error"] == f"{'x' * 300}: the file can't be read (File name too long)"
    assert rows[1]["label"]
    assert result.returncode == 1


def test_csv_quotes_what_needs_it(tmp_path: Path) -> None:
    name = tmp_path / 'odd, "na\rme".jpg'
    shutil.copy(IMAGES[0], name)
    result = clothing("predict", name, "nope.jpg", "--save", tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
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


def test_json_has_the_true_label_beside() -> None:
    result = clothing("predict", str(IMAGES[0]), "nowhere.jpg", "--truth", str(DATA), "--format", "json")
    assert [row["true_label"] for row in rows(result)] == [IMAGES[0].name.partition("-")[0].capitalize(), None]


@pytest.mark.parametrize("batch", ["1", "4"])
def test_who_waits_for_the_answer_to_one_path_gets_it_before_the_next(batch: str) -> None:
    command = [CLOTHING, "predict", "-", "--format", "json", "--batch", batch]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for image in IMAGES[:3]:
            process.stdin.write(f"{image}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["path"] == str(image)
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0


def test_a_folder_without_images_is_named_beside_others(tmp_path: Path) -> None:
    result = clothing("predict", tmp_path, IMAGES[0], "--format", "json")
    assert (result.returncode, len(rows(result))) == (0, 1)
    assert result.stderr == f"{tmp_path}: no images in this folder\n"


def test_a_stream_that_is_open_already_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "all.txt"
    file.write_text("before\n")
    with file.open("a") as stream:
        command = [CLOTHING, "predict", IMAGES[0], "--format", "csv", "--save", "/dev/stdout"]
        result = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, text=True, check=False)
    assert result.stderr == "clothing: /dev/stdout: leads to a file that is open already; name another file\n"
    assert file.read_text().startswith("before\n")
    piped = subprocess.run([*command[:3], "--save", "/dev/stdout"], capture_output=True, text=True, check=True)
    assert piped.stdout.startswith("path,label,")
