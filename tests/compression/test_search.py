"""Compression search: what it reports, what it refuses, and how it resumes."""

import json
import shutil
from pathlib import Path

import pytest

from clothing_classifier.compression import Search, search
from clothing_classifier.compression.candidates import SearchContext
from clothing_classifier.compression.search import _start_run
from clothing_classifier.compression.strategy import parse_strategies
from clothing_classifier.errors import ConfigError
from clothing_classifier.inference.bundle import load_bundle
from clothing_classifier.models import create_model

pytestmark = pytest.mark.slow

STRATEGIES = ("prune:0.6+distil", "narrow:0.5+smaller-input:24+quantize")


@pytest.fixture(scope="module")
def found(run: Path, stripes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("search")
    return out, search(str(run), stripes, out, Search(STRATEGIES, 0.5, 1))


def test_each_candidate_is_made_judged_and_timed(found: tuple[Path, dict]) -> None:
    out, report = found
    assert [entry["name"] for entry in report["candidates"]] == [
        "prune:0.6+distil", "narrow:0.5+smaller-input:24+quantize"
    ]  # fmt: skip
    for entry in report["candidates"]:
        assert set(entry["speedup"]) == {"latency", "latency, two threads", "batch", "batch, two threads"}
        assert entry["drop"] <= entry["drop_upper"] and entry["n"] == 40
    assert json.loads((out / "compress.json").read_text()) == report
    macs = report["parent"]["macs"]
    assert all(entry["macs"] <= share * macs for entry, share in zip(report["candidates"], (0.6, 0.9), strict=True))


def test_a_pruned_bundle_rebuilds_from_its_architecture(found: tuple[Path, dict]) -> None:
    pruned = load_bundle(found[1]["candidates"][0]["bundle"]).manifest.architecture
    model = create_model(pruned["name"], 2, **pruned["settings"])
    assert model.classifier.in_features == pruned["settings"]["head"]


def test_a_search_goes_on_without_doing_anything_twice(found: tuple[Path, dict], run: Path, stripes: Path) -> None:
    out, report = found
    times = {path: path.stat().st_mtime_ns for path in out.rglob("entry.json")}
    again = search(str(run), stripes, out, Search(STRATEGIES, 0.0, 1), resume=True)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("entry.json")} == times
    assert not any(entry["accepted"] for entry in again["candidates"])
    assert [e["accuracy"] for e in again["candidates"]] == [e["accuracy"] for e in report["candidates"]]


def test_pruning_goes_on_from_a_finished_run_only(found: tuple[Path, dict], run: Path, tmp_path: Path) -> None:
    made = shutil.copytree(found[0] / "trained", tmp_path / "trained") / "prune:0.6+distil"
    (candidate,) = parse_strategies(["prune:0.5+distil"], 32)
    context = SearchContext(run, {}, tmp_path, 1, ())
    assert _start_run(candidate, context, tmp_path) == made
    record = json.loads((made / "run.json").read_text())
    del record["metrics"]
    (made / "run.json").write_text(json.dumps(record))
    assert _start_run(candidate, context, tmp_path) == run


def test_what_would_do_nothing_is_refused(run: Path, stripes: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the step distil needs training"):
        search(str(run), stripes, tmp_path / "out", Search(("distil",), epochs=0))
    with pytest.raises(ConfigError, match="--teacher needs a strategy"):
        search(str(run), stripes, tmp_path / "out", Search(("quantize",), teachers=(run,)))
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_search_is_refused(
    found: tuple[Path, dict], run: Path, stripes: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="already holds a search"):
        search(str(run), stripes, found[0], Search(STRATEGIES))
    with pytest.raises(ConfigError, match="can't resume: epochs was 1, and now is 2"):
        search(str(run), stripes, found[0], Search(STRATEGIES, 0.5, 2), resume=True)
    fewer = shutil.copytree(stripes, tmp_path / "fewer")
    lines = (fewer / "dataset.csv").read_text().splitlines()
    kept = [line for line in lines if "validation" not in line] + [line for line in lines if "validation" in line][:20]
    (fewer / "dataset.csv").write_text("\n".join(kept))
    with pytest.raises(ConfigError, match="can't resume: validation_sha256 was"):
        search(str(run), fewer, found[0], Search(STRATEGIES, 0.5, 1), resume=True)


def test_a_search_that_was_stopped_early_is_no_start_for_another(
    found: tuple[Path, dict], run: Path, stripes: Path, tmp_path: Path
) -> None:
    stopped = shutil.copytree(found[0], tmp_path / "stopped")
    report = json.loads((stopped / "compress.json").read_text())
    (stopped / "compress.json").write_text(json.dumps(report | {"weights_sha256": "another's"}))
    with pytest.raises(ConfigError, match="can't resume: weights_sha256 was another's"):
        search(str(run), stripes, stopped, Search(STRATEGIES, 0.5, 1), resume=True)
    (stopped / "compress.json").unlink()
    with pytest.raises(ConfigError, match="holds an incomplete search"):
        search(str(run), stripes, stopped, Search(STRATEGIES, 0.5, 1))


def test_earlier_candidates_stay_in_the_report(
    found: tuple[Path, dict], run: Path, stripes: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(found[0], tmp_path / "out")
    more = search(str(run), stripes, out, Search(STRATEGIES[1:], 0.5, 1), resume=True)
    assert {entry["name"] for entry in more["candidates"]} == {entry["name"] for entry in found[1]["candidates"]}


def test_a_fraction_that_pruning_cannot_reach_is_refused_before_the_work(
    run: Path, stripes: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"prune:0.001: pruning can't go below .*% of the MACs"):
        search(str(run), stripes, tmp_path / "out", Search(("prune:0.001",), 0.5, 0))
    assert not (tmp_path / "out").exists()


def test_distilling_at_another_size_needs_crops_that_know_no_pixels(run: Path, stripes: Path, tmp_path: Path) -> None:
    shifted = shutil.copytree(run, tmp_path / "run")
    record = json.loads((shifted / "run.json").read_text())
    whole = {"scale": [1, 1], "aspect": 1, "rotation": 0, "shift": 2}
    record["settings"]["augmentation"] |= whole
    (shifted / "run.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"^distil with a smaller input: .* remove distil or smaller-input$"):
        search(str(shifted), stripes, tmp_path / "out", Search(("quantize", "smaller-input:24+distil"), 0.5, 1))
    assert not (tmp_path / "out").exists()
