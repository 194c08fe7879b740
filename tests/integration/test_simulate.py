"""The simulated city against a real broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from beffroi.embedded.testing import TestBroker
from collector.mqtt.outlet import Outlet, OutletRefusedError
from collector.settings import broker_from_url
from collector.simulation.city import SimulatedCity, make_city
from collector.simulation.publish import Progress, publish
from storage.city import parse
from storage.registry import register
from tests.integration.collecting import collecting, until

WEDNESDAY = 1_714_521_600.0  # 2024-05-01T00:00:00Z


@pytest.fixture(scope="module")
def city() -> SimulatedCity:
    return make_city(60)


class Listener:
    """Another client of the broker, to see what really arrives."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.messages: list[tuple[str, bytes]] = []
        self.subscribed = False
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(parts.username or "", parts.password)
        self.client.on_message = self._keep
        self.client.on_subscribe = self._ready
        self.client.connect(parts.hostname or "", parts.port or 1883)
        self.client.subscribe("#", 1)
        self.client.loop_start()
        end = time.monotonic() + 5
        while not self.subscribed and time.monotonic() < end:
            time.sleep(0.01)

    def _ready(self, *_: Any) -> None:
        self.subscribed = True

    def _keep(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload)))

    async def heard(self, number: int) -> int:
        end = time.monotonic() + 5
        while len(self.messages) < number and time.monotonic() < end:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        return len(self.messages)


@pytest.fixture
def listener(broker: TestBroker) -> Iterator[Listener]:
    opened = Listener(broker.url)
    yield opened
    opened.client.disconnect()
    opened.client.loop_stop()


async def test_all_that_is_published_is_acknowledged_and_arrives(
    city: SimulatedCity, broker: TestBroker, listener: Listener
) -> None:
    result = await publish(city, broker.url, seconds=1.0, speed=1_200, start=WEDNESDAY)

    assert result.published > 2_500
    assert (result.lost, result.reconnects) == (0, 0)
    assert await listener.heard(result.published) == result.published
    assert result.readings > result.published
    assert result.duplicates > 0


async def test_two_runs_of_the_same_time_say_the_same(
    city: SimulatedCity, broker: TestBroker, listener: Listener
) -> None:
    slow = await publish(city, broker.url, seconds=1.5, speed=40, start=WEDNESDAY)
    first = sorted(listener.messages[: await listener.heard(slow.published)])
    listener.messages.clear()
    fast = await publish(city, broker.url, seconds=0.5, speed=120, start=WEDNESDAY)

    assert await listener.heard(fast.published) == slow.published
    assert sorted(listener.messages) == first


@pytest.mark.serial
async def test_live_keeps_the_pace_of_real_time(city: SimulatedCity, broker: TestBroker) -> None:
    told: list[Progress] = []
    began = time.time()

    result = await publish(
        city, broker.url, seconds=2.0, mishaps=False, progress=told.append, stop=asyncio.Event()
    )

    assert 1.9 < time.time() - began < 4.0
    assert 1 <= result.published <= 20
    assert {one.stage for one in told} == {"live", "draining"}
    assert told[-1].published == told[-1].acknowledged == result.published
    assert began <= told[-1].simulated <= time.time()


@pytest.mark.serial
async def test_history_comes_before_live_and_all_at_once(
    city: SimulatedCity, broker: TestBroker, listener: Listener
) -> None:
    began = time.monotonic()

    result = await publish(
        city, broker.url, seconds=0.5, start=WEDNESDAY, history_s=7_200, mishaps=False
    )

    assert time.monotonic() - began < 10
    assert result.readings > 2 * 7_200
    assert await listener.heard(result.published) == result.published
    assert sum(payload.startswith(b"[{") for _, payload in listener.messages) > 100


async def test_a_stop_ends_the_run_and_flushes_what_is_late(
    city: SimulatedCity, broker: TestBroker
) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, stop.set)

    async with asyncio.timeout(10):
        result = await publish(city, broker.url, speed=500, start=WEDNESDAY, stop=stop)

    assert result.lost == 0
    assert result.mishaps["late"] + result.mishaps["very_late"] > 0


async def test_only_what_the_broker_acknowledged_is_counted(broker: TestBroker) -> None:
    outlet = Outlet(broker_from_url(broker.url, {"COLLECTOR_CLIENT_ID": "counting"}))
    await outlet.open()
    await outlet.publish("city/sent", b"1")
    outlet.flush()
    await outlet.publish("city/not/sent/yet", b"2")

    while outlet.acknowledged == 0:
        await asyncio.sleep(0)
    assert (outlet.published, outlet.acknowledged, outlet.waiting) == (2, 1, 1)

    await outlet.drain(5.0)
    assert outlet.waiting == 0
    await outlet.close()


@pytest.mark.serial
async def test_a_broker_that_dies_and_returns_loses_no_count(city: SimulatedCity) -> None:
    with TestBroker() as own:
        task = asyncio.create_task(
            publish(city, own.url, seconds=3.0, speed=300, start=WEDNESDAY, drain_s=20.0)
        )
        await asyncio.sleep(1.0)
        await asyncio.to_thread(own.kill)
        await asyncio.to_thread(own.restart)
        result = await task

    assert result.reconnects >= 1
    assert result.lost == 0


@pytest.mark.serial
async def test_what_was_never_acknowledged_is_said(city: SimulatedCity) -> None:
    with TestBroker() as own:
        task = asyncio.create_task(
            publish(city, own.url, seconds=2.0, speed=60, start=WEDNESDAY, drain_s=0.5)
        )
        await asyncio.sleep(0.7)
        await asyncio.to_thread(own.kill)
        result = await task

    assert 0 < result.lost == result.published - result.acknowledged


async def test_a_broker_that_refuses_or_is_away_is_named(
    city: SimulatedCity, broker: TestBroker
) -> None:
    parts = urlsplit(broker.url)
    with pytest.raises(OutletRefusedError, match="refused the connection: Not authorized"):
        await publish(city, f"mqtt://beffroi:wrong@{parts.hostname}:{parts.port}", seconds=1)
    with pytest.raises(OutletRefusedError, match=r"no MQTT broker answers at 127\.0\.0\.1:1"):
        await publish(city, "mqtt://127.0.0.1:1", seconds=1)


async def test_another_speed_needs_an_end_or_a_start(city: SimulatedCity) -> None:
    with pytest.raises(ValueError, match="needs an end"):
        await publish(city, "mqtt://127.0.0.1:1", speed=10)


async def test_a_collector_stores_exactly_what_the_devices_say_they_sent(
    city: SimulatedCity, broker: TestBroker, connection: psycopg.Connection
) -> None:
    register(connection, parse(city.city_toml, city.sensors_csv))
    async with collecting(broker, "simulated") as (pipeline, _):
        result = await publish(city, broker.url, seconds=2.0, speed=600)
        await until(lambda: pipeline.totals.messages >= result.acknowledged)

    totals = pipeline.totals
    conflicts = connection.execute(
        "SELECT coalesce(sum(readings), 0) FROM pipeline.refusal WHERE reason = 'conflict'"
    ).fetchone()
    assert (result.lost, totals.messages) == (0, result.published)
    assert totals.stored == result.readings > 4_000
    assert (totals.duplicate, conflicts) == (result.duplicates, (result.conflicts,))
    refused = totals.refused - totals.messages_refused
    assert totals.decoded == totals.stored + totals.duplicate + refused
