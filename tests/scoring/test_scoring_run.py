"""Scoring for real, in this process and in processes that get killed: every input has exactly one row."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.running import until

from clothing_classifier import Classifier
from clothing_classifier.errors import UsageError
from clothing_classifier.inference import Prediction, PredictOptions
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.scoring.listing import write_listing
from clothing_classifier.scoring.rows import rows_table
from clothing_classifier.scoring.run import ScoreOptions, ScoreReport, assemble, score
from clothing_classifier.utils import write_json

ROOT = Path(__file__).parents[2]
IMAGES = sorted((ROOT / "data" / "images").iterdir())
CLOTHING = str(Path(sys.executable).parent / "clothing")
COLUMNS = ["path", "label", "confidence", "abstained", "top", "error", "model"]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def clothing(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CLOTHING, "score", *map(str, arguments)], capture_output=True, text=True)


def rows(output: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(output).to_pylist())


def run(classifier: Classifier, inputs: Path, output: Path, **settings: Any) -> ScoreReport:
    return score(classifier, ScoreOptions(str(inputs), output, **settings))


def folder_of(tmp_path: Path, count: int = 12) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in IMAGES[:: len(IMAGES) // count][:count]:
        shutil.copy(path, folder)
    return folder


def csv_of(file: Path, repeats: int) -> list[str]:
    names = [str(path) for path in IMAGES] * repeats
    file.write_text("path\n" + "\n".join(names) + "\n")
    return names


def test_rows_are_what_predict_says(classifier: Classifier, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    report = run(classifier, folder, tmp_path / "out", part_rows=5, predict=PredictOptions(2, 0.97))
    assert sorted(path.name for path in (tmp_path / "out").glob("*.parquet")) == [
        f"part-{part:06d}.parquet" for part in range(3)
    ]
    paths = sorted(map(str, folder.iterdir()))
    expected = [
        {"path": path, "model": classifier.bundle.sha256, **prediction.to_dict()}
        for path, prediction in zip(paths, classifier.predict_many(paths, 2, 0.97), strict=True)
    ]
    for row in expected:
        row.pop("ood_score")
        row.pop("rotation")
        row["top"] = list(row["top"])
    assert rows(tmp_path / "out") == expected
    assert list(rows(tmp_path / "out")[0]) == COLUMNS
    assert report.counts.rows == sum(report.counts.labels.values()) == report.scored == 12


def test_a_bad_photo_is_a_row_with_its_reason(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 4)
    (folder / "broken.jpg").write_bytes(IMAGES[0].read_bytes()[:2000])
    (folder / "empty.png").touch()
    (folder / "page.jpg").write_text("<html>")
    (folder / "gone.jpg").symlink_to(folder / "nowhere")
    result = clothing("--input", folder, "--output", tmp_path / "out", "--format", "json")
    assert result.returncode == 1
    said = result.stderr.splitlines()
    assert len(said) == 5
    assert said[-1] == "clothing: 4 inputs failed: the column 'error' says why"
    report = json.loads(result.stdout)
    assert (report["rows"], report["failed"], report["scored"]) == (8, 4, 8)
    assert report["errors"] == {
        "the file is empty": 1,
        "the image is truncated or damaged": 1,
        "there is no such file": 1,
        "this is an HTML page, not an image; download the image itself": 1,
    }
    bad = {Path(row["path"]).name: row for row in rows(tmp_path / "out") if row["error"]}
    assert bad["empty.png"]["error"] == f"{folder}/empty.png: the file is empty (0 bytes)"
    assert bad["empty.png"] | {"path": "", "model": "", "error": ""} == {
        "path": "", "label": None, "confidence": None, "abstained": False, "top": [], "error": "", "model": "",
    }  # fmt: skip
    again = clothing("--input", folder, "--output", tmp_path / "out")
    assert again.returncode == 1
    assert "8 of them from earlier runs" in again.stdout
    assert sorted(again.stderr.splitlines()[:-1]) == sorted(said[:-1])


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["listing", "first part", "later"])
def test_a_killed_run_goes_on(moment: str, tmp_path: Path) -> None:
    names, output = csv_of(tmp_path / "list.csv", 4), tmp_path / "out"
    command = ["score", "--input", str(tmp_path / "list.csv"), "--output", str(output), "--part-rows", "100"]
    process = subprocess.Popen([CLOTHING, *command], stdout=subprocess.DEVNULL)
    reached = {
        "listing": lambda: (output / "_state").exists(),
        "first part": lambda: (output / "_state" / "manifest.json").exists(),
        "later": lambda: len(list(output.glob("part-*.parquet"))) >= 3,
    }[moment]
    until(reached)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    made = {path: path.stat().st_mtime_ns for path in output.glob("part-*.parquet")}
    assert len(made) < 10
    result = clothing(*command[1:], "--format", "json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["kept"] == 100 * len(made)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert [row["path"] for row in rows(output)] == names
    assert not [path for path in output.rglob(".*") if path.is_file()]


def test_what_was_left_half_done_is_done_again(classifier: Classifier, tmp_path: Path) -> None:
    folder, output = folder_of(tmp_path), tmp_path / "out"
    run(classifier, folder, output, part_rows=5)
    whole = rows(output)
    damaged = output / "part-000001.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    (output / ".part-000002.parquet.abc.part").write_bytes(b"half")
    shutil.copy(output / "part-000000.parquet", output / "part-000007.parquet")
    report = run(classifier, folder, output, part_rows=5)
    assert report.scored == 5
    assert rows(output) == whole
    assert len(list(output.iterdir())) == 4


@pytest.mark.slow
def test_another_run_is_not_mixed_in(classifier: Classifier, tmp_path: Path) -> None:
    folder, output = folder_of(tmp_path), tmp_path / "out"
    arguments = ("--input", folder, "--output", output)
    assert clothing(*arguments).returncode == 0
    made = rows(output)
    shutil.copy(IMAGES[1], folder / "one-more.jpg")
    for more, changed in (
        ([], "inputs"),
        (["--top", "2"], "inputs and options"),
        (["--model", "benchmark-10"], "model and inputs"),
    ):
        refused = clothing(*arguments, *more)
        assert refused.returncode == 2
        assert refused.stderr == (
            f"clothing: {output}: begun with other {changed}; "
            "choose another --output, or start it anew with --overwrite\n"
        )
    assert rows(output) == made
    assert pq.read_metadata(output / "_state" / "inputs.parquet").num_rows == 12
    assert clothing(*arguments, "--model", "benchmark-10", "--part-rows", "4", "--overwrite").returncode == 0
    bundle = Classifier.load("benchmark-10").bundle
    assert [row["model"] for row in rows(output)] == [bundle.sha256] * 13
    assert len(list(output.glob("*.parquet"))) == 4


def test_an_overwrite_that_was_stopped_leaves_no_old_rows(classifier: Classifier, tmp_path: Path) -> None:
    folder, output = folder_of(tmp_path), tmp_path / "out"
    run(classifier, folder, output, part_rows=4)
    manifest = json.loads((output / "_state" / "manifest.json").read_text())
    manifest["options"]["top"] = 1  # as far as the other run came
    write_json(output / "_state" / "manifest.json", manifest)
    assert run(classifier, folder, output, part_rows=4, predict=PredictOptions(1)).scored == 12
    assert {len(row["top"]) for row in rows(output)} == {1}


@pytest.mark.slow
def test_foreign_files_and_a_second_writer_are_refused(tmp_path: Path) -> None:
    folder, output = folder_of(tmp_path), tmp_path / "out"
    output.mkdir()
    pq.write_table(pa.table({"a": [1]}), output / "mine.parquet")
    refused = clothing("--input", folder, "--output", output)
    assert refused.returncode == 2
    assert "other origin, such as mine.parquet" in refused.stderr
    assert clothing("--input", folder, "--output", output, "--overwrite").stderr == refused.stderr
    (output / "mine.parquet").unlink()
    program = "import sys, fcntl, os; fcntl.flock(os.open(sys.argv[1], 0), fcntl.LOCK_EX); print(flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(output / "_state")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout
        holder.stdout.readline()
        busy = clothing("--input", folder, "--output", output)
        holder.kill()
    assert busy.returncode == 2
    assert "another 'clothing score' is writing there" in busy.stderr
    file = tmp_path / "file"
    file.touch()
    assert "this is a file" in clothing("--input", folder, "--output", file).stderr


def test_rows_that_an_engine_gives_twice_count_once(tmp_path: Path) -> None:
    listing = write_listing(tmp_path / "list", (Input(str(i)) for i in range(5)), 2)

    def some(*places: int) -> pa.Table:
        failed = Prediction(None, None, False, (), "no")
        return pa.concat_tables(rows_table(i, [Input(str(i))], [failed], "m") for i in places)

    tables = [some(3, 0), some(0), some(4), some(1, 3), some(0, 1), some(2)]
    found = {part: table["path"].to_pylist() for part, table in assemble(tables, listing, range(3))}
    assert found == {0: ["0", "1"], 1: ["2", "3"], 2: ["4"]}
    with pytest.raises(UsageError, match="2 parts are incomplete"):
        list(assemble([some(3, 0), some(4)], listing, range(3)))
    with pytest.raises(UsageError, match="1 parts are incomplete"):
        list(assemble([some(2, 3), some(4)], listing, range(3)))


def test_photos_inside_parquet_are_scored(classifier: Classifier, tmp_path: Path) -> None:
    photos = [path.read_bytes() for path in IMAGES[:150:10]]
    photos[3:6] = [b"", b"no photo", None]
    (tmp_path / "in").mkdir()
    for name, some in (("a", photos[:7]), ("b", photos[7:])):
        table = pa.table({"id": range(len(some)), "image": [{"bytes": photo, "path": None} for photo in some]})
        pq.write_table(table, tmp_path / "in" / f"{name}.parquet", row_group_size=3)
    report = run(classifier, tmp_path / "in", tmp_path / "out", part_rows=4)
    found = rows(tmp_path / "out")
    assert [row["path"] for row in found] == [f"{tmp_path}/in/a.parquet#{i}" for i in range(7)] + [
        f"{tmp_path}/in/b.parquet#{i}" for i in range(8)
    ]
    assert [row["label"] for row in found] == [
        prediction.label for prediction in classifier.predict_many(photo or b"" for photo in photos)
    ]
    assert found[5]["error"] == f"{tmp_path}/in/a.parquet#5: the row holds no photo"
    assert found[3]["error"] == f"{tmp_path}/in/a.parquet#3: the file is empty (0 bytes)"
    assert report.counts.errors.total() == 3
    (tmp_path / "out" / "part-000002.parquet").unlink()
    assert run(classifier, tmp_path / "in", tmp_path / "out", part_rows=4).scored == 4
    assert rows(tmp_path / "out") == found


def test_names_that_are_not_utf8_are_read_and_escaped(classifier: Classifier, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(IMAGES[0], os.path.join(os.fsencode(folder), b"\xff.jpg"))  # noqa: PTH118
    run(classifier, folder, tmp_path / "out")
    (row,) = rows(tmp_path / "out")
    assert row["path"] == f"{folder}/\\xff.jpg"
    assert row["label"]


def test_an_impossible_precision_is_said_before_anything_is_written(tmp_path: Path) -> None:
    result = clothing("--input", IMAGES[0].parent, "--output", tmp_path / "out", "--min-precision", "2")
    assert result.returncode == 2
    assert not (tmp_path / "out").exists()


def test_an_overwrite_answers_anew_what_the_same_command_answered(classifier: Classifier, tmp_path: Path) -> None:
    folder, output = folder_of(tmp_path), tmp_path / "out"
    (folder / "replaced.jpg").write_text("no photo")
    assert run(classifier, folder, output).counts.errors.total() == 1
    shutil.copy(IMAGES[0], folder / "replaced.jpg")
    assert run(classifier, folder, output).scored == 0
    anew = run(classifier, folder, output, overwrite=True)
    assert (anew.scored, anew.counts.errors.total()) == (13, 0)
