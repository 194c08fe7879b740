"""People flag and correct readings: stored right, logged, and rolled up anew."""

from __future__ import annotations

import asyncpg
import psycopg
import pytest

from processors import rollup
from storage import corrections, review
from storage.catalogue import Domain
from storage.corrections import Constant, Linear
from storage.high_water import HighWater
from storage.reading import Flag
from tests.integration.changes import (
    AFTER,
    ME,
    counts,
    marks,
    measured,
    minute,
    said,
    send,
    span,
    values,
    view,
)
from tests.integration.one_piece import assert_from_scratch
from tests.integration.small_city import Line, arrive, register


async def test_a_persons_word_outweighs_source_and_tests_until_it_is_taken_back(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 300)])
    of, air = measured(connection, series), Domain.AIR
    # The second jumps up and the third down; the last is failed by its source.
    async with pool.acquire() as one:
        await arrive(one, air, said(series, [0, 5, 10], [20, 40, 20]))
        await arrive(one, air, said(series, [15], [21], flag=4))
    await rollup.process(pool, AFTER)
    assert await counts(pool, air) == [(1, 2, 80.0), (0, 0, 0.0)]
    assert view(connection) == [1, 3, 3, 4]

    good = corrections.flag(connection, of, span(0, 20), Flag.GOOD, ME)
    assert (good.there, good.readings, good.windows) == (4, 4, 2)
    assert marks(connection) == [("air", 0), ("air", 15)]
    await rollup.process(pool, AFTER)
    assert await counts(pool, air) == [(3, 0, 80.0), (1, 0, 21.0)]
    assert view(connection) == [1, 1, 1, 1]
    await assert_from_scratch(pool, air, AFTER)

    corrections.flag(connection, of, span(5, 6), Flag.FAIL, ME)
    assert marks(connection) == [("air", 0)]
    await rollup.process(pool, AFTER)
    assert await counts(pool, air) == [(2, 0, 40.0), (1, 0, 21.0)]
    assert view(connection) == [1, 4, 1, 1]
    await assert_from_scratch(pool, air, AFTER)

    taken_back = corrections.flag(connection, of, span(0, 20), None, ME)
    assert taken_back.readings == 4
    await rollup.process(pool, AFTER)
    assert await counts(pool, air) == [(1, 2, 80.0), (0, 0, 0.0)]
    assert view(connection) == [1, 3, 3, 4]
    await assert_from_scratch(pool, air, AFTER)


async def test_no_word_makes_a_value_of_a_missing_one_or_an_impossible_one(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 300)])
    of = measured(connection, series)
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0], [float("nan")], flag=9))
        await arrive(one, Domain.AIR, said(series, [5], [300]))
        await arrive(one, Domain.AIR, said(series, [10], [20]))

    changed = corrections.flag(connection, of, span(0, 15), Flag.GOOD, ME)
    await rollup.process(pool, AFTER)

    assert (changed.there, changed.valueless, changed.readings) == (3, 1, 2)
    assert await counts(pool, Domain.AIR) == [(1, 0, 20.0)]
    assert view(connection) == [9, 4, 1]
    await assert_from_scratch(pool, Domain.AIR, AFTER)


async def test_what_a_person_called_failed_is_nobodys_newest_value(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 300)])
    of = measured(connection, series)
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0, 5], [20, 55]))

    corrections.flag(connection, of, span(5, 10), Flag.FAIL, ME)

    assert connection.execute("SELECT value, flag FROM air.now").fetchall() == [(20.0, 1)]
    corrections.flag(connection, of, span(5, 10), Flag.SUSPECT, ME)
    assert connection.execute("SELECT value, flag FROM air.now").fetchall() == [(55.0, 3)]


def test_saying_the_same_again_changes_nothing_and_is_not_logged(
    connection: psycopg.Connection,
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    of = measured(connection, series)
    connection.execute(
        "INSERT INTO air.reading SELECT generate_series(%s::timestamptz, %s, '5 minutes'), 1, %s, 1",
        [minute(0), minute(24 * 60), series],
    )

    first = corrections.flag(connection, of, span(2, 122), Flag.SUSPECT, ME)
    again = corrections.flag(connection, of, span(2, 122), Flag.SUSPECT, ME)

    assert (first.readings, first.windows, again.there, again.readings) == (24, 9, 24, 0)
    assert again.action_id is None
    assert [
        (a.person, a.action, a.readings, a.detail, a.why) for a in review.log(connection, None, 9)
    ] == [("Ada", "flag", 24, "suspect", "the probe was being calibrated")]
    assert marks(connection) == [("air", 15 * k) for k in range(9)]


async def test_the_first_value_is_kept_over_a_second_correction_and_forgotten_when_it_is_back(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    of, water = measured(connection, series), HighWater()
    await send(pool, said(series, [0, 5, 20], [1, 2, 4]), of, water)
    await rollup.process(pool, AFTER)

    one = corrections.correct(connection, of, span(0, 15), Linear(10, 1), ME)
    assert (one.there, one.readings, one.windows) == (2, 2, 1)
    assert marks(connection) == [("air", 0)]
    corrections.correct(connection, of, span(5, 15), Constant(9), ME)

    assert values(connection) == [11, 9, 4]
    kept = "SELECT original, action_id FROM pipeline.correction ORDER BY time"
    assert connection.execute(kept).fetchall() == [(1, 1), (2, 2)]
    await rollup.process(pool, AFTER)
    assert [total for *_, total in await counts(pool, Domain.AIR)] == [20, 4]
    await assert_from_scratch(pool, Domain.AIR, AFTER)

    back = corrections.correct(connection, of, span(5, 6), Constant(2), ME)
    assert back.readings == 1
    assert connection.execute(kept).fetchall() == [(1, 1)]


async def test_both_the_first_value_and_the_corrected_one_are_duplicates_when_sent_again(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    of, water = measured(connection, series), HighWater()
    await send(pool, said(series, [0, 5], [1, 2]), of, water)
    corrections.correct(connection, of, span(0, 5), Constant(7), ME)

    again = await send(pool, said(series, [0, 0, 0, 0, 0, 5], [1, 7, 1, 3, 7, 2]), of, water)

    assert (again.stored, again.duplicate, again.refused) == (0, 5, 1)
    assert again.reasons == {"conflict": 1}
    assert values(connection) == [7, 2]
    anew = await send(pool, said(series, [0], [1]), of, HighWater())
    assert (anew.stored, anew.duplicate) == (0, 1)


def test_a_correction_out_of_the_metrics_range_changes_nothing(
    connection: psycopg.Connection,
) -> None:
    [series] = register(connection, [Line("humidity", 300)])
    of = measured(connection, series)
    connection.execute(
        "INSERT INTO air.reading SELECT %s::timestamptz + n * interval '10 days', n, %s, 1"
        "  FROM generate_series(1, 9) n",
        [minute(0), series],
    )

    with pytest.raises(corrections.NotDone) as refused:
        corrections.correct(connection, of, span(0, 1e6), Linear(15, 0), ME)
    assert str(refused.value) == (
        "humidity goes from 0 to 100 %, and the new value at 2024-07-20T00:00:00+00:00 would be 105, "
        "and 2 others beside it; nothing was changed"
    ) or "would be 105" in str(refused.value)
    with pytest.raises(corrections.NotDone, match="too large for any number"):
        corrections.correct(connection, of, span(0, 1e6), Linear(1e308, 1e308), ME)

    assert values(connection) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert connection.execute("SELECT count(*) FROM pipeline.dirty").fetchone() == (0,)
    assert review.log(connection, None, 9) == []


def test_a_missing_value_stays_missing(connection: psycopg.Connection) -> None:
    [series] = register(connection, [Line("humidity", 300)])
    of = measured(connection, series)
    connection.execute(
        "INSERT INTO air.reading VALUES (%s, 'NaN', %s, 9), (%s, 50, %s, 1)",
        [minute(0), series, minute(5), series],
    )

    changed = corrections.correct(connection, of, span(0, 10), Constant(40), ME)

    assert (changed.there, changed.valueless, changed.readings) == (2, 1, 1)
    assert str(values(connection)) == "[nan, 40.0]"
