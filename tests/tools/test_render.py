"""The generic renderer of values and tables, and that the documents are what the records give."""

import subprocess
import sys
from pathlib import Path

import pytest

import render

ROOT = Path(__file__).parents[2]
RECORD = {
    "test": {"n": 1234, "accuracy": 0.9086, "interval": [0.875, 0.934]},
    "drawn": {"n": 240, "accuracy": 0.925, "interval": [0.88, 0.96], "gain": -0.0123},
    "layers": [{"name": "stem", "input": [3, 256, 256], "macs": 14155776}],
    "491 px, as published": {"labels": ["Hat", "Shoes"], "none": None, "flag": True},
    "step": {"command": "clothing models \\\n--path", "output": "wardrobe\n"},
}


@pytest.fixture(autouse=True)
def _record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "load_record", {"a": RECORD, "b": {"test": {"n": 5}}}.__getitem__)


def rendered(text: str) -> str:
    return render.DIRECTIVE.sub(render.render, text)


def test_documents_are_what_the_records_give() -> None:
    command = [sys.executable, "tools/render.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{test.n:,}", "1,234"),
        ("{test.accuracy:.1%} ({test.interval:.1%})", "90.9% (87.5% to 93.4%)"),
        ("{drawn.gain:points}", "-1.2"),
        ("{drawn.gain:points.0f} points", "-1 points"),
        ("{layers.0.macs:M.1f}M of {layers.-1.input:x}", "14.2M of 3x256x256"),
        ("{drawn.n:m,.0f}", "240,000"),
        ("{491 px, as published.labels}", "Hat, Shoes"),
        ("{491 px, as published.none:.1%} {491 px, as published.flag}", " yes"),
    ],
)
def test_a_value_replaces_what_stood_there(template: str, text: str) -> None:
    start = f"<!-- value: a {template} -->"
    assert rendered(f"so {start}old<!-- end -->.") == f"so {start}{text}<!-- end -->."


def test_code_is_fenced() -> None:
    directive = "<!-- code: a step -->"
    assert rendered(f"{directive}<!-- end -->") == (
        f"{directive}\n```console\n$ clothing models \\\n> --path\nwardrobe\n```\n<!-- end -->"
    )


@pytest.mark.parametrize(
    ("directive", "table"),
    [
        (
            "a test | drawn\nsplit = {key}\nphotos = {n:,}\ngain? = {gain:points}",
            ["| split | photos | gain |", "| --- | ---: | ---: |", "| test | 1,234 |  |", "| drawn | 240 | -1.2 |"],
        ),
        ("a, b test\nn = {n}", ["| n |", "| ---: |", "| 1234 |", "| 5 |"]),
        ("a layers\n# = {key}\nlayer = `{name}`", ["| # | layer |", "| ---: | --- |", "| 1 | `stem` |"]),
        ("a 491 px, as published\nkey = {key}", ["| key |", "| --- |", "| labels |", "| none |", "| flag |"]),
    ],
)
def test_a_table_has_a_row_an_item(directive: str, table: list[str]) -> None:
    start = f"<!-- table: {directive}\n-->"
    expected = "\n".join([start, *table, "<!-- end -->"])
    assert rendered(f"{start}\nold\n<!-- end -->") == expected
    assert rendered(expected) == expected


@pytest.mark.parametrize(
    "directive", ["value: a {test.missing}", "value: a {test.accuracy:M}x{", "table: a layers\nlayer = {missing}"]
)
def test_what_cannot_be_rendered_is_named(directive: str) -> None:
    with pytest.raises(render.RenderError, match=directive.splitlines()[0][:12]):
        rendered(f"<!-- {directive} --><!-- end -->")
