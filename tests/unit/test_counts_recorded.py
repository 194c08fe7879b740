"""Recorded counts of four cities, from the files beside the repository, by the kernels."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from processors import windows
from processors.calendars import weekdays
from processors.mobility import aadt, counting, design_hour, parking, weekday
from processors.mobility.cells import cell_sums, total_of_all
from processors.mobility.held import hold

nan = np.nan


@pytest.fixture(scope="module")
def fremont(shared: Path) -> pd.DataFrame:
    table = pd.read_csv(shared / "data/seattle-fremont-2016/fremont_2016.csv")
    table["Date"] = pd.to_datetime(table["Date"], format="%m/%d/%Y %I:%M:%S %p")
    return table.sort_values("Date", ignore_index=True)


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((shared / "data/expected.json").read_text())[
        "fremont_2016"
    ]
    return found


def days_of(fremont: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Both ways together by hour; the number and the date of each hour's day."""
    ways = fremont.iloc[:, 1:].to_numpy(float).T
    hours = total_of_all(ways, np.zeros(2, int), 1, np.ones(ways.shape, np.bool_))
    date = fremont["Date"].to_numpy().astype("datetime64[D]")
    days = np.unique(date)
    return hours, (date - days[0]).astype(int), days, fremont["Date"].dt.hour.to_numpy()


def test_a_year_at_fremont_bridge_gives_the_published_averages(
    fremont: pd.DataFrame, expected: dict[str, float]
):
    hours, day, days, _ = days_of(fremont)
    total, whole = cell_sums(hours, day, 366)
    month = days.astype("datetime64[M]").astype(int) % 12 + 1

    assert (len(fremont), int(np.isnan(hours).sum())) == (8784, 1)
    assert total.sum() == expected["total"] == 982_470
    assert np.flatnonzero(whole[0] != 24).tolist() == [72]  # 13 March, 23 hours
    day_of = {str(d): v for d, v in zip(days, total[0], strict=True)}
    assert day_of["2016-03-13"] == expected["total_2016-03-13"] == 334
    assert day_of["2016-11-06"] == expected["total_2016-11-06"] == 1509
    assert max(day_of, key=lambda d: day_of[d]) == expected["max_day_date"] == "2016-05-02"
    assert aadt.simple(total).value[0] == pytest.approx(2684.3443, abs=5e-5)
    average = aadt.aashto(total, month, weekdays(days))
    assert (round(float(average.value[0]), 4), average.cells[0]) == (2685.1113, 84)
    assert round(float(average.value[0]), 4) == expected["AADT_AASHTO_84"]


def test_the_highest_hour_at_fremont_bridge_has_957_bikes_and_a_k_of_0_35641(
    fremont: pd.DataFrame, expected: dict[str, float]
):
    hours, _, _, hour = days_of(fremont)
    top, column = design_hour.highest_hour(hours)
    working = fremont["Date"].dt.day_of_week.to_numpy() < 5
    profile, _ = weekday.day_profile(hours, hour, working)

    assert top[0] == expected["max_hour"] == 957
    assert hours[0, column[0]] == 957
    k = design_hour.k_factor(top, [expected["AADT_AASHTO_84"]])
    assert round(float(k[0]), 5) == expected["K_max_hour_over_AADT"] == 0.35641
    assert weekday.peak_hour(profile)[0] == expected["weekday_peak_hour_by_mean"] == 17


def test_the_hourly_average_at_fremont_bridge_is_close_to_the_one_by_days(fremont: pd.DataFrame):
    hours, _, days, hour = days_of(fremont)
    date = fremont["Date"].to_numpy().astype("datetime64[D]")
    month = date.astype("datetime64[M]").astype(int) % 12 + 1
    often = np.bincount(
        days.astype("datetime64[M]").astype(int) % 12 * 7 + weekdays(days), minlength=84
    )

    average = aadt.hourly(hours, month, weekdays(date), hour, often.reshape(12, 7))

    assert average.cells[0] == 2016
    assert average.value[0] == pytest.approx(2684.34, rel=2e-3)


def test_counters_of_montreal_that_were_never_read_are_unknown_and_zeros_in_winter_are_zeros(
    shared: Path,
):
    table = pd.read_csv(
        shared / "data/montreal-bikes-2012/bikes.csv", sep=";", encoding="latin-1", dayfirst=True,
        parse_dates=["Date"], index_col="Date",
    )  # fmt: skip
    count = table.to_numpy(float).T
    average = aadt.simple(count)

    silent = np.isnan(count).all(axis=1)
    assert int(silent.sum()) == 2
    assert np.isnan(average.value[silent]).all()
    assert average.cells[silent].tolist() == [0, 0]
    assert not np.isnan(average.value[~silent]).any()
    assert (count == 0).any()
    # November and December were not counted: no strict AADT.
    month, day = table.index.month.to_numpy(), table.index.day_of_week.to_numpy()
    assert (aadt.aashto(count, month, day).cells[~silent] < 84).all()


def test_the_export_of_the_loire_covers_all_365_days_in_spite_of_the_hole_in_october(shared: Path):
    table = pd.read_csv(shared / "data/ecocompteur-loire-2022/measure.csv")
    begin = pd.to_datetime(table["start_datetime"], utc=True).dt.tz_localize(None)
    end = pd.to_datetime(table["end_datetime"], utc=True).dt.tz_localize(None)
    edges = windows.local_days(
        windows.first_instant(date(2022, 1, 1), "Europe/Paris"),
        windows.first_instant(date(2023, 1, 1), "Europe/Paris"), "Europe/Paris",
    )  # fmt: skip

    assert len(edges) == 366
    assert table["channel_id"].nunique() == 10
    holes = 0
    for _, rows in table.groupby("channel_id"):
        begins, ends = (one[rows.index].to_numpy().astype("datetime64[us]") for one in (begin, end))
        order = np.argsort(begins)
        begins, ends = begins[order], ends[order]
        assert counting.covered_days(begins, ends, edges).all()
        holes += int((begins[1:] > ends[:-1]).sum())
        # Stored by its start, each count lies in its own local day.
        assert np.bincount(windows.window_of(begins, edges), minlength=365).tolist() == [1] * 365
    assert holes == 10


def test_a_counter_of_the_loire_that_reports_0_for_weeks_is_suspect_and_busy_ones_are_not(
    shared: Path,
):
    table = pd.read_csv(shared / "data/ecocompteur-loire-2022/measure.csv")
    count = table["count"].to_numpy(float).reshape(10, 365)
    assert (
        table["channel_id"].to_numpy().reshape(10, 365)
        == table["channel_id"].to_numpy()[::365, None]
    ).all()

    suspect = counting.suspect_zeros(count, whole=True)

    assert suspect.any()
    assert (count[suspect] == 0).all()
    lively = (count > 0).all(axis=1)
    assert not suspect[lively].any()


def test_zeros_of_a_night_at_a_car_park_of_muenster_are_closed_and_those_of_noon_are_full(
    shared: Path,
):
    table = pd.read_csv(shared / "data/muenster-parking/2019-08-21.csv", index_col=0)
    free, names = table.to_numpy(float).T, list(table.columns)
    local = pd.to_datetime(table.index).tz_localize("Europe/Berlin")
    time = local.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    edges = windows.local_days(time[0], time[-1], "Europe/Berlin")
    series, size = free.shape
    row, times = np.repeat(np.arange(series), size), np.tile(time, series)
    # Nobody says how large they are: the most that is ever free will do here.
    capacity = np.repeat(free.max(axis=1), size)
    value, step = free.ravel(), np.full(series, 450)

    leaps = parking.leaps_to_zero(row, times, value, capacity, 2 * step)
    taken, _ = parking.occupied(value, capacity)
    percent = parking.rate(taken, capacity)
    held = hold(row, times, step, edges, np.datetime64("2019-08-23"))
    naive = parking.use(held, percent)
    day = parking.use(held, np.where(leaps, nan, percent))

    place = names.index("PP Hörsterplatz")
    quiet = leaps.reshape(series, size)[place]
    assert table.index[quiet][0] == "2019-08-21 00:00"
    assert quiet.sum() == 85 + 27  # 00:00 to 07:00 and 21:45 to 23:55
    assert naive.full[place, 0] > 560 > day.full[place, 0] > 0
    assert day.known[place, 0] == 1440 - 5 * (85 + 27)
    # An arcade that fills car by car is full when it says so, and broken at seven.
    arcade = names.index("PH Münster Arkaden")
    assert leaps.reshape(series, size)[arcade].sum() == 8
    assert naive.full[arcade, 0] - day.full[arcade, 0] == 40
    assert not parking.without_sensor(np.tile(free.max(axis=1)[:, None], (1, 7)), 7).any()
