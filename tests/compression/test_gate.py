"""The gate: by a paired bound over groups, with a plain reason."""

import numpy as np
import pytest

from clothing_classifier.compression.gate import judge


def answers(n: int, wrong: int) -> np.ndarray:
    return np.arange(n) >= wrong


def test_a_model_as_good_on_many_photos_is_accepted() -> None:
    verdict = judge(answers(4000, 0), answers(4000, 8), [None] * 4000, 0.01)
    assert verdict.accepted and verdict.drop == pytest.approx(0.002) and 0.002 < verdict.upper < 0.01
    assert verdict.reason == "accepted"  # each photo without a group being its own


def test_what_is_won_makes_up_for_what_is_lost() -> None:
    parent, child = answers(4000, 8), answers(4000, 8)[::-1]
    verdict = judge(parent, child, [None] * 4000, 0.01)
    assert verdict.accepted and verdict.drop == 0 and 0 < verdict.upper < 0.002


def test_few_photos_are_refused_though_none_is_lost() -> None:
    verdict = judge(answers(60, 0), answers(60, 0), [str(i // 3) for i in range(60)], 0.01)
    assert not verdict.accepted and verdict.drop == 0
    assert verdict.reason == "too few photos to tell: 0.0% lost on 60, 90% sure only of at most 3.8%"


def test_a_model_that_loses_more_is_refused_with_its_loss() -> None:
    verdict = judge(answers(1000, 0), answers(1000, 30), [None] * 1000, 0.01)
    assert verdict.reason == "loses 3.0%, more than 1.0%"


@pytest.mark.parametrize("groups", [1, 2, 5])
def test_few_groups_are_no_surer_than_photos_on_their_own(groups: int) -> None:
    parent, child = answers(400, 0), answers(400, 3)
    alone = judge(parent, child, [None] * 400, 0.01)
    tied = judge(parent, child, [str(i % groups) for i in range(400)], 0.01)
    assert not alone.accepted and not tied.accepted
    assert tied.upper >= alone.upper
    many = judge(answers(8000, 0), answers(8000, 8), [str(i % groups) for i in range(8000)], 0.01)
    assert many.accepted and many.reason.endswith(f"{groups} groups are too few to resample")


def test_few_groups_of_which_one_has_all_the_losses_are_less_sure_than_photos() -> None:
    parent, child = answers(400, 0), answers(400, 3)
    alone = judge(parent, child, [None] * 400, 0.01)
    tied = judge(parent, child, [str(i // 80) for i in range(400)], 0.01)
    assert tied.upper >= 2 * 3 / 400 > alone.upper  # a draw of five groups often holds that one twice


def test_photos_of_one_group_count_as_one_draw() -> None:
    parent, child = answers(400, 0), answers(400, 4)
    loose = judge(parent, child, [None] * 400, 0.01).upper
    tied = judge(parent, child, [str(i // 4) for i in range(400)], 0.01).upper
    assert tied > loose


def test_the_bound_covers_the_true_drop_in_nine_of_ten_draws() -> None:
    random, covered = np.random.default_rng(1), 0
    groups = [str(i // 13) for i in range(572)]
    for _ in range(100):
        loss, gain = (np.repeat(random.uniform(0, most, 44), 13) for most in (0.08, 0.04))
        drawn = random.random(572)
        parent, child = drawn >= gain, (drawn < gain) | (drawn >= gain + loss)
        covered += judge(parent, child, groups, 0.5).upper >= 0.02
    assert covered >= 84
