"""`clothing evaluate` and `split` as a user meets them."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from helpers.commands import DATA, clothing


def test_evaluate_prints_the_figures_of_the_contract() -> None:
    result = clothing("evaluate", "--data", "data", "--split", "test", "--format", "json")
    figures = json.loads(result.stdout)
    assert set(figures) == {
        "n", "accuracy", "accuracy_interval", "interval_method", "balanced_accuracy", "macro_f1", "weighted_f1",
        "auroc", "top3", "log_loss", "brier", "ece", "aurc", "labels", "confusion", "per_class", "slices",
        "reliability", "risk_coverage",
    }  # fmt: skip
    assert figures["n"] == sum(sum(row) for row in figures["confusion"])
    assert figures["interval_method"] == "bootstrap over 24 groups"


def test_evaluate_slices_by_any_column() -> None:
    arguments = ("evaluate", "--data", "data", "--slice", "label", "--slice", "group", "--slice", "split")
    figures = json.loads(clothing(*arguments, "--format", "json").stdout)
    assert list(figures["slices"]) == ["label", "group", "split"]
    assert figures["slices"]["split"] == {
        "test": {key: figures[key] for key in ("n", "accuracy", "accuracy_interval", "interval_method")}
    }
    assert len(figures["slices"]["group"]) == 24
    assert set(figures["slices"]["label"]["Hat"]) == {"n", "accuracy", "accuracy_interval", "interval_method"}
    table = clothing(*arguments).stdout
    assert "and 12 more" in table
    assert "the rest are left to a person" in table


def test_evaluate_restricts_the_candidates() -> None:
    result = clothing("evaluate", "--data", "data", "--labels", "Hat,Shoes,Skirt", "--format", "json")
    assert json.loads(result.stdout)["labels"] == ["Hat", "Shoes", "Skirt"]
    assert result.stderr == "3 of the model's 17 classes are candidates; their probabilities are rescaled\n"


def test_evaluate_compares_two_models_on_the_same_photos(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    table = csv.DictReader((data / "dataset.csv").read_text().splitlines())
    broken = next(row["image"] for row in table if row["split"] == "test")
    (data / "images" / broken).write_bytes(b"")
    arguments = ("evaluate", "--data", data, "--exclude-labels", "Hoodie,Polo", "--against", "benchmark-10")
    result = clothing(*arguments, "--format", "json")
    assert result.returncode == 1
    assert result.stderr.count(f"{data}/images/{broken}: the file is empty") == 1
    assert "compared on the 10 classes that both can choose" in result.stderr
    found = json.loads(result.stdout)["comparison"]
    counts = [found[key] for key in ("only_this_right", "only_against_right", "both_right", "both_wrong")]
    assert found["against"] == "benchmark-10"
    assert sum(counts) == found["n"] == 39
    assert found["difference"] == pytest.approx((counts[0] - counts[1]) / 39)
    assert found["interval_method"] == "paired bootstrap over 20 groups"
    assert found["mcnemar"]["method"] == "exact, two-sided; photos taken as independent"
    assert "Compared with benchmark-10" in clothing(*arguments).stdout


def test_evaluate_shows_few_groups_one_by_one(tmp_path: Path) -> None:
    figures = json.loads(clothing("evaluate", "--data", "data", "--labels", "Hat,Shoes", "--format", "json").stdout)
    assert figures["interval_method"] == "Wilson, photos taken as independent: 4 groups are too few to resample"
    assert len(figures["groups"]) == 4
    table = clothing("evaluate", "--data", "data", "--labels", "Hat\nShoes\n").stdout
    assert "4 groups are too few to resample" in table
    assert "one group left out" in table


def test_evaluate_says_that_groups_are_blank_and_that_one_class_tells_little(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    table = data / "dataset.csv"
    lines = table.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.endswith(",test"))
    image, label, _, split = lines[place].split(",")
    lines[place] = f"{image},{label},,{split}"
    table.write_text("\n".join(lines) + "\n")
    result = clothing("evaluate", "--data", data, "--labels", label, "--format", "json")
    assert result.returncode == 0
    assert "1 of 4 photos have no group: intervals take the photos as independent" in result.stderr
    assert f"every photo is of the class '{label}': AUROC is undefined" in result.stderr
    assert "auroc" not in json.loads(result.stdout)
    named = clothing("evaluate", "--data", data, "--group-column", "group", "--format", "json")
    assert "1 rows ignored: blank in a column that you named" in named.stderr
    assert json.loads(named.stdout)["n"] == 47


def test_columns_that_the_model_was_split_by_are_named_where_others_are_read(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    table = data / "dataset.csv"
    header, *rows = table.read_text().splitlines()
    lines = [f"{header},sender_id,benchmark_split", *(f"{row},{i},test" for i, row in enumerate(rows))]
    table.write_text("\n".join(lines) + "\n")
    arguments = ("evaluate", "--data", data, "--model", "benchmark-10", "--labels", "Hat,Skirt", "--format", "json")
    result = clothing(*arguments)
    assert "so that it may know some of these: --split-column benchmark_split" in result.stderr
    assert "for intervals over such groups: --group-column sender_id" in result.stderr
    named = clothing(*arguments, "--split-column", "benchmark_split", "--group-column", "sender_id")
    assert "-column" not in named.stderr
    assert json.loads(named.stdout)["n"] > json.loads(result.stdout)["n"]


def test_evaluate_writes_a_page(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="needs the extra 'report'")
    page = tmp_path / "deep" / "page.html"
    result = clothing("evaluate", "--data", "data", "--html", page, "--slice", "label", "--format", "json")
    assert result.returncode == 0, result.stderr
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Mistakes" in text
    assert [path.name for path in page.parent.iterdir()] == ["page.html"]


def test_a_foreign_bundle_without_probabilities_is_refused_by_a_photos_name(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")
    from clothing_classifier.inference.bundle import load_bundle, write_manifest

    manifest = load_bundle("wardrobe").manifest
    size, classes = manifest.preprocessing.size, len(manifest.labels)
    image = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["N", size, size, 3])
    scores = onnx.helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, ["N", classes])
    weights = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [3, classes], [1.0] * 3 * classes)
    nodes = [
        onnx.helper.make_node("Cast", ["image"], ["pixels"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2], keepdims=0),
        onnx.helper.make_node("MatMul", ["mean", "w"], ["probabilities"]),
        onnx.helper.make_node("ReduceMean", ["mean"], ["ood_score"], axes=[1], keepdims=0),
    ]
    ood_score = onnx.helper.make_tensor_value_info("ood_score", onnx.TensorProto.FLOAT, ["N"])
    graph = onnx.helper.make_graph(nodes, "scores", [image], [scores, ood_score], [weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    write_manifest(tmp_path, manifest.model_dump(exclude={"hashes", "format"}))
    result = clothing("evaluate", "--data", "data", "--model", tmp_path)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    complaint = r"the model's probabilities sum to \S+, not to 1; are they scores\?"
    assert re.fullmatch(rf"clothing: dress-\S+\.jpg: {complaint}", line)
    result = clothing("predict", "data/images/hat-00-a.jpg", "--model", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(rf"clothing: {re.escape(str(tmp_path))}: {complaint}\n", result.stderr)
    model.graph.output[0].name = model.graph.node[2].output[0] = "scores"
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    write_manifest(tmp_path, manifest.model_dump(exclude={"hashes", "format"}))
    for arguments in (("predict", "data/images/hat-00-a.jpg"), ("evaluate", "--data", "data")):
        result = clothing(*arguments, "--model", tmp_path)
        assert result.returncode == 2
        assert f"clothing: {tmp_path}: the graph takes image and gives scores" in result.stderr


def test_evaluate_in_a_table_names_bad_rows_and_leaves_with_1(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    with (data / "dataset.csv").open("a") as file:
        file.write("gone.jpg,Hat,hat-99,test\n")
    result = clothing("evaluate", "--data", data)
    assert result.returncode == 1
    assert f"dataset.csv, row 242: there is no file {data / 'images' / 'gone.jpg'}" in result.stderr
    assert "macro-F1" in result.stdout


def test_classes_asked_for_match_without_case_and_it_is_said() -> None:
    result = clothing("evaluate", "--data", "data", "--labels", "hat,Shoes", "--format", "json")
    assert json.loads(result.stdout)["n"] == 8
    assert result.stderr.splitlines()[0] == "'hat' is taken as the label 'Hat'"


def test_split_leaves_out_the_classes_that_it_is_told_to(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    result = clothing("split", "--data", "data", "--overwrite", "--exclude-labels", "Hat", "--out", table)
    assert result.returncode == 0
    with table.open(newline="") as file:
        splits = {(row["label"], row["split"]) for row in csv.DictReader(file)}
    assert [split for label, split in splits if label == "Hat"] == [""]
    assert all(split for label, split in splits if label != "Hat")


def test_split_writes_the_column_back(tmp_path: Path) -> None:
    data = shutil.copytree(DATA, tmp_path / "data")
    before = (data / "dataset.csv").read_text().splitlines()
    result = clothing("split", "--data", data, "--overwrite", "--seed", "3", "--format", "json")
    assert result.returncode == 0
    parts = json.loads(result.stdout)["parts"]
    after = (data / "dataset.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[0] for line in after] == [line.rsplit(",", 1)[0] for line in before]
    assert sum(part["photos"] for part in parts.values()) == len(after) - 1
    assert {line.rsplit(",", 1)[1] for line in after[1:]} == {"train", "validation", "test"}
