"""The wheel with its base dependencies alone answers photos: no torch, under 250 MB, in an environment of its own."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
MEGABYTE = 1_000_000


def pip(python: Path | str, *arguments: str | Path) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of a new environment that holds the wheel, as a user installs it."""
    folder = tmp_path_factory.mktemp("base")
    pip(sys.executable, "wheel", "--no-deps", "-w", folder / "wheel", ".")
    venv.create(folder / "venv", with_pip=True)
    scripts = folder / "venv" / "bin"
    (wheel,) = (folder / "wheel").iterdir()
    pip(scripts / "python", "install", "-c", ROOT / "constraints.txt", wheel)
    return scripts


def run(base: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [str(base / arguments[0]), *arguments[1:]], capture_output=True, text=True, cwd=folder, env=environment
    )


def test_it_predicts_without_torch(base: Path, tmp_path: Path) -> None:
    result = run(base, "clothing", "predict", str(ROOT / "data" / "images"), "--format", "json", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 240
    assert all(row["label"] for row in rows)
    assert run(base, "python", "-c", "import torch", folder=tmp_path).returncode == 1


def test_it_evaluates_without_torch(base: Path, tmp_path: Path) -> None:
    result = run(base, "clothing", "evaluate", "--data", str(ROOT / "data"), "--format", "json", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["n"] == 48


def test_a_missing_extra_is_one_line(base: Path, tmp_path: Path) -> None:
    for extra, command in (
        ("train", ["train", "--data", str(ROOT / "data"), "--out", "run"]),
        ("train", ["export", "run", "--data", str(ROOT / "data"), "--out", "bundle"]),
        ("audit", ["split", "--data", str(ROOT / "data"), "--out", "table.csv", "--overwrite"]),
        ("report", ["evaluate", "--data", str(ROOT / "data"), "--html", "page.html"]),
        ("audit", ["audit", "--data", str(ROOT / "data"), "--out", "audit"]),
        ("serve", ["serve"]),
        ("score", ["score", "--input", str(ROOT / "data/images"), "--output", "scores"]),
    ):
        result = run(base, "clothing", *command, folder=tmp_path)
        assert result.returncode == 2
        assert f"is not installed: pip install '.[{extra}]'" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_it_serves_the_page_without_torch(tmp_path: Path, base: Path) -> None:
    (wheel,) = (base.parents[1] / "wheel").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(name).name for name in archive.namelist() if "/serving/page/" in name}
    assert packed == {path.name for path in (ROOT / "code/clothing_classifier/serving/page").iterdir()}
    names = ", ".join(f"clothing_classifier.serving.{path.stem}" for path in
                      (ROOT / "code/clothing_classifier/serving").glob("[!_]*.py"))  # fmt: skip
    program = f"import sys, {names}; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


def test_it_is_small(base: Path) -> None:
    packages = next((base.parent / "lib").glob("python3*")) / "site-packages"
    size = sum(
        path.stat().st_size
        for folder in packages.iterdir()
        if not folder.name.startswith(("pip", "setuptools", "pkg_resources", "_distutils_hack"))
        for path in ([folder] if folder.is_file() else folder.rglob("*"))
        if path.is_file()
    )
    assert size < 250 * MEGABYTE, f"{size / MEGABYTE:.0f} MB"
