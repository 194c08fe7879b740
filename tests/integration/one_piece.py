"""What rollups must be: all readings at once through the kernels, no slices, no passes."""

from __future__ import annotations

import asyncpg
import numpy as np

from processors import quality, summary, windows
from storage import rollup_store
from storage.catalogue import Domain
from storage.level import Level
from storage.reading import Batch, Flag, TimeArray
from storage.rollup import Rollups, Sketches
from storage.series import SeriesTable
from storage.series_store import load_series
from storage.windows import readings_between

EXACT = (
    "series", "start", "expected", "received", "good", "suspect", "provisional", "min", "max",
    "first", "last",
)  # fmt: skip
SUMS = ("sum", "x", "y")
ALL = (np.datetime64("2020-01-01", "us"), np.datetime64("2030-01-01", "us"))


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
    """All windows that any test here fills."""
    first, last = np.datetime64("2024-03-25", "us"), np.datetime64("2024-05-20", "us")
    if level is Level.QUARTER_HOUR:
        return windows.quarter_hours(first, last)
    if level is Level.HOUR:
        return windows.hours(first, last)
    return windows.local_days(first, last, zone)


async def judged(
    pool: asyncpg.Pool, batch: Batch, table: SeriesTable
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Final flags, the tests' flags and what failed; people's words one after the other."""
    said = {
        (row["series_id"], row["time"].replace(tzinfo=None)): row["flag"]
        for row in await pool.fetch(
            "SELECT series_id, time, flag FROM pipeline.reading_flag WHERE origin = 'person'"
        )
    }
    keys = list(zip(batch.series.tolist(), batch.time.tolist(), strict=True))
    source = [
        own if own == Flag.MISSING else said.get(key, own)
        for key, own in zip(keys, batch.flag.tolist(), strict=True)
    ]
    heard = Batch(batch.time, batch.value, batch.series, np.array(source, np.int16))
    flag, tests = quality.assess(heard, table)
    final = [
        own if own == Flag.MISSING or test & quality.Check.RANGE else said.get(key, own)
        for key, own, test in zip(keys, flag.tolist(), tests.tolist(), strict=True)
    ]
    return np.array(final, np.int16), flag, tests


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
        flag, _, _ = await judged(pool, mine, table)
        parts.append(summary.summarise(mine, flag, table, edges(level, zone), now))
    whole = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (*EXACT, *SUMS, "m2")
    }
    return rollup_store.take(
        Rollups(**whole, sketch=join_sketches(parts)),
        np.lexsort((whole["start"], whole["series"])),
    )


def join_sketches(parts: list[Rollups]) -> Sketches:
    offset, so_far = [np.zeros(1, np.int64)], 0
    for part in parts:
        offset.append(part.sketch.offset[1:] + so_far)
        so_far += int(part.sketch.offset[-1])
    return Sketches(np.concatenate(offset), np.concatenate([part.sketch.pairs for part in parts]))


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


async def assert_from_scratch(pool: asyncpg.Pool, domain: Domain, now: np.datetime64) -> None:
    """What is stored is what all readings at once give, flags included."""
    for level in Level:
        assert_equal(
            await stored(pool, domain, level), await in_one_piece(pool, domain, level, now)
        )
    async with pool.acquire() as one:
        table = await load_series(one, domain)
        batch = await readings_between(one, domain, *ALL)
    _, flag, tests = await judged(pool, batch, table)
    kept = np.flatnonzero(tests & ~np.int16(quality.Check.GAP))
    columns = (batch.series[kept], batch.time[kept], flag[kept], tests[kept])
    wanted = [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    assert [(s, t.replace(tzinfo=None), f, x) for s, t, f, x in await flags(pool)] == wanted
