"""What the law counts, and low-cost sensors: from readings in the database to figures in it."""

from __future__ import annotations

from typing import Any

import asyncpg
import numpy as np
import psycopg

from processors import refresh, rollup
from storage.catalogue import Domain
from storage.facts.facts import Facts
from storage.reading import batch_of
from storage.trade_store import save_facts
from tests.integration.small_city import Line, arrive, mark, register

NEW_YEAR = np.datetime64("2021-12-31T23:00", "us")
"""Of 2022 at the regulator's offset, an hour ahead of UTC."""
LATER = np.datetime64("2023-02-01T00:00", "us")


def facts(connection: psycopg.Connection, **air: Any) -> None:
    save_facts(connection, Facts.model_validate({"air": {"reference": ["*"], **air}}))


async def hours_arrive(pool: asyncpg.Pool, series: int, start: int, values: list[float]) -> None:
    """Hourly values from ``start`` hours after the new year on."""
    at = [
        int((NEW_YEAR + np.timedelta64(start + k, "h")).astype(np.int64))
        for k in range(len(values))
    ]
    batch = batch_of(at, values, [series] * len(at), [2] * len(at))
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, batch)


async def passes(pool: asyncpg.Pool, now: np.datetime64 = LATER) -> refresh.Refreshed:
    """Everything that is asked for, however many marks that takes."""
    await rollup.process(pool, now)
    done = first = await refresh.refresh(pool, now)
    while done.more:
        done = await refresh.refresh(pool, now)
    assert done.failed == first.failed == []
    return first


def told(connection: psycopg.Connection, indicator: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT value, n, due, status, words[1], provisional, indicative FROM air.figures"
        " WHERE indicator = %s ORDER BY start, series_id",
        [indicator],
    ).fetchall()


async def test_36_days_of_pm10_above_50_are_certain_and_a_late_day_is_what_makes_them_so(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    facts(connection)
    (series,) = register(connection, [Line("pm10", 3600)])
    await hours_arrive(pool, series, 0, [80.0] * 24 * 35)
    await passes(pool)
    assert told(connection, "eu2008_pm10_day") == [
        (35.0, 35, 365, "partial", "exceedance possible", False, False)
    ]
    assert told(connection, "air_year_mean") == [
        (None, 840, 8760, "insufficient", None, False, False)
    ]

    await hours_arrive(pool, series, 24 * 100, [80.0] * 24)
    await passes(pool)
    assert told(connection, "eu2008_pm10_day") == [
        (36.0, 36, 365, "partial", "exceeded for certain", False, False)
    ]


async def test_in_the_middle_of_a_year_its_figures_are_provisional(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    facts(connection)
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, 0, [250.0] * 5 + [30.0] * 43)
    await passes(pool, NEW_YEAR + np.timedelta64(48, "h"))

    assert told(connection, "eu2008_no2_hour") == [
        (5.0, 48, 48, "complete", "not exceeded so far", True, False)
    ]
    assert told(connection, "eu2030_no2_hour") == [
        (5.0, 48, 48, "complete", "exceeded for certain, not yet in force", True, False)
    ]


async def test_figures_of_readings_that_are_gone_go_too(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    facts(connection)
    (series,) = register(connection, [Line("o3", 3600)])
    values = [130.0] * 48
    await hours_arrive(pool, series, 24 * 150, values)
    await passes(pool)
    assert [row[0] for row in told(connection, "o3_days_over_120")] == [2.0]
    assert [row[:3] for row in told(connection, "o3_aot40")] == [(None, 24, 1104)]
    assert [row[2:5] for row in told(connection, "eu2008_o3_8h")] == [
        (3, "insufficient", "not enough data")
    ]

    connection.execute("DELETE FROM air.reading")
    at = [int((NEW_YEAR + np.timedelta64(24 * 150 + k, "h")).astype(np.int64)) for k in range(48)]
    async with pool.acquire() as one:
        batch = batch_of(at, values, [series] * 48, [2] * 48)
        await mark(one, Domain.AIR, batch)
    await passes(pool)

    assert connection.execute("SELECT count(*) FROM air.figures").fetchone() == (0,)


async def test_a_mean_of_three_years_follows_each_of_them(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    facts(connection)
    (series,) = register(connection, [Line("o3", 3600)])
    april, months = 24 * 90, 24 * 153  # five of six summer months
    hot = np.full(months, 60.0)
    hot[24 * 30 : 24 * 57] = 150.0  # 27 days, and the first means of the 28th
    await hours_arrive(pool, series, april, hot.tolist())
    await passes(pool)
    assert told(connection, "eu2008_o3_8h")[0][:5] == (
        28.0, 1, 3, "partial", "exceedance possible"
    )  # fmt: skip

    # 50 days of the year before make no valid year of it, but are 50 exceedances.
    await hours_arrive(pool, series, april - 365 * 24, [150.0] * 24 * 50)
    await passes(pool)
    found = told(connection, "eu2008_o3_8h")
    assert [row[:2] for row in found] == [(None, 0), (28.0, 1)]
    assert found[1][4] == "exceeded for certain"
    assert connection.execute(
        "SELECT low FROM air.figures WHERE indicator = 'eu2008_o3_8h' ORDER BY start DESC LIMIT 1"
    ).fetchone() == ((28 + 50) / 3,)


async def test_low_cost_particles_are_corrected_when_the_humidity_comes_late(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    facts(connection, reference=[], correction=[{"sensors": "*", "method": "kappa-koehler"}])
    fine, damp = register(connection, [Line("pm25", 3600), Line("humidity", 3600)])
    await hours_arrive(pool, fine, 0, [25.0, 25.0])
    await passes(pool)
    late = [(None, 1, 1, "insufficient", "no humidity", False, True)] * 2
    assert told(connection, "pm_corrected") == late

    await hours_arrive(pool, damp, 0, [80.0, 96.0])
    await passes(pool)
    first, second = told(connection, "pm_corrected")
    assert round(first[0], 3) == 12.692
    assert first[1:] == (1, 1, "complete", "corrected", False, True)
    assert second == (None, 1, 1, "insufficient", "too humid", False, True)
    assert [row[:5] for row in told(connection, "pm_plausible")] == [
        (1.0, 1, 1, "complete", "humid: 70 % and more")
    ] * 2
    assert {row[6] for row in told(connection, "who2021_pm25_day")} <= {True}


async def test_an_empty_database_has_no_figures(pool: asyncpg.Pool, connection: psycopg.Connection):
    register(connection, [Line("no2", 3600), Line("pm10", 3600)])

    assert (await passes(pool)).idle
    done = await refresh.recompute(pool, NEW_YEAR, LATER, now=LATER, only=["eu2008_pm10_day"])
    assert (done.figures, done.failed) == (0, [])


async def test_a_year_computed_from_scratch_gives_the_same_figures(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    facts(connection)
    pm10, ozone = register(connection, [Line("pm10", 3600), Line("o3", 3600)])
    await hours_arrive(pool, pm10, 24 * 10, [45.6, 20.0, 80.0] * 24 * 5)
    await hours_arrive(pool, ozone, 24 * 130, [90.0, 130.0] * 24 * 5)
    await passes(pool)
    every = "SELECT f::text FROM air.figure f ORDER BY indicator_id, subject_id, start"
    before = connection.execute(every).fetchall()
    connection.execute("TRUNCATE air.figure")

    await refresh.recompute(
        pool, NEW_YEAR, NEW_YEAR + np.timedelta64(200, "D"), now=LATER
    )  # fmt: skip

    assert len(before) > 20
    assert connection.execute(every).fetchall() == before
