"""What is unusual and how well sensors speak: from readings to figures."""

from __future__ import annotations

import datetime

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup, watching
from processors.watch.calculations import WATCH
from storage import erasure
from storage.catalogue import DOMAINS, Domain
from storage.reading import batch_of
from storage.review import Span
from tests.integration.changes import ME, measured
from tests.integration.small_city import Line, arrive, register

HOUR = np.timedelta64(1, "h")
DAY = np.timedelta64(1, "D")
MONDAY = np.datetime64("2024-07-07T22:00", "us")
"""Of the 8th of July in Paris: the clocks stand still for weeks before and after."""
HALF = np.timedelta64(30, "m")


@pytest.fixture(autouse=True)
def only_what_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "CALCULATIONS", WATCH)


async def hours_arrive(
    pool: asyncpg.Pool,
    series: int,
    start: np.datetime64,
    values: list[float],
    domain: Domain = Domain.AIR,
) -> None:
    at = [int((start + k * HOUR).astype(np.int64)) for k in range(len(values))]
    batch = batch_of(at, values, [series] * len(at), [2] * len(at))
    async with pool.acquire() as one:
        await arrive(one, domain, batch)


async def passes(pool: asyncpg.Pool, now: np.datetime64) -> refresh.Refreshed:
    while (await rollup.process(pool, now)).more:
        pass
    done = await refresh.refresh(pool, now)
    while done.more:
        done = await refresh.refresh(pool, now)
    assert done.failed == []
    return done


def told(
    connection: psycopg.Connection, name: str, domain: str = "air"
) -> list[tuple[object, ...]]:
    return connection.execute(
        f"SELECT series_id, value, n, due, status, unit FROM {domain}.figures"
        f" WHERE indicator = '{domain}_{name}' ORDER BY series_id, start"
    ).fetchall()


def weeks(count: int) -> list[float]:
    """Weeks of hours that follow the day and the hour, and scatter a little from week to week."""
    hour = np.arange(168 * count)
    usual = 20 + 10 * np.sin(hour % 24 / 24 * 2 * np.pi) + 5 * (hour // 24 % 7 >= 5)
    return list(usual + hour // 168 % 4 - 1.5)


async def test_an_hour_far_from_the_usual_has_a_figure_and_a_usual_one_has_none(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("temperature", 3600)])
    await hours_arrive(pool, series, MONDAY - 56 * DAY, weeks(8))
    await passes(pool, MONDAY)
    done = await watching.watch(pool, MONDAY + np.timedelta64(5, "m"))
    assert done is not None
    assert done.profiles == 1

    await hours_arrive(pool, series, MONDAY, [*weeks(1)[:10], 58.0, *weeks(1)[11:20]])
    await passes(pool, MONDAY + 21 * HOUR)

    ((_, value, n, due, status, unit),) = told(connection, "unusual")
    words = connection.execute(
        "SELECT words, start FROM air.figures WHERE indicator = 'air_unusual'"
    )
    # The hour's usual value is 25, its MAD 1: (58 - 25) / 1.4826.
    assert value == pytest.approx((58 - 25) / 1.4826)
    assert (n, due, status, unit) == (8, 8, "complete", "1")
    assert words.fetchall()[0][0] == ["above the usual"]


async def test_an_unusual_hour_that_is_corrected_loses_its_figure(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("temperature", 1800)])
    usual = [one for one in weeks(8) for _ in range(2)]
    at = [int((MONDAY - 56 * DAY + k * HALF).astype(np.int64)) for k in range(len(usual))]
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, batch_of(at, usual, [series] * len(at), [2] * len(at)))
    await passes(pool, MONDAY)
    await watching.watch(pool, MONDAY + np.timedelta64(5, "m"))
    await hours_arrive(pool, series, MONDAY, [50.0])
    await passes(pool, MONDAY + 2 * HOUR)
    assert told(connection, "unusual") == []  # one of two readings is not an hour

    await hours_arrive(pool, series, MONDAY + HALF, [52.0])
    await passes(pool, MONDAY + 2 * HOUR)
    assert len(told(connection, "unusual")) == 1

    connection.execute("UPDATE air.reading SET value = 19 WHERE time >= '2024-07-07T22:00Z'")
    async with pool.acquire() as one:
        await one.execute(
            "INSERT INTO pipeline.dirty (domain, start, series_id)"
            " VALUES ('air', '2024-07-07T22:00Z', $1), ('air', '2024-07-07T22:30Z', $1)",
            [series],
        )
    await passes(pool, MONDAY + 2 * HOUR)
    assert told(connection, "unusual") == []


async def test_a_late_reading_makes_the_profile_anew_and_one_of_this_week_does_not(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("temperature", 3600)])
    values = weeks(8)
    await hours_arrive(pool, series, MONDAY - 56 * DAY, values[:168])
    await hours_arrive(pool, series, MONDAY - 42 * DAY, values[336:])
    await passes(pool, MONDAY)
    look = MONDAY + np.timedelta64(5, "m")
    first, again = await watching.watch(pool, look), await watching.watch(pool, look)
    assert first is not None
    assert again is not None
    assert (first.profiles, again.profiles) == (1, 0)

    await hours_arrive(pool, series, MONDAY + 30 * HOUR, [20.0])
    await passes(pool, MONDAY + 32 * HOUR)
    this_week = await watching.watch(pool, MONDAY + 32 * HOUR)
    assert this_week is not None
    assert this_week.profiles == 0

    await hours_arrive(pool, series, MONDAY - 49 * DAY, values[168:336])
    await passes(pool, MONDAY + 33 * HOUR)
    late = await watching.watch(pool, MONDAY + 33 * HOUR)
    assert late is not None
    assert late.profiles == 1
    (count,) = connection.execute("SELECT count FROM pipeline.week_profile").fetchone() or ()
    assert set(count) == {8}


async def test_a_sensor_that_says_nothing_for_a_day_received_none_where_its_neighbours_speak(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("no2", 3600)] * 3)
    for series in ids[:2]:
        await hours_arrive(pool, series, MONDAY, [20.0, 21.0] * 24)
    await hours_arrive(pool, ids[0], MONDAY + 48 * HOUR, [20.0, 21.0] * 3)
    await passes(pool, MONDAY + DAY)
    await watching.watch(pool, MONDAY + DAY)
    await passes(pool, MONDAY + 3 * DAY)

    # The first day of all is whole; nobody had been heard before it, the third one never is.
    assert [row[:4] for row in told(connection, "coverage")] == [
        (ids[0], 100.0, 24, 24), (ids[0], 100.0, 24, 24), (ids[0], 25.0, 6, 24),
        (ids[1], 100.0, 24, 24), (ids[1], 100.0, 24, 24), (ids[1], 0.0, 0, 24),
    ]  # fmt: skip
    assert [row[1] for row in told(connection, "availability")] == [100, 100, 25, 100, 100, 0]
    assert [row[1] for row in told(connection, "good_share")] == [100, 100, 100, 100, 100]


async def test_days_of_23_and_25_hours_are_whole(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    for day in ("2024-03-30T23:00", "2024-10-26T22:00"):
        await hours_arrive(pool, series, np.datetime64(day, "us"), [20.0] * 25)
    await passes(pool, np.datetime64("2024-11-01", "us"))

    assert [row[1:4] for row in told(connection, "coverage")] == [
        (100.0, 23, 23), (pytest.approx(100 * 2 / 24), 2, 24), (100.0, 25, 25),
    ]  # fmt: skip
    assert next(row[1:4] for row in told(connection, "day_median")) == (20.0, 23, 23)


async def test_the_difference_to_three_neighbours_is_told_in_the_metric_s_unit(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("o3", 3600)] * 4 + [Line("o3", 3600, "pune")])
    for series, value in zip(ids, (60.0, 62.0, 70.0, 90.0, 500.0), strict=True):
        await hours_arrive(pool, series, MONDAY, [value] * 24)
    await passes(pool, MONDAY + 2 * DAY)

    assert told(connection, "neighbour_difference") == [
        (ids[0], -10.0, 3, 3, "complete", "ug/m3"),
        (ids[1], -8.0, 3, 3, "complete", "ug/m3"),
        (ids[2], 8.0, 3, 3, "complete", "ug/m3"),
        (ids[3], 28.0, 3, 3, "complete", "ug/m3"),
    ]


async def test_seventeen_hours_have_no_median_of_the_day_and_eighteen_have(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("no2", 3600), Line("vehicles", 3600)])
    await hours_arrive(pool, ids[0], MONDAY, [float(k) for k in range(17)])
    await hours_arrive(pool, ids[1], MONDAY, [float(k) for k in range(18)], Domain.MOBILITY)
    await passes(pool, MONDAY + 2 * DAY)

    assert told(connection, "day_median") == [(ids[0], None, 17, 24, "insufficient", "ug/m3")]
    assert told(connection, "day_median", "mobility") == [(ids[1], 8.5, 18, 24, "complete", "1")]


async def test_late_hours_complete_a_day_and_a_span_from_scratch_gives_the_same(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, MONDAY, [20.0] * 12)
    await passes(pool, MONDAY + 2 * DAY)
    assert told(connection, "coverage")[0][1:4] == (50.0, 12, 24)

    await hours_arrive(pool, series, MONDAY + 12 * HOUR, [22.0] * 12)
    await passes(pool, MONDAY + 2 * DAY)
    assert told(connection, "coverage")[0][1:4] == (100.0, 24, 24)
    assert told(connection, "day_median")[0][1:4] == (21.0, 24, 24)

    every = "SELECT f::text FROM air.figure f ORDER BY indicator_id, subject_id, start"
    before = connection.execute(every).fetchall()
    connection.execute("TRUNCATE air.figure")
    await refresh.recompute(pool, MONDAY, MONDAY + DAY, now=MONDAY + 2 * DAY)
    assert connection.execute(every).fetchall() == before


EVERY = (
    "SELECT indicator, (to_jsonb(f) - 'provisional')::text FROM {}.figure f"
    "  JOIN city.indicator USING (indicator_id) ORDER BY indicator, subject_id, start"
)


async def test_whatever_arrives_when_the_figures_are_those_of_a_computation_from_scratch(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    rng = np.random.default_rng(2)
    lines = [Line("temperature", 3600)] * 4 + [
        Line("no2", 900, "pune"), Line("rain", 86400), Line("vehicles", 3600),
        Line("parking_free", 0), Line("energy_import", 3600, "pune"),
    ]  # fmt: skip
    ids = register(connection, lines)
    domains = [Domain.AIR] * 6 + [Domain.MOBILITY] * 2 + [Domain.ENERGY]
    # Eight weeks and a half around the night of 25 hours, in pieces that come in any order.
    start, hours = np.datetime64("2024-09-01T22:00", "us"), 8 * 168 + 84
    parcels = []
    for number, (series, line) in enumerate(zip(ids, lines, strict=True)):
        step = np.timedelta64(max(line.step_s, 3600), "s")
        at = start + np.arange(hours * HOUR // step) * step
        at = at[rng.random(len(at)) > 0.1]
        gap = rng.integers(0, len(at))
        at = np.delete(at, np.s_[gap : gap + max(3, len(at) // 12)])
        value = 20 + 5 * np.sin(np.arange(len(at)) / 24 * 6.28) + rng.normal(0, 0.3, len(at))
        value[rng.random(len(at)) > 0.98] += 90
        if line.metric == "energy_import":
            value = np.cumsum(value)
        for part in np.array_split(np.arange(len(at)), 3):
            parcels.append((domains[number], series, at[part], value[part]))
    order = rng.permutation(len(parcels))
    now = start + hours * HOUR
    for turn, place in enumerate(order):
        domain, series, at, value = parcels[place]
        flag = rng.choice([1, 2, 9], len(at), p=[0.5, 0.4, 0.1])
        batch = batch_of(
            at.astype(np.int64).tolist(), value.round(2).tolist(), [series] * len(at), flag.tolist()
        )
        async with pool.acquire() as one:
            await arrive(one, domain, batch)
        if turn % 5 == 0:
            await passes(pool, now + turn * HOUR // 2)
        if turn % 7 == 0:
            await watching.watch(pool, now + turn * HOUR // 2)
        if turn == len(order) // 2:  # the beginning of one series, and the middle of another
            for gone, first, last in ((ids[0], 0, 12), (ids[4], 20, 41)):
                begin, end = (
                    (start + day * DAY).item().replace(tzinfo=datetime.UTC) for day in (first, last)
                )
                erasure.erase(connection, [measured(connection, gone)], Span(begin, end), ME)
    now += len(order) * HOUR
    await passes(pool, now)
    await watching.watch(pool, now)
    await passes(pool, now)

    told = {name: connection.execute(EVERY.format(name)).fetchall() for name in DOMAINS}
    for name in DOMAINS:
        connection.execute(f"TRUNCATE {name}.figure")
    await refresh.recompute(pool, start - 7 * DAY, now, now=now)
    again = {name: connection.execute(EVERY.format(name)).fetchall() for name in DOMAINS}
    assert {row[0] for rows in told.values() for row in rows} >= {
        "air_unusual", "air_coverage", "energy_availability", "mobility_day_median",
        "air_neighbour_difference",
    }  # fmt: skip
    for name in DOMAINS:
        assert told[name] == again[name]


async def test_a_history_that_comes_later_makes_its_silent_days_days_of_silence(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    await hours_arrive(pool, series, MONDAY + 4 * DAY, [20.0] * 24)
    await passes(pool, MONDAY + 5 * DAY)
    await watching.watch(pool, MONDAY + 5 * DAY)
    await passes(pool, MONDAY + 5 * DAY)
    assert [row[1] for row in told(connection, "coverage")] == [100]

    await hours_arrive(pool, series, MONDAY, [20.0] * 48)
    for _ in range(2):
        await passes(pool, MONDAY + 5 * DAY)
        await watching.watch(pool, MONDAY + 5 * DAY)
    await passes(pool, MONDAY + 5 * DAY)
    assert [row[1] for row in told(connection, "coverage")] == [100, 100, 0, 0, 100]
    assert [row[1] for row in told(connection, "availability")] == [100, 100, 0, 0, 100]


async def test_days_on_which_nobody_at_all_was_heard_are_told_too(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("no2", 3600), Line("vehicles", 3600)])
    await hours_arrive(pool, ids[0], MONDAY, [20.0] * 24)
    await hours_arrive(pool, ids[1], MONDAY, [20.0] * 24, Domain.MOBILITY)
    await passes(pool, MONDAY + DAY)
    for hour in (24, 25, 46, 47, 70, 71, 79):
        await watching.watch(pool, MONDAY + hour * HOUR)
    marks = connection.execute("SELECT count(*) FROM pipeline.changed").fetchone()
    await passes(pool, MONDAY + 80 * HOUR)

    assert marks == (4,)  # two days of two trades, however often somebody looks
    for domain in ("air", "mobility"):
        assert [row[1] for row in told(connection, "coverage", domain)] == [100, 0, 0]


async def test_an_empty_database_has_nothing_to_watch(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    done = await watching.watch(pool, MONDAY)

    assert done is not None
    assert (done.opened, done.closed, done.profiles) == (0, 0, 0)
    assert set(done.open.values()) == {0}
    assert connection.execute("SELECT count(*) FROM pipeline.heard").fetchone() == (0,)
