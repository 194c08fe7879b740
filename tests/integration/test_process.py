"""Rollups are a function of the readings, however those arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import quality, rollup, summary, windows
from processors.settings import Settings
from storage import rollup_store
from storage.catalogue import Domain, Kind
from storage.level import Level
from storage.reading import Batch, TimeArray, batch_of, empty_batch
from storage.rollup import Rollups
from storage.series import KIND_CODE, SeriesTable
from storage.series_store import load_series
from storage.windows import readings_between
from tests.integration.small_city import Line, arrive, insert, mark, register

EXACT = (
    "series", "start", "expected", "received", "good", "suspect", "provisional", "min", "max",
    "first", "last",
)  # fmt: skip
SUMS = ("sum", "x", "y")
FIRST = np.datetime64("2024-03-29T20:00", "us")
LAST = np.datetime64("2024-04-01T04:00", "us")
"""Paris puts the clock forward in between."""
LATER = np.datetime64("2024-04-04T00:00", "us")
ALL = (np.datetime64("2020-01-01", "us"), np.datetime64("2030-01-01", "us"))
TINY = Settings(slice_rows=1000, marks_per_pass=20)
"""Slices and portions so small that every boundary is crossed many times."""

CITY = {
    Domain.AIR: [
        Line("temperature", 600),
        Line("temperature", 200, "pune"),
        Line("no2", 3600),
        Line("pressure", 86400, "pune"),
        Line("rain", 300),
        Line("wind_direction", 600),
        Line("noise_level", 900),
    ],
    Domain.MOBILITY: [
        Line("road_open", 0),
        Line("road_open", 1200),
        Line("speed", 120),
        Line("travel_time", 0),
        Line("bikes", 3600, "pune"),
    ],
    Domain.ENERGY: [
        Line("energy_import", 900, register_max=100_000.0),
        Line("energy_import", 300, "pune"),
        Line("heat_import", 3600),
        Line("water_import", 86400),
        Line("lighting_on", 600),
        Line("power", 600),
    ],
}


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database, min_size=0, max_size=4) as running:
        yield running


def history(line: Line, series: int, random: np.random.Generator) -> Batch:
    """What a series might say: jitter, gaps, flat stretches, spikes, restarts, bad flags."""
    step = line.step_s or 5000
    times = np.arange(FIRST, LAST, np.timedelta64(step, "s"))
    times = times[random.random(len(times)) > 0.1]
    gap = random.integers(0, len(times))
    times = np.delete(times, slice(gap, gap + len(times) // 5))
    times = np.unique(times + random.integers(0, step * 300_000, len(times)).astype("timedelta64[us]"))
    n = len(times)
    if line.metric.endswith("_import"):
        value = 99_900 + np.round(np.cumsum(random.exponential(step / 900, n)), 2)
        value[n // 3 :] -= 99_000  # another meter
        value[2 * n // 3 :] -= value[2 * n // 3]  # a restart
        value[random.random(n) < 0.03] = 0.0
        value = np.maximum(value, 0.0)
    elif line.metric in ("road_open", "lighting_on"):
        value = random.integers(0, 2, n).astype(float)
    elif line.metric in ("rain", "bikes"):
        value = random.poisson(2, n).astype(float)
    else:
        value = np.round(30 + np.cumsum(random.normal(0, 0.4, n)), 1)
        value[random.random(n) < 0.02] += 12
        flat = random.integers(0, n)
        value[flat : flat + n // 3] = value[flat]
        if line.metric == "pressure":
            value += 900
        if line.metric == "wind_direction":
            value %= 360
    flag = random.choice([1, 2, 3, 4, 9], n, p=[0.6, 0.3, 0.04, 0.03, 0.03])
    value[(flag == 9) & (random.random(n) < 0.5)] = np.nan
    return Batch(times, value, np.full(n, series, np.int32), flag.astype(np.int16))


def joined(batches: list[Batch]) -> Batch:
    names = ("time", "value", "series", "flag")
    return Batch(*(np.concatenate([getattr(b, name) for b in batches]) for name in names))


async def stored(pool: asyncpg.Pool, domain: Domain, level: Level) -> Rollups:
    async with pool.acquire() as connection:
        return await rollup_store.fetch(connection, domain, level, *ALL)


async def flags(pool: asyncpg.Pool) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        "SELECT series_id, time, flag, tests FROM pipeline.reading_flag"
        " WHERE origin = 'test' ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]


def edges(level: Level, zone: str) -> TimeArray:
    if level is Level.QUARTER_HOUR:
        return windows.quarter_hours(FIRST - np.timedelta64(3, "D"), LATER)
    if level is Level.HOUR:
        return windows.hours(FIRST - np.timedelta64(3, "D"), LATER)
    return windows.local_days(FIRST - np.timedelta64(3, "D"), LATER, zone)


async def in_one_piece(
    pool: asyncpg.Pool, domain: Domain, level: Level, now: np.datetime64
) -> Rollups:
    """All readings at once through the kernels: no slices, no passes, no combining."""
    async with pool.acquire() as connection:
        table = await load_series(connection, domain)
        batch = await readings_between(connection, domain, *ALL)
    step = table.step[table.position(batch.series)]
    finest = {Level.QUARTER_HOUR: 900, Level.HOUR: 3600, Level.DAY: 10**9}[level]
    batch = batch.take(step <= finest)
    parts = []
    for number, zone in enumerate(table.zones):
        mine = batch.take(table.timezone[table.position(batch.series)] == number)
        flag, _ = quality.assess(mine, table)
        parts.append(summary.summarise(mine, flag, table, edges(level, zone), now))
    whole = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (*EXACT, *SUMS, "m2")
    }
    return rollup_store.take(
        Rollups(**whole, sketch=join_sketches(parts)),
        np.lexsort((whole["start"], whole["series"])),
    )


def join_sketches(parts: list[Rollups]) -> rollup_store.Sketches:
    offset, so_far = [np.zeros(1, np.int64)], 0
    for part in parts:
        offset.append(part.sketch.offset[1:] + so_far)
        so_far += int(part.sketch.offset[-1])
    return rollup_store.Sketches(
        np.concatenate(offset), np.concatenate([part.sketch.pairs for part in parts])
    )


def assert_equal(got: Rollups, wanted: Rollups, *, m2: bool = True) -> None:
    for name in EXACT:
        np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name), err_msg=name)
    np.testing.assert_array_equal(got.sketch.offset, wanted.sketch.offset)
    np.testing.assert_array_equal(got.sketch.pairs, wanted.sketch.pairs)
    for name in SUMS:
        np.testing.assert_allclose(
            getattr(got, name), getattr(wanted, name), rtol=1e-12, atol=1e-9, err_msg=name
        )
    if m2:
        np.testing.assert_allclose(got.m2, wanted.m2, rtol=1e-9, atol=1e-9)


async def until_done(pool: asyncpg.Pool, now: np.datetime64, settings: Settings) -> None:
    while (await rollup.process(pool, now, settings)).more:
        pass


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_order_of_arrival_gives_the_rollups_of_one_piece(
    pool: asyncpg.Pool, connection: psycopg.Connection, seed: int
) -> None:
    random = np.random.default_rng(seed)
    everything: list[tuple[Domain, Batch]] = []
    for domain, lines in CITY.items():
        ids = register(connection, lines)
        batches = [history(line, k, random) for line, k in zip(lines, ids, strict=True)]
        everything.append((domain, joined(batches)))
    # Most readings arrive at once, some hours late; passes run in between.
    arrival = {
        domain: batch.time
        + np.where(
            random.random(len(batch)) < 0.15,
            random.integers(0, 40 * 3600, len(batch)),
            random.integers(0, 60, len(batch)),
        ).astype("timedelta64[s]")
        for domain, batch in everything
    }
    clock = FIRST
    while clock < LATER:
        then, clock = clock, clock + np.timedelta64(int(random.integers(60, 30_000)), "s")
        for domain, batch in everything:
            now_here = batch.take((arrival[domain] >= then) & (arrival[domain] < clock))
            if len(now_here):
                async with pool.acquire() as one:
                    order = random.permutation(len(now_here))
                    await arrive(one, domain, now_here.take(order))
        if random.random() < 0.7:
            await rollup.process(pool, clock, TINY)
    await until_done(pool, LATER, TINY)
    step_by_step = {
        (domain, level): await stored(pool, domain, level) for domain in Domain for level in Level
    }
    step_by_step_flags = await flags(pool)

    for (domain, level), got in step_by_step.items():
        assert len(got) > 10
        assert_equal(got, await in_one_piece(pool, domain, level, LATER))

    for domain in Domain:
        for level in Level:
            await pool.execute(f"TRUNCATE {domain.value}.{level.value}")
    await pool.execute("TRUNCATE pipeline.reading_flag")
    seen: list[tuple[int, int]] = []
    await rollup.recompute(
        pool, FIRST, LATER, lambda *at: seen.append(at), now=LATER, settings=TINY
    )
    assert seen[-1] == (18, 18)  # six days of three domains
    for (domain, level), before in step_by_step.items():
        assert_equal(await stored(pool, domain, level), before)
    assert await flags(pool) == step_by_step_flags
    assert len(step_by_step_flags) > 30
