"""The sun, and street lights that follow it."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from astral import Observer
from astral import sun as reference

from processors.energy import lighting, sun
from processors.windows import hours, quarter_hours
from tests.unit import load_oracle as oracle
from tests.unit.python_calls import calls

PLACES = [(48.8566, 2.3522), (43.30, 5.37), (50.63, 3.06), (-21.11, 55.54), (16.24, -61.53), (60.17, 24.94)]  # fmt: skip
LATITUDE, LONGITUDE = (np.array(column) for column in zip(*PLACES, strict=True))
DATES = np.arange("2024-01-01", "2025-01-01", 13, dtype="datetime64[D]")


def at(date: np.datetime64, hour: float) -> datetime.datetime:
    midnight = datetime.datetime.combine(date.item(), datetime.time())
    return midnight + datetime.timedelta(hours=float(hour))


def test_the_sun_rises_and_sets_within_2_minutes_of_an_independent_calculation():
    found = sun.daylight(DATES, LATITUDE, LONGITUDE)

    for place, (latitude, longitude) in enumerate(PLACES):
        for day, date in enumerate(DATES):
            for name, ours in (("sunrise", found.rise), ("sunset", found.set)):
                # The reference knows days of UTC: an event may be on the one before or after.
                apart = min(
                    abs(
                        getattr(reference, name)(
                            Observer(latitude, longitude), date.item() + datetime.timedelta(shift)
                        ).replace(tzinfo=None)
                        - at(date, ours[place, day])
                    )
                    for shift in (-1, 0, 1)
                )
                assert apart < datetime.timedelta(minutes=2), (latitude, date, name)


def test_the_sun_stands_highest_halfway_between_rise_and_set():
    found = sun.daylight(DATES, LATITUDE, LONGITUDE)

    np.testing.assert_allclose((found.rise + found.set) / 2, found.noon, atol=0.03)


def test_where_the_sun_does_not_set_it_is_never_dark_and_where_it_does_not_rise_always():
    june = hours(np.datetime64("2024-06-20T00"), np.datetime64("2024-06-22T00"))
    december = hours(np.datetime64("2024-12-20T00"), np.datetime64("2024-12-22T00"))
    north = np.array([78.0]), np.array([15.6])

    assert sun.dark(june, *north).max() == 0.0
    assert sun.dark(december, *north).min() == 1.0


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_what_is_dark_in_each_quarter_hour_is_what_lies_outside_sunrise_and_sunset(place: int):
    edges = quarter_hours(np.datetime64("2024-03-10T00"), np.datetime64("2024-03-12T00"))
    one = LATITUDE[place : place + 1], LONGITUDE[place : place + 1]
    dates = np.arange("2024-03-08", "2024-03-15", dtype="datetime64[D]")
    up = sun.daylight(dates, *one)

    found = sun.dark(edges, *one, 0.25)

    for window, low in enumerate(edges[:-1]):
        minute = [low.item() + datetime.timedelta(seconds=30 + 60 * k) for k in range(15)]
        light = sum(
            any(
                at(d, rise - 0.25) <= m < at(d, fall + 0.25)
                for d, rise, fall in zip(dates, up.rise[0], up.set[0], strict=True)
            )
            for m in minute
        )
        assert found[0, window] == pytest.approx(1 - light / 15, abs=0.08)


def test_lights_that_go_on_15_minutes_after_sunset_burn_4_120_hours_in_paris_in_2024():
    edges = hours(np.datetime64("2024-01-01T00"), np.datetime64("2025-01-01T00"))
    dark = sun.dark(edges, LATITUDE[:1], LONGITUDE[:1], 0.25)

    energy = lighting.expected_energy(
        dark, np.array([2.0]), np.ones(dark.shape), np.ones(dark.shape[1])
    )

    assert energy.sum() / 2 == pytest.approx(4120, abs=5)
    assert 4000 < dark.sum() < 4200


def test_more_than_5_percent_of_the_nights_power_at_noon_is_a_day_burner():
    night, installed = np.array([2.0, 2.0, 0.0]), np.full(3, 2.0)

    share = lighting.day_burning(np.array([0.1, 0.11, 1.0]), night, installed)

    assert (share > lighting.DAY_BURNER).tolist() == [False, True, True]


def test_less_than_80_percent_of_what_is_installed_has_failed_lamps():
    ratio = lighting.night_ratio(np.array([1.6, 1.59, 0.0]), np.full(3, 2.0))

    assert (ratio < lighting.FAILED).tolist() == [False, True, True]


def test_dimmed_lights_are_expected_to_draw_less():
    dark = np.array([[1.0, 1.0, 0.5]])
    left = np.array([[1.0, 0.5, 1.0]])

    found = lighting.expected_energy(dark, np.array([4.0]), left, np.ones(3))

    assert found.tolist() == [[4.0, 2.0, 2.0]]


def test_nothing_measured_is_neither_dark_nor_burning():
    nothing = np.array([np.nan])

    assert np.isnan(lighting.day_burning(nothing, nothing, np.array([2.0]))).all()
    assert np.isnan(lighting.night_ratio(nothing, np.array([2.0]))).all()
    assert np.isnan(sun.dark(hours(np.datetime64("2024-03-10T00"), np.datetime64("2024-03-10T02")),
                             nothing, nothing)).all()  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_means_of_marked_windows_are_those_of_plain_python(seed: int):
    random = np.random.default_rng(seed)
    power = np.where(random.random((4, 30)) < 0.3, np.nan, random.random((4, 30)))
    mask, first = random.random((4, 30)) < 0.5, np.array([0, 2, 19])

    found = lighting.mean_where(power, mask, first)

    for row in range(4):
        slow = oracle.mean_where(power[row].tolist(), mask[row].tolist(), first.tolist())
        np.testing.assert_allclose(found[row], slow)


def test_lighting_makes_as_many_python_calls_for_10_cabinets_as_for_10000():
    edges = quarter_hours(np.datetime64("2024-03-10T00"), np.datetime64("2024-03-11T00"))

    def kernel(latitude: np.ndarray) -> None:
        dark = sun.dark(edges, latitude, latitude / 10, 0.25)
        noon = sun.around_noon(edges, latitude / 10)
        left = np.ones(dark.shape)
        due = lighting.expected_energy(dark, latitude, left, np.full(96, 0.25))
        night = lighting.mean_where(due, dark == 1.0, np.array([0]))
        lighting.day_burning(lighting.mean_where(due, noon, np.array([0])), night, night)
        lighting.night_ratio(night, night)

    assert calls(kernel, np.linspace(1, 60, 10)) == calls(kernel, np.linspace(1, 60, 10_000))
