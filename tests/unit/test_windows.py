"""Windows cover what was asked for, and days are those of the territory."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.windows import floor, hours, local_days, overlaps, quarter_hours


def at(text: str) -> np.datetime64:
    return np.datetime64(text, "us")


def hours_between(edges: np.ndarray) -> list[float]:
    return (np.diff(edges) / np.timedelta64(1, "h")).tolist()


@pytest.mark.parametrize(
    ("start", "stop", "edges"),
    [
        ("10:00", "10:30", ["10:00", "10:15", "10:30"]),
        ("10:01", "10:30", ["10:00", "10:15", "10:30"]),
        ("10:14:59.999999", "10:15:00.000001", ["10:00", "10:15", "10:30"]),
        ("10:15", "10:15", ["10:15"]),
    ],
)
def test_quarter_hours_cover_the_span_and_no_more(start, stop, edges):
    found = quarter_hours(at(f"2026-03-01T{start}"), at(f"2026-03-01T{stop}"))

    assert found.tolist() == [at(f"2026-03-01T{edge}").item() for edge in edges]
    assert found.dtype == np.dtype("datetime64[us]")


def test_hours_before_1970_begin_on_the_hour_too():
    assert hours(at("1969-12-31T22:30"), at("1969-12-31T23:10")).tolist() == [
        datetime(1969, 12, 31, 22), datetime(1969, 12, 31, 23), datetime(1970, 1, 1),
    ]  # fmt: skip


def test_coarse_times_are_taken_as_they_are():
    assert len(hours(np.datetime64("2026-03-01"), np.datetime64("2026-03-02"))) == 25


@pytest.mark.parametrize(
    ("start", "stop", "zone", "lengths"),
    [
        ("2026-03-28T12", "2026-03-30T12", "Europe/Paris", [24, 23, 24]),
        ("2026-10-24T12", "2026-10-26T12", "Europe/Paris", [24, 25, 24]),
        ("2026-03-01T00", "2026-03-01T01", "UTC", [24]),
        ("2026-10-03T20", "2026-10-04T20", "Australia/Lord_Howe", [23.5, 24]),
        ("2018-11-03T12", "2018-11-05T12", "America/Sao_Paulo", [24, 23, 24]),
        ("2018-02-17T12", "2018-02-18T12", "America/Sao_Paulo", [25, 24]),
    ],
)
def test_days_last_as_long_as_the_clock_of_the_place_says(start, stop, zone, lengths):
    assert hours_between(local_days(at(start), at(stop), zone)) == lengths


def test_a_day_whose_midnight_does_not_exist_begins_with_its_first_instant():
    edges = local_days(at("2018-11-04T12"), at("2018-11-04T13"), "America/Sao_Paulo")

    # 3 November ends at 24:00 -03; the next second reads 01:00 -02.
    assert edges[0] == at("2018-11-04T03:00")


def test_a_jump_that_begins_before_midnight_begins_the_day():
    # Toronto, 30 March 1919: 23:30 became 00:30 of the 31st.
    edges = local_days(at("1919-03-31T12"), at("1919-03-31T13"), "America/Toronto")

    assert edges[0] == at("1919-03-31T04:30")


def test_a_day_the_zone_skipped_has_no_window():
    edges = local_days(at("2011-12-29T12"), at("2011-12-31T12"), "Pacific/Apia")

    assert hours_between(edges) == [24, 24, 24]
    assert at("2011-12-30T10:00") in edges


@pytest.mark.parametrize("stop", ["2026-03-02T23:00", "2026-03-02T22:00"])
def test_a_span_that_ends_with_a_local_day_ends_the_windows(stop):
    edges = local_days(at("2026-03-01T23:00"), at(stop), "Europe/Paris")

    assert edges.tolist() == [datetime(2026, 3, 1, 23), datetime(2026, 3, 2, 23)]


@settings(max_examples=200, deadline=None)
@given(
    start=st.datetimes(datetime(1975, 1, 1), datetime(2036, 1, 1)),
    zone=st.sampled_from(
        ["Europe/Paris", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "Africa/Cairo",
         "America/Havana", "Asia/Kathmandu", "Indian/Reunion", "America/Asuncion"]
    ),
    length=st.timedeltas(min_value=datetime(1, 1, 2) - datetime(1, 1, 1), max_value=datetime(1, 1, 9) - datetime(1, 1, 1)),
)  # fmt: skip
def test_local_days_cover_the_span_and_change_the_date_at_every_edge(start, zone, length):
    place = ZoneInfo(zone)
    edges = local_days(np.datetime64(start), np.datetime64(start + length), zone)

    assert edges[0] <= np.datetime64(start) < edges[1]
    assert edges[-2] < np.datetime64(start + length) <= edges[-1]
    for edge in edges:
        before, after = (
            (edge + np.timedelta64(s, "s")).item().replace(tzinfo=UTC).astimezone(place).date()
            for s in (-1, 0)
        )
        assert before < after


def test_times_outside_all_windows_have_no_start():
    edges = hours(at("2026-03-01T10"), at("2026-03-01T12"))
    times = np.array(["2026-03-01T09:59:59", "2026-03-01T10:00", "2026-03-01T12:00"], "M8[us]")

    assert str(floor(times, edges).tolist()) == str([None, datetime(2026, 3, 1, 10), None])


def test_intervals_are_cut_at_every_edge_and_clipped_to_the_windows():
    edges = hours(at("2026-03-01T00"), at("2026-03-01T03"))
    begin = np.array(["2026-02-28T23:50", "2026-03-01T01:10", "2026-03-01T01:20", "2026-03-01T02:30", "2026-03-01T03:00"], "M8[us]")  # fmt: skip
    end = np.array(["2026-03-01T01:10", "2026-03-01T01:20", "2026-03-01T01:20", "2026-03-01T09:00", "2026-03-01T04:00"], "M8[us]")  # fmt: skip

    interval, window, length = overlaps(begin, end, edges)

    assert interval.tolist() == [0, 0, 1, 3]
    assert window.tolist() == [0, 1, 1, 2]
    assert (length // 60_000_000).tolist() == [60, 10, 10, 30]
