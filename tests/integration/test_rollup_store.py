"""What is replaced is exactly what was given, and nothing beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import pytest

from storage import rollup_store
from storage.catalogue import Domain
from storage.level import Level
from storage.reading import Batch, empty_batch
from storage.rollup import SKETCH_PAIR, Rollups, Sketches

AIR, QUARTER_HOUR = Domain.AIR, Level.QUARTER_HOUR
MIDNIGHT = np.datetime64("2024-05-14T00:00", "us")
FLOATS = ("sum", "min", "max", "m2", "first", "last", "x", "y")
COUNTS = ("expected", "received", "good", "suspect")


@pytest.fixture
async def one(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


def quarter(number: int) -> np.datetime64:
    return MIDNIGHT + number * np.timedelta64(15, "m")


def rollups(*rows: tuple[int, int, float]) -> Rollups:
    """(series, quarter-hour, sum); the sketch has as many pairs as the quarter's number."""
    series, number, total = (np.array(column) for column in zip(*rows, strict=True))
    pairs = np.zeros(int(number.sum()), SKETCH_PAIR)
    pairs["code"] = np.arange(len(pairs)) - 3
    pairs["count"] = 7
    floats = {name: total + k for k, name in enumerate(FLOATS)}
    floats["x"] = np.full(len(rows), np.nan)
    return Rollups(
        start=MIDNIGHT + number * np.timedelta64(15, "m"),
        series=series.astype(np.int32),
        provisional=number % 2 == 0,
        sketch=Sketches(np.append(0, np.cumsum(number)), pairs),
        **{name: (number + k).astype(np.int32) for k, name in enumerate(COUNTS)},
        **floats,
    )


async def replace(
    one: asyncpg.Connection, given: Rollups, first: int, last: int, *series: int
) -> None:
    async with one.transaction():
        await rollup_store.replace(
            one, AIR, QUARTER_HOUR, given, quarter(first), quarter(last), np.array(series, np.int32)
        )


async def stored(one: asyncpg.Connection) -> list[tuple[int, int, float]]:
    got = await rollup_store.fetch(one, AIR, QUARTER_HOUR, quarter(-999), quarter(999))
    number = (got.start - MIDNIGHT) // np.timedelta64(15, "m")
    return list(zip(got.series.tolist(), number.tolist(), got.sum.tolist(), strict=True))


async def test_rollups_come_back_unchanged_by_series_and_start(one: asyncpg.Connection) -> None:
    given = rollups((2, 3, 1.5), (1, 4, 2.5), (1, 0, 3.5), (9, 2, 4.5))
    await replace(one, given, 0, 9, 1, 2, 9)

    got = await rollup_store.fetch(one, AIR, QUARTER_HOUR, quarter(0), quarter(9))

    wanted = rollup_store.take(given, np.array([2, 1, 0, 3]))
    for name in ("start", "series", "provisional", *FLOATS, *COUNTS):
        np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name), err_msg=name)
    assert got.sketch.offset.tolist() == [0, 0, 4, 7, 9]
    assert got.sketch.pairs["code"].tolist() == [0, 1, 2, 3, -3, -2, -1, 4, 5]


async def test_rows_are_fetched_by_start_and_series(one: asyncpg.Connection) -> None:
    await replace(one, rollups((1, 0, 1), (1, 4, 2), (2, 0, 3)), 0, 9, 1, 2)

    got = await rollup_store.fetch(
        one, AIR, QUARTER_HOUR, quarter(0), quarter(4), np.array([1], np.int32)
    )

    assert got.sum.tolist() == [1]


async def test_rows_without_a_successor_go_and_others_change(one: asyncpg.Connection) -> None:
    await replace(one, rollups((1, 0, 1), (1, 1, 2), (1, 2, 3), (2, 1, 4)), 0, 9, 1, 2)

    await replace(one, rollups((1, 1, 20), (1, 3, 30)), 1, 4, 1)

    # Quarter 0 lies before, series 2 was not asked for.
    assert await stored(one) == [(1, 0, 1), (1, 1, 20), (1, 3, 30), (2, 1, 4)]


async def test_replacing_by_nothing_empties_the_stretch(one: asyncpg.Connection) -> None:
    await replace(one, rollups((1, 0, 1), (1, 1, 2), (1, 2, 3)), 0, 9, 1)
    nothing = rollup_store.take(rollups((1, 0, 1)), np.empty(0, np.intp))

    await replace(one, nothing, 0, 2, 1)

    assert await stored(one) == [(1, 2, 3)]


async def test_several_replacements_share_a_transaction(one: asyncpg.Connection) -> None:
    await replace(one, rollups((1, 0, 1), (1, 1, 2)), 0, 9, 1)

    async with one.transaction():
        await replace(one, rollups((1, 0, 10)), 0, 1, 1)
        await replace(one, rollups((1, 1, 20)), 1, 2, 1)

    assert await stored(one) == [(1, 0, 10), (1, 1, 20)]


async def test_equal_rows_are_not_written_again(one: asyncpg.Connection) -> None:
    await replace(one, rollups((1, 0, 1), (1, 1, 2)), 0, 9, 1)
    before = await one.fetch("SELECT start, xmin::text FROM air.rollup_15min ORDER BY 1")

    await replace(one, rollups((1, 0, 1), (1, 1, 9)), 0, 9, 1)

    after = await one.fetch("SELECT start, xmin::text FROM air.rollup_15min ORDER BY 1")
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False]


async def test_deleting_takes_windows_that_start_within(one: asyncpg.Connection) -> None:
    await replace(one, rollups((1, 0, 1), (1, 1, 2), (2, 2, 3)), 0, 9, 1, 2)

    await rollup_store.delete(one, AIR, QUARTER_HOUR, quarter(1), quarter(2))

    assert await stored(one) == [(1, 0, 1), (2, 2, 3)]


def failed(*rows: tuple[int, int, int]) -> Batch:
    """(series, quarter-hour, flag)."""
    if not rows:
        return empty_batch()
    series, number, flag = np.array(rows).T
    return Batch(
        MIDNIGHT + number * np.timedelta64(15, "m"),
        np.zeros(len(rows)),
        series.astype(np.int32),
        flag.astype(np.int16),
    )


async def flags(one: asyncpg.Connection) -> list[tuple[int, int, str, int, int]]:
    found = await one.fetch("SELECT * FROM pipeline.reading_flag ORDER BY 1, 2, 3")
    return [
        (s, int((np.datetime64(t.replace(tzinfo=None), "us") - MIDNIGHT) // np.timedelta64(15, "m")), *rest)
        for s, t, *rest in found
    ]  # fmt: skip


async def test_flags_of_the_tests_are_replaced_and_those_of_people_stay(
    one: asyncpg.Connection,
) -> None:
    among = np.array([1, 2], np.int32)
    tests = np.array([2, 4, 4], np.int16)
    await one.execute(
        "INSERT INTO pipeline.reading_flag VALUES (1, '2024-05-14T00:15Z', 'person', 4, 0)"
    )
    for rows, bits in (
        (failed((1, 0, 3), (1, 1, 3), (2, 2, 3)), tests),
        (failed((1, 1, 4), (2, 2, 3)), np.array([1, 4], np.int16)),
    ):
        async with one.transaction():
            await rollup_store.replace_flags(one, rows, bits, quarter(1), quarter(9), among)

    assert await flags(one) == [
        (1, 0, "test", 3, 2),  # lies before the stretch of the second
        (1, 1, "person", 4, 0),
        (1, 1, "test", 4, 1),
        (2, 2, "test", 3, 4),
    ]
    await rollup_store.replace_flags(
        one, failed(), np.empty(0, np.int16), quarter(0), quarter(9), np.array([1], np.int32)
    )
    assert await flags(one) == [(1, 1, "person", 4, 0), (2, 2, "test", 3, 4)]
