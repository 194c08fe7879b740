"""A recording → messages over real MQTT, each acknowledged by the broker.

The client is paho driven by asyncio, as in :mod:`collector.mqtt`, for the same reasons.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.replay.mapping import TIME_FIELD
from collector.replay.read import Recording
from collector.settings import Broker, broker_from_url
from storage.city import Series
from storage.registry import REPLAY

IN_FLIGHT = 100
"""Messages sent and not yet acknowledged; fewer where the broker says so."""

_PER_TURN = 50
_PATIENCE_S = 30.0


class PublishError(Exception):
    """The broker cannot be reached, refuses, or went away; the message says what remains."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was sent, and how much of it the broker took over."""

    messages: int
    readings: int
    acknowledged: int


class Outgoing(NamedTuple):
    """One message; ``due_us`` is its recorded time."""

    topic: str
    payload: bytes
    due_us: int
    readings: int


def messages_of(recording: Recording, *, in_order_of_time: bool = False) -> Iterator[Outgoing]:
    """The messages of a recording, in file order unless asked otherwise."""
    if not len(recording):
        return
    starts = np.flatnonzero(np.diff(recording.message, prepend=-1))
    ends = np.append(starts[1:], len(recording))
    if in_order_of_time:
        order = np.argsort(recording.time_us[starts], kind="stable")
        starts, ends = starts[order], ends[order]
    topics = [topic_of(series) for series in recording.series]
    fields = [series.field for series in recording.series]
    whole = not (recording.time_us % 1_000_000).any()
    texts = np.datetime_as_string(
        recording.time_us[starts].view("datetime64[us]"),
        unit="s" if whole else "us",
        timezone="UTC",
    ).tolist()
    for text, start, end in zip(texts, starts.tolist(), ends.tolist(), strict=True):
        of = recording.of[start:end].tolist()
        values = recording.value[start:end].tolist()
        payload = {TIME_FIELD: text, **{fields[at]: v for at, v in zip(of, values, strict=True)}}
        yield Outgoing(
            topics[of[0]], orjson.dumps(payload), int(recording.time_us[start]), end - start
        )


def topic_of(series: Series) -> str:
    """Where the readings of a series are published."""
    return REPLAY.topic.format(territory=series.territory, site=series.site, sensor=series.sensor)


async def publish(
    recording: Recording,
    url: str,
    *,
    speed: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: asyncio.Event | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Published:
    """Publish every message at QoS 1 and wait for its PUBACK.

    Parameters
    ----------
    speed : float, optional
        How many recorded seconds pass in one second, in order of the recorded times.
        None: as fast as the broker takes them, in file order.
    progress : callable, optional
        Called with messages acknowledged and messages in all, about twice a second.
    stop : asyncio.Event, optional
        Once set, nothing more is sent; what is under way is still waited for.
    environment : mapping
        For the ``COLLECTOR_MQTT_*`` variables: protocol and certificates.

    Raises
    ------
    PublishError
        When the broker cannot be reached, refuses, or goes away. Publishing again is
        harmless: what is stored counts as duplicate.
    """
    total = int(recording.message[-1]) + 1 if len(recording) else 0
    stop = stop or asyncio.Event()
    sender = _Sender(broker_from_url(url, environment))
    reporting = asyncio.create_task(_report(sender, total, progress))
    readings = 0
    try:
        await sender.connect()
        clock = _Pace(speed)
        for message in messages_of(recording, in_order_of_time=speed is not None):
            await clock.until(message.due_us, stop)
            if stop.is_set():
                break
            await sender.send(message.topic, message.payload)
            readings += message.readings
        await sender.drain()
    finally:
        reporting.cancel()
        sender.close()
    if progress is not None:
        progress(sender.acknowledged, total)
    return Published(sender.sent, readings, sender.acknowledged)


async def _report(sender: _Sender, total: int, progress: Callable[[int, int], None] | None) -> None:
    while True:
        sender.keep_alive()
        if progress is not None and sender.sent:
            progress(sender.acknowledged, total)
        await asyncio.sleep(0.5)


class _Pace:
    """Holds every message back until its time has come; counts from the first one."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._start: tuple[float, int] | None = None

    async def until(self, due_us: int, stop: asyncio.Event) -> None:
        if self._speed is None:
            return
        now = asyncio.get_running_loop().time()
        if self._start is None:
            self._start = now, due_us
        began, first_us = self._start
        wait = began + (due_us - first_us) / 1e6 / self._speed - now
        if wait > 0:
            try:
                async with asyncio.timeout(wait):
                    await stop.wait()
            except TimeoutError:
                pass


class _Sender:
    """One connection with a window of messages under way."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        v5 = broker.protocol == 5
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"beffroi-replay-{secrets.token_hex(6)}",
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
        )
        self._client.connect_timeout = 10.0
        # Without a limit: our window is the limit, and paho would search its own at every PUBACK.
        self._client.max_inflight_messages_set(0)
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            self._client.tls_set(broker.ca_file, broker.certificate_file, broker.key_file)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect
        self._window = IN_FLIGHT
        self._changed = asyncio.Event()
        self._ready = False
        self._problem = ""
        self._refused = 0
        self.sent = 0
        self.acknowledged = 0

    async def connect(self) -> None:
        """Open the connection; returns once the broker has accepted it."""
        broker, client = self._broker, self._client
        loop = asyncio.get_running_loop()
        try:
            # Name look-up, TCP and TLS block, so they happen in a thread; nothing else does.
            await loop.run_in_executor(
                None, lambda: client.connect(broker.host, broker.port, keepalive=broker.keepalive_s)
            )
        except (OSError, ValueError) as error:
            raise self._lost(f"cannot be reached: {error}") from error
        socket = client.socket()
        assert socket is not None
        loop.add_reader(socket, self._read)
        client.on_socket_close = self._on_socket_close
        # Set so that paho asks for a write instead of writing every packet on its own.
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_written
        await self._wait(lambda: self._ready)

    async def send(self, topic: str, payload: bytes) -> None:
        """Hand one message to the broker; waits while the window is full."""
        if self.sent - self.acknowledged >= self._window:
            await self._wait(lambda: self.sent - self.acknowledged < self._window)
        if self._problem:
            raise self._lost(self._problem)
        self._client.publish(topic, payload, qos=1)
        self.sent += 1
        if self.sent % _PER_TURN == 0:
            await asyncio.sleep(0)

    async def drain(self) -> None:
        """Wait until everything sent is acknowledged."""
        await self._wait(lambda: self.acknowledged == self.sent)

    def keep_alive(self) -> None:
        """Let paho send its pings."""
        if self._ready:
            self._client.loop_misc()

    def close(self) -> None:
        """End the session."""
        self._ready = False
        client = self._client
        client.on_disconnect = None
        client.on_socket_register_write = None
        client.disconnect()
        client.loop_write()
        if (socket := client.socket()) is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(socket)
            loop.remove_writer(socket)
            socket.close()

    async def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait for acknowledgements; a broker that says nothing for long is lost."""
        while not condition():
            if self._problem:
                raise self._lost(self._problem)
            self._changed.clear()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._changed.wait()
            except TimeoutError:
                raise self._lost(f"has not answered for {_PATIENCE_S:.0f} s") from None

    def _lost(self, what: str) -> PublishError:
        where = f"the broker {self._broker.host}:{self._broker.port}"
        if not self.sent:
            return PublishError(f"{where} {what}; check BEFFROI_MQTT_URL")
        return PublishError(
            f"{where} {what} after {self.acknowledged} acknowledged messages; "
            "publish the file again: what is stored already counts as duplicate"
        )

    def _read(self) -> None:
        if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._changed.set()

    def _on_socket_close(self, _client: paho.Client, _data: Any, socket: Any) -> None:
        asyncio.get_running_loop().remove_reader(socket)

    def _on_want_write(self, _client: paho.Client, _data: Any, socket: Any) -> None:
        asyncio.get_running_loop().add_writer(socket, self._client.loop_write)

    def _on_written(self, _client: paho.Client, _data: Any, socket: Any) -> None:
        asyncio.get_running_loop().remove_writer(socket)

    def _on_connect(
        self, _client: paho.Client, _data: Any, _flags: paho.ConnectFlags, code: ReasonCode,
        properties: Properties | None,
    ) -> None:  # fmt: skip
        if code.is_failure:
            self._problem = f"refused the connection: {code}"
        announced = getattr(properties, "ReceiveMaximum", None) if properties else None
        self._window = min(IN_FLIGHT, announced or IN_FLIGHT)
        self._ready = not code.is_failure
        self._changed.set()

    def _on_publish(
        self, _client: paho.Client, _data: Any, _mid: int, code: ReasonCode, _p: Any
    ) -> None:
        if code.is_failure:
            self._problem = f"refused a message: {code}"
        else:
            self.acknowledged += 1
        self._changed.set()

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _p: Any
    ) -> None:
        self._problem = self._problem or f"ended the connection: {code}"
        self._changed.set()
