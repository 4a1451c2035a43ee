import numpy as np
import pytest

from clothing_classifier.report.contact_sheet import contact_sheet

RED, WIDE = np.full((64, 64, 3), (255, 0, 0), np.uint8), np.full((20, 200, 3), (0, 0, 255), np.uint8)


def test_pictures_stand_in_rows_each_in_its_square() -> None:
    sheet = np.asarray(contact_sheet([RED, WIDE, RED], ["a", "b", "c"], columns=2, side=64))
    assert sheet.shape == (2 * (64 + 14 + 6) + 6, 2 * (64 + 6) + 6, 3)
    assert (sheet[6:70, 6:70] == (255, 0, 0)).all()
    assert (sheet[6 + 32, 76:140] == (0, 0, 255)).all()  # fitted by its long side, in the middle
    assert (sheet[6, 76:140] == 255).all()
    assert (sheet[90:154, 6:70] == (255, 0, 0)).all()


def test_a_caption_that_is_too_wide_is_cut() -> None:
    one = contact_sheet([RED], ["a name that is much too long for its picture"], side=64)
    assert (np.asarray(one)[:, -6:] == 255).all()


def test_every_picture_has_a_caption() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        contact_sheet([], [])
    with pytest.raises(ValueError, match="shorter"):
        contact_sheet([RED, RED], ["a"])
