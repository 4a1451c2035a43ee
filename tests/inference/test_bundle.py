"""A bundle is found, verified and refused: each kind of damage has its own line."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clothing_classifier.errors import BundleError
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import find, load_bundle, manifest_sha256, shipped, weights_of

PHOTO = sorted((Path(__file__).parents[2] / "data" / "images").iterdir())[0]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return shutil.copytree(find("wardrobe"), tmp_path / "bundle")


def edit(bundle: Path, change: Callable[[dict[str, Any]], None], sign: bool = True) -> None:
    content = json.loads((bundle / "bundle.json").read_text())
    change(content)
    if sign:
        content["hashes"]["bundle.json"] = manifest_sha256(content)
    (bundle / "bundle.json").write_text(json.dumps(content))


def zipped(bundle: Path, prefix: str = "") -> Path:
    path = bundle.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in bundle.iterdir():
            archive.write(file, prefix + file.name)
    return path


@pytest.mark.parametrize("prefix", ["", "wardrobe/"])
def test_a_zip_of_a_bundle_answers_as_its_folder(bundle: Path, prefix: str) -> None:
    expected = Classifier.load(bundle).predict(PHOTO)
    assert Classifier.load(zipped(bundle, prefix)).predict(PHOTO) == expected


def test_what_lies_deeper_in_a_zip_is_no_part_of_the_bundle(bundle: Path) -> None:
    path = zipped(bundle, "wardrobe/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("wardrobe/old/bundle.json", "{}")
        archive.writestr("wardrobe/old/model.onnx", "")
    assert load_bundle(path).sha256 == load_bundle("wardrobe").sha256


def test_shipped_bundles_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "wardrobe" in shipped()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wardrobe").mkdir()  # a folder of its name does not hide it
    assert load_bundle("wardrobe").manifest.name == "wardrobe"


def test_a_hash_names_the_bundle(bundle: Path) -> None:
    before = load_bundle(bundle).sha256
    assert before == load_bundle("wardrobe").sha256
    edit(bundle, lambda content: content.update(hashes=dict(reversed(content["hashes"].items()))), sign=False)
    assert load_bundle(bundle).sha256 == before  # in whichever order they are listed
    edit(bundle, lambda content: content.update(name="other"))
    assert load_bundle(bundle).sha256 != before


def test_the_shipped_stages_end_with_the_whole_field() -> None:
    stages = load_bundle("wardrobe").manifest.stages
    assert stages is not None
    assert stages[-1]["receptive_field"] == [491, 491]
    assert stages[-1]["stride"] == [32, 32]


@pytest.mark.parametrize("name", ["wardrob", "", "no/such/folder", "model.onnx"])
def test_an_unknown_model_is_named_with_what_is_shipped(name: str) -> None:
    with pytest.raises(BundleError):
        load_bundle(name or "nothing")


def test_a_changed_graph_is_damaged(bundle: Path) -> None:
    graph = bytearray((bundle / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(graph)
    with pytest.raises(BundleError, match=r"damaged: model\.onnx has another SHA-256"):
        load_bundle(bundle)


def test_a_changed_manifest_is_damaged(bundle: Path) -> None:
    edit(bundle, lambda content: content["labels"].reverse(), sign=False)
    with pytest.raises(BundleError, match=r"damaged: bundle\.json has another SHA-256"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["model.onnx", "bundle.json"])
def test_a_file_without_a_hash_is_not_taken_for_whole(bundle: Path, name: str) -> None:
    edit(bundle, lambda content: content["hashes"].pop(name), sign=False)
    with pytest.raises(BundleError, match=f"damaged: {name} has another SHA-256"):
        load_bundle(bundle)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"hashes": 3, "format": 1}', "\ud800"])
def test_a_manifest_that_is_none_is_damaged(bundle: Path, text: str) -> None:
    (bundle / "bundle.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BundleError, match="damaged"):
        load_bundle(bundle)


def test_a_format_of_the_future_asks_for_an_upgrade(bundle: Path) -> None:
    edit(bundle, lambda content: content.update(format=2))
    with pytest.raises(BundleError, match="format 2, and this version reads 1; upgrade"):
        load_bundle(bundle)
    edit(bundle, lambda content: content.update(format=0))
    with pytest.raises(BundleError, match="format 0, and this version reads 1"):
        load_bundle(bundle)
    edit(bundle, lambda content: content.pop("format"))
    with pytest.raises(BundleError, match="format None, and this version reads 1"):
        load_bundle(bundle)


def test_a_missing_field_is_named(bundle: Path) -> None:
    edit(bundle, lambda content: content.pop("temperature"))
    with pytest.raises(BundleError, match="temperature"):
        load_bundle(bundle)


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_that_no_softmax_takes_is_refused(bundle: Path, temperature: float) -> None:
    edit(bundle, lambda content: content.update(temperature=temperature))
    with pytest.raises(BundleError, match="temperature: Input should be greater than 0"):
        load_bundle(bundle)


def test_labels_that_do_not_fit_the_graph_are_refused(bundle: Path) -> None:
    edit(bundle, lambda content: content["labels"].append("Sock"))
    with pytest.raises(BundleError, match=r"gives 17 classes, not .* and 18 labels"):
        Classifier.load(bundle)


def test_a_graph_that_onnx_runtime_refuses_is_one_line(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"not a graph")
    import hashlib

    digest = hashlib.sha256(b"not a graph").hexdigest()
    edit(bundle, lambda content: content["hashes"].update({"model.onnx": digest}))
    with pytest.raises(BundleError, match="ONNX Runtime can't load the graph") as caught:
        Classifier.load(bundle)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["bundle.json", "model.onnx"])
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"{name} can't be read"):
        load_bundle(bundle)
    with pytest.raises(BundleError, match=f"there is no {name} in it"):
        load_bundle(zipped(bundle))


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(BundleError, match="not a bundle's folder or a whole zip file"):
        load_bundle(tmp_path / "bundle.zip")


def test_any_damaged_byte_of_a_zip_is_a_bundle_error(bundle: Path) -> None:
    path = bundle.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("bundle.json", "model.onnx"):
            archive.write(bundle / name, name)
    data = path.read_bytes()
    for position in range(100, 6000, 97):
        path.write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
        with pytest.raises(BundleError):
            load_bundle(path)


def test_damaged_weights_do_not_start_a_run(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clothing_classifier.inference.bundle.SHIPPED", bundle.parent)
    assert weights_of("bundle") == bundle / "weights.safetensors"
    with (bundle / "weights.safetensors").open("r+b") as file:
        file.seek(100_000)
        file.write(b"????")
    with pytest.raises(BundleError, match="missing or damaged"):
        weights_of("bundle")
