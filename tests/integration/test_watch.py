"""The broker's own counter of dropped messages: read, metered, and told in plain words."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from prometheus_client import REGISTRY

from beffroi.collect import collect
from beffroi.embedded.processes import free_port
from beffroi.embedded.testing import TestBroker
from collector.settings import broker_from_url
from collector.watch import Watch

SOON = ("sys_interval 1",)


@asynccontextmanager
async def watching(url: str, silence_s: float = 25.0) -> AsyncIterator[Watch]:
    """A watch that runs meanwhile."""
    broker = broker_from_url(url, {"COLLECTOR_CLIENT_ID": "watched"})
    watch = Watch(broker, silence_s=silence_s)
    running = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        watch.close()
        async with asyncio.timeout(5):
            await running


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def fill(url: str, messages: int) -> None:
    """Publish so many into a session that nobody empties."""
    asleep = client(url, "asleep")
    asleep.subscribe("queue/#", qos=1)
    deadline = time.monotonic() + 10
    done: list[int] = []
    asleep.on_subscribe = lambda *_: done.append(1)
    while not done and time.monotonic() < deadline:
        asleep.loop(0.05)
    asleep.disconnect()
    asleep.loop(0.05)
    publish(url, messages)


def publish(url: str, messages: int) -> None:
    publisher = client(url, "publisher")
    publisher.loop_start()
    sent = [publisher.publish("queue/x", b"%d" % n, qos=1) for n in range(messages)]
    for one in sent:
        one.wait_for_publish(10)
    publisher.disconnect()
    publisher.loop_stop()


def client(url: str, client_id: str) -> paho.Client:
    target = broker_from_url(url, {})
    found = paho.Client(
        CallbackAPIVersion.VERSION2, client_id, clean_session=False,
        protocol=MQTTProtocolVersion.MQTTv311,
    )  # fmt: skip
    found.username_pw_set(target.username, target.password)
    found.connect(target.host, target.port)
    return found


def metered() -> float:
    return REGISTRY.get_sample_value("beffroi_broker_dropped_messages_total") or 0.0


async def test_what_the_broker_drops_is_counted_metered_and_told_with_the_remedy(
    caplog: pytest.LogCaptureFixture,
):
    with TestBroker(extra=(*SOON, "max_queued_messages 100")) as broker:
        before = metered()
        async with watching(broker.url) as watch:
            await until(lambda: watch.dropped == 0)
            await asyncio.to_thread(fill, broker.url, 150)
            await until(lambda: watch.dropped == 50)

            assert watch.dropped_since_start == 50
            assert watch.version == "mosquitto version 2.1.2"
            assert metered() - before == 50
            # Two sessions are away, and one holds 100 messages.
            await until(
                lambda: REGISTRY.get_sample_value("beffroi_broker_disconnected_clients") == 2
            )
            assert (REGISTRY.get_sample_value("beffroi_broker_stored_messages") or 0) >= 100
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "since_broker_start=50" in told[-1].getMessage()
    assert "Raise max_queued_messages" in told[-1].getMessage()


async def test_a_restarted_broker_counts_from_nothing_and_the_sum_goes_on():
    with TestBroker(extra=(*SOON, "max_queued_messages 100")) as broker:
        async with watching(broker.url) as watch:
            await until(lambda: watch.dropped == 0)
            await asyncio.to_thread(fill, broker.url, 130)
            await until(lambda: watch.dropped == 30)
            await asyncio.to_thread(broker.restart)
            # The queue is still full: all of these are dropped, more than before the restart.
            await asyncio.to_thread(publish, broker.url, 40)
            await until(lambda: watch.dropped == 40)

            assert watch.dropped_since_start == 70


async def test_drops_from_before_the_watch_are_told_once(caplog: pytest.LogCaptureFixture):
    with TestBroker(extra=(*SOON, "max_queued_messages 100")) as broker:
        await asyncio.to_thread(fill, broker.url, 120)
        # Mosquitto tells a change only at its next interval.
        async with watching(broker.url) as other:
            await until(lambda: other.dropped == 20)
        caplog.clear()
        async with watching(broker.url) as watch:
            await until(lambda: watch.dropped == 20)

            assert watch.dropped_since_start == 0
    assert caplog.text.count("dropped=20 before this collector looked") == 1


async def test_a_broker_without_sys_is_said_to_say_nothing_once(caplog: pytest.LogCaptureFixture):
    with TestBroker(extra=("sys_interval 0",)) as broker:
        async with watching(broker.url, silence_s=1.0) as watch:
            await until(lambda: "does not say whether it drops" in caplog.text)
            await asyncio.sleep(1.2)

            assert watch.dropped is None
    assert caplog.text.count("does not say whether it drops") == 1


async def test_a_broker_of_the_older_protocol_is_watched_too():
    with TestBroker(extra=(*SOON, "accept_protocol_versions 3,4")) as broker:
        async with watching(broker.url) as watch:
            await until(lambda: watch.dropped == 0)


async def test_a_broker_that_is_away_is_awaited_without_a_word(caplog: pytest.LogCaptureFixture):
    async with watching("mqtt://127.0.0.1:1") as watch:
        await asyncio.sleep(0.3)

        assert watch.dropped is None
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_a_watch_without_the_right_to_read_sys_says_so_once(
    caplog: pytest.LogCaptureFixture,
):
    folder = Path(tempfile.mkdtemp(prefix="beffroi-watch-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "acl").write_text("user beffroi\ntopic read city/#\n")
    try:
        with TestBroker(extra=(*SOON, f"acl_file {folder / 'acl'}")) as broker:
            async with watching(broker.url, silence_s=1.0) as watch:
                await until(lambda: "does not say whether it drops" in caplog.text)
                await asyncio.sleep(1.2)

                assert watch.dropped is None
    finally:
        shutil.rmtree(folder)
    assert caplog.text.count("does not say whether it drops") == 1
    assert "topic read $SYS/#" in caplog.text


async def test_the_collectors_status_page_and_its_row_name_what_the_broker_dropped(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    port = free_port()
    with TestBroker(extra=(*SOON, "max_queued_messages 100")) as broker:
        monkeypatch.setenv("BEFFROI_MQTT_URL", broker.url)
        monkeypatch.setenv("COLLECTOR_CLIENT_ID", "watched")
        monkeypatch.setenv("COLLECTOR_METRICS_PORT", str(port))
        stop = asyncio.Event()
        running = asyncio.create_task(collect(stop))
        try:
            await asyncio.to_thread(fill, broker.url, 107)

            def facts() -> dict[str, object]:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as page:
                        return dict(json.loads(page.read()))
                except OSError:
                    return {}

            async with asyncio.timeout(20):
                while (await asyncio.to_thread(facts)).get("broker_dropped") != 7:
                    await asyncio.sleep(0.1)
                while connection.execute(
                    "SELECT broker_dropped FROM pipeline.collector WHERE client_id = 'watched'"
                ).fetchone() != (7,):
                    await asyncio.sleep(0.1)
        finally:
            stop.set()
            await running
