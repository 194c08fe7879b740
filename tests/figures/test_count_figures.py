"""Counts over a year: from rollups and readings to figures."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, windows
from processors.calendars import local_dates, local_time, weekdays
from tests.integration.counted_city import (
    HOUR,
    LATER,
    MINE,
    MONDAY,
    PARIS,
    facts,
    passes,
    readings_arrive,
    sensor,
    store,
    store_year,
    told,
)
from tests.integration.small_city import Line, register
from tests.unit import counts_oracle as oracle


@pytest.fixture
async def year(pool: asyncpg.Pool, connection: psycopg.Connection) -> dict[str, Any]:
    """2024 at a site with a lane into town, one out of it, and heavy vehicles inwards."""
    into, out, heavy = register(
        connection, [Line("vehicles", 3600), Line("vehicles", 3600), Line("heavy_vehicles", 3600)]
    )
    connection.execute(
        "UPDATE city.series SET field = 'h', sensor_id ="
        " (SELECT sensor_id FROM city.series WHERE series_id = %s) WHERE series_id = %s",
        [into, heavy],
    )
    facts(
        connection,
        direction=[
            {"site": "site", "name": "in", "sensors": [sensor(connection, into)]},
            {"site": "site", "name": "out", "sensors": [sensor(connection, out)]},
        ],
        calendar=[{"country": "FR", "subdivision": "57", "school_zone": "B"}],
        school_holidays=[{"zone": "B", "from": "2024-07-06", "to": "2024-09-01"}],
    )
    starts = windows.hours(
        windows.first_instant(date(2024, 1, 1), PARIS),
        windows.first_instant(date(2025, 1, 1), PARIS),
    )[:-1]
    wall = local_time(starts, PARIS)
    days, hour = wall.astype("datetime64[D]"), wall.astype("datetime64[h]").astype(int) % 24
    rng = np.random.default_rng(4)
    busy = np.where(weekdays(days) < 5, 1.0, 0.4) * np.where(
        hour == 8, 90, np.where(hour == 17, 70, 20)
    )
    count = rng.poisson(busy, (2, len(starts))).astype(float)
    count[1, rng.random(len(starts)) < 0.005] = np.nan
    count[0, days == np.datetime64("2024-02-14")] = np.nan
    store_year(connection, into, count[0], starts)
    store_year(connection, out, count[1], starts)
    store_year(connection, heavy, np.full(len(starts), 3.0), starts)
    done = await refresh.recompute(pool, starts[0], starts[-1], now=LATER, only=MINE)
    assert done.failed == []
    return {"count": count, "days": days, "hour": hour, "starts": starts, "into": into, "out": out}


def daily(count: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, list[date]]:
    """Sums of the days that lack no hour, in plain Python."""
    found: dict[date, float] = {}
    for day, value in zip(days.tolist(), count.tolist(), strict=True):
        found[day] = found.get(day, 0.0) + value
    return np.array(list(found.values())), list(found)


async def test_averages_and_the_30th_hour_of_a_year_are_what_plain_python_makes_of_them(
    connection: psycopg.Connection, year: dict[str, Any]
):
    count, days, hour = year["count"], year["days"], year["hour"]
    total, dates = daily(count[0], days)
    lane, _ = daily(count[1], days)
    site = total + lane

    # Each lane, and heavy vehicles with their 72 in 24 hours.
    expected = oracle.aashto(total.tolist(), dates)
    found = told(connection, "aadt", "value, n, due, status, method, provisional")
    assert found[0][0] == pytest.approx(expected[0], rel=1e-12)
    assert found[0][1:] == (84, 84, "complete", "every-slot-1", False)
    assert told(connection, "aadt_simple", "n, due, status")[0] == (365, 366, "partial")
    assert told(connection, "aadt_simple")[0] == pytest.approx(oracle.mean(total.tolist()))
    assert told(connection, "aadt")[2] == pytest.approx(72, rel=1e-3)
    # The site, from days that are whole in both lanes.
    expected = oracle.aashto(site.tolist(), dates)
    (found,) = told(connection, "site_aadt_vehicles", "value, n, status, site")
    assert found == (pytest.approx(expected[0], rel=1e-12), expected[1], "complete", "site")
    # 26 December and Good Friday are no working days in Moselle: 252 less 2 are 250.
    working = [
        value for day, value in zip(dates, total.tolist(), strict=True)
        if day.weekday() < 5 and day not in HOLIDAYS
    ]  # fmt: skip
    assert told(connection, "aadt_working_days", "value, n, due, method")[0] == (
        pytest.approx(oracle.mean(working)), 249, 250, "working-days-1",
    )  # fmt: skip
    expected = oracle.hourly(count[1].tolist(), days.tolist(), hour.tolist(), 2024)
    found = told(connection, "aadt_hourly", "value, n, due, status, series_id")[1]
    assert found == (pytest.approx(expected[0], rel=1e-12), 2016, 2016, "complete", year["out"])
    # Heavy vehicles are told apart in one lane only: their share is that of this lane.
    heavy = np.where(np.isnan(total), np.nan, np.unique(days, return_counts=True)[1] * 3)
    share, both = oracle.share(heavy.tolist(), total.tolist())
    assert told(connection, "aadt_heavy_share", "value, n, due") == [
        (pytest.approx(share), both, 366)
    ]

    # The 30th highest hour of both directions together, and how they share it.
    starts = year["starts"]
    both_ways = count.sum(axis=0)
    volume, column = oracle.highest(both_ways.tolist(), 30)
    (day,) = told(connection, "site_aadt_vehicles")
    stronger = count[:, column].max() / volume

    assert told(connection, "design_hour_volume", "value, at AT TIME ZONE 'UTC', status") == [
        (volume, starts[column].item(), "complete")
    ]
    assert told(connection, "k30") == [pytest.approx(volume / day)]
    assert told(connection, "k_max") == [pytest.approx(np.nanmax(both_ways) / day)]
    assert told(connection, "d_factor") == [pytest.approx(stronger)]
    assert told(connection, "ddhv") == [pytest.approx(volume * stronger)]


HOLIDAYS = {
    date(2024, *day)
    for day in [
        (1, 1), (3, 29), (4, 1), (5, 1), (5, 8), (5, 9), (5, 20), (7, 14), (8, 15), (11, 1),
        (11, 11), (12, 25), (12, 26),
    ]
}  # fmt: skip


async def test_profiles_stand_in_the_first_hours_of_a_year_with_days_of_23_and_25(
    connection: psycopg.Connection, year: dict[str, Any]
):
    count, days, hour = year["count"][0], year["days"], year["hour"]
    working = np.array([d.weekday() < 5 and d not in HOLIDAYS for d in days.tolist()])
    free = (days >= np.datetime64("2024-07-06")) & (days <= np.datetime64("2024-09-01"))
    mine = f"series_id = {year['into']}"

    def profile(name: str) -> list[float]:
        rows = connection.execute(
            "SELECT value FROM mobility.figures"
            f" WHERE indicator = %s AND {mine} ORDER BY start", [name]
        ).fetchall()  # fmt: skip
        return [row[0] for row in rows]

    for name, chosen in (
        ("profile_working_day", working),
        ("profile_school_holidays", working & free),
        ("profile_school_term", working & ~free),
        ("profile_saturday", (weekdays(days) == 5) & ~np.isin(days, list(HOLIDAYS))),
        (
            "profile_sunday_holiday",
            ~working & ((weekdays(days) != 5) | np.isin(days, list(HOLIDAYS))),
        ),
    ):
        plain = oracle.profile(count[chosen].tolist(), hour[chosen].tolist(), 24)
        assert profile(name) == pytest.approx(plain), name
    plain = oracle.profile(count.tolist(), (weekdays(days) * 24 + hour).tolist(), 168)
    assert profile("profile_week") == pytest.approx(plain)
    assert (
        told(connection, "weekday_peak_hour", "value, method")[:2] == [(8.0, "working-days-1")] * 2
    )
    first = told(connection, "profile_week", "start AT TIME ZONE 'UTC', n, due, provisional")[0]
    assert first == (date_time("2023-12-31T23:00"), 53, 53, False)

    # Days of 23 and 25 hours are whole; directions are compared by month.
    long = connection.execute(
        "SELECT n, due, status, start AT TIME ZONE 'UTC' FROM mobility.figures"
        " WHERE indicator = 'day_count' AND series_id = %s AND due <> 24 ORDER BY start",
        [year["into"]],
    ).fetchall()

    assert [row[:3] for row in long] == [(23, 23, "complete"), (25, 25, "complete")]
    assert [row[3].date() for row in long] == [date(2024, 3, 30), date(2024, 10, 26)]
    into, dates = daily(year["count"][0], days)
    out, _ = daily(year["count"][1], days)
    whole = [
        (a, b) for a, b, day in zip(into.tolist(), out.tolist(), dates, strict=True)
        if day.month == 3 and not np.isnan(a + b)
    ]  # fmt: skip
    sums = [sum(part) for part in zip(*whole, strict=True)]
    march = told(connection, "imbalance_vehicles", "value, n, due, status")[2]
    assert march == (
        pytest.approx(abs(sums[0] - sums[1]) / sum(sums)), len(whole), 31, "partial",
    )  # fmt: skip


def date_time(text: str) -> Any:
    return np.datetime64(text, "us").item()


async def test_a_day_that_lacks_an_hour_is_unknown_until_it_arrives_late(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("bikes", 3600)])
    hours = [MONDAY + k * HOUR for k in range(24)]
    await readings_arrive(pool, series, hours[:7] + hours[8:], [2.0] * 23)
    await passes(pool)
    what = "value, n, due, status, provisional"
    assert told(connection, "day_count", what) == [(None, 23, 24, "insufficient", False)]

    await readings_arrive(pool, series, hours[7:8], [0.0])
    await passes(pool)
    assert told(connection, "day_count", what) == [(46.0, 24, 24, "complete", False)]
    assert told(connection, "aadt_simple", what) == [(None, 1, 366, "insufficient", False)]
    # One calendar day is nobody's habit either.
    assert told(connection, "profile_week", "value, n")[24:26] == [(None, 0)] * 2
    assert told(connection, "aadt_working_days", "method") == ["monday-to-friday-1"]


async def test_19_hours_are_accepted_where_the_city_says_so_and_18_are_not(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    facts(connection, day_hours=19)
    (series,) = register(connection, [Line("bikes", 3600)])
    hours = [MONDAY + k * HOUR for k in range(19)]
    await readings_arrive(pool, series, hours[:18], [2.0] * 18)
    await passes(pool)
    assert told(connection, "day_count", "value, status") == [(None, "insufficient")]

    await readings_arrive(pool, series, hours[18:], [2.0])
    await passes(pool)
    assert told(connection, "day_count", "value, status, method") == [
        (38.0, "partial", "accepted-hours-1")
    ]


async def test_a_day_is_told_when_it_is_over_and_its_year_is_provisional(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("bikes", 3600)])
    hours = [MONDAY + k * HOUR for k in range(36)]
    await readings_arrive(pool, series, hours, [1.0] * 36)
    await passes(pool, MONDAY + 36 * HOUR)

    assert told(connection, "day_count", "value, provisional") == [(24.0, False)]
    assert told(connection, "aadt", "value, n, provisional") == [(None, 1, True)]


async def test_figures_of_readings_that_are_gone_go_too(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("bikes", 86400)])
    await readings_arrive(pool, series, [MONDAY], [900.0])
    await passes(pool)
    assert told(connection, "day_count") == [900.0]
    assert len(told(connection, "aadt", "status")) == 1

    connection.execute("DELETE FROM mobility.reading")
    connection.execute(
        "INSERT INTO pipeline.dirty (domain, start, series_id) VALUES ('mobility', %s, %s)",
        [f"{MONDAY}+00", [series]],
    )
    await passes(pool)
    assert connection.execute("SELECT count(*) FROM mobility.figure").fetchone() == (0,)


async def test_the_hole_of_october_in_daily_exports_costs_no_day(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("pedestrians", 86400)])
    begin = [
        np.datetime64(one, "us") for one in ("2024-10-25T22", "2024-10-26T23", "2024-10-27T23")
    ]
    await readings_arrive(pool, series, begin, [5.0, 7.0, 0.0])
    await passes(pool)

    assert told(connection, "day_count", "value, n, due, status") == [
        (5.0, 1, 1, "complete"), (7.0, 1, 1, "complete"), (0.0, 1, 1, "complete"),
    ]  # fmt: skip


async def test_zeros_of_a_counter_that_fell_silent_are_partial_and_in_no_average(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("pedestrians", 86400)])
    edges = windows.local_days(MONDAY, MONDAY + np.timedelta64(14, "D"), PARIS)
    await readings_arrive(pool, series, list(edges[:-1]), [80.0] * 10 + [0.0] * 4)
    await passes(pool)

    assert told(connection, "day_count", "value, status, words") == [
        *[(80.0, "complete", [])] * 10,
        *[(0.0, "complete", [])] * 2,
        *[(0.0, "partial", ["long run of zeros"])] * 2,
    ]
    assert told(connection, "aadt_simple", "n") == [10]


async def test_zeros_over_new_year_are_judged_alike_whichever_years_are_computed_together(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("bikes", 86400)])
    edges = windows.local_days(
        windows.first_instant(date(2024, 11, 1), PARIS),
        windows.first_instant(date(2025, 1, 21), PARIS),
        PARIS,
    )
    days = np.arange("2024-11-01", "2025-01-21", dtype="datetime64[D]")
    dead = (days >= np.datetime64("2024-12-30")) & (days < np.datetime64("2025-01-08"))
    whole = np.ones(len(days), int)
    store(connection, "rollup_1d", series, edges[:-1], np.where(dead, 0.0, 80.0), whole, whole)

    for first, last in (("2024-12-01", "2024-12-02"), ("2024-12-01", "2025-01-20")):
        await refresh.recompute(
            pool, np.datetime64(first, "us"), np.datetime64(last, "us"), now=LATER, only=MINE
        )
        # Of the 61 days of 2024 the last two lie in the run.
        assert told(connection, "aadt_simple", "n")[0] == 59
        assert told(connection, "aadt_working_days", "n")[0] == 41


async def test_a_lane_that_was_replaced_is_waited_for_until_then_and_its_successor_after(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    one, old, new = register(connection, [Line("bikes", 86400)] * 3)
    edges = windows.local_days(
        windows.first_instant(date(2024, 1, 1), PARIS),
        windows.first_instant(date(2025, 1, 1), PARIS),
        PARIS,
    )
    for series, some in ((one, slice(0, 366)), (old, slice(0, 100)), (new, slice(100, 366))):
        start = edges[:-1][some]
        whole = np.ones(len(start), int)
        store(connection, "rollup_1d", series, start, 10.0 * whole, whole, whole)
    for column, series in (("valid_to", old), ("valid_from", new)):
        connection.execute(
            f"UPDATE city.series SET {column} = %s WHERE series_id = %s",
            [f"{edges[100]}+00", series],
        )

    await refresh.recompute(pool, edges[0], edges[-1], now=LATER, only=MINE)

    assert told(connection, "site_aadt_bikes", "value, n, due, status") == [
        (20.0, 84, 84, "complete")
    ]


async def test_a_city_without_counters_has_no_figures(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    await passes(pool)
    done = await refresh.recompute(pool, MONDAY, LATER, now=LATER, only=MINE)

    assert (done.figures, done.failed) == (0, [])


async def test_days_of_another_zone_are_its_own(pool: asyncpg.Pool, connection: psycopg.Connection):
    (series,) = register(connection, [Line("bikes", 900, "pune")])
    midnight = np.datetime64("2024-05-12T18:30", "us")
    quarters = [midnight + k * np.timedelta64(15, "m") for k in range(96)]
    await readings_arrive(pool, series, quarters, [1.0] * 96)
    await passes(pool)

    assert told(connection, "day_count", "value, n, start AT TIME ZONE 'Asia/Kolkata'") == [
        (96.0, 96, date_time("2024-05-13T00:00"))
    ]
    assert local_dates(np.array([midnight, midnight + 24 * HOUR]), "Asia/Kolkata").tolist() == [
        date(2024, 5, 13)
    ]
