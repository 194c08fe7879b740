"""Tariffs by the local clock: every minute has one period, and the parts are the whole."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.calendars import public_holidays
from processors.energy import clock, tariff
from processors.windows import hours, quarter_hours
from storage.facts.energy_loads import TariffPeriod
from tests.unit import load_oracle as oracle
from tests.unit.python_calls import calls

WINTER = TariffPeriod(
    name="HPH", class_="full", hours=("06:00-22:00",), season=("11-01", "03-31"), price=0.2
)
PEAK = TariffPeriod(
    name="P", class_="peak", hours=("09:00-11:00", "18:00-20:00"), season=("12-01", "02-28"),
    weekdays=("mon", "tue", "wed", "thu", "fri"), price=0.4,
)  # fmt: skip
SUMMER = TariffPeriod(name="HPE", class_="full", hours=("06:00-22:00",), price=0.1)
REST = TariffPeriod(name="HC", class_="offpeak", price=0.05)
PERIODS = (PEAK, WINTER, SUMMER, REST)
ODD = (TariffPeriod(name="HC", class_="offpeak", hours=("22:38-06:38",)), REST)


def shares(periods: tuple[TariffPeriod, ...], edges: np.ndarray, zone: str) -> np.ndarray:
    dates = clock.dates_around(edges, zone)
    holiday = public_holidays(dates, "FR")
    period = tariff.period_of_minute(periods, dates, holiday)
    return tariff.shares(period, len(periods), edges, zone, dates)


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata", "Indian/Reunion"])
@pytest.mark.parametrize(
    "begin", ["2026-03-28T12", "2026-10-24T12", "2026-02-27T12", "2025-12-24T12", "2026-05-01T00"]
)
@pytest.mark.parametrize("periods", [PERIODS, ODD])
def test_what_holds_in_each_hour_is_what_a_person_reads_off_the_clock(periods, begin, zone):
    start = np.datetime64(begin, "us")
    edges = hours(start, start + np.timedelta64(40, "h"))
    holidays = {datetime(2025, 12, 25).date(), datetime(2026, 5, 1).date()}

    share = shares(periods, edges, zone)

    slow = np.zeros(share.shape)
    for window, low in enumerate(edges[:-1]):
        first: datetime = low.item()
        for wall in oracle.minutes_between(first, edges[window + 1].item(), zone):
            number = next(
                k
                for k, one in enumerate(periods)
                if oracle.holds(wall, list(one.hours), list(one.weekdays), one.season, holidays)
            )
            slow[number, window] += 1 / 60
    np.testing.assert_allclose(share, slow, atol=1e-12)


def test_off_peak_from_22_38_takes_22_of_the_60_minutes_of_its_hour():
    edges = hours(np.datetime64("2026-01-10T21"), np.datetime64("2026-01-10T22"))

    assert shares(ODD, edges, "Europe/Paris")[0].tolist() == pytest.approx([22 / 60])


@pytest.mark.parametrize(
    ("day", "offpeak", "full"),
    [("2026-03-29", 7, 16), ("2026-10-25", 9, 16), ("2026-06-01", 8, 16)],
)
def test_the_clock_change_is_in_the_night_tariff(day: str, offpeak: int, full: int):
    plan = (TariffPeriod(name="HP", class_="full", hours=("06:00-22:00",)), REST)
    before = 1 if day == "2026-03-29" else 2
    begin = np.datetime64(f"{day}T00", "us") - np.timedelta64(before, "h")
    edges = hours(begin, begin + np.timedelta64(offpeak + full, "h"))

    share = shares(plan, edges, "Europe/Paris")

    assert share.sum(axis=1).tolist() == [full, offpeak]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 9999),
    begin=st.integers(0, 363 * 24),
    cut=st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), max_size=3),
)
def test_the_periods_of_a_tariff_add_up_to_the_whole_day(seed, begin, cut):
    stretches = [f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in cut if a != b]
    plan = (
        *(TariffPeriod(name=s, class_="full", hours=(s,), price=0.1) for s in stretches),
        TariffPeriod(name="rest", class_="offpeak", price=0.1),
    )
    start = np.datetime64("2026-01-01T00", "us") + np.timedelta64(begin, "h")
    edges = quarter_hours(start, start + np.timedelta64(24, "h"))
    amount = np.random.default_rng(seed).random((3, len(edges) - 1))
    amount[0, :10] = np.nan

    drawn = tariff.by_period(amount, shares(plan, edges, "Europe/Paris"), np.array([0, 40]))

    whole = np.add.reduceat(np.nan_to_num(amount), [0, 40], axis=1)
    np.testing.assert_allclose(drawn.sum(axis=0), whole)
    np.testing.assert_allclose(tariff.cost(drawn, np.full(len(plan), 0.1)), 0.1 * whole)


def test_a_day_of_which_nothing_is_known_has_no_energy_and_no_cost():
    drawn = tariff.by_period(np.full((1, 4), np.nan), np.ones((1, 4)), np.array([0]))

    assert np.isnan(drawn).all()
    assert np.isnan(tariff.cost(drawn, np.array([0.1]))).all()


def test_energy_without_a_price_makes_the_cost_unknown_and_none_drawn_does_not():
    price = np.array([0.2, np.nan])

    assert np.isnan(tariff.cost(np.array([[[1.0]], [[1.0]]]), price)).all()
    assert tariff.cost(np.array([[[1.0]], [[0.0]]]), price).tolist() == [[0.2]]


def test_a_tariff_makes_as_many_python_calls_for_10_meters_as_for_10000():
    share, first = np.full((2, 96), 0.5), np.array([0])

    def kernel(amount: np.ndarray) -> None:
        tariff.cost(tariff.by_period(amount, share, first), np.array([0.1, 0.2]))

    assert calls(kernel, np.ones((10, 96))) == calls(kernel, np.ones((10_000, 96)))
