"""What leaves `export` computes what the network computes, and says so in a manifest that can be verified."""

import json
import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from clothing_classifier import export
from clothing_classifier.config import load_settings
from clothing_classifier.datasets import load_dataset
from clothing_classifier.evaluation.calibration import softmax
from clothing_classifier.evaluation.ood import ood_score
from clothing_classifier.export import exporter
from clothing_classifier.export.onnx_graph import OUTPUTS, Graph
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import load_bundle, shipped
from clothing_classifier.models import create_model
from clothing_classifier.preprocessing import prepare
from clothing_classifier.training import train
from clothing_classifier.training.checkpoint import load_model, load_tensors
from clothing_classifier.training.validation import images_from_pixels

DATA = Path(__file__).parents[2] / "data"


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
    assert names == [*OUTPUTS, "ood_score", *told]


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


def test_the_ood_score_is_the_mean_over_features_and_middle_stage_where_features_are_few(
    run: Path, bundle: Path, pixels: np.ndarray, tmp_path: Path
) -> None:
    graph = onnx.load(bundle / "model.onnx")
    constants = {item.name: onnx.numpy_helper.to_array(item) for item in graph.graph.initializer}
    graph.graph.output.append(onnx.helper.make_tensor_value_info("middle", onnx.TensorProto.FLOAT, ["N", 32]))
    onnx.save(graph, tmp_path / "model.onnx")
    session = ort.InferenceSession(tmp_path / "model.onnx")
    names = ("features", "middle", "ood_score")
    features, middle, found = session.run(list(names), {"image": pixels})
    model, _ = load_model(run / "best.safetensors")
    with torch.inference_mode():
        images = (images_from_pixels(torch.from_numpy(pixels)) - model.mean) / model.std
        stage = model.extractor.stage2(model.extractor.stage1(model.extractor.stem(images)))
    np.testing.assert_allclose(middle, stage.mean(dim=(2, 3)).numpy(), atol=1e-4)
    sines = [ood_score(some, constants[f"ood_score/{level}/directions"]) for level, some in
             (("features", features), ("middle", middle))]  # fmt: skip
    assert (found.shape, found.dtype) == ((9,), np.float32)
    np.testing.assert_allclose(found, np.mean(sines, 0), atol=1e-4)
    answers = Classifier.load(bundle, correct_orientation=False).predict_many(
        load_dataset(DATA).part("test")[i].source for i in range(9)
    )
    np.testing.assert_allclose([answer.ood_score for answer in answers], found, atol=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_network_of_many_features_is_judged_by_them_alone(mirrored: bool) -> None:
    pixels = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for width, outputs in ((64, OUTPUTS), (16, (*OUTPUTS, "middle"))):
            graph = Graph(create_model("resnet_small", 3, depth=8, width=width).eval(), mirrored)
            assert graph.outputs == outputs
            found = dict(zip(outputs, graph(pixels), strict=True))
            assert found["features"].shape == (2, 4 * width)
            if "middle" in found:
                assert found["middle"].shape == (2, 2 * width)


def test_one_validation_photo_in_twenty_is_above_the_threshold(bundle: Path) -> None:
    classifier = Classifier.load(bundle, correct_orientation=False)
    threshold = classifier.manifest.ood_threshold
    photos = load_dataset(DATA).part("validation")
    above = [answer.ood_score > threshold for answer in classifier.predict_many(photo.source for photo in photos)]
    assert sum(above) == pytest.approx(0.05 * len(photos), abs=1)


@pytest.fixture(scope="module")
def mirrored(run: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "_mirror_pays", lambda *_: True)
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


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_graph_has_the_temperature_that_its_manifest_names(name: str) -> None:
    classifier = Classifier.load(name)
    contract = classifier.bundle.contract
    photos = load_dataset(DATA).part("test")[:9]
    pixels = np.stack([prepare(photo.source, contract) for photo in photos])
    expected = softmax(classifier.run(pixels, "logits").astype(float), classifier.manifest.temperature)
    np.testing.assert_allclose(classifier.run(pixels), expected, atol=1e-5)


def test_half_precision_weights_start_another_run(
    bundle: Path, settings: tuple[str, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    short = (*settings, "optimization.epochs=1", "optimization.learning_rate=1e-6")
    with caplog.at_level(logging.INFO, "clothing_classifier"):
        train(DATA, load_settings(None, short), tmp_path / "run", bundle / "weights.safetensors")
    assert "started from bundle (resnet_small), with its classifier" in caplog.messages
