"""Counts over a year: AADT by three methods, K and D, profiles, zeros that are none."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import windows
from processors.calendars import local_time, weekdays
from processors.mobility import aadt, counting, design_hour, weekday
from processors.mobility.cells import cell_sums, total_of_all
from processors.mobility.grading import graded
from processors.mobility.headway import excess_wait, mean_wait
from storage.indicators.word import Status
from tests.unit import counts_oracle as oracle
from tests.unit.python_calls import calls

nan = np.nan
DAYS_2024 = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")
MONTH = DAYS_2024.astype("datetime64[M]").astype(int) % 12 + 1
WEEKDAY = weekdays(DAYS_2024)
CITY = "Europe/Paris"


def year_of_hours(year: int = 2024) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """UTC starts of the hours of a local year, with local date, weekday and hour."""
    edges = windows.hours(
        windows.first_instant(date(year, 1, 1), CITY),
        windows.first_instant(date(year + 1, 1, 1), CITY),
    )
    wall = local_time(edges[:-1], CITY)
    days = wall.astype("datetime64[D]")
    return edges, days, weekdays(days), wall.astype("datetime64[h]").astype(int) % 24


def occurrences(days: np.ndarray) -> np.ndarray:
    month = days.astype("datetime64[M]").astype(int) % 12
    return np.bincount(month * 7 + weekdays(days), minlength=84).reshape(12, 7)


def gappy(rng: np.random.Generator, shape: tuple[int, ...], gaps: float = 0.3) -> np.ndarray:
    value = rng.poisson(20, shape).astype(float)
    value[rng.random(shape) < gaps] = nan
    return value


# Vectors with known answers


def test_a_month_of_nine_days_averages_100_714_by_weekdays_and_96_667_by_days():
    month = np.array([[100.0, 120, 110, 130, 120, 140, 60, 50, 40]])
    average, cells = aadt.monthly(month, np.full(9, 5), np.array([0, 0, 1, 2, 3, 4, 5, 5, 6]))

    assert average[0, 4] == pytest.approx(705 / 7, rel=1e-12)
    assert round(float(average[0, 4]), 3) == 100.714
    assert cells[0].tolist() == [0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]
    assert round(float(aadt.simple(month).value[0]), 3) == 96.667


def test_aadt_of_20_000_with_k_0_10_and_d_0_60_is_designed_for_1_200_an_hour():
    assert float(design_hour.ddhv(20_000, 0.10, 0.60)) == 1200


def test_headways_of_5_5_and_15_minutes_are_waited_for_5_5_minutes_and_not_4_17():
    irregular, even = np.array([[5.0, 5, 15]]), np.full((1, 3), 25 / 3)

    assert mean_wait(irregular)[0] == 5.5
    assert round(float(mean_wait(even)[0]), 2) == 4.17
    assert excess_wait(irregular, even)[0] == pytest.approx(5.5 - 25 / 6)


# What an average is made of


def test_one_empty_cell_of_84_leaves_83_and_no_strict_aadt():
    total = np.full((1, 366), 100.0)
    total[0, (MONTH == 2) & (WEEKDAY == 3)] = nan
    total[0, (MONTH == 2) & (WEEKDAY != 3)] = 50.0

    value, cells = aadt.aashto(total, MONTH, WEEKDAY)
    given_value, status = graded(value, cells, aadt.CELLS)

    assert cells[0] == 83
    assert value[0] == pytest.approx((11 * 100 + 50) / 12)
    assert (given_value[0], status[0]) == (value[0], Status.PARTIAL)


def test_63_of_84_cells_give_an_average_and_62_do_not():
    assert np.isnan(graded([1.0, 1.0], [62, 63], 84)[0]).tolist() == [True, False]


def test_84_cells_weigh_the_same_however_many_days_are_in_them():
    total = np.where(MONTH == 1, 400.0, 100.0)[None, :].repeat(2, axis=0)
    total[1, (MONTH == 1) & (np.arange(366) >= 7)] = nan

    value, cells = aadt.aashto(total, MONTH, WEEKDAY)

    assert cells.tolist() == [84, 84]
    assert value.tolist() == [125.0, 125.0]
    assert aadt.simple(total).value[0] > aadt.simple(total).value[1]


def test_nothing_counted_gives_no_average_by_any_method():
    nobody = np.full((2, 366), nan)

    assert np.isnan(aadt.simple(nobody).value).all()
    assert np.isnan(aadt.aashto(nobody, MONTH, WEEKDAY).value).all()
    _, days, day, hour = year_of_hours()
    none = np.full((2, len(days)), nan)
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    assert np.isnan(aadt.hourly(none, month, day, hour, occurrences(DAYS_2024)).value).all()


def test_a_year_of_zeros_has_an_average_of_0():
    assert aadt.aashto(np.zeros((1, 366)), MONTH, WEEKDAY).value.tolist() == [0.0]


def test_working_days_are_averaged_without_the_others():
    total = np.where(WEEKDAY < 5, 700.0, 10.0)[None, :]

    assert aadt.simple(total, WEEKDAY < 5) == (pytest.approx([700.0]), [262])


def test_the_share_of_heavy_vehicles_is_a_ratio_of_sums_over_days_with_both():
    heavy, every = np.array([[10.0, 1.0, 5.0, nan]]), np.array([[100.0, 100.0, nan, 9.0]])

    assert aadt.share(heavy, every) == ([5.5], [2])


def test_the_hourly_method_uses_days_that_lack_hours_and_agrees_where_none_lacks_any():
    _, days, day, hour = year_of_hours()
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    count = (10.0 + hour)[None, :].repeat(2, axis=0)
    count[1, (days.astype(int) % 3 == 0) & (hour < 12)] = nan

    value, cells = aadt.hourly(count, month, day, hour, occurrences(DAYS_2024))

    assert cells.tolist() == [2016, 2016]
    assert value.tolist() == pytest.approx([516.0, 516.0], rel=1e-12)


def test_a_month_counts_for_its_days_and_a_weekday_for_how_often_it_comes():
    _, days, day, hour = year_of_hours(2023)
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    every = np.arange("2023-01-01", "2024-01-01", dtype="datetime64[D]")
    count = np.where(month == 2, 1.0, 0.0)[None, :]

    value, _ = aadt.hourly(count, month, day, hour, occurrences(every))

    assert value[0] == pytest.approx(24 * 28 / 365)
    sunday = np.where(day == 6, 1.0, 0.0)[None, :]
    value, _ = aadt.hourly(sunday, month, day, hour, occurrences(every))
    assert value[0] == pytest.approx(24 * 53 / 365)  # 2023 has 53 Sundays


# Design hours


def test_the_30th_highest_hour_is_dated_by_the_first_of_equals():
    volume = np.arange(100.0)[None, :].repeat(2, axis=0)
    volume[1, 5] = 70.0

    value, column = design_hour.highest_hour(volume, 30)

    assert value.tolist() == [70.0, 70.0]
    assert column.tolist() == [70, 5]


def test_29_hours_have_no_30th_highest():
    volume = np.full((1, 40), nan)
    volume[0, :29] = 5.0

    value, column = design_hour.highest_hour(volume, 30)

    assert np.isnan(value[0])
    assert column[0] == -1
    assert np.isnan(design_hour.highest_hour(volume[:, :10], 30)[0][0])


def test_d_is_the_share_of_the_stronger_direction_and_unknown_without_one_of_them():
    volume = np.array([[[60.0], [40.0]], [[60.0], [nan]], [[0.0], [0.0]]])

    share = design_hour.directional_share(volume, np.zeros(3, int))

    assert share[0] == 0.6
    assert np.isnan(share[1:]).all()
    assert np.isnan(design_hour.directional_share(volume, np.full(3, -1))).all()


# Profiles


def test_a_peak_hour_needs_all_24_hours_and_somebody_passing():
    profile = np.tile(np.arange(24.0), (3, 1))
    profile[1, 3] = nan
    profile[2] = 0

    assert np.array_equal(weekday.peak_hour(profile), [23, nan, nan], equal_nan=True)


def test_the_hour_that_the_clock_repeats_counts_twice_and_the_skipped_one_never():
    _, days, _, hour = year_of_hours()
    for day, two, three in (("2024-10-27", 2, 1), ("2024-03-31", 0, 1)):
        _, size = weekday.day_profile(np.ones((1, len(days))), hour, days == np.datetime64(day))
        assert (size[0, 2], size[0, 3]) == (two, three)


# Against plain Python, and laws


def test_every_average_is_what_plain_python_makes_of_random_years_with_gaps():
    rng = np.random.default_rng(5)
    total = gappy(rng, (4, 366), 0.7)
    days = DAYS_2024.tolist()
    value, cells = aadt.aashto(total, MONTH, WEEKDAY)
    part = np.where(rng.random((4, 366)) < 0.5, nan, total // 3)
    share, both = aadt.share(part, total)
    for row in range(4):
        expected = oracle.aashto(total[row].tolist(), days)
        assert (value[row], cells[row]) == (pytest.approx(expected[0], rel=1e-12), expected[1])
        assert aadt.simple(total).value[row] == pytest.approx(oracle.mean(total[row].tolist()))
        expected = oracle.share(part[row].tolist(), total[row].tolist())
        assert (share[row], both[row]) == (pytest.approx(expected[0]), expected[1])


def test_the_hourly_average_is_what_plain_python_makes_of_a_random_year_with_gaps():
    rng = np.random.default_rng(6)
    _, days, day, hour = year_of_hours(2023)
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    count = gappy(rng, (2, len(days)), 0.6)
    count[0, (month == 8) | ((day == 3) & (month == 2) & (hour == 4))] = nan
    every = np.arange("2023-01-01", "2024-01-01", dtype="datetime64[D]")

    value, cells = aadt.hourly(count, month, day, hour, occurrences(every))

    for row in range(2):
        expected = oracle.hourly(count[row].tolist(), days.tolist(), hour.tolist(), 2023)
        assert (value[row], cells[row]) == (pytest.approx(expected[0], rel=1e-12), expected[1])
    assert cells[0] < 2016


def test_profiles_and_highest_hours_are_what_plain_python_finds():
    rng = np.random.default_rng(7)
    count, hour = gappy(rng, (3, 700), 0.4), np.arange(700) % 24
    day = np.arange(700) // 24 % 7
    chosen = day < 5
    found, _ = weekday.day_profile(count, hour, chosen)
    week, _ = weekday.week_profile(count, day, hour)
    for row in range(3):
        plain = oracle.profile(count[row].tolist(), np.where(chosen, hour, -1).tolist(), 24)
        assert found[row].tolist() == pytest.approx(plain, nan_ok=True)
        plain = oracle.profile(count[row].tolist(), (day * 24 + hour).tolist(), 168)
        assert week[row].tolist() == pytest.approx(plain, nan_ok=True)
        for rank in (1, 30, 600):
            value, column = design_hour.highest_hour(count, rank)
            plain_value, plain_column = oracle.highest(count[row].tolist(), rank)
            assert value[row] == pytest.approx(plain_value, nan_ok=True)
            assert column[row] == plain_column
    gaps = rng.choice([nan, 2.0, 5.0, 9.0], (5, 12))
    for row, wait in enumerate(mean_wait(gaps)):
        assert wait == pytest.approx(oracle.mean_wait(gaps[row].tolist()), nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_any_split_of_the_columns_combines_to_the_cells_of_the_whole(seed: int, split: int):
    rng = np.random.default_rng(seed)
    value, cell = gappy(rng, (3, 60)), rng.integers(-1, 9, 60)

    whole = cell_sums(value, cell, 9)
    parts = [cell_sums(value[:, k], cell[k], 9) for k in (slice(split), slice(split, None))]

    assert (whole[0] == parts[0][0] + parts[1][0]).all()
    assert (whole[1] == parts[0][1] + parts[1][1]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_order_of_days_and_of_series_and_doubled_series_do_not_matter(seed: int):
    rng = np.random.default_rng(seed)
    total = gappy(rng, (3, 366), 0.5)
    days, series = rng.permutation(366), rng.permutation(3)

    plain = aadt.aashto(total, MONTH, WEEKDAY)
    moved = aadt.aashto(total[:, days], MONTH[days], WEEKDAY[days])
    twice = aadt.aashto(np.concatenate((total[series], total)), MONTH, WEEKDAY)

    assert moved.value == pytest.approx(plain.value, rel=1e-12)
    assert (moved.cells == plain.cells).all()
    assert (twice.value[:3] == plain.value[series]).all()
    assert (twice.value[3:] == plain.value).all()


# Cost


def tall(rows: int) -> np.ndarray:
    return np.tile(np.arange(140.0), (rows, 1))


DAY_140, HOUR_140 = np.arange(140) // 24 % 7, np.arange(140) % 24


@pytest.mark.parametrize(
    "kernel",
    [
        lambda n: aadt.simple(tall(n)),
        lambda n: aadt.aashto(tall(n), np.full(140, 3), DAY_140),
        lambda n: aadt.hourly(tall(n), np.full(140, 3), DAY_140, HOUR_140, np.full((12, 7), 4)),
        lambda n: aadt.share(tall(n), tall(n)),
        lambda n: counting.day_totals(tall(n), tall(n), tall(n), np.full(140, 24.0), 19),
        lambda n: counting.suspect_zeros(tall(n) * 0, whole=True),
        lambda n: counting.imbalance(tall(n), tall(n)),
        lambda n: weekday.day_profile(tall(n), HOUR_140, HOUR_140 >= 0),
        lambda n: weekday.week_profile(tall(n), DAY_140, HOUR_140),
        lambda n: weekday.peak_hour(tall(n)[:, :24]),
        lambda n: design_hour.highest_hour(tall(n), 30),
        lambda n: design_hour.k_factor(tall(n), tall(n)),
        lambda n: design_hour.directional_share(tall(n).reshape(n, 2, 70), np.zeros(n, int)),
        lambda n: design_hour.ddhv(tall(n), tall(n), tall(n)),
        lambda n: total_of_all(tall(n), np.arange(n) // 2, n, np.ones(tall(n).shape, np.bool_)),
        lambda n: graded(tall(n), tall(n), 84),
        lambda n: mean_wait(tall(n)),
        lambda n: excess_wait(tall(n), tall(n)),
    ],
    ids=[
        "simple", "aashto", "hourly", "share", "day_totals", "suspect_zeros", "imbalance",
        "day_profile", "week_profile", "peak_hour", "highest_hour", "k_factor",
        "directional_share", "ddhv", "total_of_all", "graded", "mean_wait", "excess_wait",
    ],
)  # fmt: skip
def test_10_000_series_take_as_many_python_calls_as_10(kernel: object):
    assert calls(kernel, 10) == calls(kernel, 10_000)
