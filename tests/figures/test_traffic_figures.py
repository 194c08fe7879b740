"""Motor traffic and wind through the database: rollups in, figures out, and late data."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup
from processors.air.wind_calculations import WIND
from processors.mobility.traffic_calculations import TRAFFIC
from storage import corrections
from storage.catalogue import Domain
from storage.reading import Flag, batch_of
from storage.review import Author, Span
from tests.integration.changes import measured
from tests.integration.small_city import Line, arrive, register

MIDNIGHT = np.datetime64("2024-05-13T22:00", "us")
"""Of the 14th of May in Paris, and 22 hours after the one before at the regulator's offset."""
LATER = np.datetime64("2024-05-20T00:00", "us")
QUARTER = np.timedelta64(15, "m")
HOUR = np.timedelta64(1, "h")
ME = Author("Ada", "the loop was dug up")

Rows = list[tuple[object, ...]]


@pytest.fixture(autouse=True)
def _no_other_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "CALCULATIONS", (*WIND, *TRAFFIC))


async def readings_arrive(
    pool: asyncpg.Pool,
    series: int,
    values: Sequence[float],
    start: np.datetime64 = MIDNIGHT,
    step: np.timedelta64 = QUARTER,
    domain: Domain = Domain.MOBILITY,
) -> None:
    at = [
        int((start + k * step).astype("datetime64[us]").astype(np.int64))
        for k in range(len(values))
    ]
    batch = batch_of(at, list(values), [series] * len(at), [1] * len(at))
    async with pool.acquire() as one:
        await arrive(one, domain, batch)


async def passes(pool: asyncpg.Pool, now: np.datetime64 = LATER) -> None:
    await rollup.process(pool, now)
    while True:
        done = await refresh.refresh(pool, now)
        assert done.failed == []
        if done.idle:
            return


def shown(
    connection: psycopg.Connection, indicator: str, columns: str, domain: str = "mobility"
) -> Rows:
    return connection.execute(
        f"SELECT {columns} FROM {domain}.figures WHERE indicator = %s ORDER BY start", [indicator]
    ).fetchall()


def instant(at: np.datetime64) -> datetime.datetime:
    moment: datetime.datetime = at.astype("datetime64[us]").item()
    return moment.replace(tzinfo=datetime.UTC)


def fails(
    connection: psycopg.Connection, series: int, start: np.datetime64, stop: np.datetime64
) -> None:
    """A person says that these readings are wrong."""
    span = Span(instant(start), instant(stop))
    corrections.flag(connection, measured(connection, series), span, Flag.FAIL, ME)


MADE = [name for one in TRAFFIC for name in one.makes]


def figures_of(connection: psycopg.Connection) -> Rows:
    """All that motor traffic has, as it is stored."""
    return connection.execute(
        "SELECT f::text FROM mobility.figure f JOIN city.indicator USING (indicator_id)"
        " WHERE indicator = ANY (%s) ORDER BY indicator_id, subject_id, start",
        [MADE],
    ).fetchall()


async def assert_the_same_from_scratch(pool: asyncpg.Pool, connection: psycopg.Connection) -> None:
    before = figures_of(connection)
    assert before
    connection.execute("TRUNCATE mobility.figure")
    await refresh.recompute(pool, MIDNIGHT - 20 * 24 * HOUR, LATER, now=LATER, only=MADE)
    assert figures_of(connection) == before


async def test_an_hour_of_three_quarters_is_scaled_and_a_late_quarter_makes_it_whole(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    cars, heavy = register(connection, [Line("vehicles", 900), Line("heavy_vehicles", 900)])
    await readings_arrive(pool, cars, [100, 110])
    await readings_arrive(pool, cars, [90], MIDNIGHT + 3 * QUARTER)
    await readings_arrive(pool, heavy, [10] * 4)
    await passes(pool)
    rates = "value, low, n, due, status, provisional, series_id"
    assert shown(connection, "flow_rate", rates) == [(400.0, 300.0, 3, 4, "partial", False, cars)]
    assert shown(connection, "passenger_car_flow", "value, status") == [(440.0, "partial")]

    await readings_arrive(pool, cars, [80], MIDNIGHT + 2 * QUARTER)
    await passes(pool)
    assert shown(connection, "flow_rate", rates) == [(380.0, None, 4, 4, "complete", False, cars)]
    assert shown(connection, "passenger_car_flow", "value, status") == [(420.0, "complete")]

    fails(connection, cars, MIDNIGHT, MIDNIGHT + 2 * QUARTER)
    await passes(pool)
    assert shown(connection, "flow_rate", "value, n, status") == [(None, 2, "insufficient")]
    fails(connection, cars, MIDNIGHT, MIDNIGHT + 4 * QUARTER)
    await passes(pool)
    assert shown(connection, "flow_rate", "value") == []


async def test_lanes_have_states_and_their_road_a_mean(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    one, two = register(connection, [Line("occupancy", 900), Line("occupancy", 3600)])
    await readings_arrive(pool, one, [10, 12, 14, 12])
    await readings_arrive(pool, two, [60])
    await passes(pool)

    assert shown(connection, "traffic_state", "series_id, value, words") == [
        (one, 1.0, ["free-flowing"]), (two, 4.0, ["blocked"]),
    ]  # fmt: skip
    density = shown(connection, "traffic_density", "round(value::numeric, 2)::float")
    assert density == [(18.46,), (92.31,)]
    road = "value, n, due, status, site"
    assert shown(connection, "road_occupancy", road) == [(36.0, 2, 2, "complete", "site")]
    assert shown(connection, "level_of_service", "value") == []

    fails(connection, two, MIDNIGHT, MIDNIGHT + HOUR)
    await passes(pool)
    assert shown(connection, "traffic_state", "series_id") == [(one,)]
    assert shown(connection, "road_occupancy", road) == [(12.0, 1, 2, "partial", "site")]

    # A lane that is gone is not waited for.
    connection.execute(
        "UPDATE city.series SET valid_to = %s WHERE series_id = %s", [f"{MIDNIGHT}+00", two]
    )
    await refresh.recompute(pool, MIDNIGHT, MIDNIGHT + HOUR, now=LATER, only=MADE)
    assert shown(connection, "road_occupancy", road) == [(12.0, 1, 1, "complete", "site")]


async def test_a_peak_hour_follows_late_data_and_is_provisional_while_its_day_lasts(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    cars, heavy, speed = register(
        connection, [Line("vehicles", 900), Line("heavy_vehicles", 900), Line("speed", 900)]
    )
    count = [50.0] * 96
    count[33:37] = [900.0, 1000.0, 1200.0, 850.0]
    for series, values in ((cars, count), (heavy, [5.0] * 96), (speed, [54.0] * 96)):
        await readings_arrive(pool, series, values[:80])
    columns = "value, at, n, due, status, provisional"
    await passes(pool, MIDNIGHT + 20 * HOUR)
    at = instant(MIDNIGHT + 33 * QUARTER)
    assert shown(connection, "peak_hour_volume", columns) == [(3950.0, at, 80, 96, "partial", True)]

    for series, values in ((cars, count), (heavy, [5.0] * 96), (speed, [54.0] * 96)):
        await readings_arrive(pool, series, values[80:], MIDNIGHT + 80 * QUARTER)
    await passes(pool)
    assert shown(connection, "peak_hour_volume", columns) == [
        (3950.0, at, 96, 96, "complete", False)
    ]
    assert shown(connection, "peak_hour_factor", "value") == [(3950 / 4800,)]
    assert shown(connection, "peak_quarter_flow", "value, at") == [
        (4800.0, instant(MIDNIGHT + 35 * QUARTER))
    ]
    headway = 3600 / 3950
    assert shown(connection, "peak_hour_headway", "value") == [(headway,)]
    ((gap,),) = shown(connection, "peak_hour_gap", "value")
    assert gap == pytest.approx(headway - 4.5 / 15)
    assert shown(connection, "heavy_share", "value, n") == [(100 * 480 / sum(count), 96)]
    await assert_the_same_from_scratch(pool, connection)

    fails(connection, cars, MIDNIGHT + 33 * QUARTER, MIDNIGHT + 37 * QUARTER)
    await passes(pool)
    assert shown(connection, "peak_hour_volume", "value, n, status") == [(200.0, 92, "partial")]
    fails(connection, cars, MIDNIGHT, MIDNIGHT + 96 * QUARTER)
    await passes(pool)
    assert shown(connection, "peak_hour_volume", "value") == []
    assert shown(connection, "heavy_share", "value") == []


@pytest.mark.parametrize(
    ("midnight", "hours"), [("2024-03-30T23:00", 23), ("2024-10-26T22:00", 25)]
)
async def test_the_last_hour_of_a_day_of_23_or_25_hours_can_be_its_peak(
    pool: asyncpg.Pool, connection: psycopg.Connection, midnight: str, hours: int
):
    (cars,) = register(connection, [Line("vehicles", 900)])
    start = np.datetime64(midnight, "us")
    await readings_arrive(pool, cars, [10.0] * (4 * hours - 4) + [70.0] * 4 + [99.0] * 8, start)
    await passes(pool, start + 40 * HOUR)

    found = shown(connection, "peak_hour_volume", "value, at, n, due, stop - start")
    last = instant(start + (hours - 1) * HOUR)
    due = 4 * hours
    assert found[0] == (280.0, last, due, due, datetime.timedelta(hours=hours))


async def test_a_series_of_hours_has_a_busiest_clock_hour(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (cars,) = register(connection, [Line("vehicles", 3600)])
    await readings_arrive(pool, cars, [100.0] * 8 + [400.0] + [100.0] * 15, step=HOUR)
    await passes(pool)

    assert shown(connection, "peak_hour_volume", "value, at, method, status") == [
        (400.0, instant(MIDNIGHT + 8 * HOUR), "clock hours", "complete")
    ]
    assert shown(connection, "peak_hour_factor", "value") == []
    await assert_the_same_from_scratch(pool, connection)


async def test_speeds_of_a_day_follow_late_counts(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    speed, cars, lane = register(
        connection, [Line("speed", 900), Line("vehicles", 900), Line("occupancy", 900)]
    )
    await readings_arrive(pool, speed, [60.0] * 48 + [120.0] * 48)
    await passes(pool)
    columns = "round(value::numeric, 6)::float, n, due, method, status"
    assert shown(connection, "space_mean_speed", columns) == [
        (80.0, 96, 96, "every quarter-hour alike", "complete")
    ]
    assert shown(connection, "time_mean_speed", "value") == [(90.0,)]
    assert shown(connection, "v85", "words, n, status") == [
        (["interval means, not single vehicles", "free flow could not be told"], 96, "partial")
    ]

    await readings_arrive(pool, cars, [30.0] * 48 + [10.0] * 48)
    await readings_arrive(pool, lane, [5.0] * 48 + [40.0] * 48)
    await passes(pool)
    assert shown(connection, "time_mean_speed", "value, method") == [(75.0, "weighted by counts")]
    ((value, low, high, n, words),) = shown(connection, "v85", "value, low, high, n, words")
    assert low <= 60 <= high  # type: ignore[operator]
    assert abs(value - 60) <= 0.6  # type: ignore[operator]
    assert (n, words) == (48, ["interval means, not single vehicles"])
    await assert_the_same_from_scratch(pool, connection)

    fails(connection, speed, MIDNIGHT, MIDNIGHT + 24 * HOUR)
    await passes(pool)
    assert shown(connection, "time_mean_speed", "value") == []
    assert shown(connection, "v85", "value") == []


async def test_a_fortnight_says_what_is_free_and_late_nights_change_the_days_after(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (speed,) = register(connection, [Line("speed", 900)])
    whole = [50.0] * 24 + [45.0] * 4 + [32.0] * 8 + [45.0] * 52 + [50.0] * 8
    first = MIDNIGHT - 13 * 24 * HOUR
    await readings_arrive(pool, speed, whole * 14, first)
    await passes(pool)
    free = shown(connection, "free_flow_speed", "value, n, due, status")
    assert len(free) == 14
    assert free[0] == (None, 8, 112, "insufficient")
    assert free[3] == (50.0, 32, 112, "partial")
    assert free[-1] == (50.0, 112, 112, "complete")
    hours = shown(connection, "congested_hours", "value, at")
    assert (hours[2], hours[3], hours[-1]) == ((None, None), (2.0, None), (2.0, None))
    worst = shown(connection, "peak_congestion_index", "value, at")
    assert worst[-1] == (0.5625, instant(MIDNIGHT + 7 * HOUR))

    fails(connection, speed, first, first + 6 * HOUR)
    await passes(pool)
    assert shown(connection, "free_flow_speed", "n")[-1] == (106,)
    await assert_the_same_from_scratch(pool, connection)

    fails(connection, speed, first, MIDNIGHT + 24 * HOUR)
    await passes(pool)
    assert figures_of(connection) == []


async def test_a_days_wind_is_that_of_its_vane_and_its_anemometer(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    vane, speed = register(connection, [Line("wind_direction", 3600), Line("wind_speed", 3600)])
    start = np.datetime64("2024-05-13T23:00", "us")
    for series, values in ((vane, [0.0] * 12 + [90.0] * 12), (speed, [8.0] * 12 + [6.0] * 12)):
        await readings_arrive(pool, series, values[:18], start, HOUR, Domain.AIR)
    await passes(pool)
    columns = "round(value::numeric, 3)::float, n, due, status, indicative, series_id"
    found = shown(connection, "wind_day_direction", columns, "air")
    assert found == [(20.556, 18, 24, "complete", True, vane)]  # atan(6 · 6 / (12 · 8))

    for series, values in ((vane, [90.0] * 6), (speed, [6.0] * 6)):
        await readings_arrive(pool, series, values, start + 18 * HOUR, HOUR, Domain.AIR)
    await passes(pool)
    assert shown(connection, "wind_day_direction", columns, "air") == [
        (36.87, 24, 24, "complete", True, vane)
    ]
    assert shown(connection, "wind_day_speed", "round(value::numeric, 6)::float", "air") == [(5.0,)]

    fails(connection, speed, start, start + 7 * HOUR)
    await passes(pool)
    assert shown(connection, "wind_day_speed", "value, n, status", "air") == [
        (None, 17, "insufficient")
    ]
    fails(connection, vane, start, start + 24 * HOUR)
    await passes(pool)
    assert shown(connection, "wind_day_speed", "value", "air") == []


async def test_an_empty_city_and_one_without_readings_have_no_figures(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    done = await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=MADE)
    assert (done.figures, done.failed) == (0, [])

    register(
        connection,
        [Line(metric, step) for metric in ("vehicles", "speed", "occupancy", "flow", "travel_time",
                                           "heavy_vehicles") for step in (900, 3600, 86400)],
    )  # fmt: skip
    done = await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=MADE)
    assert (done.figures, done.failed) == (0, [])
