"""The bundle from JavaScript answers as `Classifier` does; runs where Node is, and npm's packages can be had."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clothing_classifier import Classifier

ROOT = Path(__file__).parents[2]
EXAMPLE, BUILT = ROOT / "examples" / "javascript", ROOT / "build" / "javascript"
PICTURES = sorted((ROOT / "data" / "images").glob("*.jpg"))[::10]
NODE = (20, 9)
_ABSENT = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|E404|EBADPLATFORM")


@pytest.fixture(scope="module")
def example() -> Path:
    """The example beside the packages of its lock file, which are installed once, below build/."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("needs Node and npm")
    version = _run(["node", "--version"]).stdout.strip()
    if tuple(map(int, version[1:].split(".")[:2])) < NODE:
        pytest.skip(f"needs Node {'.'.join(map(str, NODE))}, and this is {version}")
    lock, installed = EXAMPLE / "package-lock.json", BUILT / "installed.json"
    BUILT.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "classify.mjs"):
        shutil.copy(EXAMPLE / name, BUILT)
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        done = _run(["npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000"], cwd=BUILT)
        if done.returncode and (why := _ABSENT.search(done.stderr)):
            pytest.skip(f"npm can't get the example's packages here ({why[0]})")
        assert done.returncode == 0, done.stderr
        shutil.copy(lock, installed)
    return BUILT / "classify.mjs"


@pytest.mark.slow
def test_it_answers_as_the_classifier_does(example: Path, tmp_path: Path) -> None:
    classifier = Classifier.load(correct_orientation=False)  # as the example
    fitted = [_save(path, tmp_path, classifier.bundle.contract.size) for path in PICTURES]
    assert _largest_difference(classifier, example, fitted) < 1e-4


@pytest.mark.slow
def test_it_scales_and_turns_photos_as_the_contract_says(example: Path, tmp_path: Path) -> None:
    """Not to the last bit: JPEG decoders scale while they decode, each in its own way."""
    photos = [
        _save(path, tmp_path, 700, orientation) for path, orientation in zip(PICTURES, (1, 3, 6, 8), strict=False)
    ]
    assert _largest_difference(Classifier.load(correct_orientation=False), example, photos) < 0.02


def test_the_page_shows_all_of_it_and_that_is_under_30_lines() -> None:
    source = (EXAMPLE / "classify.mjs").read_text()
    assert len(source.splitlines()) < 30
    assert f"```js\n{source}```" in (ROOT / "docs" / "javascript.md").read_text()


def _save(path: Path, folder: Path, side: int, orientation: int | None = None) -> Path:
    """The picture with a long side of `side` px; as PNG, or, where it is to be turned, as a JPEG that says so."""
    with Image.open(path) as image:
        scale = side / max(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    if orientation is None:
        image.save(out := folder / f"{path.stem}.png")
        return out
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = image.transpose(turns[orientation]) if orientation in turns else image
    stored.save(out := folder / f"{path.stem}.jpg", quality=95, exif=exif)
    return out


def _largest_difference(classifier: Classifier, example: Path, photos: Sequence[Path]) -> float:
    """Of any probability; the labels must be equal."""
    done = _run(["node", str(example), str(classifier.bundle.path), *map(str, photos)])
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    expected = list(classifier.predict_many(photos, top=len(classifier.labels)))
    assert [answer["path"] for answer in answers] == list(map(str, photos))
    assert [answer["label"] for answer in answers] == [one.label for one in expected]
    return max(
        abs(_confidences(answer["top"])[each.label] - each.confidence)
        for answer, one in zip(answers, expected, strict=True)
        for each in one.top
    )


def _confidences(top: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {candidate["label"]: candidate["confidence"] for candidate in top}


def _run(command: Sequence[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    # Without this, onnxruntime-node's install step asks another host for CUDA's libraries.
    environment = {**os.environ, "ONNXRUNTIME_NODE_INSTALL": "skip"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
