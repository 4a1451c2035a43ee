"""What the documents say in figures is rendered from results/, and nothing else says any."""

import subprocess
import sys
from pathlib import Path

import pytest

from readme.loose import find_loose_figures

ROOT = Path(__file__).parents[2]


def test_every_block_is_what_results_give() -> None:
    result = subprocess.run(
        [sys.executable, "tools/update_readme.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("reaches 94.1% on test", "94.1%"),
        ("4,779 photos", "4,779"),
        ("gains +3 points", "+3"),
        ("(17 classes)", "17"),
        ("a field of 491px", "491px"),
        ("in 2020 it was so", "2020"),
    ],
)
def test_a_figure_in_prose_is_found_with_its_line(text: str, figure: str) -> None:
    block = "<!-- results: x -->\n94.1%\n<!-- end -->\n"
    assert find_loose_figures(f"{block}{text}\n") == [(4, figure)]


@pytest.mark.parametrize(
    "text",
    [
        "MobileNetV2 in int8 and bf16, by SHA-256, macro-F1 and top-3",
        "as 1x1 convolutions do (Luo et al. 2016; Field and Welsh 2007)",
        "`--min-precision 0.97` and [text](docs/a.md#part-2)",
        "```\nclothing analyze --input 3x128x96 # 12\n```",
        '<img src="a.png" width="640">',
        "<!-- results: x -->\n17\n<!-- end -->",
        "Apache-2.0, CC0",
    ],
)
def test_names_years_and_code_are_no_figures(text: str) -> None:
    assert find_loose_figures(text) == []
