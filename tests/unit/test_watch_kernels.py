"""The kernels that watch, against plain Python on random values with gaps."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.watch.days import assess
from processors.watch.drift import trend
from processors.watch.jump import jump
from processors.watch.neighbours import day_medians, neighbours
from processors.watch.profile import deviation, profile
from processors.watch.silence import allowed, flat, silent
from processors.watch.weeks import hours_of_week, middle, stacked
from storage.facts.watch import WatchFacts
from storage.watched import HOURS_OF_WEEK
from tests.unit import watch_oracle
from tests.unit.python_calls import calls

ROUNDING = {"rel": 1e-9, "abs": 1e-9, "nan_ok": True}


def values(seed: int, rows: int, windows: int, missing: float = 0.15) -> np.ndarray[Any, Any]:
    """Normal values with gaps, some of them whole rows, and many that are equal."""
    rng = np.random.default_rng(seed)
    table = np.round(rng.normal(20, 3, (rows, windows)), 1)
    table[rng.random(table.shape) < missing] = np.nan
    table[:: max(rows // 3, 2), windows // 2 :] = np.nan
    table[-1] = np.nan
    return table


@pytest.mark.parametrize("seed", range(2))
def test_profiles_are_those_of_plain_python(seed: int):
    table = values(seed, 3, 168 * 5)
    hour = np.arange(168 * 5) % 168
    hour[:5] = -1
    found = profile(table, hour)

    for row in range(3):
        medians, mads, counts, floor = watch_oracle.profile(table[row].tolist(), hour.tolist(), 4)
        assert found.median[row] == pytest.approx(medians, **ROUNDING)
        assert found.mad[row] == pytest.approx(mads, **ROUNDING)
        assert found.known[row].tolist() == counts
        assert found.floor[row] == pytest.approx(floor, **ROUNDING)
        for hour_value in (table[row, 7], 40.0):
            score = deviation(
                np.array([hour_value]), found.median[row, 2:3], found.mad[row, 2:3],
                found.floor[row : row + 1],
            )  # fmt: skip
            assert score[0] == pytest.approx(
                watch_oracle.deviation(hour_value, medians[2], mads[2], floor), **ROUNDING
            )


def test_one_bicycle_in_a_night_without_any_is_not_unusual_and_thirty_are():
    hour = np.arange(168 * 8) % 168
    rng = np.random.default_rng(5)
    day = np.clip(60 * np.sin((hour % 24 - 6) / 24 * 2 * np.pi), 0, None)
    found = profile(np.round(day + (day > 0) * rng.normal(0, 8, len(hour)))[None, :], hour)

    score = deviation(np.array([0.0, 1.0, 30.0]), found.median[:, 3], found.mad[:, 3], found.floor)

    assert found.median[0, 3] == found.mad[0, 3] == 0
    assert score[0] == 0
    assert 0 < score[1] < 3
    assert score[2] > 6


def test_one_broken_week_in_eight_does_not_change_what_is_usual():
    hour = np.arange(168 * 8) % 168
    usual = 20 + hour % 24 + np.arange(168 * 8) // 168 % 2 * 1.0
    broken = usual.copy()
    broken[168 * 3 : 168 * 4] = 1e9
    good, bad = profile(usual[None, :], hour), profile(broken[None, :], hour)

    assert np.abs(good.median - bad.median).max() <= 0.5
    assert np.isfinite(bad.floor).all()
    assert bad.mad.max() <= 1.0


def test_three_values_have_nothing_usual_and_four_have():
    hour = np.zeros(4, np.intp)

    assert np.isnan(profile(np.array([[1.0, 2.0, 3.0, np.nan]]), hour).median[0, 0])
    assert profile(np.array([[1.0, 2.0, 3.0, 4.0]]), hour).median[0, 0] == 2.5


def test_a_series_that_never_varies_is_never_unusual():
    found = profile(np.full((1, 168 * 4), 7.0), np.arange(168 * 4) % 168)

    score = deviation(np.array([9.0]), found.median[:, 0], found.mad[:, 0], found.floor)

    assert found.floor[0] == 0
    assert np.isnan(score[0])


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata", "America/St_Johns", "UTC"])
def test_hours_of_the_week_are_those_of_plain_python_through_a_year(zone: str):
    start = np.arange("2026-01-01", "2027-01-01", dtype="datetime64[h]").astype("datetime64[us]")
    sundays = {datetime.date(2026, 4, 6), datetime.date(2026, 5, 1), datetime.date(2026, 10, 25)}
    hour, monday = hours_of_week(start, zone, np.array(sorted(sundays), "datetime64[D]"))

    for k in range(0, len(start), 7):
        instant = start[k].item().replace(tzinfo=datetime.UTC)
        assert (hour[k], monday[k].item()) == watch_oracle.hour_of_week(instant, zone, sundays)


def test_the_week_of_23_hours_lacks_an_hour_and_that_of_25_has_one_twice():
    for begin, hours, cell, count in (
        ("2026-03-22T23:00", 167, 6 * 24 + 2, 0),
        ("2026-10-18T22:00", 169, 6 * 24 + 2, 2),
    ):
        start = np.datetime64(begin, "us") + np.arange(hours) * np.timedelta64(1, "h")
        hour, monday = hours_of_week(start, "Europe/Paris")
        size = np.bincount(hour, minlength=168)
        assert (monday == monday[0]).all()
        assert size[cell] == count
        assert (np.delete(size, cell) == 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_medians_of_days_are_those_of_plain_python(seed: int):
    table = values(seed, 7, 23 + 25 + 24 + 2)
    day = np.repeat([0, 1, 2, -1], [23, 25, 24, 2])
    median, hours = day_medians(table, day, 3)

    for row in range(7):
        medians, counts = watch_oracle.day_medians(table[row].tolist(), day.tolist(), 3)
        assert median[row] == pytest.approx(medians, **ROUNDING)
        assert hours[row].tolist() == counts


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 14), st.integers(1, 4), st.integers(0, 4))
def test_neighbours_are_those_of_plain_python(seed: int, rows: int, groups: int, least: int):
    rng = np.random.default_rng(seed)
    table = np.round(rng.normal(0, 2, (rows, 3)))
    table[rng.random(table.shape) < 0.3] = np.nan
    group = rng.integers(0, groups, rows)
    median, others = neighbours(table, group, least)

    for column in range(3):
        expected, counts = watch_oracle.neighbours(table[:, column].tolist(), group.tolist(), least)
        assert median[:, column] == pytest.approx(expected, **ROUNDING)
        assert others[:, column].tolist() == counts


@pytest.mark.parametrize("seed", range(4))
def test_trends_are_those_of_plain_python(seed: int):
    table = values(seed, 8, 28) + np.arange(28) * (seed - 1) / 5
    found = trend(table)

    for row in range(8):
        expected = watch_oracle.trend(table[row].tolist(), 14)
        assert [column[row] for column in found] == pytest.approx(expected, **ROUNDING)


@pytest.mark.parametrize("seed", range(4))
def test_jumps_are_those_of_plain_python(seed: int):
    table = values(seed, 8, 28)
    table[1::2, 17:] += 4 * seed
    found = jump(table)

    for row in range(8):
        expected = watch_oracle.jump(table[row].tolist(), 5)
        assert [column[row] for column in found] == pytest.approx(expected, **ROUNDING)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([1.0, 2.0, np.nan]), min_size=1, max_size=14), st.data())
def test_flat_lines_are_those_of_plain_python(low: list[float], data: st.DataObject):
    high = [one + data.draw(st.sampled_from([0.0, 0.0, 0.0, 1.0])) for one in low]
    found = flat(np.array([low]), np.array([high]))

    assert [column[0] for column in found] == pytest.approx(
        watch_oracle.flat(low, high), nan_ok=True
    )


def test_six_flat_hours_are_stuck_where_six_are_too_long_and_five_are_not():
    limit = np.array([6.0, 6.0, 6.0, np.nan])
    low = np.array([
        [1.0, 7, 7, 7, 7, 7, 7],
        [1.0, 1, 7, 7, 7, 7, 7],
        [7.0, 7, np.nan, np.nan, 7, 7, 7],  # five of seven hours: less than 75 %
        [7.0, 7, 7, 7, 7, 7, 7],
    ])  # fmt: skip

    assert flat(low, low).lasts(limit).tolist() == [True, False, False, False]


def test_a_series_is_silent_beyond_its_limit_and_heard_below_half_of_it():
    now = np.datetime64("2026-03-01T12:00:00", "us")
    limit = allowed(np.array([600, 600, 600, 600, 60, 0, 600]), 4, 30)
    last = now - np.array([2401, 2400, 1201, 1200, 1801, 10**7, 0]) * np.timedelta64(1, "s")
    last[6] = np.datetime64("NaT")
    gone, heard = silent(last, limit, now)

    assert limit.tolist()[:5] == [2400.0] * 4 + [1800.0]
    assert gone.tolist() == [True, False, False, False, True, False, False]
    assert heard.tolist() == [False, False, False, True, False, False, False]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_series_and_a_twin_of_one_do_not_matter(seed: int):
    rng = np.random.default_rng(seed)
    table = values(seed, 9, 28)
    order = rng.permutation(9)
    order = np.append(order, order[0])
    for kernel in (trend, jump):
        for one, other in zip(kernel(table), kernel(table[order]), strict=True):
            np.testing.assert_array_equal(one[order], other)
    hour = np.arange(28) % 168
    for one, other in zip(profile(table, hour), profile(table[order], hour), strict=True):
        np.testing.assert_array_equal(one[order], other)
    permuted = rng.permutation(9)
    group = rng.integers(0, 2, 9)
    for one, other in zip(
        neighbours(table, group), neighbours(table[permuted], group[permuted]), strict=True
    ):
        np.testing.assert_array_equal(one[permuted], other)


def test_nothing_comes_of_nothing():
    nothing = np.full((3, 28), np.nan)
    found = assess(nothing, nothing, WatchFacts())

    assert not any(one.begins.any() or one.ends.any() for one in found)
    assert np.isnan(profile(nothing, np.arange(28)).median).all()
    assert np.isnan(neighbours(nothing, np.zeros(3, np.intp))[0]).all()
    assert flat(nothing, nothing).first.tolist() == [-1, -1, -1]
    for empty in ((0, 28), (3, 0)):
        table = np.empty(empty)
        assert middle(table).shape == empty[:1]
        assert flat(table, table).value.shape == empty[:1]
        assert stacked(table, np.zeros(empty[1], np.intp), 2).shape[:2] == (empty[0], 2)
        assert neighbours(table, np.zeros(empty[0], np.intp))[0].shape == empty


def test_alarms_that_are_false_are_as_rare_as_is_said():
    rng = np.random.default_rng(11)
    apart = rng.standard_normal((3000, 28))
    apart[rng.random(apart.shape) < 0.1] = np.nan
    found = assess(40 + apart, apart, WatchFacts())
    alone = assess(40 + apart, np.full_like(apart, np.nan), WatchFacts())

    assert found.drift.begins.mean() <= 0.001
    assert found.jump.begins.mean() <= 0.001
    assert not alone.drift.begins.any()
    assert not alone.jump.begins.any()


def test_a_drift_of_six_scatters_and_a_jump_of_eight_are_found_and_told_apart():
    rng = np.random.default_rng(12)
    noise = rng.standard_normal((1000, 28))
    drifting, jumping = noise + 6 * np.arange(28) / 27, noise + 8.0 * (np.arange(28) >= 20)
    drift, jumped = (assess(40 + one, one, WatchFacts()) for one in (drifting, jumping))

    assert drift.drift.begins.mean() >= 0.9
    assert drift.jump.begins.mean() <= 0.02
    assert jumped.jump.begins.mean() >= 0.9
    assert jumped.drift.begins.mean() <= 0.02
    assert np.median(jumped.jump.at) == 20
    halfway = noise + 8.0 * (np.arange(28) >= 14)
    found = assess(40 + halfway, halfway, WatchFacts())
    assert not (found.drift.begins & found.jump.begins).any()
    assert np.median(jumped.jump.value - jumped.jump.reference) == pytest.approx(8, abs=0.5)


def test_the_weather_jumps_for_everybody_and_is_nobody_s_jump():
    rng = np.random.default_rng(13)
    weather = np.where(np.arange(28) >= 14, 25.0, 8.0)
    median = weather + rng.normal(0, 0.5, (12, 28))
    median[0, 20:] += 6
    reference, _ = neighbours(median, np.zeros(12, np.intp))

    found = assess(median, median - reference, WatchFacts())

    assert found.jump.begins.tolist() == [True] + [False] * 11
    assert found.jump.at[0] == 20


@pytest.mark.parametrize(
    "kernel",
    [
        lambda table: profile(table, np.arange(table.shape[1]) % HOURS_OF_WEEK),
        lambda table: deviation(table, table, table, table),
        lambda table: day_medians(table, np.arange(table.shape[1]) // 24, 2),
        lambda table: neighbours(table, np.arange(len(table)) // 5),
        trend,
        jump,
        lambda table: flat(table, table),
        lambda table: silent(table[:, 0].astype("M8[us]"), table[:, 1], np.datetime64(0, "us")),
        lambda table: assess(table, table, WatchFacts()),
    ],
)
def test_ten_thousand_series_take_as_many_python_calls_as_ten(kernel: Any):
    few, many = (np.random.default_rng(1).normal(20, 3, (size, 28)) for size in (10, 10_000))

    assert calls(kernel, few) == calls(kernel, many)
