"""What `export` takes into a bundle only where validation allows, and what it refuses."""

import copy
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from clothing_classifier import export
from clothing_classifier.config import load_settings
from clothing_classifier.datasets import load_dataset
from clothing_classifier.errors import ConfigError, ExportError
from clothing_classifier.evaluation.calibration import fit_temperature
from clothing_classifier.export.exporter import _mirror_pays
from clothing_classifier.export.onnx_graph import Graph, check_against_torch, set_temperature
from clothing_classifier.export.quantization import MAX_INT8_DROP
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training import train
from clothing_classifier.training.checkpoint import load_model
from clothing_classifier.training.data import Photos
from clothing_classifier.training.run_folder import load_held_out

DATA = Path(__file__).parents[2] / "data"


def test_mirror_images_are_read_only_where_validation_gains(
    run: Path, photos: Photos, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, _ = load_model(run / "best.safetensors")
    [(pixels, targets)] = photos.batches([np.arange(len(photos))])
    with torch.inference_mode():
        alone, both = (
            float((Graph(model, mirrored).eval()(pixels)[1].argmax(1) == targets).double().mean())
            for mirrored in (False, True)
        )
    with caplog.at_level(logging.INFO, "clothing_classifier"):
        assert _mirror_pays(model, photos) == (both > alone)
    [line] = caplog.messages
    assert f"accuracy {both:.4f} ({alone:.4f} without), " in line
    assert line.endswith("accepted" if both > alone else "refused")
    with pytest.raises(ConfigError, match="leave out --calibration or --mirror"):
        export.export_bundle(run, DATA, tmp_path / "other", "tiny", calibration=[run], mirrored=True)


def test_int8_is_taken_only_where_validation_allows(
    run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "clothing_classifier"):
        content, _ = export.export_bundle(run, DATA, tmp_path / "bundle", "tiny")
    said = caplog.messages
    accuracy = {line.split(",")[1].strip(): line for line in said if line.startswith("int8")}
    assert accuracy
    assert (content["precision"] == "int8") == any("accepted" in line for line in accuracy.values())
    float_accuracy = float(next(iter(accuracy.values())).split("float ")[1][:6])
    assert content["validation"]["accuracy"] >= float_accuracy - MAX_INT8_DROP - 1e-4
    kinds = {node.op_type for node in onnx.load(tmp_path / "bundle" / "model.onnx").graph.node}
    assert ("DequantizeLinear" in kinds) == (content["precision"] == "int8")
    assert 0 < content["ood_threshold"] <= 1
    outputs = {output.name for output in ort.InferenceSession(tmp_path / "bundle" / "model.onnx").get_outputs()}
    assert (
        ("orientation" in outputs)
        == (content["orientation"] is not None)
        == any(line.startswith("orientation correction") and line.endswith("accepted") for line in said)
    )


def test_a_graph_that_disagrees_with_torch_does_not_pass(
    network: ImageClassifier, float_graph: Path, photos: Photos
) -> None:
    assert check_against_torch(Graph(network).eval(), float_graph, photos)["n"] == len(photos)
    other = copy.deepcopy(network)
    other.classifier.weight.data[0] += 0.05
    with pytest.raises(ExportError, match="the graph disagrees with torch"):
        check_against_torch(Graph(other).eval(), float_graph, photos)


def test_too_few_validation_photos_are_refused(run: Path, tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    lines = (data / "dataset.csv").read_text().splitlines()
    kept = [line for line in lines if not line.endswith("validation")]
    kept += [line for line in lines if line.endswith("validation")][:31]
    (data / "dataset.csv").write_text("\n".join(kept) + "\n")
    with pytest.raises(ExportError, match="31 validation photos; the export gate needs at least 32"):
        export.export_bundle(run, data, tmp_path / "bundle", "tiny")
    assert not (tmp_path / "bundle").exists()


def test_another_data_set_than_the_runs_is_refused(run: Path, tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    table = (data / "dataset.csv").read_text()
    (data / "dataset.csv").write_text(table.replace(",train\n", ",validation\n", 1))
    with pytest.raises(ConfigError, match=r"not the data set that .* was trained on: photos, labels or splits differ"):
        export.export_bundle(run, data, tmp_path / "bundle", "tiny")
    (data / "dataset.csv").write_text(table.replace("Hat", "Headwear"))
    with pytest.raises(ConfigError, match="its classes are not those"):
        export.export_bundle(run, data, tmp_path / "bundle", "tiny")


def test_an_unfinished_run_is_refused(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    record = json.loads((copy / "run.json").read_text())
    del record["metrics"]
    (copy / "run.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="this run is not finished"):
        export.export_bundle(copy, DATA, tmp_path / "bundle", "tiny")


def test_an_existing_folder_is_not_overwritten(run: Path, bundle: Path) -> None:
    with pytest.raises(ConfigError, match="exists already"):
        export.export_bundle(run, DATA, bundle, "tiny")


@pytest.mark.slow
def test_confidence_is_calibrated_on_what_the_folds_hold_out(
    run: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    folds = []
    for fold in range(2):
        folds.append(tmp_path / f"fold-{fold}")
        changes = ("data.folds=2", f"data.fold={fold}", "optimization.epochs=2")
        train(DATA, load_settings(None, (*settings, *changes)), folds[-1])
    content, _ = export.export_bundle(run, DATA, tmp_path / "bundle", "tiny", quantize=False, calibration=folds)
    logits, targets, _ = load_held_out(folds, content["labels"])
    assert content["provenance"]["calibration"] == {"runs": 2, "n": len(load_dataset(DATA).part("train"))}
    assert content["temperature"] == pytest.approx(fit_temperature(logits, targets))
    assert content["calibration"]["n"] == len(targets)
    assert content["calibration"]["method"].startswith("5 folds of ")
    assert "groups; bootstrap over" in content["calibration"]["method"]
    assert content["precision_curve"][0]["coverage"] == 1.0
    quarter = tmp_path / "a-quarter"
    train(DATA, load_settings(None, (*settings, "data.folds=4", "optimization.epochs=1")), quarter)
    with pytest.raises(ConfigError, match=r"a-quarter: another of these runs holds out \d+ of its photos, too"):
        load_held_out([*folds, quarter], content["labels"])
    assert content["precision_curve"][0]["precision"] == pytest.approx((logits.argmax(1) == targets).mean())


def test_a_graph_without_a_temperature_is_refused(bundle: Path, tmp_path: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "temperature":
            initializer.name = "elsewhere"
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ExportError, match="0 temperatures"):
        set_temperature(tmp_path / "model.onnx", 1.5)
