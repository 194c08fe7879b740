"""Figures follow the rollups they are made of, and nothing else is computed again."""

from __future__ import annotations

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup
from processors.calculation import Calculation
from storage import figure_store
from storage.catalogue import Domain
from storage.level import Level
from storage.reading import batch_of
from tests.integration.small_city import Line, arrive, register

MIDNIGHT = np.datetime64("2024-05-13T23:00", "us")
"""Of the 14th of May at the regulator's offset, an hour ahead of UTC."""
LATER = np.datetime64("2024-05-16T00:00", "us")


async def hours_arrive(pool: asyncpg.Pool, series: int, hours: range, value: float) -> None:
    at = [int((MIDNIGHT + np.timedelta64(hour, "h")).astype(np.int64)) for hour in hours]
    batch = batch_of(at, [value] * len(at), [series] * len(at), [2] * len(at))
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, batch)


async def passes(pool: asyncpg.Pool, now: np.datetime64 = LATER) -> refresh.Refreshed:
    await rollup.process(pool, now)
    return await refresh.refresh(pool, now)


def day_means(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT value, n, due, status, provisional, series_id, metric, site FROM air.figures"
        " WHERE indicator = 'air_day_mean' ORDER BY start"
    ).fetchall()


async def test_eighteen_of_twenty_four_hours_make_a_day_and_seventeen_do_not(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, range(17), 20.0)
    await passes(pool)
    assert day_means(connection) == [(None, 17, 24, "insufficient", False, series, "no2", "site")]

    await hours_arrive(pool, series, range(23, 24), 20.0)
    await passes(pool)
    assert day_means(connection) == [(20.0, 18, 24, "complete", False, series, "no2", "site")]


async def test_an_hour_that_did_not_change_asks_for_nothing(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, range(24), 20.0)

    assert (await passes(pool)).figures > 0
    assert (await passes(pool)).idle
    await rollup.recompute(pool, MIDNIGHT, LATER, now=LATER)
    before = day_means(connection)
    await refresh.refresh(pool, LATER)
    assert day_means(connection) == before


async def test_an_open_hour_is_not_told_until_it_has_closed(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 900)])
    await hours_arrive(pool, series, range(1), 20.0)

    assert (await passes(pool, MIDNIGHT + np.timedelta64(30, "m"))).idle
    assert not (await passes(pool, MIDNIGHT + np.timedelta64(61, "m"))).idle


async def test_a_calculation_that_fails_is_passed_over_and_the_others_go_on(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    def broken(given: object) -> None:
        raise ValueError("broken on purpose")

    one = next(one for one in refresh.CALCULATIONS if "air_day_mean" in one.makes)
    fields = {name: getattr(one, name) for name in Calculation.__slots__}
    bad = Calculation(**{**fields, "name": "bad", "compute": broken})
    monkeypatch.setattr(refresh, "CALCULATIONS", (bad, *refresh.CALCULATIONS))
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, range(24), 20.0)

    done = await passes(pool)

    assert done.failed == ["bad"]
    assert [row[0] for row in day_means(connection)] == [20.0]


async def test_a_span_computed_from_scratch_gives_the_same_figures(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, range(24), 20.0)
    await passes(pool)
    every = "SELECT f::text FROM air.figure f ORDER BY indicator_id, subject_id, start"
    before = connection.execute(every).fetchall()
    connection.execute("TRUNCATE air.figure")

    await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER)

    assert len(before) > 0
    assert connection.execute(every).fetchall() == before


async def test_a_day_ends_even_for_a_sensor_that_fell_silent(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, range(5), 20.0)
    await passes(pool, MIDNIGHT + np.timedelta64(6, "h"))
    assert day_means(connection)[0][1:5] == (5, 24, "insufficient", True)

    done = await passes(pool)

    assert done.closed > 0
    assert day_means(connection)[0][1:5] == (5, 24, "insufficient", False)
    assert (await passes(pool)).idle


async def test_a_figure_that_nobody_computes_any_more_is_closed_as_it_is(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, range(24), 20.0)
    await passes(pool)
    connection.execute("UPDATE air.figure SET provisional = true, subject_id = -1")

    assert (await passes(pool)).closed > 0
    assert (await passes(pool)).idle


async def test_figures_of_an_indicator_that_is_no_longer_in_the_catalogue_stop_nobody(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, range(24), 20.0)
    await passes(pool)
    connection.execute(
        """
        WITH former AS (
             INSERT INTO city.indicator (indicator, domain, subject, period, unit, label_fr,
                         label_en, label_de, source, methods, words, bits, public,
                         classes)
             SELECT 'former', domain, subject, period, unit, label_fr, label_en, label_de, source,
                    methods, words, bits, public, classes
               FROM city.indicator WHERE indicator = 'eaqi'
             RETURNING indicator_id)
        INSERT INTO air.figure SELECT f.start, f.stop, f.at, f.value, f.low, f.high, f.subject_id,
               f.n, f.due, f.code, former.indicator_id, f.status, f.method, true, f.indicative
          FROM air.figure f, former LIMIT 1
        """
    )
    await hours_arrive(pool, series, range(24, 42), 30.0)

    await passes(pool)

    assert [row[0] for row in day_means(connection)] == [20.0, 30.0]


async def test_old_readings_that_are_gone_keep_nobody_from_computing_the_new_ones(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    async def powers_arrive(series: int, day: int, hours: int) -> None:
        start = MIDNIGHT + np.timedelta64(24 * day, "h")
        at = [
            int((start + np.timedelta64(900 * k, "s")).astype(np.int64)) for k in range(4 * hours)
        ]
        batch = batch_of(at, [2.0] * len(at), [series] * len(at), [2] * len(at))
        async with pool.acquire() as one:
            await arrive(one, Domain.ENERGY, batch)

    days = (
        "SELECT series_id, (start AT TIME ZONE 'Europe/Paris')::date::text FROM energy.figures"
        " WHERE indicator = 'power_energy_day' ORDER BY start"
    )
    long_ago, lately = register(connection, [Line("power", 900), Line("power", 900)])
    await powers_arrive(long_ago, 0, 10)
    await powers_arrive(lately, 1, 22)

    await rollup.process(pool, LATER)
    await refresh.refresh(pool, LATER, keep_days=2)
    found = connection.execute(days).fetchall()
    connection.execute("TRUNCATE energy.figure")
    await refresh.recompute(
        pool, MIDNIGHT - np.timedelta64(9, "D"), LATER, now=LATER, only=["power_energy_day"],
        keep_days=2,
    )  # fmt: skip

    # Of the 14th some readings may be gone, for all that anybody knows.
    assert found == connection.execute(days).fetchall() == [(lately, "2024-05-15")]


async def test_marks_are_taken_in_portions_of_marks_and_of_windows(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    connection.execute(
        "INSERT INTO pipeline.changed (level, start, series_id)"
        " SELECT 'rollup_1h', timestamptz '2024-05-14 00:00Z' + n * interval '1 hour',"
        "        ARRAY[1, 2, 3] FROM generate_series(0, 8) n"
    )
    connection.execute(
        "INSERT INTO pipeline.changed (level, start, series_id)"
        " VALUES ('rollup_1d', '2024-05-13 22:00Z', '{7}')"
    )
    portions = []
    async with pool.acquire() as one:
        while (changed := await figure_store.take(one, 5, 10)).taken:
            hours, days = changed.level[Level.HOUR], changed.level[Level.DAY]
            portions.append((changed.taken, len(hours[0]), days[0].tolist(), changed.more))
            last = hours[1].max()

    # Four marks speak of the first ten windows; a mark is never divided.
    assert portions == [(4, 12, [], True), (4, 12, [], True), (2, 3, [7], False)]
    assert last == np.datetime64("2024-05-14T08:00", "us")
