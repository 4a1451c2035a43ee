"""OpenVINO's IR of a bundle: it agrees with ONNX Runtime, or is not written."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from clothing_classifier.datasets import image_files
from clothing_classifier.errors import ConfigError, ExportError
from clothing_classifier.export import openvino as conversion
from clothing_classifier.export.onnx_graph import OUTPUTS, Graph, to_onnx
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import find, load_bundle, write_manifest
from clothing_classifier.models import create_model
from clothing_classifier.preprocessing import prepare

openvino = pytest.importorskip("openvino", reason="needs the extra openvino")
PICTURES = [str(path) for path in image_files(Path(__file__).parents[2] / "data" / "images")]


@pytest.fixture(scope="module")
def float_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in float, under the labels of wardrobe."""
    folder = tmp_path_factory.mktemp("bundle")
    content = json.loads((find("wardrobe") / "bundle.json").read_text())
    torch.manual_seed(0)
    model = create_model("resnet_small", len(content["labels"]), depth=8).eval()
    to_onnx(Graph(model).eval(), 64, folder / "model.onnx")
    content |= {"precision": "fp32", "preprocessing": content["preprocessing"] | {"size": 64}}
    del content["hashes"]
    write_manifest(folder, content)
    return folder


def test_in_float_it_agrees_to_the_fourth_digit(float_bundle: Path, tmp_path: Path) -> None:
    record, failures = conversion.to_openvino(Classifier.load(float_bundle), PICTURES, tmp_path / "out")
    assert not failures
    assert record["parity"]["n"] == len(PICTURES)
    assert record["parity"]["disagreeing_labels"] == 0
    assert record["parity"]["max_probability_difference"] < 1e-4


def test_in_int8_it_agrees_on_almost_every_label_and_lies_beside_the_bundle(tmp_path: Path) -> None:
    classifier = Classifier.load()
    record, _ = conversion.to_openvino(classifier, PICTURES, tmp_path / "out")
    assert load_bundle(tmp_path / "out").sha256 == classifier.bundle.sha256 == record["bundle_sha256"]
    assert json.loads((tmp_path / "out" / conversion.RECORD).read_text()) == record
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(tmp_path / "out" / conversion.IR), "CPU", record["compile_with"])
    pixels = np.stack([prepare(path, classifier.bundle.contract) for path in PICTURES[::8]])
    found = compiled(pixels)[compiled.output("probabilities")]
    assert np.mean(found.argmax(1) == classifier.run(pixels).argmax(1)) > 0.9
    assert {output.any_name for output in compiled.outputs} >= {*OUTPUTS, "ood_score"}


def test_a_graph_that_disagrees_is_not_written(
    float_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = Classifier.load(float_bundle)
    monkeypatch.setattr(classifier, "run", lambda pixels: np.full((1, 17), 1 / 17, np.float32))
    with pytest.raises(ExportError, match="OpenVINO disagrees with ONNX Runtime"):
        conversion.to_openvino(classifier, PICTURES[:40], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_too_few_photos_or_a_folder_that_exists_are_refused(float_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ExportError, match="photos that can be read: 31; the gate needs at least 32"):
        conversion.to_openvino(
            Classifier.load(float_bundle), [*PICTURES[:31], str(tmp_path / "empty.jpg")], tmp_path / "out"
        )
    with pytest.raises(ConfigError, match="exists already"):
        conversion.to_openvino(Classifier.load(float_bundle), PICTURES, tmp_path)


def test_a_zipped_bundle_converts_and_a_bad_photo_is_named(float_bundle: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "bundle"), "zip", float_bundle)
    (tmp_path / "empty.jpg").touch()
    photos = [*PICTURES[:40], str(tmp_path / "empty.jpg")]
    record, failures = conversion.to_openvino(Classifier.load(archive), photos, tmp_path / "out")
    assert record["parity"]["n"] == 40
    assert failures == (f"{tmp_path / 'empty.jpg'}: the file is empty (0 bytes)",)
    assert load_bundle(tmp_path / "out").sha256 == load_bundle(float_bundle).sha256
