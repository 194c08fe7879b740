"""A registered city, a collector in this process, a publisher, and a network that breaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from beffroi.embedded.processes import free_port
from beffroi.embedded.testing import TestBroker
from collector.mqtt.session import MqttSource, open_source
from collector.pipeline import Pipeline
from collector.settings import Settings, broker_from_url
from collector.standby import Collector
from collector.topics import filters
from storage.database import connect
from storage.registry import load_routes
from storage.routes import Routes
from tests.essai import ESSAI

TOML = (
    ESSAI
    + """[[binding]]
topic = "city/{territory}/{site}/{sensor}"
ignore = ["battery"]
[[binding]]
topic = "senml/#"
format = "senml"
"""
)
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp
99001,mairie,air-1,no2,,,60,start
99001,mairie,air-1,temperature,temp,[degF],60,start
99001,ecole,meter-1,energy_import,index,W.h,900,end
"""
TOPIC = "city/99001/mairie/air-1"


def settings_for(broker: TestBroker, client_id: str, protocol: str = "5", **more: Any) -> Settings:
    environment = {"COLLECTOR_CLIENT_ID": client_id, "COLLECTOR_MQTT_PROTOCOL": protocol}
    return Settings(broker_from_url(broker.url, environment), **more)


@asynccontextmanager
async def collecting(
    broker: TestBroker, client_id: str, protocol: str = "5"
) -> AsyncIterator[tuple[Pipeline, MqttSource]]:
    """A pipeline with its source, without standing by."""
    settings = settings_for(broker, client_id, protocol)
    pipeline = Pipeline(settings)
    routes = await pipeline.prepare()
    source = open_source(settings, filters(routes.bindings))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(source.run())
        tasks.create_task(pipeline.run(source))
        await until(lambda: source.connected)
        yield pipeline, source
        pipeline.stop()
        source.close()


@asynccontextmanager
async def a_collector(
    settings: Settings, *, drain: bool = False
) -> AsyncIterator[tuple[Collector, asyncio.Event, asyncio.Task[None]]]:
    """The whole collector, as the program runs it; stopped at the end."""
    collector = Collector(settings, open_source, drain=drain)
    stop = asyncio.Event()
    task = asyncio.create_task(collector.run(stop))
    try:
        yield collector, stop, task
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def registered_routes() -> Routes:
    """The registry as a collector would load it now."""

    async def load() -> Routes:
        connection = await connect("test")
        try:
            return await load_routes(connection)
        finally:
            await connection.close()

    return asyncio.run(load())


async def lock_table(blocking: psycopg.Connection, table: str) -> None:
    """Lock a table without stopping the collector of this process, whose lock may come first."""
    await asyncio.to_thread(blocking.execute, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def is_collecting(collector: Collector) -> bool:
    return collector.source is not None and collector.source.connected


def publish(
    broker: TestBroker,
    messages: list[tuple[str, bytes]],
    qos: int = 1,
    retain: bool = False,
    wait: bool = True,
) -> None:
    target = broker_from_url(broker.url, {})
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(target.username, target.password)
    client.connect(target.host, target.port)
    client.loop_start()
    sent = []
    for topic, payload in messages:
        sent.append(client.publish(topic, payload, qos=qos, retain=retain))
        if wait:
            sent[-1].wait_for_publish(10)
    for one in sent:
        one.wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def reading(time: str, **values: float) -> bytes:
    return json.dumps({"time": time, **values}).encode()


def readings(count: int) -> list[tuple[str, bytes]]:
    """So many messages, each with a reading of its own."""
    return [
        (TOPIC, reading(f"2026-03-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z", no2=n))
        for n in range(count)
    ]


class Network:
    """A TCP proxy whose connections can be refused, frozen, or cut on one side only."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._open: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.frozen = False
        self.refusing = False
        # Called with what the client sends; true: pass it on, and cut before the answer.
        self.cut_after: Callable[[bytes], bool] = lambda data: False
        self.cuts = 0

    async def __aenter__(self) -> Network:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for client, server in self._open:
            client.transport.abort()
            server.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_clients(self) -> None:
        """The clients see their connections end; the server sees nothing."""
        for client, _ in self._open:
            client.transport.abort()

    def cut(self) -> None:
        """Both sides see the connections end."""
        for client, server in self._open:
            client.transport.abort()
            server.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._open.append((writer, back))
        lost = asyncio.Event()
        for source, sink, from_client in ((reader, back, True), (there, writer, False)):
            task = asyncio.create_task(self._pass(source, sink, from_client, lost))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        from_client: bool,
        lost: asyncio.Event,
    ) -> None:
        frozen = self.frozen
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                # What was frozen once never thaws, as after a network that forgot it.
                frozen = frozen or self.frozen
                if frozen:
                    continue
                if from_client and self.cut_after(data):
                    lost.set()
                if not from_client and lost.is_set():
                    # The server has answered, so it has done it; nobody will ever hear that.
                    self.cuts += 1
                    self.cut()
                    return
                sink.write(data)
                await sink.drain()
            if from_client and sink.can_write_eof():
                # A client that is gone leaves the server's connection behind.
                return


def stored(city: psycopg.Connection) -> int:
    row = city.execute("SELECT count(*) FROM air.reading").fetchone()
    assert row is not None
    return int(row[0])


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
