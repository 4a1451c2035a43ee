import numpy as np
import pytest

from clothing_classifier.errors import ExportError
from clothing_classifier.evaluation.parity import check_parity

SURE = np.tile(np.array([0.7, 0.2, 0.1], np.float32), (100, 1))


def with_labels_changed(count: int) -> np.ndarray:
    changed = SURE.copy()
    changed[:count] = changed[:count, ::-1]
    return changed


def test_float_allows_a_ten_thousandth_and_no_other_label() -> None:
    assert check_parity(SURE, SURE + np.float32(9e-5), "it differs")["disagreeing_labels"] == 0
    with pytest.raises(ExportError, match=r"it differs: 2.0e-04 in probability, 0 labels of 100"):
        check_parity(SURE, SURE + np.float32(2e-4), "it differs")
    with pytest.raises(ExportError, match=r"it differs: 6.0e-01 in probability, 1 labels of 100"):
        check_parity(SURE, with_labels_changed(1), "it differs")


def test_a_label_that_was_clear_may_not_fall_the_other_way_within_the_allowed_difference() -> None:
    expected = np.array([[0.50006, 0.49994]], np.float32)
    with pytest.raises(ExportError, match=r"7.0e-05 in probability, 1 labels of 1$"):
        check_parity(expected, np.array([[0.49999, 0.50001]], np.float32), "it differs")


def test_a_label_that_was_a_toss_up_may_fall_either_way() -> None:
    close = np.array([[0.50002, 0.49998]], np.float32)
    assert check_parity(close, close[:, ::-1], "it differs")["disagreeing_labels"] == 0


def test_int8_allows_two_labels_of_a_hundred() -> None:
    found = check_parity(SURE, with_labels_changed(2), "it differs", int8=True)
    assert found == {"n": 100, "max_probability_difference": pytest.approx(0.6), "disagreeing_labels": 2}
    with pytest.raises(ExportError, match="3 labels of 100"):
        check_parity(SURE, with_labels_changed(3), "it differs", int8=True)


@pytest.mark.parametrize("int8", [False, True])
def test_an_engine_that_answers_nothing_disagrees(int8: bool) -> None:
    with pytest.raises(ExportError, match="nan in probability"):
        check_parity(SURE, np.full_like(SURE, np.nan), "it differs", int8)
