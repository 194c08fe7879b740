"""Difference in differences: the arithmetic, the interval's promise, the verdict."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.evaluation.comparison import same_weekdays, year_before
from processors.evaluation.difference import Difference, difference
from processors.evaluation.gap import daily_gap
from processors.evaluation.judgement import Judgement, Window, judge
from processors.evaluation.student import factor
from storage.evaluations import Basis, Matching, Reason, Verdict
from storage.measures import Direction, Effect
from tests.unit import difference_oracle as oracle
from tests.unit.python_calls import calls

MONDAY = np.datetime64("2024-01-01")


def days(number: int) -> np.ndarray:
    return MONDAY + np.arange(number)


def sites(number: int) -> np.ndarray:
    return np.arange(number, dtype=np.int32)


def first(touched: int, of: int) -> np.ndarray:
    return np.arange(of) < touched


def around(day: np.ndarray, begin: int, settled: int | None = None) -> Window:
    return Window.around(day[begin], day[begin if settled is None else settled], day[-1] + 1)


def plain(value: np.ndarray) -> oracle.Values:
    return [[None if v != v else v for v in row] for row in value.tolist()]


def wandering(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> np.ndarray:
    """Days that depend on the day before, of standard deviation 1."""
    fresh = rng.normal(0, 1, (shape[1] + 40, shape[0])) * np.sqrt(1 - memory**2)
    for number in range(1, len(fresh)):
        fresh[number] += memory * fresh[number - 1]
    return fresh[40:].T


def city(
    seed: int,
    touched: int,
    others: int,
    before: int,
    after: int,
    *,
    effect: float,
    own: float = 1.0,
    shared: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sites with seasons, weekends, weather, days that depend on one another, and gaps.

    ``own``: how much sites change by themselves; ``shared``: what moves the touched only.
    """
    rng = np.random.default_rng(seed)
    n, d = touched + others, before + after
    at = np.arange(d)
    value = 30 + rng.normal(0, 5, (n, 1)) + 4 * np.sin(2 * np.pi * at / 364) + 3 * (at % 7 > 4)
    value = value + 4 * wandering(rng, (1, d), 0.6) + 2 * wandering(rng, (n, d), 0.5)
    mine = first(touched, n)[:, None]
    value += mine * shared * wandering(rng, (1, d), 0.5)
    value += (at >= before) * (effect * mine + own * rng.normal(0, 1, (n, 1)))
    value[rng.random(value.shape) < 0.05] = np.nan
    return value, days(d), first(touched, n)


def judged(
    value: np.ndarray, day: np.ndarray, touched: np.ndarray, begin: int, **more: Any
) -> Judgement:
    window = around(day, begin, more.pop("settled", None))
    expected = more.pop("expected", Direction.DOWN)
    place = more.pop("site", sites(len(value)))
    return judge(value, day, touched, place, window, expected, **more)


# The arithmetic --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("degrees", "printed"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)],
)
def test_the_factor_of_student_is_that_of_the_printed_table(degrees: int, printed: float):
    assert factor(degrees) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize("degrees", [1.0, 1.4, 3.7, 16.2, 250.0, 9000.0])
def test_the_factor_of_student_agrees_with_simpsons_rule(degrees: float):
    assert factor(degrees) == pytest.approx(oracle.student(degrees), rel=1e-5)
    assert factor(1e9) == pytest.approx(1.95996, rel=2e-4)
    assert np.isnan(factor(float("nan")))


def test_four_streets_are_worked_out_by_hand():
    # Touched change by -6 and -4, untouched by +1 and -1: -5 against 0.
    # Pooled variance (2 + 2) / 2 = 2, error sqrt(2 (1/2 + 1/2)) = 1.414, t(2) = 4.303.
    change = np.array([-6.0, -4.0, 1.0, -1.0])
    value = np.stack([np.full(4, 20.0), np.full(4, 20.0), 20 + change, 20 + change], axis=1)
    weight = np.tile([-0.5, -0.5, 0.5, 0.5], (4, 1))
    made = difference(value, weight, first(2, 4), sites(4))

    assert made.estimate == -5.0
    assert made.high - made.estimate == pytest.approx(4.303 * 1.41421, rel=1e-3)
    assert (made.touched_before, made.touched_after) == (20.0, 15.0)
    assert (made.untouched_before, made.untouched_after) == (20.0, 20.0)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    touched=st.integers(1, 5),
    others=st.integers(1, 5),
    shared_sites=st.booleans(),
    year=st.booleans(),
)
def test_the_kernels_agree_with_plain_loops(
    seed: int, touched: int, others: int, shared_sites: bool, year: bool
):
    rng = np.random.default_rng(seed)
    n, length = touched + others, 430 if year else 90
    day, begin = days(length), length - 40
    value = rng.normal(20, 3, (n, length))
    value[rng.random(value.shape) < 0.2] = np.nan
    place = rng.integers(0, 3, n).astype(np.int32) if shared_sites else sites(n)
    window = around(day, begin, begin + 5)
    dates = [datetime.date.fromisoformat(str(one)) for one in day]
    edge = [datetime.date.fromisoformat(str(one)) for one in
            (window.start, window.begin, window.settled, window.stop)]  # fmt: skip
    if year:
        made = year_before(value, day, window.begin, window.settled, window.stop, 12)
        slow = oracle.by_year(plain(value), dates, *edge[1:], 12)
    else:
        made = same_weekdays(
            value, day, window.start, window.begin, window.settled, window.stop, 12
        )
        slow = oracle.by_weekday(plain(value), dates, *edge, 12)
    np.testing.assert_allclose(made.weight, slow, atol=1e-12)
    mine = first(touched, n)
    weighed = made.enough
    if (weighed & mine).any() and (weighed & ~mine).any():
        fast = difference(value, made.weight, mine, place)
        answer = oracle.difference(plain(value), slow, mine.tolist(), place.tolist())
        assert fast.estimate == pytest.approx(answer.estimate, abs=1e-9)
        assert fast.high - fast.estimate == pytest.approx(answer.reach, rel=1e-4)
        assert answer.means == pytest.approx(
            (fast.touched_before, fast.touched_after, fast.untouched_before, fast.untouched_after)
        )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_series_does_not_matter(seed: int):
    value, day, touched = city(seed, 3, 5, 60, 40, effect=-3)
    order = np.random.default_rng(seed).permutation(len(value))
    one = judged(value, day, touched, 60)
    two = judged(value[order], day, touched[order], 60, site=sites(8)[order])

    assert (one.verdict, one.reason) == (two.verdict, two.reason)
    assert numbers(one.difference) == pytest.approx(numbers(two.difference), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), copies=st.integers(2, 5))
def test_a_sensor_installed_twice_at_its_site_makes_nothing_surer(seed: int, copies: int):
    value, day, touched = city(seed, 3, 5, 60, 40, effect=-3)
    again = np.repeat(np.arange(8), [copies, 1, 1, 1, copies, 1, 1, 1])
    one = judged(value, day, touched, 60)
    two = judged(value[again], day, touched[again], 60, site=sites(8)[again])

    assert numbers(one.difference) == pytest.approx(numbers(two.difference), rel=1e-9)
    assert (two.difference.touched_sites, two.difference.touched_series) == (3, 2 + copies)


def numbers(one: Difference) -> tuple[float, ...]:
    return (
        one.estimate, one.low, one.high, one.touched_before, one.touched_after,
        one.untouched_before, one.untouched_after,
    )  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(-50, 50), common=st.floats(-9, 9))
def test_what_happens_to_all_alike_is_not_put_down_to_the_measure(
    seed: int, shift: float, common: float
):
    value, day, touched = city(seed, 3, 5, 60, 40, effect=-3)
    moved = value + shift + common * (np.arange(100) >= 60)
    one, two = judged(value, day, touched, 60), judged(moved, day, touched, 60)

    assert numbers(two.difference)[:3] == pytest.approx(numbers(one.difference)[:3], abs=1e-7)


def test_kernels_call_as_much_for_10_000_series_as_for_10():
    def work(n: int) -> tuple[Any, ...]:
        rng = np.random.default_rng(n)
        return (
            rng.normal(20, 2, (n, 70)), days(70), np.arange(n) % 2 == 0, sites(n),
            around(days(70), 40), Direction.DOWN,
        )  # fmt: skip

    def run(*given: Any) -> object:
        return judge(*given, effect=Effect.PERCENT)

    assert calls(run, *work(10)) == calls(run, *work(10_000))
    gap = [(*work(n)[:3], work(n)[4]) for n in (10, 10_000)]
    assert calls(daily_gap, *gap[0]) == calls(daily_gap, *gap[1])


# Matching by calendar --------------------------------------------------------------------


def test_weekends_that_lie_otherwise_before_and_after_leave_no_trace():
    # 30 days before and 33 after: the mix of weekdays differs, the plain means by 5.
    day = days(63)
    value = np.where(np.is_busday(day), 900.0, 1600.0)[None, :].repeat(2, axis=0)
    made = same_weekdays(value, day, day[0], day[30], day[30], day[-1] + 1, 28)

    assert abs(value[0, 30:].mean() - value[0, :30].mean()) > 5
    assert (made.weight * value).sum(axis=1) == pytest.approx([0.0, 0.0], abs=1e-9)
    assert made.weight[0, 30:].sum() == pytest.approx(1.0)
    assert made.weight[0, :30].sum() == pytest.approx(-1.0)


def test_a_season_that_only_touched_series_have_leaves_no_trace_with_the_year_before():
    day = days(364 + 60 + 40)
    season = 10 * np.sin(2 * np.pi * np.arange(len(day)) / 364)
    value = 30 + np.stack([season, season, season, 0 * season, 0 * season, 0 * season])
    value += np.random.default_rng(1).normal(0, 0.5, value.shape)
    by_year = judged(value, day, first(3, 6), 424)
    by_weekday = judged(value[:, 300:], day[300:], first(3, 6), 124)

    assert by_year.matching is Matching.YEAR
    assert by_year.difference.estimate == pytest.approx(0.0, abs=0.3)
    assert by_weekday.matching is Matching.WEEKDAYS
    assert by_weekday.difference.estimate > 3


def test_the_year_before_counts_where_three_of_four_series_of_each_side_have_it():
    value, day, touched = city(1, 4, 4, 420, 40, effect=0)
    value[0, :364] = np.nan
    assert judged(value, day, touched, 420).matching is Matching.YEAR

    value[1, :364] = np.nan
    assert judged(value, day, touched, 420).matching is Matching.WEEKDAYS


def test_a_year_later_days_whose_counterpart_lies_in_the_transition_do_not_count():
    day = days(364 * 2 + 14)
    begin, settled = day[364], day[378]
    made = year_before(np.ones((1, len(day))), day, begin, settled, day[-1] + 1, 28)

    assert made.after.tolist() == [350]
    assert (made.weight[0, 364:378] == 0).all()
    assert (made.weight[0, 378 + 350 :] == 0).all()


def test_days_of_transition_are_left_out():
    value, day, touched = city(3, 3, 5, 60, 54, effect=-3)
    wild = value.copy()
    wild[:3, 60:74] = 1e6

    one, two = (judged(v, day, touched, 60, settled=74) for v in (value, wild))
    assert numbers(one.difference) == numbers(two.difference)
    assert one.difference.days_after <= 40


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), share=st.floats(0.0, 0.6))
def test_days_that_were_not_measured_have_no_weight_and_no_value_comes_of_them(
    seed: int, share: float
):
    rng = np.random.default_rng(seed)
    day = days(440)
    value = np.where(rng.random((4, 440)) < share, np.nan, rng.normal(20, 2, (4, 440)))
    value[3] = np.nan
    for made in (
        year_before(value, day, day[400], day[400], day[-1] + 1, 14),
        same_weekdays(value, day, day[360], day[400], day[400], day[-1] + 1, 14),
    ):
        assert (made.weight[np.isnan(value)] == 0).all()
        assert not made.enough[3]
        assert (made.enough == (np.minimum(made.before, made.after) >= 14)).all()


# What is said ----------------------------------------------------------------------------


def test_a_measure_that_works_goes_in_the_expected_direction_and_against_the_other():
    value, day, touched = city(5, 5, 8, 90, 60, effect=-6)

    assert judged(value, day, touched, 90).verdict is Verdict.EXPECTED
    assert judged(value, day, touched, 90, expected=Direction.UP).verdict is Verdict.AGAINST


def test_twenty_seven_days_on_a_side_are_too_few_and_twenty_eight_are_not():
    value = np.random.default_rng(1).normal(20, 1, (8, 60))
    value[:4, 30:] -= 9
    day, touched = days(60), first(4, 8)

    def reason(have: int, row: slice) -> Reason:
        some = value.copy()
        some[:4, row.start : row.start + 30 - have] = np.nan
        return judged(some, day, touched, 30).reason

    assert reason(27, slice(30, 60)) is Reason.FEW_AFTER
    assert reason(28, slice(30, 60)) is Reason.CLEAR
    assert reason(27, slice(0, 30)) is Reason.FEW_BEFORE
    assert reason(28, slice(0, 30)) is Reason.CLEAR


def test_a_measure_without_data_with_data_only_before_or_only_after_is_not_conclusive():
    value, day, touched = city(2, 3, 4, 60, 40, effect=-9)
    nothing, before, after = (value.copy() for _ in range(3))
    nothing[:3] = np.nan
    before[:, 60:] = np.nan
    after[:, :60] = np.nan
    alone = value[:3]

    assert judged(nothing, day, touched, 60).reason is Reason.NOTHING
    assert judged(before, day, touched, 60).reason is Reason.FEW_AFTER
    assert judged(after, day, touched, 60).reason is Reason.FEW_BEFORE
    assert judged(alone, day, touched[:3], 60).reason is Reason.NO_OTHERS
    assert judged(value[:0], day, touched[:0], 60).reason is Reason.NOTHING
    early = Window.around(day[60], day[60], day[60])
    assert judge(value, day, touched, sites(7), early, Direction.DOWN).reason is Reason.EARLY
    for some in (nothing, before, after):
        made = judged(some, day, touched, 60)
        assert made.verdict is Verdict.OPEN
        assert np.isnan([made.difference.estimate, made.difference.low]).all()


def test_one_untouched_site_gives_an_interval_by_time_alone_and_no_conclusion():
    value, day, touched = city(4, 3, 1, 90, 60, effect=-20)
    made = judged(value, day, touched, 90)

    assert (made.verdict, made.reason) == (Verdict.OPEN, Reason.ONE_OTHER)
    assert made.difference.basis is Basis.TIME
    assert made.difference.high < -10


def test_one_touched_site_is_judged_by_how_much_untouched_ones_change_by_themselves():
    calm, day, touched = city(4, 1, 6, 90, 60, effect=-8, own=0.3)
    restless, *_ = city(4, 1, 6, 90, 60, effect=-8, own=8.0)

    assert judged(calm, day, touched, 90).verdict is Verdict.EXPECTED
    assert judged(restless, day, touched, 90).reason is Reason.COVERS


def test_groups_that_drifted_apart_before_it_allow_no_conclusion():
    value, day, touched = city(6, 4, 6, 90, 60, effect=0)
    value[:4] -= 0.15 * np.arange(150)
    made = judged(value, day, touched, 90)

    assert made.difference.high < 0
    assert (made.verdict, made.reason) == (Verdict.OPEN, Reason.TRENDS)
    assert made.placebo is not None
    assert made.placebo.high < 0


def test_series_that_never_change_give_no_certainty_by_rounding():
    for seed in range(40):
        level = np.random.default_rng(seed).uniform(0, 50, (6, 1))
        made = judged(level.repeat(80, axis=1), days(80), first(3, 6), 45)

        assert made.reason is Reason.COVERS
        assert 0 < made.difference.high < 1e-6


def test_in_per_cent_a_large_street_weighs_as_much_as_a_small_one():
    rng = np.random.default_rng(8)
    level = np.array([100.0, 1000.0, 10_000.0, 150.0, 2000.0, 9000.0])[:, None]
    value = level * (1 + rng.normal(0, 0.03, (6, 100)))
    value[:3, 60:] *= 0.8
    made = judged(value, days(100), first(3, 6), 60, effect=Effect.PERCENT)

    assert made.verdict is Verdict.EXPECTED
    assert made.difference.estimate == pytest.approx(-20, abs=1.5)
    assert made.difference.touched_before == pytest.approx(100)
    value[0, :60] = 0.0
    fewer = judged(value, days(100), first(3, 6), 60, effect=Effect.PERCENT)
    assert fewer.difference.touched_series == 2


DESIGNS = (
    {"touched": 1, "others": 5, "before": 40, "after": 40},
    {"touched": 2, "others": 6, "before": 60, "after": 60},
    {"touched": 3, "others": 3, "before": 60, "after": 60, "own": 0.0},
    {"touched": 3, "others": 10, "before": 90, "after": 60, "own": 2.0},
    {"touched": 5, "others": 5, "before": 90, "after": 90, "shared": 1.5},
    {"touched": 6, "others": 8, "before": 420, "after": 40, "own": 0.5, "shared": 0.5},
)


def test_in_204_simulated_cities_the_interval_of_95_percent_keeps_its_promise():
    inside = false = found = 0
    for seed in range(204):
        design: dict[str, Any] = dict(DESIGNS[seed % len(DESIGNS)])
        begin = design["before"]
        made = judged(*city(seed, effect=-6.0, **design), begin)
        inside += made.difference.low <= -6.0 <= made.difference.high
        found += made.verdict is Verdict.EXPECTED
        idle = judged(*city(1000 + seed, effect=0.0, **design), begin)
        false += idle.verdict is not Verdict.OPEN

    assert 0.93 * 204 <= inside <= 0.99 * 204
    assert false <= 0.05 * 204
    assert found >= 0.7 * 204


def test_plain_averaging_of_days_would_not_keep_that_promise():
    # What the cosines are for: a group that moves together for days, and nothing else.
    sure = 0
    for seed in range(60):
        value, day, _ = city(seed, 8, 8, 60, 60, effect=0.0, own=0.0, shared=2.0)
        made = same_weekdays(value, day, day[0], day[60], day[60], day[-1] + 1, 28)
        change = np.nansum(made.weight * value, axis=1)
        error = np.sqrt(change[:8].var(ddof=1) / 8 + change[8:].var(ddof=1) / 8)
        sure += abs(change[:8].mean() - change[8:].mean()) > 2.145 * error

    assert sure > 0.15 * 60
