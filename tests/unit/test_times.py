"""What devices call a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector import times

NOON_US = 1_714_564_800_000_000  # 2024-05-01T12:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01T14:00:00+02:00",
        "2024-05-01T14:00:00+0200",
        "2024-05-01T14:00+02",
        "2024-05-01 12:00:00",
        "2024-05-01T12:00:00,000",
        " 2024-05-01T12:00:00Z ",
        "1714564800",
        "1714564800.0",
        "1.7145648e9",
        "1714564800000",
        "1714564800000000",
        "1714564800000000999",
    ],
)
def test_the_same_instant_is_said_in_many_ways(text: str) -> None:
    assert times.from_text(text, "UTC") == NOON_US


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "12:00:00",
        "01/05/2024 12:00",
        "2024-13-01T12:00:00Z",
        "2024-05-01T25:00:00Z",
        "2024-05-01T24:01:00Z",
        "9999-12-31T24:00:00Z",
        "1e60",
        "9" * 41,
        "٢٠٢٤",
        "nan",
    ],
)
def test_what_is_no_time_is_said_so(text: str) -> None:
    with pytest.raises(times.NotATime):
        times.from_text(text, "UTC")


@pytest.mark.parametrize(
    ("number", "microseconds"),
    [
        (99_999_999_999, 99_999_999_999_000_000),
        (100_000_000_000, 100_000_000_000_000),
        (99_999_999_999_999, 99_999_999_999_999_000),
        (100_000_000_000_000, 100_000_000_000_000),
        (99_999_999_999_999_999, 99_999_999_999_999_999),
        (100_000_000_000_000_000, 100_000_000_000_000),
        (-1, -1_000_000),
        (0.000001, 1),
        (1_714_564_800_000.5, NOON_US + 500),
    ],
)
def test_the_magnitude_tells_the_unit_of_an_epoch_time(number: float, microseconds: int) -> None:
    assert times.from_number(number) == microseconds


@pytest.mark.parametrize("number", [1e20, -1e20, float("inf"), float("nan")])
def test_a_number_beyond_nanoseconds_is_no_time(number: float) -> None:
    with pytest.raises(times.NotATime):
        times.from_number(number)


def test_an_epoch_number_as_text_is_no_date_of_the_basic_form() -> None:
    # datetime.fromisoformat alone reads the 10th of October of the year 1710 here.
    assert times.from_text("1710101012345", "UTC") == 1_710_101_012_345_000


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-03-31T01:59:59", "2024-03-31T00:59:59Z"),
        ("2024-03-31T02:30:00", "2024-03-31T01:30:00Z"),
        ("2024-03-31T03:00:00", "2024-03-31T01:00:00Z"),
        ("2024-10-27T02:30:00", "2024-10-27T00:30:00Z"),
        ("2024-10-27T03:00:00", "2024-10-27T02:00:00Z"),
        ("2024-10-27T24:00", "2024-10-27T23:00:00Z"),
    ],
)
def test_local_times_around_the_changes_of_clocks(text: str, utc: str) -> None:
    assert times.from_text(text, "Europe/Paris") == times.from_text(utc, "UTC")


def test_digits_beyond_the_microsecond_are_cut_off() -> None:
    assert times.from_text("2024-05-01T11:59:59.999999999Z", "UTC") == NOON_US - 1


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 253_402_300_800.0, -1e12])
def test_seconds_outside_the_calendar_are_no_time(seconds: float) -> None:
    with pytest.raises(times.NotATime):
        times.from_seconds(seconds)


@given(moment=st.datetimes(timezones=st.just(UTC)))
@example(moment=datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
def test_every_instant_written_in_iso_8601_comes_back(moment: datetime) -> None:
    exact = (moment - times.EPOCH) // timedelta(microseconds=1)

    assert times.from_text(moment.isoformat(), "UTC") == exact


@given(text=st.text(max_size=40) | st.from_regex(r"[0-9T:.+Z -]{1,35}", fullmatch=True))
def test_no_text_raises_anything_but_not_a_time(text: str) -> None:
    try:
        time_us = times.from_text(text, "Europe/Paris")
    except times.NotATime:
        return
    assert abs(time_us) < 2**62
