"""Ozone and means of whole years: AOT40, seasons, several years, nitrogen oxides."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.air.annual import annual_mean, seasons_measured
from processors.air.exposure import aot40, daylight, months_of, peak_season, summer_measured
from processors.air.multi_year import mean_of_years
from processors.air.nitrogen import nitrogen_oxides
from storage.gases import grams_per_share
from storage.units import conversion
from tests.unit import limits_oracle as oracle
from tests.unit.python_calls import calls

NAN = np.nan
HOURS = np.arange("2021-12-31T23", "2022-12-31T23", dtype="datetime64[h]").astype("datetime64[us]")
DAYS = np.arange("2022-01-01", "2023-01-01", dtype="datetime64[D]")
DAY_MONTH = months_of(DAYS.astype("datetime64[us]"), 0)
LOCAL: list[datetime] = (HOURS + np.timedelta64(1, "h")).tolist()
CONCENTRATION = st.one_of(st.floats(0, 300), st.just(NAN))


def year_with_gaps(seed: int, share: float, size: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    value = random.gamma(4, 20, size).round(1)
    start = random.integers(0, size, 3)
    for at in start.tolist():  # outages of weeks beside single values
        value[at : at + size // 30] = NAN
    return np.where(random.random(size) < share, NAN, value)


def test_hours_of_100_85_79_and_120_are_65():
    estimate, measured, valid = aot40(np.array([[100.0, 85.0, 79.0, 120.0]]), 4)

    assert (estimate.tolist(), measured.tolist(), valid.tolist()) == ([65.0], [65.0], [4])


def test_1100_of_1104_hours_are_scaled_and_993_are_too_few():
    season = np.full((1, 1104), 100.0)
    season[0, :4] = NAN
    assert aot40(season, 1104)[0].tolist() == [pytest.approx(1100 * 20 * 1104 / 1100)]

    season[0, :110] = NAN  # 994 are left
    assert aot40(season, 1104)[0].tolist() == [pytest.approx(1104 * 20)]
    season[0, 110] = NAN
    estimate, measured, valid = aot40(season, 1104)
    assert (math.isnan(estimate[0]), measured.tolist(), valid.tolist()) == (True, [19860.0], [993])


def test_may_to_july_has_92_days_of_12_hours_in_winter_time():
    chosen = daylight(HOURS)

    assert chosen.sum() == 92 * 12
    # The first of them begins at 7:00 UTC, which is 9:00 on the clock of that day.
    assert HOURS[chosen][[0, -1]].astype(str).tolist() == [
        "2022-05-01T07:00:00.000000", "2022-07-31T18:00:00.000000"
    ]  # fmt: skip
    assert chosen.tolist() == [oracle.in_daylight(at) for at in HOURS.tolist()]


@given(st.lists(CONCENTRATION, max_size=40), st.integers(0, 3), st.randoms())
def test_aot40_is_what_the_plain_sum_says_in_any_order(hours: list[float], more: int, random):
    due = len(hours) + more
    estimate, measured, valid = (one[0] for one in aot40(np.array([hours]).reshape(1, -1), due))
    expected = oracle.aot40(hours, due)

    np.testing.assert_allclose((estimate, measured), expected[:2], rtol=1e-12)
    assert valid == expected[2]
    random.shuffle(hours)
    np.testing.assert_allclose(aot40(np.array([hours]).reshape(1, -1), due)[1][0], measured)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.3))
def test_seasons_of_ozone_are_measured_as_the_plain_rules_say(seed: int, share: float):
    hour, maximum = year_with_gaps(seed, share, 8760), year_with_gaps(seed + 1, share / 3, 365)
    days = [day.astype("datetime64[s]").tolist() for day in DAYS]
    past = np.arange(8760) < 8760 - (seed % 2) * 3000

    assert summer_measured(maximum[None], DAY_MONTH, hour[None], HOURS).tolist() == [
        oracle.summer_measured(
            list(zip(days, maximum.tolist(), strict=True)),
            list(zip(HOURS.tolist(), hour.tolist(), strict=True)),
        )
    ]
    due = list(zip(LOCAL, hour.tolist(), strict=True))[: int(past.sum())]
    held = seasons_measured(hour[None], months_of(HOURS, 1), past)
    assert held.tolist() == [oracle.seasons_measured(due)]
    np.testing.assert_allclose(
        peak_season(maximum[None], DAY_MONTH)[0][0],
        oracle.peak_season(list(zip(days, maximum.tolist(), strict=True))),
    )


@pytest.mark.parametrize(("days", "measured"), [(27, True), (26, False)])
def test_a_summer_month_needs_27_daily_maxima_and_one_of_six_may_be_missing(
    days: int, measured: bool
):
    maximum, hour = np.full((1, 365), 90.0), np.full((1, 8760), 60.0)
    maximum[:, DAY_MONTH == 5] = NAN
    july = np.flatnonzero(DAY_MONTH == 6)
    maximum[:, july[days:]] = NAN

    assert summer_measured(maximum, DAY_MONTH, hour, HOURS).tolist() == [measured]


def test_a_mean_of_a_year_says_what_it_is_at_least():
    mean, least, valid = annual_mean(np.array([[10.0, NAN, 20.0, NAN], [NAN] * 4]), 4)

    np.testing.assert_array_equal(mean, [15.0, NAN])
    assert (least.tolist(), valid.tolist()) == ([7.5, 0.0], [2, 0])


def test_20_31_and_22_days_are_24_33_in_the_mean_of_three_years():
    mean, valid = mean_of_years(np.array([[20.0, 31.0, 22.0]]), 3, 1)

    assert mean.round(2).tolist() == [[24.33]]
    assert valid.tolist() == [[3]]
    assert round(float(mean[0, 0])) <= 25
    assert round(float(mean[0, 0])) > 18


@given(st.lists(CONCENTRATION, min_size=5, max_size=9), st.sampled_from([(3, 1), (5, 3)]))
def test_means_of_years_take_the_valid_ones(values: list[float], rule: tuple[int, int]):
    years, fewest = rule
    mean, valid = mean_of_years(np.array([values]), years, fewest)
    expected = [
        oracle.mean_of_years(values[at : at + years], fewest)
        for at in range(len(values) - years + 1)
    ]

    np.testing.assert_allclose(mean[0], [one for one, _ in expected], rtol=1e-12)
    assert valid[0].tolist() == [number for _, number in expected]


def test_20_ppb_of_no_and_15_ppb_of_no2_are_66_955_ug_m3_of_nox():
    def mass(gas: str, ppb: float) -> np.ndarray:
        return np.array([ppb * grams_per_share(gas) / 1000])

    total = nitrogen_oxides(mass("no", 20), mass("no2", 15))

    assert total == pytest.approx(66.955, abs=5e-4)
    assert nitrogen_oxides(np.array([1.0]), np.array([0.0])) == pytest.approx(1.5332, abs=5e-5)
    assert np.isnan(nitrogen_oxides(np.array([NAN, 1.0]), np.array([1.0, NAN]))).all()


@pytest.mark.parametrize(
    ("gas", "sent", "kept", "published"),
    [
        ("no", "ppb", "ug/m3", 1.2473),
        ("no2", "ppb", "ug/m3", 1.9125),
        ("o3", "ppb", "ug/m3", 1.9957),
        ("so2", "ppb", "ug/m3", 2.6609),
        ("co", "ppm", "mg/m3", 1.1642),
    ],
)
def test_factors_are_within_0_15_percent_of_the_published_table(
    gas: str, sent: str, kept: str, published: float
):
    assert conversion(sent, kept, gas)[0] == pytest.approx(published, rel=0.0015)


def test_kernels_make_as_many_calls_for_10_series_as_for_10_000():
    month = months_of(DAYS[::5].astype("datetime64[us]"), 0)

    def judge(table: np.ndarray) -> None:
        aot40(table, 73)
        annual_mean(table, 73)
        peak_season(table, month)
        seasons_measured(table, month, np.ones(73, np.bool_))
        summer_measured(table, month, table, DAYS[::5].astype("datetime64[us]"))
        mean_of_years(table, 3, 1)
        nitrogen_oxides(table, table)

    few, many = (np.random.default_rng(1).random((n, 73)) * 100 for n in (10, 10_000))
    assert calls(judge, few) == calls(judge, many)
