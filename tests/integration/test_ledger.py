"""Everything received is in the ledger once, however often it is tried, folded or not."""

from __future__ import annotations

import asyncio
import datetime
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict

import asyncpg
import psycopg
import pytest
from prometheus_client import REGISTRY

from beffroi.process import process
from collector.source import Message
from processors import upkeep
from processors.settings import Settings
from storage import folding, ingest
from storage.balance import Counts, Grouping
from storage.books import lines, total
from storage.city import parse
from storage.registry import register
from tests.integration.ledger_city import (
    A_BIT_OF_EVERYTHING,
    BROKEN,
    CSV,
    METER,
    NONE,
    TEN,
    TOML,
    Collector,
    air,
    count,
    findings,
    meter,
    opened,
)


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    register(connection, parse(TOML, CSV))
    return connection


@pytest.fixture
async def collector(city: psycopg.Connection, database: str) -> AsyncIterator[Collector]:
    running = await opened(database)
    yield running
    await running.connection.close()


@pytest.fixture
async def another(city: psycopg.Connection, database: str) -> AsyncIterator[Collector]:
    running = await opened(database)
    yield running
    await running.connection.close()


# Attempts ----------------------------------------------------------------------


async def test_an_attempt_that_is_repeated_is_counted_once(
    collector: Collector, another: Collector, city: psycopg.Connection
):
    attempt = uuid.uuid4()
    first = await collector.receive(*A_BIT_OF_EVERYTHING, attempt=attempt)
    before = total(city)
    again = await another.receive(*A_BIT_OF_EVERYTHING, attempt=attempt, repeated=True)

    assert (first.messages, first.messages_refused, first.decoded) == (9, 3, 7)
    assert (first.stored, first.duplicate, first.refused) == (4, 1, 5)
    assert asdict(again) == asdict(first)
    assert total(city) == before
    assert count(city, "pipeline.batch") == 1
    assert findings(city) == []


async def test_an_attempt_that_never_was_committed_is_stored(
    collector: Collector, city: psycopg.Connection
):
    outcome = await collector.receive(air(0), attempt=uuid.uuid4(), repeated=True)

    assert outcome.stored == 1
    assert count(city, "air.reading") == 1


async def test_an_attempt_is_found_after_it_was_folded(
    collector: Collector, city: psycopg.Connection
):
    attempt = uuid.uuid4()
    first = await collector.receive(*A_BIT_OF_EVERYTHING, attempt=attempt)
    assert await folding.fold(collector.connection, after=NONE) == 1
    again = await collector.receive(*A_BIT_OF_EVERYTHING, attempt=attempt, repeated=True)

    assert asdict(again) == asdict(first)
    assert total(city).messages_received == 9
    assert await folding.forget_attempts(collector.connection) == 0
    assert await folding.forget_attempts(collector.connection, after=NONE) == 1


async def test_a_found_attempt_mends_the_marks_of_a_collector_that_lost_the_answer(
    collector: Collector, another: Collector
):
    attempt = uuid.uuid4()
    await collector.receive(air(0), attempt=attempt)
    await another.receive(air(0), attempt=attempt, repeated=True)

    intake = another._decoding.intake([Message(1, 1, 1, *air(0), int(TEN.timestamp()) * 1_000_000)])
    newest = intake.batch.time.view("int64")
    assert another.high_water.is_new(intake.batch.series, newest).tolist() == [False]
    assert another.high_water.is_new(intake.batch.series, newest + 1).tolist() == [True]


@pytest.mark.parametrize("sent", [A_BIT_OF_EVERYTHING, (BROKEN,)])
async def test_an_attempt_repeated_while_its_commit_is_under_way_is_counted_once(
    collector: Collector,
    another: Collector,
    city: psycopg.Connection,
    sent: tuple[tuple[str, bytes], ...],
):
    attempt = uuid.uuid4()
    committing = collector.connection.transaction()
    await committing.start()
    first = await collector.receive(*sent, attempt=attempt)
    second = asyncio.create_task(another.receive(*sent, attempt=attempt, repeated=True))
    while not await waiting(city):
        await asyncio.sleep(0.01)
    await committing.commit()

    assert asdict(await second) == asdict(first)
    assert total(city).messages_received == len(sent)
    assert findings(city) == []


async def waiting(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone()
    return bool(row and row[0])


# Folding -----------------------------------------------------------------------


async def test_folding_changes_nothing_that_the_ledger_says(
    collector: Collector, city: psycopg.Connection
):
    for hour in range(3):
        at = TEN + datetime.timedelta(hours=hour)
        await collector.receive(*A_BIT_OF_EVERYTHING, at=at)
        await collector.receive(air(10 + hour), meter(15 + hour), at=at, qos=0)
    before = {by: lines(city, by) for by in Grouping}

    assert await folding.fold(collector.connection, after=NONE, limit=4) == 4
    assert (count(city, "pipeline.batch"), count(city, "pipeline.sensor_hour")) == (2, 8)
    assert {by: lines(city, by) for by in Grouping} == before
    assert await folding.fold(collector.connection, after=NONE) == 2
    assert await folding.fold(collector.connection, after=NONE) == 0
    assert (count(city, "pipeline.batch"), count(city, "pipeline.sensor_hour")) == (0, 12)
    assert {by: lines(city, by) for by in Grouping} == before
    assert total(city) == Counts(33, 6, 24, 9, 27, 10, 11, 6)
    assert findings(city) == []


async def test_a_batch_younger_than_ten_minutes_is_not_folded(
    collector: Collector, city: psycopg.Connection
):
    await collector.receive(air(0))
    await collector.receive(air(1))
    city.execute(
        "UPDATE pipeline.batch SET committed_at = now() - interval '11 minutes' WHERE batch_id = 1"
    )

    assert await folding.fold(collector.connection) == 1
    assert count(city, "pipeline.batch") == 1


async def test_folding_keeps_the_balance_while_collectors_commit_and_another_program_folds(
    database: str, city: psycopg.Connection
):
    committing = True
    folded = []

    async def commit(collector: Collector) -> None:
        for number in range(40):
            await collector.receive(air(number), meter(number), BROKEN, attempt=uuid.uuid4())

    async def fold(connection: asyncpg.Connection) -> None:
        while committing:
            folded.append(await folding.fold(connection, after=NONE, limit=7))

    async with AsyncExitStack() as opened_ones:
        collectors = [await opened(database) for _ in range(5)]
        for one in collectors:
            opened_ones.push_async_callback(one.connection.close)
        folders = [one.connection for one in collectors[3:]]
        running = [asyncio.create_task(fold(connection)) for connection in folders]
        await asyncio.gather(*map(commit, collectors[:3]))
        committing = False
        await asyncio.gather(*running)
        while some := await folding.fold(folders[0], after=NONE):
            folded.append(some)

    assert sum(folded) == 120
    assert total(city) == Counts(360, 0, 240, 120, 240, 80, 160, 0)
    assert findings(city) == []
    assert count(city, "pipeline.attempt") == 120


async def test_only_one_program_folds_at_a_time(collector: Collector, another: Collector):
    await collector.receive(air(0))
    await collector.receive(air(1))
    async with collector.connection.transaction():
        assert await folding.fold(collector.connection, after=NONE, limit=1) == 1
        async with asyncio.timeout(15):
            assert await folding.fold(another.connection, after=NONE) == 0
    assert await folding.fold(another.connection, after=NONE) == 1


async def test_a_folding_program_that_is_killed_has_folded_nothing(
    collector: Collector, another: Collector, city: psycopg.Connection
):
    await collector.receive(*A_BIT_OF_EVERYTHING)
    before = lines(city, Grouping.SENSOR)
    dying = another.connection
    await dying.transaction().start()
    assert await folding.fold(dying, after=NONE) == 1
    pid = dying.get_server_pid()
    dying.terminate()
    while city.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
        await asyncio.sleep(0.01)

    assert lines(city, Grouping.SENSOR) == before
    assert count(city, "pipeline.sensor_hour") == 0
    assert await folding.fold(collector.connection, after=NONE) == 1
    assert lines(city, Grouping.SENSOR) == before


# Upkeep ------------------------------------------------------------------------


async def test_upkeep_goes_on_after_a_failure_and_says_what_does_not_balance(
    collector: Collector, city: psycopg.Connection, caplog: pytest.LogCaptureFixture
):
    await collector.receive(air(0))
    city.execute("UPDATE pipeline.batch SET messages_received[1] = 2")
    city.execute("UPDATE pipeline.batch SET committed_at = now() - interval '1 hour'")
    city.execute("ALTER TABLE pipeline.attempt RENAME TO lost")
    stop = asyncio.Event()
    seen: list[upkeep.Upkeep] = []

    def clock() -> datetime.datetime:
        return TEN

    caplog.set_level(logging.INFO)
    running = asyncio.create_task(upkeep.run(Settings(), stop, clock, seen.append, interval_s=0.05))
    async with asyncio.timeout(15):
        while "upkeep failed" not in caplog.text:
            await asyncio.sleep(0.01)
        assert seen == []
        city.execute("ALTER TABLE pipeline.lost RENAME TO attempt")
        while not seen:
            await asyncio.sleep(0.01)
        stop.set()
        await running

    assert (seen[0].folded, seen[0].unbalanced) == (1, 1)
    assert "the ledger does not balance sensor_hours=1" in caplog.text


async def test_the_processor_exposes_how_many_sensor_hours_do_not_balance(
    collector: Collector, city: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PROCESSORS_METRICS_PORT", "0")
    await collector.receive(air(0), meter(0))
    city.execute("UPDATE pipeline.batch SET readings_stored[1] = 2")
    stop = asyncio.Event()
    running = asyncio.create_task(process(stop))
    async with asyncio.timeout(15):
        while REGISTRY.get_sample_value("beffroi_ledger_unbalanced") != 1:
            await asyncio.sleep(0.01)
        stop.set()
        await running


# Delays ------------------------------------------------------------------------


async def test_how_late_readings_came_is_told_per_sensor_and_hour_folded_or_not(
    collector: Collector, city: psycopg.Connection
):
    # Received at 10:00: measured 30 and 60 minutes before, and once more; a minute ahead; and
    # without a time of their own, of which nothing is known.
    await collector.receive(air(-30), air(-60, temp=5.0), air(-30), meter(1))
    await collector.receive((METER, b'{"index": 5}'), at=TEN + datetime.timedelta(minutes=7))
    await collector.receive(air(-3000), at=TEN + datetime.timedelta(minutes=9))
    told = (
        "SELECT code, hour = '2026-03-01T10:00Z', readings, round(mean_s), round(max_s)"
        "  FROM pipeline.delay JOIN city.sensor USING (sensor_id) ORDER BY code"
    )
    expected = [
        ("air-1", True, 4, round((1800 + 2 * 3600 + 180_540) / 4), 180_540),
        ("meter-1", True, 1, 0, 0),
    ]
    assert city.execute(told).fetchall() == expected

    assert await folding.fold(collector.connection, after=NONE, limit=2) == 2
    assert city.execute(told).fetchall() == expected
    assert await folding.fold(collector.connection, after=NONE) == 1
    assert city.execute(told).fetchall() == expected
    assert findings(city) == []


async def test_the_delay_is_that_of_the_time_stamp_and_of_a_kept_message_there_is_none(
    connection: psycopg.Connection, database: str
):
    register(connection, parse(TOML, CSV.replace("900,start", "900,end")))
    async with AsyncExitStack() as stack:
        collector = await opened(database)
        stack.push_async_callback(collector.connection.close)
        await collector.receive(meter(-2))  # of an interval that ended two minutes ago
        await collector.receive((METER, b'{"index": 5}'))
        kept = Message(1, 1, 1, *air(-600), int(TEN.timestamp()) * 1_000_000, retain=True)
        await ingest.store(
            collector.connection, collector._decoding.intake([kept]), collector.high_water
        )

    assert count(connection, "air.reading") == 1
    assert connection.execute("SELECT readings, mean_s, max_s FROM pipeline.delay").fetchall() == [
        (1, 120, 120)
    ]


async def test_a_batch_that_says_nothing_of_delays_is_folded(
    collector: Collector, city: psycopg.Connection
):
    await collector.receive(air(-30), meter(0))
    city.execute(
        "UPDATE pipeline.batch SET delay_readings = '{}', delay_sum_ms = '{}', delay_max_ms = '{}'"
    )
    before = total(city)

    assert await folding.fold(collector.connection, after=NONE) == 1
    assert total(city) == before
    assert count(city, "pipeline.delay") == 0
    assert findings(city) == []
