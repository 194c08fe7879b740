"""One collects, the others stand by: taking over, losing the session, leaving for good."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from beffroi.embedded.processes import free_port
from beffroi.embedded.testing import TestBroker, TestCluster
from collector import lease, pipeline, standby
from collector.mqtt.session import open_source
from collector.settings import SettingError, broker_from_url
from collector.standby import Collector, State
from storage.city import parse
from storage.migrate import migrate
from storage.registry import register
from tests.integration.collecting import (
    CSV,
    TOML,
    TOPIC,
    Network,
    a_collector,
    collecting,
    is_collecting,
    publish,
    reading,
    readings,
    settings_for,
    until,
)


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    register(connection, parse(TOML, CSV))
    return connection


def stored(city: psycopg.Connection) -> int:
    row = city.execute("SELECT count(*) FROM air.reading").fetchone()
    assert row is not None
    return int(row[0])


# Taking over ---------------------------------------------------------------------------


async def test_of_two_collectors_with_one_client_id_only_one_is_ever_connected(
    broker: TestBroker, city: psycopg.Connection
):
    settings = settings_for(broker, "pair")
    both = 0

    async def look(first: Collector, second: Collector) -> None:
        nonlocal both
        while True:
            both += is_collecting(first) and is_collecting(second)
            await asyncio.sleep(0)

    messages = readings(90)
    async with a_collector(settings) as (first, stop_first, first_done):
        await until(lambda: is_collecting(first))
        async with a_collector(settings) as (second, _, _):
            looking = asyncio.create_task(look(first, second))
            await until(lambda: second.pipeline.lease.holder is not None)
            assert second.state is State.STANDING_BY
            assert second.source is None
            await asyncio.to_thread(publish, broker, messages[:30])
            await until(lambda: first.totals.messages == 30)
            stop_first.set()
            await first_done
            await asyncio.to_thread(publish, broker, messages[30:60])
            await until(lambda: is_collecting(second), 5)
            await asyncio.to_thread(publish, broker, messages[60:])
            await until(lambda: second.totals.messages == 60)
            looking.cancel()

    assert both == 0
    assert stored(city) == 90
    assert (first.totals.duplicate, second.totals.duplicate) == (0, 0)


class Program:
    """`beffroi collect` as a process."""

    def __init__(self, broker: TestBroker, client_id: str, *arguments: str, **variables: str):
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "beffroi", "collect", *arguments],
            env=os.environ
            | {
                "BEFFROI_MQTT_URL": broker.url,
                "COLLECTOR_CLIENT_ID": client_id,
                "COLLECTOR_METRICS_PORT": str(self.port),
            }
            | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, "{}"

    def says(self, state: str, status: int = 200) -> bool:
        code, page = self.get("/healthz")
        return code == status and json.loads(page).get("state") == state

    def end(self) -> tuple[str, str]:
        if self.process.poll() is None:
            self.process.kill()
        return self.process.communicate(timeout=10)


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        program.end()


async def test_a_standby_takes_over_from_a_killed_collector_and_nothing_is_lost(
    broker: TestBroker, city: psycopg.Connection, database: str, programs: list[Program]
):
    first = Program(broker, "killed")
    programs.append(first)
    await until(lambda: first.says("collecting"))
    second = Program(broker, "killed")
    programs.append(second)
    await until(lambda: second.says("standing by for killed"))
    assert "beffroi_collector_standby 1.0" in second.get("/metrics")[1]
    messages = [*readings(200), (TOPIC, b"{broken")]
    with psycopg.connect(database) as blocking:
        blocking.execute("LOCK TABLE pipeline.batch IN ACCESS EXCLUSIVE MODE")
        await asyncio.to_thread(publish, broker, messages, wait=False)
        # The batch is on its way into the tables and cannot be committed.
        await until(lambda: waiting_for_a_lock(city) == 1)
        first.process.kill()
        first.process.wait()
        # The server notices although it is itself waiting for the lock.
        await until(lambda: second.says("collecting"), 10)
    await until(lambda: stored(city) == 200)
    await until(lambda: second.get("/metrics")[1].count("messages_total 201.0") == 1)

    assert city.execute("SELECT count(*) FROM pipeline.refusal").fetchone() == (1,)
    ledger = city.execute("SELECT sum(messages_received) FROM pipeline.ledger").fetchone()
    assert ledger == (201,)
    assert "redelivered_total 0.0" not in second.get("/metrics")[1]


def waiting_for_a_lock(city: psycopg.Connection) -> int:
    row = city.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'beffroi collector %'"
        " AND wait_event_type = 'Lock' AND datname = current_database()"
    ).fetchone()
    assert row is not None
    return int(row[0])


async def test_after_a_restart_of_the_database_one_of_two_collects_again(broker: TestBroker):
    with TestCluster() as own, pytest.MonkeyPatch.context() as patch:
        own.template("city", _build)
        conninfo = own.clone("city")
        for name, value in own.environment(conninfo).items():
            patch.setenv(name, value)
        settings = settings_for(broker, "restarted")
        async with a_collector(settings) as (a, _, _), a_collector(settings) as (b, _, _):
            await until(lambda: is_collecting(a) or is_collecting(b))
            await asyncio.to_thread(publish, broker, readings(20))
            await until(lambda: a.totals.messages + b.totals.messages == 20)
            await asyncio.to_thread(own.postgres.stop)
            await asyncio.to_thread(publish, broker, readings(40)[20:])
            await asyncio.to_thread(own.postgres.start)
            await until(lambda: a.totals.stored + b.totals.stored == 40, 30)
            await until(lambda: is_collecting(a) != is_collecting(b))
        with psycopg.connect(conninfo) as look:
            assert stored(look) == 40


def _build(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        migrate(connection)
        register(connection, parse(TOML, CSV))


# The database behind a network that breaks -----------------------------------------------


@contextlib.asynccontextmanager
async def behind_a_network(cluster: TestCluster, monkeypatch: pytest.MonkeyPatch) -> Any:
    """PG* lead through a proxy."""
    async with Network("127.0.0.1", cluster.postgres.port) as network:
        monkeypatch.setenv("PGPORT", str(network.port))
        yield network


async def test_a_commit_whose_answer_was_lost_is_counted_once(
    broker: TestBroker, city: psycopg.Connection, cluster: TestCluster, monkeypatch
):
    async with (
        behind_a_network(cluster, monkeypatch) as network,
        collecting(broker, "answer") as (pipeline, _),
    ):
        network.cut_after = lambda data: b"COMMIT" in data and network.cuts == 0
        await asyncio.to_thread(publish, broker, [*readings(10), (TOPIC, b"{broken")], wait=False)
        await until(lambda: pipeline.totals.messages == 11)

    assert network.cuts == 1
    assert (pipeline.totals.stored, pipeline.totals.duplicate) == (10, 0)
    assert city.execute("SELECT count(*) FROM pipeline.refusal").fetchone() == (1,)
    assert city.execute(
        "SELECT sum(messages_received), sum(readings_stored), sum(readings_duplicate)"
        " FROM pipeline.ledger"
    ).fetchone() == (11, 10, 0)


async def test_a_dead_connection_of_ones_own_does_not_lock_a_collector_out(
    broker: TestBroker, city: psycopg.Connection, cluster: TestCluster, monkeypatch
):
    async with (
        behind_a_network(cluster, monkeypatch) as network,
        a_collector(settings_for(broker, "ghost")) as (collector, _, _),
    ):
        await until(lambda: is_collecting(collector))
        network.cut_clients()
        await asyncio.to_thread(publish, broker, readings(5))
        await until(lambda: collector.totals.stored == 5, 5)
        assert collector.state is State.COLLECTING
        # The server has been made to forget the dead one.
        connections = city.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s",
            [collector.pipeline.lease.instance],
        ).fetchone()
        assert connections == (1,)


async def test_a_network_that_swallows_everything_holds_a_commit_up_only_for_a_while(
    broker: TestBroker, city: psycopg.Connection, cluster: TestCluster, monkeypatch
):
    monkeypatch.setattr(lease, "_PATIENCE_S", 0.5)
    monkeypatch.setattr("storage.database.CONNECT_TIMEOUT_S", 0.5)
    async with (
        behind_a_network(cluster, monkeypatch) as network,
        a_collector(settings_for(broker, "silent")) as (collector, _, _),
    ):
        await until(lambda: is_collecting(collector))
        network.frozen = True
        await asyncio.to_thread(publish, broker, readings(5))
        await until(lambda: "TimeoutError" in collector.pipeline.lease.problem)
        network.frozen = False
        await until(lambda: collector.totals.stored == 5)

    assert stored(city) == 5


async def test_a_collector_cut_off_from_the_database_finds_its_place_taken_and_stands_by(
    broker: TestBroker, city: psycopg.Connection, cluster: TestCluster, monkeypatch
):
    settings = settings_for(broker, "cut-off")
    async with (
        behind_a_network(cluster, monkeypatch) as network,
        contextlib.AsyncExitStack() as collectors,
    ):
        old, _, _ = await collectors.enter_async_context(a_collector(settings))
        await until(lambda: is_collecting(old))
        network.refusing = True
        network.cut()
        await asyncio.to_thread(publish, broker, readings(30))
        # It has them, and can neither store nor acknowledge them.
        await until(lambda: old.pipeline.in_hand > 0)
        monkeypatch.setenv("PGPORT", str(cluster.postgres.port))
        new, _, _ = await collectors.enter_async_context(a_collector(settings))
        await until(lambda: new.totals.stored == 30)
        assert old.totals.messages == 0
        # Thrown out by the broker, it waits for the database and then for its turn.
        network.refusing = False
        await until(lambda: old.state is State.STANDING_BY)
        await until(lambda: old.pipeline.lease.holder is not None)
        assert old.source is None
        assert is_collecting(new)
        await asyncio.to_thread(publish, broker, readings(40)[30:])
        await until(lambda: new.totals.stored == 40)

    assert (old.totals.messages, new.totals.messages) == (0, 40)
    assert city.execute("SELECT sum(messages_received) FROM pipeline.ledger").fetchone() == (40,)


async def test_the_server_is_told_to_notice_machines_that_vanish_within_30_seconds(
    broker: TestBroker, city: psycopg.Connection
):
    async with collecting(broker, "vanish") as (pipeline, _):
        connection = pipeline.lease.connection
        assert connection is not None
        shown = {
            name: await connection.fetchval(f"SHOW {name}")
            for name in (
                "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count",
                "tcp_user_timeout", "client_connection_check_interval",
            )
        }  # fmt: skip

    assert shown == {
        "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4",
        "tcp_user_timeout": "30000", "client_connection_check_interval": "5s",
    }  # fmt: skip


# The session at the broker ----------------------------------------------------------------


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
            blocking.execute("LOCK TABLE pipeline.batch IN ACCESS EXCLUSIVE MODE")
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


async def test_a_locked_table_of_collectors_holds_no_commit_up(
    broker: TestBroker, city: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline, "_PRESENCE_S", 0.1)
    monkeypatch.setattr(pipeline, "_REGISTRY_S", 0.1)
    async with a_collector(settings_for(broker, "locked")) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        connection = collector.pipeline.lease.connection
        with psycopg.connect(database) as blocking:
            blocking.execute("LOCK TABLE pipeline.collector IN ACCESS EXCLUSIVE MODE")
            for n, message in enumerate(readings(5), 1):
                await asyncio.sleep(0.2)
                await asyncio.to_thread(publish, broker, [message])
                await until(lambda n=n: collector.totals.stored == n, 2)  # type: ignore[misc]
        assert collector.pipeline.lease.connection is connection


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
