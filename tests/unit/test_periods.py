"""Periods that figures count for, on local clocks and at a regulator's offset."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.periods import edges
from storage.indicators.word import Period


def at(text: str) -> np.datetime64:
    return np.datetime64(text, "us")


def hours(period: Period, start: str, stop: str, zone: str, offset_h: int = 1) -> list[int]:
    between = np.diff(edges(period, at(start), at(stop), zone, offset_h))
    return (between / np.timedelta64(1, "h")).astype(int).tolist()


def test_local_days_have_23_24_and_25_hours_and_a_regulators_days_always_24():
    spring, autumn = (
        ("2026-03-28T23:00", "2026-03-30T22:00"),
        ("2026-10-24T22:00", "2026-10-26T23:00"),
    )
    assert hours(Period.DAY, *spring, "Europe/Paris") == [23, 24]
    assert hours(Period.DAY, *autumn, "Europe/Paris") == [25, 24]
    assert hours(Period.AIR_DAY, *spring, "Europe/Paris") == [24, 24]


def test_a_regulators_day_begins_at_its_offset_whatever_the_zone():
    begins = edges(
        Period.AIR_DAY, at("2026-07-01T12:00"), at("2026-07-01T13:00"), "Asia/Kolkata", 1
    )
    assert begins.tolist()[0].isoformat() == "2026-06-30T23:00:00"
    behind = edges(Period.AIR_DAY, at("2026-07-01T02:00"), at("2026-07-01T03:00"), "UTC", -5)
    assert behind.tolist()[0].isoformat() == "2026-06-30T05:00:00"


def test_weeks_begin_on_monday_and_years_on_new_years_day_by_the_local_clock():
    # Sunday, 23:30 in Paris is still the week before.
    week = edges(Period.WEEK, at("2026-11-22T22:30"), at("2026-11-22T22:31"), "Europe/Paris")
    assert [one.isoformat() for one in week.tolist()] == [
        "2026-11-15T23:00:00",
        "2026-11-22T23:00:00",
    ]
    year = edges(Period.YEAR, at("2026-12-31T23:30"), at("2026-12-31T23:31"), "Europe/Paris")
    assert [one.isoformat() for one in year.tolist()] == [
        "2026-12-31T23:00:00",
        "2027-12-31T23:00:00",
    ]


def test_a_year_has_twelve_months_of_365_days():
    months = hours(Period.MONTH, "2026-01-01T00:00", "2026-12-31T23:00", "UTC")
    assert len(months) == 12
    assert sum(months) == 365 * 24


ZONES = ("UTC", "Europe/Paris", "Asia/Kolkata", "America/New_York", "Pacific/Apia")


@pytest.mark.parametrize("period", Period)
@given(
    start=st.integers(0, 60 * 365 * 24 * 4), length=st.integers(0, 100 * 24 * 4),
    zone=st.sampled_from(ZONES),
)  # fmt: skip
def test_periods_cover_what_was_asked_for_without_holes(
    period: Period, start: int, length: int, zone: str
):
    begin = at("1990-01-01") + np.timedelta64(start * 15, "m")
    end = begin + np.timedelta64(length * 15, "m")
    found = edges(period, begin, end, zone)

    assert found[0] <= begin
    assert found[-1] >= max(end, begin + np.timedelta64(1, "us"))
    assert (np.diff(found) > np.timedelta64(0, "us")).all()
    # No more than is needed: the first and the last period touch the span.
    assert found[1] > begin
    assert found[-2] < max(end, begin + np.timedelta64(1, "us"))
