"""Sparkplug B over a real broker: births that outlive the collector, and rebirths asked for."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from beffroi.embedded.testing import TestBroker
from collector import again
from collector.certificates import versions
from collector.decode import Decoding
from collector.formats.births import PastBirths
from collector.formats.sparkplug_schema import DataType, Payload
from collector.mqtt.session import open_source
from collector.settings import broker_from_url
from collector.standby import Collector
from storage import births
from storage.city import parse
from storage.refused import Selection
from storage.registry import load_routes, register
from tests.integration.collecting import (
    TOML,
    a_collector,
    is_collecting,
    publish,
    settings_for,
    until,
)
from tests.unit.small_routes import OLDEST

SPARKPLUG = (
    TOML
    + """
[[binding]]
topic = "spBv1.0/#"
format = "sparkplug"
"""
)
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp
99001,mairie,gw-01,no2,air/no2,,60,start
99001,mairie,gw-01,temperature,air/temp,,60,start
99001,ecole,gw-01:meter-7,energy_import,energy/import,W.h,900,start
"""
T_MS = 1_772_355_600_000
NODE = "spBv1.0/Metropole/{}/gw-01"
DEVICE = "spBv1.0/Metropole/{}/gw-01/meter-7"
KINDS = [("mqtt5", "5"), ("paho", "5"), ("paho", "3.1.1")]


@pytest.fixture
def town(connection: psycopg.Connection) -> psycopg.Connection:
    register(connection, parse(SPARKPLUG, CSV))
    return connection


def message(minute: int, *metrics: dict[str, Any], seq: int) -> bytes:
    sent_ms = T_MS + 60_000 * minute
    said = [{"timestamp": sent_ms, **one} for one in metrics]
    return bytes(Payload(timestamp=sent_ms, seq=seq, metrics=said).SerializeToString())


def nbirth(minute: int, no2: float = 38.5, alias: int = 11) -> tuple[str, bytes]:
    metrics = [
        {"name": b"bdSeq", "datatype": DataType.INT64, "long_value": 7},
        {"name": b"air/no2", "alias": alias, "datatype": DataType.DOUBLE, "double_value": no2},
        {"name": b"air/temp", "alias": 12, "datatype": DataType.INT16, "int_value": 4294967254},
    ]
    return NODE.format("NBIRTH"), message(minute, *metrics, seq=0)


def ndata(minute: int, no2: float, seq: int, alias: int = 11) -> tuple[str, bytes]:
    return NODE.format("NDATA"), message(minute, {"alias": alias, "double_value": no2}, seq=seq)


def values(city: psycopg.Connection) -> list[float]:
    rows = city.execute(
        "SELECT value FROM air.readings WHERE metric = 'no2' ORDER BY time"
    ).fetchall()
    return [row[0] for row in rows]


async def kill(collector: Collector, task: asyncio.Task[None]) -> None:
    """End it without a word to broker or database, as a crash does."""
    connection = collector.pipeline.lease.connection
    assert connection is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_alias_is_understood_after_the_collector_was_killed(
    broker: TestBroker, town: psycopg.Connection
):
    settings = settings_for(broker, "sparkplug-restart")
    collector = Collector(settings, open_source)
    task = asyncio.create_task(collector.run(asyncio.Event()))
    await until(lambda: is_collecting(collector))
    device = {
        "name": b"energy/import", "alias": 1, "datatype": DataType.UINT64, "long_value": 123_000,
    }  # fmt: skip
    publish(broker, [nbirth(0), (DEVICE.format("DBIRTH"), message(0, device, seq=1))])
    publish(broker, [ndata(1, 39.5, 2)])
    await until(lambda: collector.totals.messages == 3)
    await kill(collector, task)

    async with a_collector(settings) as (second, _, _):
        await until(lambda: is_collecting(second))
        publish(broker, [ndata(2, 40.5, 3)])
        publish(
            broker, [(DEVICE.format("DDATA"), message(15, {"alias": 1, "long_value": 124_000}, seq=4))]
        )  # fmt: skip
        await until(lambda: second.totals.stored == 2)

    assert values(town) == [38.5, 39.5, 40.5]
    assert town.execute("SELECT value FROM energy.reading ORDER BY time").fetchall() == [
        (123.0,), (124.0,)
    ]  # fmt: skip
    assert town.execute("SELECT count(*) FROM pipeline.refusal").fetchone() == (0,)


class EdgeNode:
    """An edge node that answers a rebirth request with its birth."""

    def __init__(self, broker: TestBroker) -> None:
        target = broker_from_url(broker.url, {})
        self.asked: list[tuple[str, bytes, int, bool]] = []
        self.ready = False
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(target.username, target.password)
        self.client.on_message = self._commanded
        self.client.on_subscribe = self._subscribed
        self.client.connect(target.host, target.port)
        self.client.subscribe(NODE.format("NCMD"), qos=1)
        self.client.loop_start()

    def _subscribed(self, *_: object) -> None:
        self.ready = True

    def _commanded(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        self.asked.append((message.topic, message.payload, message.qos, message.retain))
        self.client.publish(*nbirth(5, 50.5), qos=1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
async def test_an_edge_node_is_asked_for_its_birth_and_then_understood(
    broker: TestBroker, town: psycopg.Connection, kind: tuple[str, str]
):
    client_id = f"sparkplug-rebirth-{'-'.join(kind)}"
    settings = settings_for(broker, client_id, kind[1], source=kind[0])
    node = EdgeNode(broker)
    try:
        await until(lambda: node.ready)
        async with a_collector(settings) as (collector, _, _):
            await until(lambda: is_collecting(collector))
            publish(broker, [ndata(1, 39.5, 17)])
            # The birth, and the question itself, which the binding reads too.
            await until(lambda: values(town) == [50.5])
            publish(broker, [ndata(6, 51.5, 1)])
            await until(lambda: values(town) == [50.5, 51.5])
    finally:
        node.close()

    (asked,) = node.asked
    command = Payload.FromString(asked[1])
    assert (asked[0], asked[2:]) == ("spBv1.0/Metropole/NCMD/gw-01", (0, False))
    assert [(one.name, one.boolean_value) for one in command.metrics] == [
        (b"Node Control/Rebirth", True)
    ]
    assert abs(command.timestamp / 1000 - time.time()) < 60
    assert town.execute("SELECT reason, field FROM pipeline.refusal").fetchall() == [
        ("not_born", "alias 11")
    ]


async def test_an_edge_node_whose_message_is_missing_is_asked_after_a_moment(
    broker: TestBroker, town: psycopg.Connection
):
    node = EdgeNode(broker)
    try:
        await until(lambda: node.ready)
        async with a_collector(settings_for(broker, "sparkplug-gap")) as (collector, _, _):
            await until(lambda: is_collecting(collector))
            publish(broker, [nbirth(0), ndata(1, 39.5, 1), ndata(2, 40.5, 3)])
            await until(lambda: values(town) == [38.5, 39.5, 40.5, 50.5])
    finally:
        node.close()

    assert len(node.asked) == 1


async def test_nobody_is_asked_where_that_is_turned_off(
    broker: TestBroker, town: psycopg.Connection
):
    node = EdgeNode(broker)
    settings = settings_for(broker, "sparkplug-never", rebirth="never")
    try:
        await until(lambda: node.ready)
        async with a_collector(settings) as (collector, _, _):
            await until(lambda: is_collecting(collector))
            publish(broker, [ndata(1, 39.5, 17)])
            await until(lambda: collector.totals.refused == 1)
            # A question sent now would come behind one that was asked before it.
            publish(broker, [(NODE.format("NCMD"), b"")])
            await until(lambda: len(node.asked) >= 1)
    finally:
        node.close()

    assert [one[1] for one in node.asked] == [b""]


async def test_a_member_of_a_share_group_reads_by_a_birth_that_another_heard(
    broker: TestBroker, town: psycopg.Connection
):
    town.execute(
        "INSERT INTO pipeline.birth VALUES ('Metropole', 'gw-01', '', now(), NULL, 7,"
        " ARRAY['air/temp'], ARRAY[11], ARRAY[10])"
    )
    settings = settings_for(broker, "sparkplug-share", share_group="town")
    async with a_collector(settings) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        publish(broker, [ndata(0, 20.5, 1)])
        await until(lambda: collector.totals.stored == 1)
        town.execute(
            "INSERT INTO pipeline.birth VALUES ('Metropole', 'gw-01', '', now(), NULL, 7,"
            " ARRAY['air/no2'], ARRAY[11], ARRAY[10])"
        )
        publish(broker, [ndata(1, 39.5, 9)])
        await until(lambda: collector.totals.stored == 2)

    assert values(town) == [39.5]


async def test_a_batch_that_is_halved_for_a_bad_message_keeps_its_births(
    broker: TestBroker, town: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    async with a_collector(settings_for(broker, "sparkplug-halves")) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        intake = Decoding.intake

        def poisoned(decoding: Decoding, messages: Any) -> Any:
            found = intake(decoding, messages)
            if any(one.topic.endswith("/poison") for one in messages):
                raise ValueError("as if the database would not have it")
            return found

        monkeypatch.setattr(Decoding, "intake", poisoned)
        bad = "spBv1.0/Metropole/NDATA/poison", message(0, seq=0)
        batch = [nbirth(0), ndata(1, 39.5, 1), bad, ndata(2, 40.5, 2)]
        publish(broker, batch, wait=False)
        await until(lambda: collector.totals.messages == 4)

    assert values(town) == [38.5, 39.5, 40.5]
    reasons = town.execute("SELECT reason FROM pipeline.refusal").fetchall()
    assert reasons == [("rejected",)]


async def test_a_replay_reads_by_the_birth_of_the_messages_own_time(
    broker: TestBroker, connection: psycopg.Connection, database: str
):
    register(connection, parse(SPARKPLUG, CSV.replace("gw-01", "gw-99")))
    async with a_collector(settings_for(broker, "sparkplug-replay")) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        messages = [ndata(0, 0.5, 9), nbirth(1), ndata(2, 39.5, 1), nbirth(3, alias=21)]
        publish(broker, [*messages, ndata(4, 41.5, 1, alias=21), ndata(5, 99.5, 2, alias=11)])
        await until(lambda: collector.totals.messages >= 6)
    register(connection, parse(SPARKPLUG, CSV))

    reader = await asyncpg.connect(database)
    try:
        past = PastBirths(versions(await births.history(reader)))
        decoding = Decoding(
            await load_routes(reader), payload_bytes=4096, oldest=OLDEST, ahead_s=600, births=past
        )  # fmt: skip
        await again.replay(reader, decoding, Selection(), person="test")
    finally:
        await reader.close()

    # 0.5 came before any birth; 99.5 uses an alias that the newest birth took away.
    assert values(connection) == [38.5, 39.5, 38.5, 41.5]
    left = connection.execute(
        "SELECT reason, field FROM pipeline.refusal ORDER BY received_at"
    ).fetchall()
    assert left == [("not_born", "alias 11")] * 2


async def test_an_end_is_written_down_without_the_names_that_are_there(
    town: psycopg.Connection, database: str
):
    connection = await asyncpg.connect(database)
    born = births.BirthRow("G", "n", "d", 1000, None, 7, ["a"], [3], [9])
    ended = births.BirthRow("G", "n", "d", 1000, 2000, 8, [], [], [], known=True)
    try:
        await births.save(connection, [born])
        await births.save(connection, [ended, ended._replace(device="unheard-of")])
        written = await births.history(connection)
    finally:
        await connection.close()

    assert written == [born._replace(ended_us=2000, bdseq=8)]


async def test_versions_of_a_birth_are_kept_in_bounds(town: psycopg.Connection, database: str):
    connection = await asyncpg.connect(database)
    try:
        for number in range(40):
            row = births.BirthRow(
                "G", "n", "", 1000 + number, None, None, [f"m{number}"], [2**64 - 1], [9]
            )
            await births.save(connection, [row])
        history = await births.history(connection)
        latest = await births.latest(connection, [("G", "n"), ("G", "other")])
    finally:
        await connection.close()

    assert [row.name for row in history] == [[f"m{n}"] for n in range(8, 40)]
    assert [(row.name, row.alias) for row in latest] == [(["m39"], [2**64 - 1])]
