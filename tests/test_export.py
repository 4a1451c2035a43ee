"""What leaves `export` computes what the network computes, and says so in a manifest that can be verified."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from clothing_classifier import export
from clothing_classifier.bundle import load_bundle, shipped, write_manifest
from clothing_classifier.calibration import fit_temperature, softmax
from clothing_classifier.config import load_settings
from clothing_classifier.dataset import load_dataset
from clothing_classifier.errors import ConfigError, ExportError
from clothing_classifier.export.onnx_graph import OUTPUTS, Graph, check_parity, set_temperature, to_onnx
from clothing_classifier.export.quantization import MAX_INT8_DROP
from clothing_classifier.inference import Classifier
from clothing_classifier.preprocessing import ImageContract, prepare
from clothing_classifier.training import train
from clothing_classifier.training.checkpoint import load_model, load_tensors
from clothing_classifier.training.parts import decode_parts, load_parts
from clothing_classifier.training.run_folder import load_held_out
from clothing_classifier.unfamiliarity import measure

DATA = Path(__file__).parents[1] / "data"
SETTINGS = (
    "model.name=resnet_small", "model.settings.depth=8", "image.size=32", "optimization.epochs=15",
    "optimization.batch_size=12", "optimization.learning_rate=0.005", "optimization.ema_decay=0.9",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "tiny"
    train(DATA, load_settings(None, SETTINGS), out)
    return out


@pytest.fixture(scope="module")
def bundle(run: Path) -> Path:
    out = run.parent / "bundle"
    export.export_bundle(run, DATA, out, "tiny", quantize=False, keep_weights=True)
    return out


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    photos = load_dataset(DATA).part("test")[:9]
    return np.stack([prepare(photo.source, ImageContract(32, "pad")) for photo in photos])


def test_the_graph_computes_what_torch_computes(run: Path, bundle: Path, pixels: np.ndarray) -> None:
    model, _ = load_model(run / "best.safetensors")
    with torch.inference_mode():
        expected = model(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).numpy()
    np.testing.assert_allclose(Classifier.load(bundle).run(pixels, "logits"), expected, atol=1e-4)


def test_probabilities_are_the_softmax_of_logits_over_temperature(bundle: Path, pixels: np.ndarray) -> None:
    classifier = Classifier.load(bundle)
    expected = softmax(classifier.run(pixels, "logits").astype(float), classifier.manifest.temperature)
    np.testing.assert_allclose(classifier.run(pixels), expected, atol=1e-5)


def test_the_class_map_sums_up_to_the_logits(run: Path, bundle: Path, pixels: np.ndarray) -> None:
    classifier = Classifier.load(bundle)
    bias = load_tensors(run / "best.safetensors")[0]["classifier.bias"].numpy()
    class_map = classifier.run(pixels, "class_map")
    assert class_map.shape == (9, len(classifier.labels), 8, 8)
    np.testing.assert_allclose(class_map.mean((2, 3)) + bias, classifier.run(pixels, "logits"), atol=1e-4)


def test_features_are_the_input_of_the_linear_head(run: Path, bundle: Path, pixels: np.ndarray) -> None:
    tensors, _ = load_tensors(run / "best.safetensors")
    classifier = Classifier.load(bundle)
    weight, bias = (tensors[f"classifier.{name}"].numpy() for name in ("weight", "bias"))
    features = classifier.run(pixels, "features")
    np.testing.assert_allclose(features @ weight.T + bias, classifier.run(pixels, "logits"), atol=1e-4)


def test_any_batch_size_gives_the_same_answers(bundle: Path, pixels: np.ndarray) -> None:
    classifier = Classifier.load(bundle)
    singly = np.concatenate([classifier.run(pixels[i : i + 1]) for i in range(len(pixels))])
    np.testing.assert_allclose(classifier.run(pixels), singly, atol=1e-6)


def test_the_graph_has_the_contracts_inputs_and_outputs(bundle: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    onnx.checker.check_model(model)
    assert max(entry.version for entry in model.opset_import if not entry.domain) >= 17
    session = ort.InferenceSession(bundle / "model.onnx")
    (image,) = session.get_inputs()
    assert (image.name, image.type, image.shape[1:]) == ("image", "tensor(uint8)", [32, 32, 3])
    assert not isinstance(image.shape[0], int)
    names = [output.name for output in session.get_outputs()]
    told = ["orientation"] if load_bundle(bundle).manifest.orientation else []
    assert names == [*OUTPUTS, "unfamiliarity", *told]


def test_a_graph_names_no_file_of_the_machine_that_made_it(bundle: Path) -> None:
    assert b"onnx_graph.py" not in (bundle / "model.onnx").read_bytes()


def test_the_manifest_tells_what_a_client_needs(run: Path, bundle: Path) -> None:
    manifest = load_bundle(bundle).manifest
    record = json.loads((run / "run.json").read_text())
    assert manifest.labels == record["labels"]
    assert manifest.preprocessing.model_dump() == {
        "size": 32, "fit": "pad", "resample": "bilinear, antialiased", "color": "RGB"
    }  # fmt: skip
    assert manifest.architecture == {"name": "resnet_small", "settings": {"depth": 8, "width": 16}}
    assert manifest.provenance["export_gate"]["n"] >= 32
    assert manifest.validation["n"] == record["n"]["validation"]
    assert 0 < manifest.validation["accuracy_interval"][0] < manifest.validation["accuracy"] <= 1


def test_the_manifest_says_how_far_confidence_is_off(bundle: Path) -> None:
    measured = load_bundle(bundle).manifest.calibration
    assert measured is not None
    assert measured.n == len(load_dataset(DATA).part("validation"))
    assert 0 <= measured.interval[0] <= measured.interval[1] <= 1
    assert 0 < measured.perfect_range[0] < measured.perfect_mean < measured.perfect_range[1]


def test_unfamiliarity_is_that_of_the_features_to_the_directions_in_the_graph(bundle: Path, pixels: np.ndarray) -> None:
    classifier = Classifier.load(bundle, upright=True)
    constants = {item.name: item for item in onnx.load(bundle / "model.onnx").graph.initializer}
    directions = onnx.numpy_helper.to_array(constants["unfamiliarity/directions"])
    found, features = classifier.run(pixels, "unfamiliarity"), classifier.run(pixels, "features")
    assert (found.shape, found.dtype) == ((9,), np.float32)
    np.testing.assert_allclose(found, measure(features, directions), atol=1e-4)
    answers = list(classifier.predict_many(load_dataset(DATA).part("test")[i].source for i in range(9)))
    np.testing.assert_allclose([answer.unfamiliarity for answer in answers], found, atol=1e-5)


def test_one_validation_photo_in_twenty_is_above_the_threshold(bundle: Path) -> None:
    classifier = Classifier.load(bundle, upright=True)
    threshold = classifier.manifest.unfamiliarity_threshold
    photos = load_dataset(DATA).part("validation")
    above = [answer.unfamiliarity > threshold for answer in classifier.predict_many(photo.source for photo in photos)]
    assert sum(above) == pytest.approx(0.05 * len(photos), abs=1)


def test_a_graph_of_an_earlier_version_answers_without_unfamiliarity(bundle: Path, tmp_path: Path) -> None:
    earlier = shutil.copytree(bundle, tmp_path / "earlier")
    model = onnx.load(earlier / "model.onnx")
    for part in (model.graph.node, model.graph.output, model.graph.initializer):
        for item in [item for item in part if item.name.startswith("unfamiliarity")]:
            part.remove(item)
    onnx.save(model, earlier / "model.onnx")
    content = json.loads((earlier / "bundle.json").read_text())
    for key in ("hashes", "calibration", "unfamiliarity_threshold"):
        del content[key]
    write_manifest(earlier, content)
    photo = load_dataset(DATA).part("test")[0].source
    now, before = (Classifier.load(path).predict(photo) for path in (bundle, earlier))
    assert now.unfamiliarity is not None
    assert before == replace(now, unfamiliarity=None)
    manifest = load_bundle(earlier).manifest
    assert (manifest.calibration, manifest.unfamiliarity_threshold) == (None, None)


@pytest.fixture(scope="module")
def mirrored(run: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_mirror_pays", lambda *_: True)
        export.export_bundle(run, DATA, run.parent / "mirrored", "tiny", quantize=False, mirrored=True)
    return run.parent / "mirrored"


def test_a_photo_and_its_mirror_image_get_one_answer(mirrored: Path, run: Path, pixels: np.ndarray) -> None:
    classifier = Classifier.load(mirrored)
    model, _ = load_model(run / "best.safetensors")
    with torch.inference_mode():
        views = [torch.from_numpy(view.copy()).permute(0, 3, 1, 2) / 255 for view in (pixels, pixels[:, :, ::-1])]
        expected = sum(map(model, views)).numpy() / 2
    for view in (pixels, pixels[:, :, ::-1]):
        assert np.allclose(classifier.run(np.ascontiguousarray(view), "logits"), expected, atol=1e-4)
    assert classifier.manifest.views == 2
    one = classifier.run(pixels[:1], "class_map")
    assert np.allclose(one.mean((2, 3)) + model.classifier.bias.detach().numpy(), expected[:1], atol=1e-4)


def test_mirror_images_are_read_only_where_validation_gains(run: Path, tmp_path: Path) -> None:
    said: list[str] = []
    export.export_bundle(run, DATA, tmp_path / "bundle", "tiny", quantize=False, mirrored=True, say=said.append)
    line = next(line for line in said if line.startswith("with the mirror image"))
    assert load_bundle(tmp_path / "bundle").manifest.views == (2 if line.endswith("accepted") else 1)
    with pytest.raises(ConfigError, match="leave out --calibration or --mirror"):
        export.export_bundle(run, DATA, tmp_path / "other", "tiny", calibration=[run], mirrored=True)


def test_half_precision_weights_start_another_run(run: Path, bundle: Path, tmp_path: Path) -> None:
    settings = load_settings(None, (*SETTINGS, "optimization.epochs=1", "optimization.learning_rate=1e-6"))
    said: list[str] = []
    train(DATA, settings, tmp_path / "run", bundle / "weights.safetensors", say=said.append)
    assert "started from bundle (resnet_small), with its classifier" in said


def test_int8_is_taken_only_where_validation_allows(run: Path, tmp_path: Path) -> None:
    said: list[str] = []
    content, _ = export.export_bundle(run, DATA, tmp_path / "bundle", "tiny", say=said.append)
    accuracy = {line.split(",")[1].strip(): line for line in said if line.startswith("int8")}
    assert accuracy
    assert (content["precision"] == "int8") == any("accepted" in line for line in accuracy.values())
    float_accuracy = float(next(iter(accuracy.values())).split("float ")[1][:6])
    assert content["validation"]["accuracy"] >= float_accuracy - MAX_INT8_DROP - 1e-4
    kinds = {node.op_type for node in onnx.load(tmp_path / "bundle" / "model.onnx").graph.node}
    assert ("DequantizeLinear" in kinds) == (content["precision"] == "int8")
    assert 0 < content["unfamiliarity_threshold"] <= 1
    outputs = {output.name for output in ort.InferenceSession(tmp_path / "bundle" / "model.onnx").get_outputs()}
    assert (
        ("orientation" in outputs)
        == ("orientation" in content)
        == any("set upright, accepted" in line for line in said)
    )


def test_a_graph_that_disagrees_with_torch_does_not_pass(run: Path, tmp_path: Path) -> None:
    model, labels = load_model(run / "best.safetensors")
    to_onnx(Graph(model).eval(), 32, tmp_path / "model.onnx")
    settings = load_settings(None, SETTINGS)
    _, parts, validation = load_parts(DATA, settings.data)
    _, photos = decode_parts(parts, validation, labels, settings)
    check_parity(Graph(model).eval(), tmp_path / "model.onnx", photos)
    model.classifier.weight.data[0] += 0.05
    with pytest.raises(ExportError, match="the graph disagrees with torch"):
        check_parity(Graph(model).eval(), tmp_path / "model.onnx", photos)


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


def test_confidence_is_calibrated_on_what_the_folds_hold_out(run: Path, tmp_path: Path) -> None:
    folds = []
    for fold in range(2):
        folds.append(tmp_path / f"fold-{fold}")
        changes = ("data.folds=2", f"data.fold={fold}", "optimization.epochs=2")
        train(DATA, load_settings(None, (*SETTINGS, *changes)), folds[-1])
    content, _ = export.export_bundle(run, DATA, tmp_path / "bundle", "tiny", quantize=False, calibration=folds)
    logits, targets, _ = load_held_out(folds, content["labels"])
    assert content["provenance"]["calibration"] == {"runs": 2, "n": len(load_dataset(DATA).part("train"))}
    assert content["temperature"] == pytest.approx(fit_temperature(logits, targets))
    assert content["calibration"]["n"] == len(targets)
    assert content["calibration"]["method"].startswith("5 folds of ")
    assert "groups; bootstrap over" in content["calibration"]["method"]
    assert content["precision_curve"][0]["coverage"] == 1.0
    assert content["precision_curve"][0]["precision"] == pytest.approx((logits.argmax(1) == targets).mean())


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_graph_has_the_temperature_that_its_manifest_names(name: str) -> None:
    classifier = Classifier.load(name)
    contract = classifier.bundle.contract
    photos = load_dataset(DATA).part("test")[:9]
    pixels = np.stack([prepare(photo.source, contract) for photo in photos])
    expected = softmax(classifier.run(pixels, "logits").astype(float), classifier.manifest.temperature)
    np.testing.assert_allclose(classifier.run(pixels), expected, atol=1e-5)


def test_a_graph_without_a_temperature_is_refused(bundle: Path, tmp_path: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "temperature":
            initializer.name = "elsewhere"
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ExportError, match="0 temperatures"):
        set_temperature(tmp_path / "model.onnx", 1.5)
