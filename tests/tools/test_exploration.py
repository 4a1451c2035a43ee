"""The notebook runs from top to bottom, and what is committed is what it gives, small and without a machine's paths."""

import csv
import gzip
from importlib import resources
from pathlib import Path
from typing import Any

import nbformat
import pytest

from run_notebook import NOTEBOOK, run

LARGEST = 1_500_000
ODD = ("Not sure", "Other", "Skip")


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.slow
def test_it_runs_on_the_drawn_data_and_says_what_is_committed(tmp_path: Path) -> None:
    before = NOTEBOOK.read_bytes()
    run({}, tmp_path / "exploration.ipynb")
    assert NOTEBOOK.read_bytes() == before
    for cell, committed in zip(code_cells(tmp_path / "exploration.ipynb"), code_cells(NOTEBOOK), strict=True):
        assert cell.execution_count == committed.execution_count
        assert printed(cell) == printed(committed)


def printed(cell: Any) -> list[str]:
    return [output.text for output in cell.outputs if output.output_type == "stream"]


@pytest.mark.slow
def test_it_runs_on_real_photos(shared: Path, tmp_path: Path) -> None:
    taught = [row for row in clothing_rows() if row["split"] == "train" and row["label"] not in ODD][:60]
    (tmp_path / "images").symlink_to(shared / "data" / "clothing" / "images")
    with (tmp_path / "dataset.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["image", "label", "sender_id", "split"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(taught)
    variables = {"CLOTHING_DATA": str(tmp_path), "CLOTHING_GROUP_COLUMN": "sender_id", "CLOTHING_PART": "train"}
    run(variables, tmp_path / "exploration.ipynb")
    assert all(cell.execution_count for cell in code_cells(tmp_path / "exploration.ipynb"))


def clothing_rows() -> list[dict[str, str]]:
    packed = resources.files("clothing_classifier") / "manifests" / "clothing.csv.gz"
    return list(csv.DictReader(gzip.decompress(packed.read_bytes()).decode().splitlines()))


@pytest.mark.parametrize("place", ["/home/", "/root/", "/tmp/", "/Users/"])
def test_no_machine_shows(place: str) -> None:
    assert place not in NOTEBOOK.read_text(encoding="utf-8")


def test_it_is_small_complete_and_defines_nothing() -> None:
    assert NOTEBOOK.stat().st_size < LARGEST
    cells = code_cells(NOTEBOOK)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert not any(line.lstrip().startswith(("def ", "class ")) for line in cell.source.splitlines())
