"""One collects, the others stand by: taking over, and a network that breaks."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import psycopg
import pytest

from beffroi.embedded.testing import TestBroker, TestCluster
from collector import lease
from collector.standby import Collector, State
from storage.city import parse
from storage.migrate import migrate
from storage.registry import register
from tests.integration.collecting import (
    CSV,
    TOML,
    TOPIC,
    Network,
    Program,
    a_collector,
    collecting,
    is_collecting,
    lock_table,
    publish,
    readings,
    settings_for,
    stored,
    until,
)

pytestmark = pytest.mark.serial

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
        await lock_table(blocking, "pipeline.batch")
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
