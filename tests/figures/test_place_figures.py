"""Car parks and stations of shared vehicles: from readings to figures."""

from __future__ import annotations

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh
from tests.integration.counted_city import (
    HOUR,
    LATER,
    MINE,
    MONDAY,
    facts,
    passes,
    readings_arrive,
    sensor,
    told,
)
from tests.integration.small_city import Line, register


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
