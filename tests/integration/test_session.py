"""The collector's session at the broker: kept, given way to a stranger, left for good."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from beffroi.embedded.testing import TestBroker
from collector import lease, pipeline, standby
from collector.mqtt.session import open_source
from collector.settings import SettingError, broker_from_url
from collector.standby import Collector, State
from tests.integration.collecting import (
    TOPIC,
    Program,
    a_collector,
    collecting,
    is_collecting,
    lock_table,
    publish,
    reading,
    readings,
    settings_for,
    stored,
    until,
)


class Stranger:
    """Another MQTT 5 client that comes with a client id of ours."""

    def __init__(self, broker: TestBroker, client_id: str) -> None:
        target = broker_from_url(broker.url, {})
        self.present: list[bool] = []
        self.ended = 0
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.username_pw_set(target.username, target.password)
        self.client.on_connect = lambda c, u, flags, code, p: self.present.append(
            flags.session_present
        )
        self.client.on_disconnect = lambda *_: setattr(self, "ended", self.ended + 1)
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 60
        self.client.connect(target.host, target.port, clean_start=False, properties=kept)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def session_exists(broker: TestBroker, client_id: str) -> bool:
    stranger = Stranger(broker, client_id)
    await until(lambda: bool(stranger.present))
    stranger.close()
    return stranger.present[0]


async def test_a_collector_does_not_fight_with_a_stranger_that_has_its_client_id(
    broker: TestBroker, city: psycopg.Connection, monkeypatch
):
    monkeypatch.setattr(standby, "_SHORTEST_PAUSE_S", 1.0)
    async with a_collector(settings_for(broker, "wanted")) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        stranger = Stranger(broker, "wanted")
        try:
            await until(lambda: collector.state is State.KEEPING_AWAY)
            await until(lambda: bool(stranger.present))
            assert collector.source is None
            # Nobody is locked out meanwhile: a standby elsewhere might be luckier.
            assert collector.pipeline.lease.connection is None
            await asyncio.sleep(0.3)
            assert stranger.ended == 0
        finally:
            stranger.close()
        await until(lambda: is_collecting(collector))
        await asyncio.to_thread(publish, broker, readings(3))
        await until(lambda: collector.totals.stored == 3)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_leaving_for_good_drains_the_session_and_ends_it(
    broker: TestBroker, city: psycopg.Connection, protocol: str
):
    client_id = f"leaving-{protocol}"
    settings = settings_for(broker, client_id, protocol, stop="leave")
    async with collecting(broker, client_id, protocol):
        pass
    await asyncio.to_thread(publish, broker, readings(500), wait=False)
    async with a_collector(settings) as (collector, stop, done):
        await until(lambda: is_collecting(collector))
        stop.set()
        await asyncio.wait_for(done, 15)

    assert collector.left
    assert stored(city) == 500
    assert not await session_exists(broker, client_id)
    assert city.execute(
        "SELECT left_at IS NOT NULL, connected, messages FROM pipeline.collector"
    ).fetchone() == (True, False, 500)


async def test_told_to_stop_a_second_time_a_leaving_collector_keeps_its_session(
    broker: TestBroker, city: psycopg.Connection, database: str, monkeypatch
):
    monkeypatch.setattr(lease, "_PATIENCE_WHEN_STOPPING_S", 0.2)
    settings = settings_for(broker, "hurried", stop="leave")
    with psycopg.connect(database) as blocking:
        async with a_collector(settings) as (collector, stop, done):
            await until(lambda: is_collecting(collector))
            await lock_table(blocking, "pipeline.batch")
            await asyncio.to_thread(publish, broker, readings(10))
            await until(lambda: collector.pipeline.in_hand > 0)
            stop.set()
            await until(lambda: collector.state is State.LEAVING)
            stop.set()
            await asyncio.wait_for(done, 5)
        assert not collector.left

    assert stored(city) == 0
    async with a_collector(settings_for(broker, "hurried")) as (again, _, _):
        await until(lambda: again.totals.stored == 10)


@pytest.mark.serial
async def test_the_command_leave_drains_a_stranded_session_and_says_how_much_waited(
    broker: TestBroker, city: psycopg.Connection, programs: list[Program]
):
    stranded = Program(broker, "stranded", COLLECTOR_SHARE_GROUP="city")
    programs.append(stranded)
    await until(lambda: stranded.says("collecting"))
    row = "SELECT client_id, share_group, connected, left_at FROM pipeline.collector"
    await until(lambda: city.execute(row).fetchone() == ("stranded", "city", True, None))
    stranded.process.kill()
    stranded.process.wait()
    await asyncio.to_thread(publish, broker, readings(1200), wait=False)

    # Its group is not told: the database knows it.
    leaving = Program(broker, "stranded", "--leave", "--json")
    programs.append(leaving)
    said, log = await asyncio.to_thread(leaving.process.communicate, None, 30)

    assert leaving.process.returncode == 0, log
    assert json.loads(said) == {"client_id": "stranded", "drained": 1200, "session_ended": True}
    assert stored(city) == 1200
    assert not await session_exists(broker, "stranded")


async def test_a_session_that_somebody_uses_is_not_drained(
    broker: TestBroker, city: psycopg.Connection, monkeypatch
):
    monkeypatch.setattr(standby, "_DRAIN_PATIENCE_S", 0.5)
    settings = settings_for(broker, "in-use")
    async with a_collector(settings) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        with pytest.raises(SettingError, match="COLLECTOR_CLIENT_ID=in-use is collecting, from"):
            await Collector(settings, open_source, drain=True).run(asyncio.Event())
        assert is_collecting(collector)


async def test_sigterm_leaves_for_good_where_the_settings_say_so(
    broker: TestBroker, city: psycopg.Connection, programs: list[Program]
):
    program = Program(broker, "sigterm", COLLECTOR_STOP="leave")
    programs.append(program)
    await until(lambda: program.says("collecting"))
    await asyncio.to_thread(publish, broker, readings(50), wait=False)
    program.process.send_signal(signal.SIGTERM)
    _, log = await asyncio.to_thread(program.process.communicate, None, 20)

    assert program.process.returncode == 0, log
    assert "its session is ended" in log
    assert stored(city) == 50
    assert not await session_exists(broker, "sigterm")
    left = city.execute("SELECT left_at IS NOT NULL FROM pipeline.collector").fetchone()
    assert left == (True,)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_is_committed_at_a_stop_is_acknowledged_and_does_not_come_again(
    broker: TestBroker, city: psycopg.Connection, protocol: str
):
    # Without a time of their own, so that a second delivery would be stored a second time.
    messages = [(TOPIC, b'{"no2": %d}' % (n % 50)) for n in range(4000)]
    settings = settings_for(broker, f"stopped-{protocol}", protocol)
    async with a_collector(settings) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        publishing = asyncio.create_task(asyncio.to_thread(publish, broker, messages, wait=False))
        await until(lambda: collector.totals.messages > 500)
    first = collector.totals.messages
    await publishing
    async with a_collector(settings) as (again, _, _):
        await until(lambda: first + again.totals.messages >= 4000)
        await asyncio.sleep(0.5)

    assert first < 4000
    assert first + again.totals.messages == 4000
    assert stored(city) == 4000


@pytest.mark.serial
async def test_a_locked_table_of_collectors_holds_no_commit_up(
    broker: TestBroker, city: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline, "_PRESENCE_S", 0.1)
    monkeypatch.setattr(pipeline, "_REGISTRY_S", 0.1)
    async with a_collector(settings_for(broker, "locked")) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        connection = collector.pipeline.lease.connection
        with psycopg.connect(database) as blocking:
            await lock_table(blocking, "pipeline.collector")
            for n, message in enumerate(readings(5), 1):
                await asyncio.sleep(0.2)
                await asyncio.to_thread(publish, broker, [message])
                await until(lambda n=n: collector.totals.stored == n, 2)  # type: ignore[misc]
        assert collector.pipeline.lease.connection is connection


@pytest.mark.serial
async def test_a_server_that_hangs_is_told_of_once_and_then_awaited(
    broker: TestBroker, city: psycopg.Connection, caplog: pytest.LogCaptureFixture, monkeypatch
):
    monkeypatch.setattr(lease, "_PATIENCE_S", 1.0)
    caplog.set_level("INFO")
    async with a_collector(settings_for(broker, "hung")) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        connection = collector.pipeline.lease.connection
        assert connection is not None
        pid = connection.get_server_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.to_thread(publish, broker, readings(5))
            await until(lambda: "ending our own lost connection" in caplog.text)
            await asyncio.sleep(0.5)
        finally:
            os.kill(pid, signal.SIGCONT)
        await until(lambda: collector.totals.messages == 5)

    assert caplog.text.count("ending our own lost connection") <= 2
    assert stored(city) == 5


async def test_what_a_collector_says_of_itself_stands_in_the_database(
    broker: TestBroker, city: psycopg.Connection, monkeypatch
):
    monkeypatch.setattr("collector.pipeline._PRESENCE_S", 0.0)
    monkeypatch.setattr("collector.pipeline._REGISTRY_S", 0.1)
    settings = settings_for(broker, "seen")
    target = settings.broker

    def row() -> tuple[Any, ...] | None:
        return city.execute(
            "SELECT client_id, broker, connected, messages, messages_qos0, session_expiry_s"
            " FROM pipeline.collector WHERE left_at IS NULL AND seen_at >= started_at"
        ).fetchone()

    async with a_collector(settings) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        await asyncio.to_thread(publish, broker, readings(3))
        await asyncio.to_thread(publish, broker, [(TOPIC, reading("2026-03-02", no2=1))], qos=0)
        where = f"{target.host}:{target.port}"
        await until(lambda: row() == ("seen", where, True, 4, 1, 604800))
    assert row() == ("seen", where, False, 4, 1, 604800)
