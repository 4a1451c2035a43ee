"""The Ray engine gives the rows that this process gives; started once for the module, as a user starts it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from clothing_classifier import Classifier
from clothing_classifier.scoring.run import Job, score

pytestmark = pytest.mark.slow

pytest.importorskip("ray", reason="needs the extra ray")
IMAGES = sorted((Path(__file__).parents[2] / "data" / "images").iterdir())[::4]
CLOTHING = str(Path(sys.executable).parent / "clothing")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("ray")
    (folder / "empty.jpg").touch()
    names = [*map(str, IMAGES), "empty.jpg", "gone.jpg", "", *map(str, IMAGES)]
    (folder / "list.csv").write_text("path,n\n" + "".join(f"{name},{i}\n" for i, name in enumerate(names)))
    job = Job(str(folder / "list.csv"), folder / "local", part_rows=50)
    score(Classifier.load(), job)
    command = [CLOTHING, "score", "--engine", "ray", "--workers", "2", "--input", job.inputs, "--part-rows", "50"]
    done = subprocess.run([*command, "--output", folder / "ray"], capture_output=True, text=True)
    return job.output, folder / "ray", done


def test_rows_are_the_same(both: tuple[Path, Path, subprocess.CompletedProcess[str]]) -> None:
    local, ray, done = both
    assert done.returncode == 1, done.stderr
    assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()[-4:-1]] == [
        "the file is empty (0 bytes)", "there is no such file", "no photo is named",
    ]  # fmt: skip
    files = [sorted(path.name for path in folder.glob("*.parquet")) for folder in both[:2]]
    assert files[0] == files[1]
    rows: list[Any] = [pq.read_table(folder).to_pylist() for folder in (local, ray)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 2 * len(IMAGES) + 3


def test_parts_with_others_between_them_are_told_apart(
    both: tuple[Path, Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    out = shutil.copytree(both[1], tmp_path / "out")
    for part in (0, 2):
        (out / f"part-00000{part}.parquet").unlink()
    program = "from clothing_classifier.scoring import on_ray; on_ray.MOST_TASKS = 1\n"  # all tasks in one block
    program += "from clothing_classifier.cli import main; main()"
    command = [sys.executable, "-c", program, "score", "--engine", "ray", "--input", both[1].parent / "list.csv"]
    done = subprocess.run([*command, "--part-rows", "50", "--output", out], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert pq.read_table(out).to_pylist() == pq.read_table(both[0]).to_pylist()


def test_another_engine_goes_on_where_one_stopped(both: tuple[Path, Path, subprocess.CompletedProcess[str]]) -> None:
    local, ray, _ = both
    (ray / "part-000001.parquet").unlink()
    report = score(Classifier.load(), Job(str(local.parent / "list.csv"), ray, part_rows=50))
    assert report.scored == 50
    assert pq.read_table(ray).to_pylist() == pq.read_table(local).to_pylist()
