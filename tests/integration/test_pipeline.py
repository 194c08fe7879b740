"""Real MQTT in, rows and books out."""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import psycopg
import pytest

from beffroi.embedded.testing import TestBroker
from collector.pipeline import Pipeline
from storage.city import parse
from storage.intake import Intake
from storage.registry import register
from tests.integration.collecting import (
    CSV,
    TOML,
    TOPIC,
    collecting,
    lock_table,
    publish,
    reading,
    until,
)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_message_becomes_readings_in_canonical_units(
    broker: TestBroker, city: psycopg.Connection, protocol: str
):
    async with collecting(broker, f"units-{protocol}", protocol) as (pipeline, _):
        message = reading("2026-03-01T10:00:00+01:00", no2=21.5, temp=50, battery=3)
        publish(broker, [("city/99001/mairie/air-1", message)])
        await until(lambda: pipeline.totals.messages == 1)

    rows = city.execute(
        "SELECT time, metric, value, flag FROM air.readings ORDER BY metric"
    ).fetchall()
    nine = datetime.datetime(2026, 3, 1, 9, tzinfo=datetime.UTC)
    assert [(r[0], r[1], r[3]) for r in rows] == [(nine, "no2", 2), (nine, "temperature", 2)]
    assert [r[2] for r in rows] == pytest.approx([21.5, 10.0])
    assert pipeline.totals.refused == 0


async def test_an_end_stamp_is_stored_as_the_intervals_start(
    broker: TestBroker, city: psycopg.Connection
):
    async with collecting(broker, "stamp") as (pipeline, _):
        message = reading("2026-03-01T10:15:00Z", index=12000)
        publish(broker, [("city/99001/ecole/meter-1", message)])
        await until(lambda: pipeline.totals.messages == 1)

    assert city.execute("SELECT time, value FROM energy.reading").fetchall() == [
        (datetime.datetime(2026, 3, 1, 10, 0, tzinfo=datetime.UTC), 12.0)
    ]


async def test_a_repeat_is_a_duplicate_and_another_value_a_conflict(
    broker: TestBroker, city: psycopg.Connection
):
    topic = "city/99001/mairie/air-1"
    first = reading("2026-03-01T10:00:00Z", no2=21.5)
    other = reading("2026-03-01T10:00:00Z", no2=22.5)
    async with collecting(broker, "conflict") as (pipeline, _):
        publish(broker, [(topic, first), (topic, first), (topic, other)])
        await until(lambda: pipeline.totals.messages == 3)
        publish(broker, [(topic, first), (topic, other)])
        await until(lambda: pipeline.totals.messages == 5)

    totals = pipeline.totals
    assert (totals.decoded, totals.stored, totals.duplicate, totals.refused) == (5, 1, 2, 2)
    assert city.execute("SELECT value FROM air.reading").fetchall() == [(21.5,)]
    refusals = city.execute("SELECT reason, field, topic, payload FROM pipeline.refusal").fetchall()
    assert refusals == [("conflict", "no2", topic, other)] * 2


async def test_what_cannot_be_stored_becomes_a_refusal_with_its_reason(
    broker: TestBroker, city: psycopg.Connection
):
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=3)
    topic = "city/99001/mairie/air-1"
    wrong = [
        ("elsewhere/x", b"1", None),
        ("city/99001/mairie/nobody", b'{"no2": 1}', "unknown_sensor"),
        (topic, b"{broken", "bad_payload"),
        (topic, b"", "bad_payload"),
        (topic, b"\xff\xfe\x00", "bad_payload"),
        (topic, b'{"time": "yesterday", "no2": 1}', "bad_time"),
        (topic, b'{"no2": NaN}', "bad_value"),
        (topic, b'{"no2": 1e9}', "out_of_range"),
        (topic, reading("1999-12-31T23:59:59Z", no2=1), "too_old"),
        (topic, reading(soon.isoformat(), no2=1), "in_future"),
        (topic, b'{"nitrogen": 1}', "unknown_field"),
        (topic, b'{"no2": ' + b" " * 300_000 + b"1}", "too_large"),
        ("senml/x", b'[{"bn":"air-1:","n":"temp","u":"lux","v":1}]', "bad_unit"),
    ]
    async with collecting(broker, "refusals") as (pipeline, _):
        publish(broker, [(where, payload) for where, payload, _ in wrong])
        publish(broker, [(topic, reading("2026-03-01T10:00:00Z", no2=1))])
        await until(lambda: pipeline.totals.stored == 1)

    found = city.execute("SELECT reason FROM pipeline.refusal ORDER BY refusal_id").fetchall()
    assert [row[0] for row in found] == [reason for _, _, reason in wrong if reason]


async def test_a_retained_message_is_stored_only_if_it_says_its_time(
    broker: TestBroker, city: psycopg.Connection
):
    topic = "city/99001/mairie/air-1"
    publish(broker, [(topic, b'{"no2": 7}')], retain=True)
    try:
        async with collecting(broker, "retained") as (pipeline, _):
            await until(lambda: pipeline.totals.messages == 1)
            publish(broker, [(topic, reading("2026-03-01T10:00:00Z", no2=8))])
            await until(lambda: pipeline.totals.messages == 2)
    finally:
        publish(broker, [(topic, b"")], retain=True)

    assert city.execute("SELECT value FROM air.reading").fetchall() == [(8.0,)]
    assert city.execute("SELECT reason, field FROM pipeline.refusal").fetchall() == [
        ("bad_time", "no2")
    ]


async def test_messages_without_a_time_in_one_breath_do_not_fall_on_one_time(
    broker: TestBroker, city: psycopg.Connection
):
    async with collecting(broker, "breath") as (pipeline, _):
        publish(
            broker, [("city/99001/mairie/air-1", b'{"no2": %d}' % n) for n in range(50)], wait=False
        )
        await until(lambda: pipeline.totals.messages == 50)

    assert (pipeline.totals.stored, pipeline.totals.refused) == (50, 0)


async def test_a_message_of_very_many_wrong_readings_is_refused_in_few_rows(
    broker: TestBroker, city: psycopg.Connection
):
    payload = json.dumps({f"odd{n}": n for n in range(5000)}).encode()
    async with collecting(broker, "amplify") as (pipeline, _):
        publish(broker, [("city/99001/mairie/air-1", payload)])
        await until(lambda: pipeline.totals.messages == 1)

    rows = city.execute(
        "SELECT count(*), sum(readings), sum(length(payload)) FROM pipeline.refusal"
    )
    assert rows.fetchone() == (50, 5000, len(payload))
    assert pipeline.totals.refused == 5000
    assert city.execute("SELECT readings_refused FROM pipeline.ledger").fetchone() == (5000,)


async def test_a_unit_that_would_take_for_ever_is_refused_at_once(
    broker: TestBroker, city: psycopg.Connection
):
    payload = b'[{"bn":"air-1:","n":"no2","u":"9**9**9**9","v":1}]'
    async with collecting(broker, "bomb") as (pipeline, _):
        publish(broker, [("senml/x", payload)])
        await until(lambda: pipeline.totals.messages == 1)

    assert city.execute("SELECT reason FROM pipeline.refusal").fetchall() == [("bad_unit",)]


async def test_a_topic_no_binding_reads_has_a_line_of_its_own_in_the_books(
    broker: TestBroker, city: psycopg.Connection
):
    # Two filters overlap here: the wide one brings a topic that no pattern fits.
    city.execute("INSERT INTO city.binding VALUES (9, 'odd/+/deep', 'plain', 'UTC', '', '{}')")
    async with collecting(broker, "unreadable") as (pipeline, _):
        city.execute("DELETE FROM city.binding WHERE position = 9")
        city.execute("UPDATE city.revision SET revision = revision + 1")
        publish(broker, [("odd/a/deep", b'{"no2": 1}')])
        await until(lambda: pipeline.totals.messages == 1)

    assert city.execute("SELECT sensor_id, messages_refused FROM pipeline.ledger").fetchall() == [
        (-1, 1)
    ]


async def test_the_ledger_balances_and_can_be_recounted_from_the_tables(
    broker: TestBroker, city: psycopg.Connection
):
    topic = "city/99001/mairie/air-1"
    async with collecting(broker, "ledger") as (pipeline, _):
        messages = [
            (topic, reading(f"2026-03-01T10:{n % 40:02d}:00Z", no2=n % 40, temp=n % 7))
            for n in range(100)
        ]
        messages += [(topic, b"{"), ("city/99001/mairie/ghost", b'{"no2": 3}')]
        publish(broker, messages)
        await until(lambda: pipeline.totals.messages == 102)

    sums = city.execute(
        """
        SELECT sum(messages_received), sum(messages_decoded), sum(messages_refused),
               sum(readings_decoded), sum(readings_stored), sum(readings_duplicate),
               sum(readings_refused)
          FROM pipeline.ledger
        """
    ).fetchone()
    received, decoded, undecoded, readings, stored, duplicate, refused = map(int, sums or ())
    assert (received, decoded, undecoded) == (102, 100, 2)
    assert readings == stored + duplicate + refused == 200
    assert city.execute("SELECT count(*) FROM air.reading").fetchone() == (stored,)
    assert city.execute(
        "SELECT count(*) FILTER (WHERE field <> ''), count(*) FILTER (WHERE field = '')"
        " FROM pipeline.refusal"
    ).fetchone() == (refused, 2)


async def test_a_sensor_registered_meanwhile_is_read_without_a_restart(
    broker: TestBroker, city: psycopg.Connection
):
    async with collecting(broker, "revision") as (pipeline, _):
        publish(broker, [("city/99001/mairie/air-1", reading("2026-03-01T10:00:00Z", no2=1))])
        await until(lambda: pipeline.totals.stored == 1)
        register(city, parse(TOML, CSV + "99001,mairie,air-2,no2,,,60,start\n"))
        publish(broker, [("city/99001/mairie/air-2", reading("2026-03-01T10:00:00Z", no2=2))])
        await until(lambda: pipeline.totals.messages == 2)

    assert (pipeline.totals.stored, pipeline.totals.refused) == (2, 0)


async def test_every_stored_reading_marks_its_window_dirty(
    broker: TestBroker, city: psycopg.Connection
):
    async with collecting(broker, "dirty") as (pipeline, _):
        times = [f"2026-03-01T{hour:02d}:07:00Z" for hour in range(12)] * 2
        publish(broker, [("city/99001/mairie/air-1", reading(t, no2=5)) for t in times])
        await until(lambda: pipeline.totals.messages == 24)

    marks = city.execute(
        "SELECT extract(hour FROM start)::int, cardinality(series_id) FROM pipeline.dirty"
        " WHERE extract(minute FROM start) = 0 ORDER BY 1"
    ).fetchall()
    assert marks == [(hour, 1) for hour in range(12)]


@pytest.mark.serial
async def test_killing_the_broker_and_the_database_costs_no_acknowledged_message(
    city: psycopg.Connection, cluster, database: str
):
    topic = "city/99001/mairie/air-1"
    with TestBroker() as own:
        async with collecting(own, "crash") as (pipeline, source):
            publish(own, [(topic, reading("2026-03-01T10:00:00Z", no2=1))])
            await until(lambda: pipeline.totals.stored == 1)
            city.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'beffroi collector %' AND datname = current_database()"
            )
            publish(own, [(topic, reading("2026-03-01T10:01:00Z", no2=2))])
            await until(lambda: pipeline.totals.stored == 2)
            own.kill()
            await until(lambda: not source.connected)
            own.restart()
            await until(lambda: source.connected)
            publish(own, [(topic, reading("2026-03-01T10:02:00Z", no2=3))])
            await until(lambda: pipeline.totals.stored == 3)

    assert city.execute("SELECT value FROM air.reading ORDER BY time").fetchall() == [
        (1.0,), (2.0,), (3.0,)
    ]  # fmt: skip


async def test_nothing_is_acknowledged_before_it_is_committed(
    city: psycopg.Connection, broker: TestBroker, database: str
):
    topic = "city/99001/mairie/air-1"
    async with collecting(broker, "backlog"):
        pass  # leaves a session behind that keeps what comes
    with psycopg.connect(database) as blocking:
        await lock_table(blocking, "pipeline.batch")
        async with collecting(broker, "backlog") as (pipeline, source):
            publish(broker, [(topic, reading("2026-03-01T10:00:00Z", no2=1))])
            await asyncio.sleep(0.5)
            assert pipeline.totals.messages == 0
            # The collector goes away while its commit hangs, as in a crash.
            connection = pipeline.lease.connection
            assert connection is not None
            connection.terminate()
        blocking.rollback()
    async with collecting(broker, "backlog") as (pipeline, source):
        await until(lambda: pipeline.totals.messages == 1)
        assert source.session_present

    assert city.execute("SELECT value FROM air.reading").fetchall() == [(1.0,)]


async def test_a_topic_bound_meanwhile_is_subscribed_without_a_restart(
    broker: TestBroker, city: psycopg.Connection
):
    wider = TOML + '[[binding]]\ntopic = "new/{sensor}"\n'
    async with collecting(broker, "rebind") as (pipeline, source):
        register(city, parse(wider, CSV))
        await until(lambda: "new/+" in source.topics)
        publish(broker, [("new/air-1", reading("2026-03-01T10:00:00Z", no2=1))])
        await until(lambda: pipeline.totals.stored == 1)


async def test_messages_at_qos_0_are_counted_apart_and_warned_of_once_a_minute(
    broker: TestBroker, city: psycopg.Connection, caplog: pytest.LogCaptureFixture
):
    async with collecting(broker, "qos0") as (pipeline, _):
        for minute in range(3):
            message = reading(f"2026-03-01T10:0{minute}:00Z", no2=1)
            publish(broker, [(TOPIC, message)], qos=0)
            await until(lambda n=minute: pipeline.totals.messages == n + 1)
        publish(broker, [(TOPIC, reading("2026-03-01T11:00:00Z", no2=1))])
        await until(lambda: pipeline.totals.messages == 4)

    assert pipeline.totals.messages_qos0 == 3
    assert city.execute(
        "SELECT sum(messages_received), sum(messages_qos0) FROM pipeline.ledger"
    ).fetchone() == (4, 3)
    warnings = [r.getMessage() for r in caplog.records if "QoS 0" in r.getMessage()]
    assert len(warnings) == 1
    assert "messages=1;" in warnings[0]


async def test_a_message_published_at_qos_2_is_stored_once(
    broker: TestBroker, city: psycopg.Connection
):
    async with collecting(broker, "qos2") as (pipeline, source):
        publish(broker, [(TOPIC, b'{"no2": 4}')], qos=2)
        publish(broker, [(TOPIC, reading("2026-03-01T11:00:00Z", no2=5))], qos=2)
        await until(lambda: pipeline.totals.messages == 2)
        assert source.waiting == 0

    assert city.execute("SELECT value FROM air.reading ORDER BY value").fetchall() == [
        (4.0,), (5.0,)
    ]  # fmt: skip
    assert city.execute("SELECT sum(messages_qos0) FROM pipeline.ledger").fetchone() == (0,)


async def test_a_batch_read_under_an_older_registry_is_read_again_and_not_refused(
    city: psycopg.Connection, broker: TestBroker, monkeypatch: pytest.MonkeyPatch
):
    in_kelvin = CSV.replace("temperature,temp,[degF]", "temperature,temp,K")
    original, changes = Pipeline._decoded, []

    async def overtaken(self: Pipeline, connection: Any, messages: Any) -> Intake:
        intake = await original(self, connection, messages)
        if not changes:
            # The registry changes after the batch was read and before it is stored.
            changes.append(await asyncio.to_thread(register, city, parse(TOML, in_kelvin)))
        return intake

    monkeypatch.setattr(Pipeline, "_decoded", overtaken)
    async with collecting(broker, "overtaken") as (pipeline, _):
        await asyncio.to_thread(
            publish, broker, [(TOPIC, reading("2026-03-01T10:00:00Z", temp=293.15))]
        )
        await until(lambda: pipeline.totals.messages == 1)

    assert changes
    assert city.execute("SELECT round(value::numeric, 6) FROM air.reading").fetchall() == [(20,)]
    assert city.execute("SELECT count(*) FROM pipeline.refusal").fetchone() == (0,)
