"""Sources of every kind on real brokers, clients of a test's own, and a line that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from beffroi.embedded.testing import TestBroker
from collector.mqtt.session import MqttSource
from collector.settings import Settings, broker_from_url
from collector.source import Message

Kind = tuple[str, str]
KINDS: list[Kind] = [("mqtt5", "5"), ("paho", "5"), ("paho", "3.1.1")]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=" ".join)
every_mqtt5_kind = pytest.mark.parametrize("kind", KINDS[:2], ids=" ".join)


def settings(url: str, kind: Kind, client_id: str, **changes: object) -> Settings:
    environment = {"COLLECTOR_CLIENT_ID": client_id, "COLLECTOR_MQTT_PROTOCOL": kind[1]}
    broker = replace(broker_from_url(url, environment), **changes)  # type: ignore[arg-type]
    return Settings(broker, source=kind[0], linger_s=0.01)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(source: MqttSource) -> AsyncIterator[MqttSource]:
    """The source connected; closed and without an exception at the end."""
    task = asyncio.create_task(source.run())
    try:
        await until(lambda: source.connected or task.done())
        yield source
    finally:
        source.close()
        async with asyncio.timeout(15):
            await task


class Client:
    """A paho client of the test's own, on a thread."""

    def __init__(
        self, broker: TestBroker, client_id: str = "", v5: bool = False, clean: bool = True
    ):
        target = broker_from_url(broker.url, {})
        self.session_present: bool | None = None
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if v5 else clean,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
        )
        self.client.max_inflight_messages_set(1000)
        self.client.username_pw_set(target.username, target.password)
        self.client.on_connect = self._welcomed
        extra = {}
        if v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if clean else 3600
            extra = {"clean_start": clean, "properties": properties}
        self.client.connect(target.host, target.port, **extra)  # type: ignore[arg-type]
        self.client.loop_start()

    def _welcomed(self, _c: object, _u: object, flags: paho.ConnectFlags, *_: object) -> None:
        self.session_present = bool(flags.session_present)

    def publish(
        self, topic: str, payloads: Sequence[bytes], qos: int = 1, retain: bool = False
    ) -> None:
        sent = [self.client.publish(topic, payload, qos, retain) for payload in payloads]
        for one in sent:
            one.wait_for_publish(30)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def publish(
    broker: TestBroker, topic: str, payloads: Sequence[bytes], qos: int = 1, retain: bool = False
) -> None:
    def work() -> None:
        client = Client(broker)
        client.publish(topic, payloads, qos, retain)
        client.close()

    await asyncio.to_thread(work)


async def session_present(broker: TestBroker, client_id: str, kind: Kind, clean: bool) -> bool:
    """Whether the broker still has that session; ``clean`` ends it."""

    async def work() -> bool:
        client = await asyncio.to_thread(Client, broker, client_id, kind[1] == "5", clean)
        await until(lambda: client.session_present is not None)
        await asyncio.to_thread(client.close)
        return bool(client.session_present)

    return await work()


async def take(source: MqttSource, count: int, seconds: float = 20) -> list[Message]:
    """That many messages, not acknowledged."""
    messages: list[Message] = []
    async with asyncio.timeout(seconds):
        while len(messages) < count:
            messages += await source.batch()
    return messages


def payloads(messages: Sequence[Message]) -> list[bytes]:
    return [message.payload for message in messages]


class Line:
    """A TCP line to a broker that can be cut and closed."""

    def __init__(self, broker: TestBroker) -> None:
        self.target = broker_from_url(broker.url, {})
        self.closed = False
        self.writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            writer.transport.abort()
            return
        onward, back = await asyncio.open_connection(self.target.host, self.target.port)
        self.writers |= {writer, back}
        await asyncio.gather(self.pump(reader, back), self.pump(onward, writer))

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def cut(self, closed: bool = False) -> None:
        self.closed = closed
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


@asynccontextmanager
async def line_to(broker: TestBroker) -> AsyncIterator[tuple[Line, str]]:
    """The line and the URL to go over it."""
    line = Line(broker)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = broker.url.rpartition("@")[0]
    try:
        yield line, f"{credentials}@127.0.0.1:{port}"
    finally:
        line.cut(closed=True)
        server.close()
        await asyncio.sleep(0.05)
