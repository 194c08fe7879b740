"""Readings come back out as they went in, and so do the ones just outside."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import psycopg
import pytest

from storage import windows
from storage.catalogue import Domain
from storage.reading import Batch, batch_of
from storage.windows import Places
from tests.integration.small_city import Line, insert, register

AIR = Domain.AIR
MIDNIGHT = np.datetime64("2024-05-14T00:00", "us")


@pytest.fixture
async def one(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


def at(*minutes: float) -> np.ndarray:
    return MIDNIGHT + np.array([round(60e6 * m) for m in minutes], "timedelta64[us]")


def said(series: int, minutes: list[float], values: list[float], flag: int = 1) -> Batch:
    times = at(*minutes).view(np.int64).tolist()
    return batch_of(times, values, [series] * len(times), [flag] * len(times))


def place(series: int, minute: float, low: float = np.nan, high: float = np.nan) -> Places:
    return Places(np.array([series], np.int32), at(minute), np.array([low]), np.array([high]))


def minutes(times: np.ndarray) -> list[float]:
    return ((times - MIDNIGHT) / np.timedelta64(1, "m")).tolist()


async def test_a_window_holds_its_start_and_not_its_end(one: asyncpg.Connection) -> None:
    await insert(one, AIR, said(2, [0, 15, 30], [1.5, float("nan"), 3.5]))
    await insert(one, AIR, said(1, [15, 14.999999], [4, 5]))

    got = await windows.readings_between(one, AIR, *at(0, 30))

    assert got.series.tolist() == [1, 1, 2, 2]
    assert minutes(got.time) == [pytest.approx(14.999999), 15, 0, 15]
    np.testing.assert_array_equal(got.value, [5, 4, 1.5, np.nan])


async def test_some_series_or_all(one: asyncpg.Connection) -> None:
    for series in (1, 2, 70_000):
        await insert(one, AIR, said(series, [1], [series]))

    some = await windows.readings_between(one, AIR, *at(0, 30), np.array([70_000, 2], np.int32))
    everything = await windows.readings_between(one, AIR, *at(0, 30))

    assert some.series.tolist() == [2, 70_000]
    assert everything.series.tolist() == [1, 2, 70_000]
    assert len(await windows.readings_between(one, AIR, *at(30, 60))) == 0


async def test_readings_stored_out_of_order_come_in_order(one: asyncpg.Connection) -> None:
    random = np.random.default_rng(5)
    minute = random.permutation(1000).tolist()
    for series in (3, 1):
        await insert(one, AIR, said(series, minute, [float(m) for m in minute]))

    got = await windows.readings_between(one, AIR, *at(0, 1000))

    assert got.series.tolist() == [1] * 1000 + [3] * 1000
    assert got.value.tolist() == [float(m) for m in range(1000)] * 2


async def test_usable_neighbours_are_found_across_chunks(one: asyncpg.Connection) -> None:
    week = 7 * 1440
    await insert(one, AIR, said(1, [-week, -5, 10, week], [1, 2, 3, 4]))
    await insert(one, AIR, said(1, [-3, 5], [0, 0], flag=4))
    await insert(one, AIR, said(1, [-2, 6], [float("nan")] * 2, flag=9))
    await insert(one, AIR, said(1, [-1, 7], [-99, 99]))

    before = await windows.before(one, AIR, place(1, 0, -10, 10), 2)
    after = await windows.after(one, AIR, place(1, 0, -10, 10), 2)

    assert before.value.tolist() == [1, 2]
    assert after.value.tolist() == [3, 4]
    last = await windows.before(one, AIR, place(1, 0), 1, usable=False)
    assert last.value.tolist() == [-99]
    assert (await windows.before(one, AIR, place(1, 0), 1)).value.tolist() == [-99]


async def test_answers_are_numbered_by_place(one: asyncpg.Connection) -> None:
    await insert(one, AIR, said(1, [1, 2, 3, 4], [1, 2, 3, 4]))
    await insert(one, AIR, said(2, [1], [9]))
    series = np.array([2, 1, 1, 3], np.int32)
    nan = np.full(4, np.nan)

    got = await windows.before(one, AIR, Places(series, at(5, 3, 9, 9), nan, nan), 2)

    assert got.series.tolist() == [0, 1, 1, 2, 2]
    assert got.value.tolist() == [9, 1, 2, 3, 4]


async def test_a_reading_at_the_place_comes_after_it(one: asyncpg.Connection) -> None:
    await insert(one, AIR, said(1, [1, 2, 3], [1, 2, 3]))

    assert (await windows.before(one, AIR, place(1, 2), 9)).value.tolist() == [1]
    assert (await windows.after(one, AIR, place(1, 2), 9)).value.tolist() == [2, 3]


async def test_what_a_person_calls_failed_is_no_neighbour(
    one: asyncpg.Connection, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 600)])
    await insert(one, AIR, said(series, [1, 2], [1, 2]))
    await one.execute(
        "INSERT INTO pipeline.reading_flag SELECT series_id, time, 'person', 4, 0"
        " FROM air.reading WHERE value = 2"
    )

    usable = await windows.before(one, AIR, place(series, 5), 2)
    last = await windows.before(one, AIR, place(series, 5), 1, usable=False)
    said_so = await windows.person_flags(one, AIR, *at(0, 5), np.array([series], np.int32))

    assert usable.value.tolist() == [1]
    assert (last.value.tolist(), last.flag.tolist()) == ([2], [4])
    assert (minutes(said_so.time), said_so.flag.tolist()) == ([2], [4])


@pytest.mark.parametrize(
    ("minute", "value", "hours", "since"),
    [
        (40, 7, 6, 20),  # another value before the run
        (20, 7, 6, 20),  # the run begins here
        (10, 5, 6, 0),  # all of it is equal, and nothing is older
        (600, 9, 1, 530),  # equal for longer than asked: the reading that is old enough
        (600, 9, 1.2, 520),
        (600, 9, 60, 500),
    ],
)
async def test_since_when_a_value_is_unchanged(
    one: asyncpg.Connection, minute: float, value: float, hours: float, since: float
) -> None:
    steady = [500.0 + 10 * k for k in range(11)]
    await insert(one, AIR, said(1, [0, 10, 20, 30, 40], [5, 5, 7, 7, 7]))
    await insert(one, AIR, said(1, [25, 35], [0, float("nan")], flag=9))
    await insert(one, AIR, said(1, steady, [9.0] * 11))

    got = await windows.unchanged_since(
        one, AIR, place(1, minute), np.array([value]), np.array([hours])
    )

    assert minutes(got) == [since]


async def test_until_when_a_value_is_unchanged(one: asyncpg.Connection) -> None:
    await insert(one, AIR, said(1, [0, 10, 30], [5, 5, 6]))
    await insert(one, AIR, said(1, [20], [7], flag=4))
    hours = np.array([1.0])

    changed = await windows.unchanged_until(one, AIR, place(1, 0), np.array([5.0]), hours)
    lasting = await windows.unchanged_until(one, AIR, place(1, 30), np.array([6.0]), hours)

    assert minutes(changed) == [30]
    assert minutes(lasting) == [90]


async def test_no_places_need_no_database(one: asyncpg.Connection) -> None:
    none = Places(np.empty(0, np.int32), at(), np.empty(0), np.empty(0))
    await one.close()

    assert len(await windows.before(one, AIR, none, 2)) == 0
    assert len(await windows.unchanged_since(one, AIR, none, np.empty(0), np.empty(0))) == 0
