"""Nothing is reported to the makers of what is used: no engine leaves an id, or a queue of events, in a fresh home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

IMAGES = Path(__file__).parents[2] / "data" / "images"


def leaves(home: Path, *command: str) -> list[Path]:
    """The files in `home` after a command that anyone could run there; in CI engines would be silent by themselves."""
    unset = ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "TF_BUILD", "JENKINS_URL")
    environment = {key: value for key, value in os.environ.items() if key not in unset} | {"HOME": str(home)}
    subprocess.run(command, env=environment, cwd=home, check=True, capture_output=True)
    return [path for path in home.rglob("*") if path.is_file()]


def test_a_prediction_leaves_nothing(tmp_path: Path) -> None:
    assert not leaves(tmp_path, sys.executable, "-m", "clothing_classifier", "predict", str(IMAGES / "hat-00-a.jpg"))


@pytest.mark.slow
def test_a_conversion_leaves_its_bundle(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="needs the extra openvino")
    command = ("convert", "wardrobe", str(IMAGES), "--to", "openvino", "--out", "out")
    left = leaves(tmp_path, sys.executable, "-m", "clothing_classifier", *command)
    assert {path.relative_to(tmp_path).parts[0] for path in left} == {"out"}
