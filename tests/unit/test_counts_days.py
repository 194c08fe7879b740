"""Days of a counter: whole or not, zeros that are none, holes of exports."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import windows
from processors.calendars import local_dates
from processors.frame import frame_of
from processors.mobility import counting
from processors.mobility.cells import total_of_all
from processors.mobility.span import counted_days
from storage.roster import Roster
from tests.unit import counts_oracle as oracle

nan = np.nan
CITY = "Europe/Paris"
DAYS_2024 = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")


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


def test_23_hours_are_enough_of_the_days_on_which_the_clock_changes_and_of_no_other():
    october = windows.local_days(
        windows.first_instant(date(2024, 10, 26), CITY),
        windows.first_instant(date(2024, 10, 28), CITY), CITY,
    )  # fmt: skip
    text, one, place = np.array(["x"]), np.array([1], np.int32), np.array([nan])
    roster = Roster(
        one,
        text,
        text,
        np.array(["count"]),
        one,
        text,
        text,
        one,
        text,
        one,
        text,
        text,
        place,
        place,
    )

    def accepted(saturday: int, sunday: int) -> list[bool]:
        parts = {
            "sum": np.array([100.0, 100.0]), "suspect": np.zeros(2, np.int32),
            "good": np.array([saturday, sunday], np.int32), "expected": np.array([24, 25], np.int32),
        }  # fmt: skip
        series = np.array([1, 1], np.int32)
        frame = frame_of(roster, october, series, october[:-1], parts)
        whole, counted = counted_days(frame, october[-1], None)
        assert np.isnan(whole[0, 1]) == (sunday < 25)
        return (~np.isnan(counted[0])).tolist()

    assert accepted(24, 24) == [True, True]
    assert accepted(23, 23) == [False, True]
    assert accepted(24, 22) == [True, False]


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
