"""Counts over a year, car parks and stations: from rollups and readings to figures."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup, windows
from processors.calendars import local_dates, local_time, weekdays
from processors.mobility.count_calculations import COUNTS
from storage.catalogue import Domain
from storage.facts.facts import Facts
from storage.reading import batch_of
from storage.trade_store import save_facts
from tests.integration.small_city import Line, arrive, register
from tests.unit import counts_oracle as oracle

PARIS = "Europe/Paris"
MONDAY = windows.first_instant(date(2024, 5, 13), PARIS)
LATER = np.datetime64("2025-02-01T00:00", "us")
HOUR = np.timedelta64(1, "h")
MINE = tuple(name for one in COUNTS for name in one.makes)


def facts(connection: psycopg.Connection, **mobility: Any) -> None:
    save_facts(connection, Facts.model_validate({"mobility": mobility}))


def sensor(connection: psycopg.Connection, series: int) -> str:
    row = connection.execute(
        "SELECT sensor FROM public.series WHERE series_id = %s", [series]
    ).fetchone()
    assert row is not None
    return str(row[0])


def store(
    connection: psycopg.Connection,
    table: str,
    series: int,
    start: np.ndarray,
    total: np.ndarray,
    expected: np.ndarray,
    good: np.ndarray,
) -> None:
    """Rollups as the processor would have written them; without what nobody reads here."""
    with connection.cursor().copy(
        f"COPY mobility.{table} (start, sum, min, max, m2, first, last, x, y, series_id, expected,"
        " received, good, suspect, provisional, sketch) FROM STDIN"
    ) as copy:
        for at, value, due, known in zip(
            start.tolist(), total.tolist(), expected.tolist(), good.tolist(), strict=True
        ):
            if known:
                copy.write_row(
                    (f"{at}+00", value, *["NaN"] * 7, series, due, known, known, 0, False, b"")
                )


def store_year(
    connection: psycopg.Connection, series: int, count: np.ndarray, starts: np.ndarray
) -> None:
    """Hours and local days of one series; NaN is an hour that was not counted."""
    known = ~np.isnan(count)
    store(
        connection, "rollup_1h", series, starts, count, np.ones(len(count), int), known.astype(int)
    )
    edges = windows.local_days(starts[0], starts[-1] + HOUR, PARIS)
    day = windows.window_of(starts, edges)
    store(
        connection, "rollup_1d", series, edges[:-1], np.bincount(day, np.where(known, count, 0)),
        np.bincount(day), np.bincount(day, known).astype(int),
    )  # fmt: skip


async def readings_arrive(
    pool: asyncpg.Pool, series: int, at: list[np.datetime64], value: list[float]
) -> None:
    times = [int(one.astype("datetime64[us]").astype(np.int64)) for one in at]
    async with pool.acquire() as one:
        await arrive(
            one, Domain.MOBILITY, batch_of(times, value, [series] * len(at), [2] * len(at))
        )


async def passes(pool: asyncpg.Pool, now: np.datetime64 = LATER) -> None:
    await rollup.process(pool, now)
    done = await refresh.refresh(pool, now)
    assert done.failed == []


def told(connection: psycopg.Connection, name: str, what: str = "value") -> list[Any]:
    rows = connection.execute(
        f"SELECT {what} FROM mobility.figures WHERE indicator = %s ORDER BY start, subject_id",
        [name],
    ).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


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


async def test_a_car_park_is_as_full_as_its_capacity_of_that_day_says(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("parking_free", 900)])
    quarters = [MONDAY + k * np.timedelta64(15, "m") for k in range(192)]
    free = [40.0] * 92 + [5.0] * 4 + [40.0] * 96
    await readings_arrive(pool, series, quarters, free)
    await passes(pool)
    unknown = (None, "insufficient", ["capacity unknown"])
    assert told(connection, "parking_occupancy", "value, status, words") == [unknown, unknown]

    facts(
        connection,
        parking=[
            {"sensor": sensor(connection, series), "capacity": 100},
            {"sensor": sensor(connection, series), "capacity": 50, "from": "2024-05-14"},
        ],
    )
    await refresh.recompute(pool, MONDAY, MONDAY + 48 * HOUR, now=LATER, only=MINE)
    assert told(connection, "parking_occupancy", "value, n, due, status") == [
        (pytest.approx((92 * 60 + 4 * 95) / 96), 1440, 1440, "complete"),
        (pytest.approx(20.0), 1440, 1440, "complete"),
    ]
    assert told(connection, "parking_minutes_full", "value, status") == [
        (60.0, "complete"), (0.0, "complete"),
    ]  # fmt: skip


async def test_a_car_park_that_leaps_to_0_is_closed_and_one_without_a_place_all_week_uncounted(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    closing, nobody = register(connection, [Line("parking_free", 3600), Line("parking_free", 3600)])
    facts(
        connection,
        parking=[{"sensor": sensor(connection, one), "capacity": 100} for one in (closing, nobody)],
    )
    hours = [MONDAY + k * HOUR for k in range(8 * 24)]
    night = [0.0 if (k % 24) in range(6) else 60.0 for k in range(len(hours))]
    await readings_arrive(pool, closing, hours, night)
    await readings_arrive(pool, nobody, hours, [0.0] * len(hours))
    await passes(pool, MONDAY + 8 * 24 * HOUR)

    rows = told(connection, "parking_occupancy", "series_id, value, n, status, words")
    mine = [row[1:] for row in rows if row[0] == closing]
    assert mine == [(pytest.approx(40.0), 1080, "partial", ["leaps to 0"])] * 8
    other = [row[1:] for row in rows if row[0] == nobody]
    assert [one[0] for one in other] == [100.0] * 6 + [None] * 2
    assert other[-1][3] == ["nobody counts"]


async def test_a_station_is_empty_for_a_quarter_of_the_time_and_moves_at_least_6_bikes(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("bikes_available", 3600)])
    facts(connection, station=[{"sensor": sensor(connection, series), "capacity": 4}])
    hours = [MONDAY + k * HOUR for k in range(24)]
    await readings_arrive(pool, series, hours, [2.0] * 12 + [0.0] * 6 + [4.0] * 6)
    await passes(pool)

    what = "value, n, due, status"
    day = ("station_vehicles", "station_empty_share", "station_full_share", "station_movements")
    # The last reading holds an hour into the next day, of which nothing else is known.
    assert [told(connection, name, what) for name in day] == [
        [(pytest.approx(2.0), 1440, 1440, "complete")],
        [(pytest.approx(25.0), 1440, 1440, "complete")],
        [(pytest.approx(25.0), 1440, 1440, "complete")],
        [(6.0, 1440, 1440, "complete")],
    ]


async def test_a_day_at_a_station_that_is_not_over_is_provisional_and_due_until_now(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("bikes_available", 3600)])
    await readings_arrive(pool, series, [MONDAY + k * HOUR for k in range(6)], [2.0] * 6)
    await passes(pool, MONDAY + 6 * HOUR)

    assert told(connection, "station_vehicles", "value, n, due, status, provisional") == [
        (2.0, 360, 360, "complete", True)
    ]
    assert told(connection, "station_full_share") == []


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
