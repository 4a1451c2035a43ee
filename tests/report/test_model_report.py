"""A report tells what is known of a model, says what is missing, and is the same story in Markdown and HTML."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="needs the extra 'report'")
pytest.importorskip("torch", reason="needs the extra 'train'")

from helpers.reading import read_page

from clothing_classifier.cli.common import app
from clothing_classifier.errors import ClothingError
from clothing_classifier.report import markdown
from clothing_classifier.report.document import Bullets, Code, Document, Section, Table, Text
from clothing_classifier.report.sections.network import corner_view, receptive_field
from clothing_classifier.report.subject import read_subject, with_analysis

ROOT = Path(__file__).parents[2]
HEADINGS = [
    "Problem Statement", "Approach: Data Collection", "Approach: Data Preprocessing", "Approach: Model Architecture",
    "Approach: Training", "Approach: Evaluation Metrics", "Approach: Results", "Receptive Field", "FLOPs and MACs",
    "Model card",
]  # fmt: skip
SMALL = (
    "image.size=32", "model.name=resnet_small", "model.settings.depth=8", "model.settings.width=8",
    "optimization.epochs=1", "runtime.threads=1",
)  # fmt: skip


def clothing(*arguments: str | Path) -> int:
    """The exit status of a command, in this process: a new one would import torch again."""
    status = app([*map(str, arguments)], standalone_mode=False)
    return int(status or 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "run"
    settings = [part for setting in SMALL for part in ("--set", setting)]
    assert clothing("train", "--data", ROOT / "data", *settings, "--out", out) == 0
    return out


@pytest.fixture(scope="module")
def bundle(run: Path) -> Path:
    out = run.parent / "bundle"
    assert clothing("export", run, "--data", ROOT / "data", "--float", "--out", out) == 0
    return out


def headings(folder: Path) -> list[str]:
    text = (folder / "report.md").read_text(encoding="utf-8")
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


def test_a_bundle_with_its_run_and_data_has_every_section_and_picture(
    bundle: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--run", run, "--data", ROOT / "data", "--slice", "group")
    assert clothing("report", bundle, *data, "--out", tmp_path, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == []
    assert headings(tmp_path) == HEADINGS
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    pictures = sorted(path.stem for path in (tmp_path / "figures").iterdir())
    assert pictures == [
        "architecture",
        "classes",
        "confusion",
        "costs",
        "growth",
        "history",
        "reliability",
        "risk-coverage",
    ]
    for name in pictures:
        assert f"](figures/{name}.png)" in text
    assert "the test photos of 'data'" in text
    assert "validation, when it was exported" in text
    assert "Factor 'group'" in text
    assert text.count("To be filled in by the author") == 1
    tags = read_page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "script" not in tags.names
    assert tags.names.count("svg") == 8
    assert tags.names.count("section") == len(HEADINGS)
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in tags.links)


@pytest.mark.slow
def test_a_run_is_told_from_what_it_held_out(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clothing("report", run, "--out", tmp_path) == 0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    accuracy = json.loads((run / "run.json").read_text())["metrics"]["validation"]["accuracy"]
    assert f"accuracy {accuracy:.1%}" in text
    assert "left out: calibrated confidence" in capsys.readouterr().err
    assert headings(tmp_path) == [*HEADINGS, "Left out"]


@pytest.mark.slow
def test_a_run_that_lost_what_it_held_out_is_told_without(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / "held_out.safetensors").unlink()
    assert clothing("report", copy, "--out", tmp_path / "out") == 0
    assert "left out: results on what the run held out" in capsys.readouterr().err


@pytest.mark.slow
def test_a_shipped_bundle_is_told_without_data(tmp_path: Path) -> None:
    assert clothing("report", "wardrobe", "--out", tmp_path) == 0
    assert headings(tmp_path) == [*HEADINGS, "Left out"]
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "give --data" in text
    assert "give --run" in text
    assert "optimization.learning_rate" in text
    assert "clothing predict PHOTOS --model wardrobe" in text


@pytest.mark.slow
def test_photos_of_unknown_classes_are_counted_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "mine"
    shutil.copytree(ROOT / "data" / "images", data / "images")
    rows = (ROOT / "data" / "dataset.csv").read_text(encoding="utf-8").splitlines()
    kept = [row.replace("Dress", "Kimono") for row in rows[:25]]
    (data / "dataset.csv").write_text("\n".join([*kept, "gone.jpg,Hat,x,test"]) + "\n", encoding="utf-8")
    assert clothing("report", "wardrobe", "--data", data, "--split", "all", "--out", tmp_path / "out") == 1
    assert "there is no file" in capsys.readouterr().err
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "are left out here: Kimono (20)" in text
    assert "may have been trained on some of these photos" in text


@pytest.mark.slow
def test_without_torch_the_layers_are_left_out_and_the_rest_is_told(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['clothing', 'report', 'wardrobe', '--out', sys.argv[1]];"
        "from clothing_classifier.cli import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "left out: the cost of each layer: torch is not installed" in result.stderr
    assert headings(tmp_path) == [*HEADINGS, "Left out"]
    assert "million MACs in the stages above" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_what_can_not_be_told_is_one_line(run: Path, bundle: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    for arguments, line in (
        (["nope"], "neither a shipped model"),
        ([nothing], "not a bundle"),
        ([run, "--run", run], "a run already"),
        (["wardrobe", "--run", run], "not the run that wardrobe was exported from"),
        ([bundle, "--run", nothing], "not a run folder"),
        ([run, "--data", ROOT / "data", "--split", "test"], "need a bundle and --data"),
        ([bundle, "--data", ROOT / "data", "--slice", "shoe size"], "no column 'shoe size'"),
        ([bundle, "--data", nothing], "nothing to load"),
    ):
        with pytest.raises(ClothingError) as raised:
            clothing("report", *arguments, "--out", tmp_path / "out")
        assert line in str(raised.value)
        assert "\n" not in str(raised.value)
        assert not (tmp_path / "out").exists()


def test_markdown_reads_as_the_text_that_was_meant() -> None:
    nasty = "a|b *c* [d](e) <script> `f` _g_ h_i & \n j"
    parts = [Text(nasty), Bullets([nasty]), Table([nasty], [[nasty]], folded=nasty), Code("clothing predict _")]
    text = markdown.render(Document(nasty, nasty, [Section(nasty, parts)]))
    assert "<script>" not in text
    assert "clothing predict _" in text
    escaped = r"a\|b \*c\* \[d\](e) &lt;script&gt; \`f\` \_g\_ h_i &amp; \\n j"
    assert text.count(escaped) == 8


def test_a_network_that_names_no_stages_has_a_field_all_the_same(bundle: Path) -> None:
    subject = with_analysis(read_subject(str(bundle)))
    assert subject.analysis is not None
    without = replace(subject, bundle=None, analysis={**subject.analysis, "stages": []})
    section = receptive_field(without)
    assert section is not None
    assert f"sees {subject.analysis['totals']['receptive_field'][0]} px" in section.parts[0].text
    assert not any(isinstance(part, Table) for part in section.parts)


def test_a_corner_unit_sees_what_lies_inside_the_photo() -> None:
    stage = {"receptive_field": [100, 100], "stride": [32, 32], "start": [-34, -34]}
    assert "centre of the photo that is 100% of each side, in a corner 69%" in corner_view(stage, 96)
    assert "39% of each side, in a corner 26%" in corner_view(stage, 256)


def test_marked_rows_are_bold_and_numbers_stand_right() -> None:
    text = markdown.table(Table(["a", "b"], [["x", "1"], ["y", ""]], [1], frozenset({0, 1})))
    assert text == "| a | b |\n|---|---:|\n| **x** | **1** |\n| **y** |  |"
