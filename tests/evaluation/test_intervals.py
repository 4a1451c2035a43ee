"""Intervals of a share, of groups and of paired differences, against published values and counts made by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clothing_classifier.evaluation import metrics
from clothing_classifier.evaluation.metrics import Booleans


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # R: prop.test(x, n, correct = FALSE)$conf.int
    [(8, 10, 0.4901625, 0.9433178), (0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0), (263, 345, 0.7147, 0.8043)],
)
def test_the_wilson_interval_agrees_with_known_values(successes: int, n: int, low: float, high: float) -> None:
    assert metrics.wilson_interval(successes, n) == pytest.approx((low, high), abs=1e-3)


def test_the_wilson_interval_holds_its_share_and_stays_within_0_and_1() -> None:
    for n, successes in product((1, 2, 7, 1000), (0.0, 0.5, 1.0)):
        low, high = metrics.wilson_interval(round(successes * n), n)
        assert 0 <= low <= round(successes * n) / n <= high <= 1


def test_the_grouped_interval_is_wider_than_that_of_photos_where_groups_agree() -> None:
    random = np.random.default_rng(0)
    right = np.repeat(random.random(40) < 0.7, 25)
    groups = [f"g{i // 25}" for i in range(1000)]
    low, high = metrics.grouped_interval(right, groups)
    alone = metrics.wilson_interval(int(right.sum()), len(right))
    assert low < right.mean() < high
    assert high - low > 2 * (alone[1] - alone[0])


def test_the_grouped_interval_does_not_hang_on_how_many_draws_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    right, groups = np.random.default_rng(0).random(200) < 0.8, [f"g{i % 30}" for i in range(200)]
    at_once = metrics.grouped_interval(right, groups)
    monkeypatch.setattr(metrics, "_DRAWS_AT_ONCE", 100)
    assert metrics.grouped_interval(right, groups) == at_once


def test_a_resampled_mean_is_that_of_the_photos_of_the_drawn_groups() -> None:
    """Each photo counts once, and not each group, which may be of one photo or of nine."""
    means = metrics.resampled_means(np.arange(10) == 0, ["a", *["b"] * 9], 200)
    assert sorted(set(means.round(9).tolist())) == [0.0, 0.1, 1.0]


def test_the_grouped_interval_is_of_2000_resamplings_of_the_very_groups() -> None:
    random = np.random.default_rng(0)
    groups = [f"g{i}" for i in random.integers(0, 25, 300)]
    leaning = {f"g{i}": share for i, share in enumerate(random.random(25))}
    right = np.array([random.random() < leaning[group] for group in groups])
    other = random.random(300) < 0.6
    for values, interval in (
        (right, metrics.accuracy_interval(right, groups)[0]),
        (right.astype(int) - other, metrics.difference_interval(right, other, groups)[0]),
    ):
        means = metrics.resampled_means(values, groups, 2000)
        assert interval == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_the_grouped_interval_hangs_on_its_seed_only() -> None:
    right = np.random.default_rng(0).random(200) < 0.8
    groups = [f"g{i % 30}" for i in range(200)]
    assert metrics.grouped_interval(right, groups, 3) == metrics.grouped_interval(right, groups, 3)
    assert metrics.grouped_interval(right, groups, 3) != metrics.grouped_interval(right, groups, 4)


@pytest.mark.parametrize(
    ("groups", "method"),
    [
        ([f"g{i % 20}" for i in range(100)], "bootstrap over 20 groups"),
        ([None] * 100, "photos taken as independent"),
        (["g"] * 100, "photos taken as independent: 1 group is too few to resample"),
        ([f"g{i % 19}" for i in range(100)], "photos taken as independent: 19 groups are too few to resample"),
        (["", None, *(f"g{i}" for i in range(98))], "photos taken as independent: 2 of 100 photos have no group"),
    ],
)
def test_the_interval_says_its_method_and_why_groups_are_not_resampled(groups: list[str | None], method: str) -> None:
    right = np.arange(100) % 5 != 0
    (low, high), said = metrics.accuracy_interval(right, groups)
    assert low <= 0.8 <= high
    if method.startswith("photos"):
        assert (low, high) == metrics.wilson_interval(80, 100)
        method = f"Wilson, {method}"
        assert metrics.difference_interval(right, right, groups)[1].endswith(method.removeprefix("Wilson, "))
    assert said == method


def test_one_group_left_out_counted_by_hand() -> None:
    right = np.array([1, 1, 0, 1, 0, 0], bool)
    assert metrics.leave_one_group_out(right, ["a", "a", "b", "b", "b", "c"]) == pytest.approx((1 / 4, 2 / 3))
    assert metrics.leave_one_group_out(right, ["a"] * 6) is None


def answers_of(both: int, one: int, other: int, none: int) -> tuple[Booleans, Booleans]:
    first = np.repeat([True, True, False, False], [both, one, other, none])
    second = np.repeat([True, False, True, False], [both, one, other, none])
    return first, second


def test_newcombes_interval_is_that_of_his_paper() -> None:
    # Newcombe 1998, Statistics in Medicine 17: 2635, method 10.
    assert metrics.newcombe_interval(*answers_of(36, 12, 2, 0)) == pytest.approx((0.0569, 0.3404), abs=5e-5)


@pytest.mark.parametrize(
    ("counts", "phi"),
    [
        ((3, 2, 2, 2), 0.0),  # ad - bc = 2, less than half of the nine photos: no tie
        ((30, 4, 6, 20), (30 * 20 - 4 * 6 - 30) / np.sqrt(34 * 26 * 36 * 24)),
        ((5, 20, 15, 4), (5 * 4 - 20 * 15) / np.sqrt(25 * 19 * 20 * 24)),
    ],
)
def test_newcombes_interval_corrects_a_positive_tie_for_continuity(
    counts: tuple[int, int, int, int], phi: float
) -> None:
    n, first, second = sum(counts), counts[0] + counts[1], counts[0] + counts[2]
    (p_low, p_high), (q_low, q_high) = metrics.wilson_interval(first, n), metrics.wilson_interval(second, n)

    def distance(a: float, b: float) -> float:
        return float(np.sqrt(a**2 - 2 * phi * a * b + b**2))

    p, q = first / n, second / n
    expected = p - q - distance(p - p_low, q_high - q), p - q + distance(p_high - p, q - q_low)
    assert metrics.newcombe_interval(*answers_of(*counts)) == pytest.approx(expected)


def test_newcombes_interval_is_there_for_a_quarter_of_a_million_photos() -> None:
    low, high = metrics.newcombe_interval(*answers_of(225_000, 500, 300, 24_200))
    assert low < 200 / 250_000 < high
    assert high - low < 0.001


@settings(max_examples=60)
@given(counts=st.tuples(*[st.integers(0, 30)] * 4).filter(any))
def test_newcombes_interval_holds_the_difference_and_turns_with_the_models(counts: tuple[int, int, int, int]) -> None:
    one, other = answers_of(*counts)
    low, high = metrics.newcombe_interval(one, other)
    difference = one.mean() - other.mean()
    assert -1 <= low <= difference + 1e-12
    assert difference - 1e-12 <= high <= 1
    assert metrics.newcombe_interval(other, one) == pytest.approx((-high, -low))


def test_a_difference_is_surer_in_pairs_than_its_parts_are() -> None:
    random = np.random.default_rng(0)
    one = random.random(600) < 0.8
    other = one & (random.random(600) < 0.97)
    for groups in ([f"g{i % 30}" for i in range(600)], [None] * 600):
        (low, high), method = metrics.difference_interval(one, other, groups)
        assert 0 < low < one.mean() - other.mean() < high
        alone = metrics.accuracy_interval(one, groups)[0]
        assert high - low < alone[1] - alone[0]
        assert method == ("paired bootstrap over 30 groups" if groups[0] else
                          "Newcombe, paired, photos taken as independent")  # fmt: skip


@pytest.mark.parametrize(("only_one", "only_other"), [(0, 0), (1, 0), (4, 15), (7, 7), (30, 12), (2000, 2100)])
def test_mcnemars_test_agrees_with_the_binomial_test(only_one: int, only_other: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    n = only_one + only_other
    expected = stats.binomtest(only_one, n).pvalue if n else 1.0
    assert metrics.mcnemar(only_one, only_other) == pytest.approx(expected)
    assert metrics.mcnemar(only_other, only_one) == metrics.mcnemar(only_one, only_other)


def test_mcnemars_test_stays_exact_where_powers_of_two_overflow() -> None:
    assert metrics.mcnemar(0, 3000) == 0.0  # below the smallest float, and no error
    assert 0 < metrics.mcnemar(4800, 5200) < 1e-4


@pytest.mark.parametrize("value", [True, False])
def test_answers_that_are_all_alike_are_not_certain(value: bool) -> None:
    right, groups = np.full(40, value), [f"g{i // 2}" for i in range(40)]
    (low, high), method = metrics.accuracy_interval(right, groups)
    assert (low, high) == metrics.wilson_interval(20 * value, 20)
    assert method == "Wilson over 20 groups, all alike"
    (low, high), method = metrics.difference_interval(right, right, groups)
    assert low < 0 < high
    assert method.endswith("independent: the models are right on the same ones")
    (low, high), method = metrics.difference_interval(right, ~right, groups)
    assert low < high
    assert method.endswith("independent: one is right on all, the other on none")
