"""Rows of predictions: which cells they have, which are marked, and where their paths come from."""

import csv
import os
from pathlib import Path

import pytest

from clothing_classifier.inference import Candidate, Prediction
from clothing_classifier.inference.files import PathLines
from clothing_classifier.report.predictions import predictions_table, write

KNOWN = Prediction("Hat", 0.9, False, (Candidate("Hat", 0.9),), ood_score=0.25)
FAR = Prediction("Hat", 0.4, True, (Candidate("Hat", 0.4),), ood_score=0.75)
EARLIER = Prediction("Hat", 0.9, False, (Candidate("Hat", 0.9),))
FAILED = Prediction(None, None, False, (), "d.jpg: there is no such file")
ROWS = [("a.jpg", KNOWN), ("b.jpg", FAR), ("c.jpg", EARLIER), ("d.jpg", FAILED)]


def test_csv_ends_with_the_ood_score_where_it_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write(ROWS, "csv", {}, tmp_path / "saved.csv") == ["d.jpg: there is no such file"]
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "saved.csv").read_text()
    rows = list(csv.DictReader(printed.splitlines()))
    assert list(rows[0]) == ["path", "label", "confidence", "abstained", "top", "error", "ood_score", "rotation"]
    assert [row["ood_score"] for row in rows] == ["0.25", "0.75", "", ""]


@pytest.mark.parametrize(("threshold", "marked"), [(None, []), (0.5, ["b.jpg"]), (0.1, ["a.jpg", "b.jpg"])])
def test_the_table_marks_what_is_above_the_threshold(threshold: float | None, marked: list[str]) -> None:
    table = predictions_table([(path, row, None) for path, row in ROWS], False, threshold)
    assert [cells[0].text for cells in table.cells if "out of distribution" in cells[1].text] == marked


def test_paths_of_a_folder_are_there_at_once(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    reading, writing = os.pipe()
    with os.fdopen(reading) as file, os.fdopen(writing, "wb", buffering=0) as client:
        lines = PathLines(file)
        assert lines.is_idle()
        client.write(b"\xef\xbb\xbf%s\r\n\nc\xff.j" % os.fsencode(tmp_path))
        assert next(lines) == str(tmp_path / "a.jpg")
        assert not lines.is_idle()
        assert next(lines) == str(tmp_path / "b.jpg")
        assert lines.is_idle()
        client.write(b"pg")
        client.close()
        assert list(lines) == ["c\udcff.jpg"]
        assert not lines.is_idle()
