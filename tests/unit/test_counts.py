"""Counts over a year: AADT by three methods, K and D, profiles, zeros that are none."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import windows
from processors.calendars import local_dates, local_time, weekdays
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


# Whole days


@pytest.mark.parametrize(
    ("usable", "expected", "length", "accepted", "counts"),
    [
        (24, 24, 24, None, True),
        (23, 24, 24, None, False),
        (23, 23, 23, None, True),
        (24, 25, 25, None, False),
        (25, 25, 25, None, True),
        (95, 96, 24, None, False),
        (19, 24, 24, 19, True),
        (18, 24, 24, 19, False),
        (76, 96, 24, 19, True),
        (75, 96, 24, 19, False),
        (0, 0, 24, 19, False),
        (5, 0, 24, 19, False),
        (1, 1, 25, None, True),
    ],
)
def test_a_day_counts_if_no_slot_is_missing_or_19_hours_are_accepted(
    usable: int, expected: int, length: int, accepted: float | None, counts: bool
):
    total = counting.day_totals(
        np.array([[7.0]]), np.array([[float(usable)]]), np.array([[float(expected)]]),
        np.array([float(length)]), accepted,
    )  # fmt: skip

    assert (not np.isnan(total[0, 0])) == counts


def test_the_days_of_the_clock_changes_have_23_and_25_hours_and_are_whole_with_them():
    edges = windows.local_days(
        windows.first_instant(date(2024, 1, 1), CITY),
        windows.first_instant(date(2025, 1, 1), CITY), CITY,
    )  # fmt: skip
    length = np.diff(edges).astype(np.int64) / 3.6e9
    dates = local_dates(edges, CITY)

    total = counting.day_totals(np.ones((1, 366)), length[None, :], length[None, :], length)

    assert dates.tolist() == DAYS_2024.tolist()
    assert dates[length == 23].tolist() == [date(2024, 3, 31)]
    assert dates[length == 25].tolist() == [date(2024, 10, 27)]
    assert not np.isnan(total).any()


def test_a_site_without_one_of_its_lanes_has_no_total():
    lanes = np.array([[100.0, 90.0, 0.0], [50.0, nan, 0.0]])

    total = total_of_all(lanes, np.array([0, 0]), 1, np.ones(lanes.shape, np.bool_))

    assert total[0, [0, 2]].tolist() == [150.0, 0.0]
    assert np.isnan(total[0, 1])


def test_600_in_and_400_out_are_out_of_balance_by_0_2():
    assert counting.imbalance(600.0, 400.0) == 0.2
    assert np.isnan(counting.imbalance(0.0, 0.0))
    assert np.isnan(counting.imbalance(nan, 3.0))


# Zeros


def test_three_zeros_of_a_counter_that_is_always_passed_are_suspect():
    count = np.array([[50.0] * 28 + [0.0, 0, 0, 0, 40]])

    assert np.flatnonzero(counting.suspect_zeros(count)[0]).tolist() == [30, 31]
    assert np.flatnonzero(counting.suspect_zeros(count, whole=True)[0]).tolist() == [28, 29, 30, 31]


def test_each_of_two_runs_of_zeros_is_suspect_from_its_first_zero():
    count = np.array([[50.0] * 28 + [0.0] * 3 + [40.0] * 30 + [0.0] * 4])

    suspect = np.flatnonzero(counting.suspect_zeros(count, whole=True)[0])

    assert suspect.tolist() == [28, 29, 30, 61, 62, 63, 64]


def test_zeros_of_a_counter_with_many_quiet_days_are_believed():
    count = np.array([[5.0, 0, 3, 0, 7, 0, 1] * 4 + [0.0] * 5])

    assert not counting.suspect_zeros(count, whole=True).any()


def test_28_zeros_in_a_row_are_suspect_whatever_was_before():
    nobody = np.zeros((1, 40))

    assert np.flatnonzero(counting.suspect_zeros(nobody)[0]).tolist() == list(range(27, 40))
    assert counting.suspect_zeros(nobody, whole=True).all()


def test_a_new_counter_that_begins_with_13_zeros_in_four_weeks_is_believed_and_with_14_is_not():
    count = np.full((1, 60), nan)
    count[0, -14:] = 0

    assert np.flatnonzero(counting.suspect_zeros(count)[0]).tolist() == [59]


def test_a_missing_day_neither_ends_a_run_of_zeros_nor_lengthens_it():
    count = np.array([[50.0] * 28 + [0.0, nan, 0, nan, 0]])

    suspect = counting.suspect_zeros(count)

    assert np.flatnonzero(suspect[0]).tolist() == [32]


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.0, 3.0, nan]), min_size=1, max_size=40), st.booleans())
def test_runs_of_zeros_are_found_as_a_plain_search_finds_them(count: list[float], whole: bool):
    found = counting.suspect_zeros(np.array([count]), 3, 6, whole=whole)

    assert found[0].tolist() == oracle.suspect_zeros(count, 3, 6, whole)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.0, 3.0, nan]), min_size=13, max_size=40))
def test_what_lies_56_days_back_does_not_change_the_answer_of_a_day(count: list[float]):
    full = counting.suspect_zeros(np.array([count]), 3, 6)
    late = counting.suspect_zeros(np.array([count[-13:]]), 3, 6)

    assert full[0, -1] == late[0, -1]


# Days covered by exports


def test_the_hole_at_the_end_of_summer_time_in_exports_is_no_missing_hour():
    utc = ["2022-10-28T22", "2022-10-29T22", "2022-10-30T23", "2022-10-31T23"]
    edges = np.array(utc, "datetime64[us]")
    begin = np.array(["2022-10-28T22", "2022-10-29T23", "2022-10-30T23"], "datetime64[us]")

    assert counting.covered_days(begin, edges[1:], edges).tolist() == [True, True, True]
    # An hour that is missing on another day, or two on that one, are missing.
    begin = np.array(["2022-10-28T23", "2022-10-30T00", "2022-10-30T23"], "datetime64[us]")
    assert counting.covered_days(begin, edges[1:], edges).tolist() == [False, False, True]


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


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 100), st.integers(0, 100), st.sampled_from([23.0, 24.0, 25.0]),
    st.sampled_from([None, 19.0]),
)  # fmt: skip
def test_a_day_is_whole_by_the_same_rule_as_in_plain_python(
    usable: int, expected: int, length: float, accepted: float | None
):
    found = counting.day_totals(
        np.array([[5.0]]), np.array([[float(usable)]]), np.array([[float(expected)]]),
        np.array([length]), accepted,
    )  # fmt: skip

    plain = oracle.day_total(5.0, usable, expected, length, accepted)
    assert found[0, 0] == pytest.approx(plain, nan_ok=True)


def test_local_dates_follow_a_zone_that_left_a_day_out():
    start = windows.first_instant(date(2011, 12, 28), "Pacific/Apia")
    edges = windows.local_days(start, start + np.timedelta64(4, "D"), "Pacific/Apia")

    assert [d.day for d in local_dates(edges, "Pacific/Apia").tolist()] == [28, 29, 31, 1]


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
